"""Work that never ends: begun by name, begun again when it breaks, ended together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from loguru import logger

from bot import background
from bot.background import Background


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PAUSE_S", 0.0)


@pytest.fixture
def log() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(message.record["message"]), level="ERROR")
    yield lines
    logger.remove(handler)


async def test_work_that_breaks_is_told_by_name_and_begins_again(log: list[str]) -> None:
    begun = 0
    steady = asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise ValueError("the sky fell")
        steady.set()
        await asyncio.Event().wait()

    running = Background()
    running.start("the waker", work)
    await asyncio.wait_for(steady.wait(), 1)
    await running.stop()
    assert begun == 3
    assert log == ["the waker broke and begins again"] * 2


async def test_work_that_ends_by_itself_begins_again() -> None:
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)

    running = Background()
    running.start("the waker", work)
    async with asyncio.timeout(1):
        while begun < 3:
            await asyncio.sleep(0)
    await running.stop()


async def test_everything_ends_together_and_has_ended_when_the_stop_returns() -> None:
    ended: list[int] = []

    def worker(number: int) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.append(number)

        return work

    running = Background()
    for number in range(3):
        running.start(f"work {number}", worker(number))
    await asyncio.sleep(0)
    await running.stop()
    assert sorted(ended) == [0, 1, 2]
    await running.stop()


async def test_one_that_breaks_does_not_take_the_others_along(log: list[str]) -> None:
    async def broken() -> None:
        await asyncio.sleep(0)
        raise OSError("gone")

    count = 0

    async def steady() -> None:
        nonlocal count
        while True:
            count += 1
            await asyncio.sleep(0)

    running = Background()
    running.start("broken", broken)
    running.start("steady", steady)
    async with asyncio.timeout(1):
        while count < 50:
            await asyncio.sleep(0)
    await running.stop()
    assert log
