"""Work that never ends, beside the jobs: started by name, started again when it breaks, stopped together."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from loguru import logger

PAUSE_S = 5.0


class Background:
    """The long-running tasks of one process."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Future[None]] = []

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until `stop`; should it break, say so and begin again after a pause."""
        self._tasks.append(asyncio.create_task(_forever(name, work), name=name))

    def keep(self, name: str, task: "asyncio.Future[None]") -> None:
        """Something that is under way and ends by itself: stopped with the others, should it not have ended."""
        self._tasks.append(task)
        task.add_done_callback(partial(_told, name))

    async def stop(self) -> None:
        """Cancel everything and wait for it to end."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _told(name: str, task: "asyncio.Future[None]") -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        logger.opt(exception=error).error("{} broke", name)


async def _forever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever broke, it is told, and the work goes on
            logger.opt(exception=error).error("{} broke and begins again", name)
        await asyncio.sleep(PAUSE_S)
