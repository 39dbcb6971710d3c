"""The loop of the lives keeps asyncio's promises, in time that costs nothing, in an order that a seed decides."""

import asyncio
from random import Random

import pytest

from tests.simulation.virtual import StuckError, VirtualLoop


def _run(seed: int, work: "list[str]", *, names: str = "abcdef") -> None:
    async def one(name: str) -> None:
        for number in range(3):
            await asyncio.sleep(0)
            work.append(f"{name}{number}")

    with VirtualLoop(Random(seed)) as loop:
        tasks = [loop.spawn(one(name)) for name in names]
        loop.run(until=lambda: all(task.done() for task in tasks), step=lambda: None)


def test_a_seed_decides_the_order_and_another_seed_another_one() -> None:
    first: list[str] = []
    again: list[str] = []
    other: list[str] = []
    _run(1, first)
    _run(1, again)
    _run(2, other)
    assert first == again != other
    assert sorted(first) == sorted(other)


def test_hours_pass_at_once_and_timers_come_in_order() -> None:
    seen: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, asyncio.get_running_loop().time()))

    with VirtualLoop(Random(1)) as loop:
        tasks = [loop.spawn(sleep("late", 7200.0)), loop.spawn(sleep("early", 3.5))]
        loop.run(until=lambda: all(task.done() for task in tasks), step=lambda: None)
    assert seen == [("early", 3.5), ("late", 7200.0)]


def test_locks_are_held_by_one_and_time_outs_strike() -> None:
    lock_holders: list[int] = []
    most: list[int] = []

    async def hold(lock: asyncio.Lock) -> None:
        async with lock:
            lock_holders.append(1)
            await asyncio.sleep(1)
            most.append(len(lock_holders))
            lock_holders.pop()

    async def impatient() -> str:
        try:
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        except TimeoutError:
            return f"gave up at {asyncio.get_running_loop().time()}"
        return "was let through"

    with VirtualLoop(Random(3)) as loop:
        lock = asyncio.Lock()
        tasks = [loop.spawn(hold(lock)) for _ in range(4)]
        waiting = loop.spawn(impatient())
        loop.run(until=lambda: all(task.done() for task in (*tasks, waiting)), step=lambda: None)
        assert waiting.result() == "gave up at 5.0"
    assert most == [1, 1, 1, 1]


def test_a_killed_life_does_not_run_on_and_its_finally_does_not_either() -> None:
    seen: list[str] = []

    async def child(name: str) -> None:
        try:
            await asyncio.sleep(2)
            seen.append(f"{name} went on")
        finally:
            seen.append(f"{name} cleaned up")

    async def parent() -> None:
        await asyncio.gather(asyncio.create_task(child("inherited")), child("own"))

    async def world() -> None:
        await asyncio.sleep(10)
        seen.append("the world goes on")

    with VirtualLoop(Random(1)) as loop:
        loop.spawn(parent(), life=1)
        end = loop.spawn(world())
        loop.run(until=lambda: loop.time() >= 0 and loop.steps >= 3, step=lambda: None)
        loop.kill(1)
        loop.run(until=end.done, step=lambda: None)
        during = list(seen)
    assert during == ["the world goes on"]


def test_everybody_waiting_for_somebody_is_told() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with VirtualLoop(Random(1)) as loop:
        task = loop.spawn(forever())
        with pytest.raises(StuckError, match="nothing is ready"):
            loop.run(until=task.done, step=lambda: None)
