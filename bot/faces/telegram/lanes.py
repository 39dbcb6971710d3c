"""Each user's messages in order, users beside each other: one lane a user, alive while something waits in it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from loguru import logger

Item = TypeVar("Item")


class Lanes(Generic[Item]):
    """`work` gets the user's queue and takes at least the first item off it. What it raises is logged."""

    def __init__(self, work: Callable[[int, deque[Item]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[int, deque[Item]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def is_idle(self, user: int) -> bool:
        """True when an item of this user would be worked on at once."""
        return user not in self._tasks

    def add(self, user: int, item: Item) -> None:
        """Put an item at the end of the user's lane."""
        self._waiting.setdefault(user, deque()).append(item)
        if user not in self._tasks:
            self._tasks[user] = asyncio.create_task(self._run(user), name=f"telegram user {user}")

    async def _run(self, user: int) -> None:
        queue = self._waiting[user]
        try:
            while queue:
                try:
                    await self._work(user, queue)
                except Exception as error:  # noqa: BLE001 - what comes behind must not wait for what broke
                    logger.opt(exception=error).error("the lane of user {} broke over a message", user)
        finally:
            # No await between the last look and this: an item that comes later starts a lane of its own.
            del self._tasks[user]
            if not queue:
                del self._waiting[user]

    async def stop(self, patience_s: float) -> None:
        """Take nothing new off the lanes, let what runs end within `patience_s`, cut off the rest."""
        for queue in self._waiting.values():
            queue.clear()
        running = list(self._tasks.values())
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
