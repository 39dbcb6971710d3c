"""An event loop without a clock, a socket or a thread: time is a number, and chance picks what runs next.

    loop = VirtualLoop(Random(7))
    loop.spawn(work(), life=1)                  # a task of process 1, and everything that it starts
    loop.run(until=lambda: done, step=watch)    # `watch` runs after every step; it may call `loop.kill(1)`

Of everything that is ready, one is drawn at random, so that two runs with the same seed are the same run and two
seeds are two interleavings. When nothing is ready, time jumps to the next timer. A killed life is never resumed: its
coroutines are kept where they stand until the loop closes, so that no `finally` of a dead process runs in its life.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVarTuple, cast

LIFE: ContextVar[int] = ContextVar("LIFE", default=0)
"""The process that a task belongs to; 0 is the world, which never dies."""

_Handle = tuple[int, asyncio.Handle]
_Ts = TypeVarTuple("_Ts")
STEPS_MAX = 200_000


class StuckError(AssertionError):
    """Nothing is ready and nothing ever will be: everybody waits for somebody."""


class VirtualLoop(asyncio.BaseEventLoop):
    """What asyncio's tasks, locks, timeouts and sleeps need. There is no selector: whoever opens a socket fails."""

    def __init__(self, random: Random) -> None:
        self._over = False
        super().__init__()
        self.steps = 0
        self.errors: list[dict[str, Any]] = []
        self._random = random
        self._now = 0.0
        self._runnable: list[_Handle] = []
        self._timers: list[tuple[float, int, int, asyncio.TimerHandle]] = []
        self._count = 0
        self._dead: set[int] = set()
        self._tasks: list[asyncio.Task[Any]] = []

    def __enter__(self) -> Self:
        asyncio.events._set_running_loop(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.events._set_running_loop(None)
        self.close()

    # -- the world's side --------------------------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, Any], life: int = 0) -> asyncio.Task[Any]:
        """Start `work` as part of a life."""
        context = copy_context()
        context.run(LIFE.set, life)
        return context.run(self.create_task, work)

    def kill(self, life: int) -> None:
        """From now on nothing of this life runs."""
        self._dead.add(life)

    def run(self, until: Callable[[], bool], step: Callable[[], None]) -> None:
        """Step until `until` holds. Raises StuckError when nothing can happen any more."""
        while not until():
            if self.steps > STEPS_MAX:
                raise StuckError(f"more than {STEPS_MAX} steps: something goes round in circles")
            self._step()
            step()

    def _step(self) -> None:
        while not self._runnable:
            if not self._timers:
                raise StuckError("nothing is ready and no timer runs")
            when, _, life, handle = heapq.heappop(self._timers)
            if handle.cancelled() or life in self._dead:
                continue
            self._now = max(self._now, when)
            self._runnable.append((life, handle))
            while self._timers and self._timers[0][0] <= self._now:
                _, _, life, handle = heapq.heappop(self._timers)
                self._runnable.append((life, handle))
        index = int(self._random.random() * len(self._runnable))
        self._runnable[index], self._runnable[-1] = self._runnable[-1], self._runnable[index]
        life, chosen = self._runnable.pop()
        if chosen.cancelled() or life in self._dead:
            return
        self.steps += 1
        chosen._run()

    # -- asyncio's side ----------------------------------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        chosen = context if context is not None else copy_context()
        handle = asyncio.Handle(callback, args, self, chosen)
        if not self._over:
            self._runnable.append((chosen.get(LIFE, 0), handle))
        return handle

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        chosen = context if context is not None else copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, chosen)
        self._count += 1
        if not self._over:
            heapq.heappush(self._timers, (when, self._count, chosen.get(LIFE, 0), handle))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, context=context)
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.errors.append(context)

    def close(self) -> None:
        self._over = True
        self._runnable.clear()
        self._timers.clear()
        for task in self._tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch for this
            if not task.done():
                # Not left to the garbage collector, which may take a task and its coroutine in the wrong order.
                with suppress(BaseException):
                    cast("Coroutine[Any, Any, Any]", task.get_coro()).close()
        self._tasks.clear()
        super().close()
