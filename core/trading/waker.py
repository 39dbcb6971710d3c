"""Waking the tick: events come in bursts, ticks run one at a time, and none is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta

from loguru import logger

from core.domain.market import Quote
from core.domain.venue import OrderNews
from core.lifecycle.waking import calls_for_a_look
from core.trading.desk import Desk

IN_VAIN_PAUSE = timedelta(seconds=2)
AGAIN_S = (0.3, 1.5, 4.0)
"""Lists may lag behind the stream: news that a tick has not found is looked for again so much later."""


class Waker:
    """Runs the tick of one desk when somebody wakes it. May be called from anywhere in the loop, at any rate."""

    def __init__(self, desk: Desk, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._desk = desk
        self._sleep = sleep
        self._bases: set[str | None] = set()
        self._news: dict[str, tuple[OrderNews, int]] = {}
        """By venue id: what was told, and how often it was looked for."""
        self._in_vain: dict[str | None, datetime] = {}
        """By coin: when a woken look last found nothing to do."""
        self._woken = asyncio.Event()
        self._later: set[asyncio.Task[None]] = set()

    def wake(self, news: Collection[OrderNews]) -> None:
        """A stream tells of these orders; of none, where anything may have happened since it was heard last."""
        if not news:
            self._bases.add(None)
            self._woken.set()
        for one in news:
            self._take(one, 0)

    def look_at(self, quotes: Collection[Quote]) -> None:
        """New prices: wake where a bracket has been waiting for one."""
        now = self._desk.clock()
        for quote in quotes:
            base = quote.symbol.partition("/")[0]
            brackets = self._desk.ledger.unfinished(base)
            if any(one.symbol == quote.symbol and calls_for_a_look(one, quote, now) for one in brackets):
                self._bases.add(base)
                self._woken.set()

    def _take(self, news: OrderNews, tries: int) -> None:
        self._news[news.venue_id] = (news, tries)
        self._woken.set()

    async def run(self) -> None:
        """Until canceled."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                if self._desk.has_compared:
                    await self._work()
        finally:
            for task in self._later:
                task.cancel()

    async def _work(self) -> None:
        await self._desk.wait_until_idle()
        bases, self._bases = self._bases, set()
        told, self._news = self._news, {}
        # What the ledger shows already was seen by the tick of a command.
        open_news = [(news, tries) for news, tries in told.values() if not self._is_seen(news)]
        for base in _bases_of((), [news for news, _ in open_news]):
            self._in_vain.pop(base, None)  # News of an order is always looked at.
        for base in _bases_of(bases, [news for news, _ in open_news]):
            await self._tick(base)
        for news, tries in open_news:
            if tries < len(AGAIN_S) and not self._is_seen(news) and self._is_ours(news):
                task = asyncio.create_task(self._again(news, tries))
                self._later.add(task)
                task.add_done_callback(self._later.discard)

    def _is_seen(self, news: OrderNews) -> bool:
        """True where the ledger knows as much. One that it does not know may be a stop that was spawned just now."""
        found = self._desk.ledger.find_order(news.venue_id)
        if found is None:
            return False
        order = found[1]
        return order.filled >= news.filled and (order.is_terminal or not news.is_over)

    def _is_ours(self, news: OrderNews) -> bool:
        return self._desk.is_busy or self._desk.ledger.find_order(news.venue_id) is not None

    async def _tick(self, base: str | None) -> None:
        now, last = self._desk.clock(), self._in_vain.get(base)
        if last is not None and timedelta() <= now - last < IN_VAIN_PAUSE:
            # The last look found nothing to do: prices come by the second, and each look is counted by the venue.
            return
        try:
            # Of "anything may have happened" nobody knows that it did.
            report = await self._desk.house.tick(self._desk, base, urgent=base is not None)
            self._in_vain.pop(base, None)
            if not report.changed:
                self._in_vain[base] = now
        except Exception as error:  # noqa: BLE001 - the polling goes on, and the next event wakes again
            logger.opt(exception=error).error("a woken tick of the {} desk failed", self._desk.mode)

    async def _again(self, news: OrderNews, tries: int) -> None:
        with suppress(asyncio.CancelledError):
            await self._sleep(AGAIN_S[tries])
            self._take(news, tries + 1)


def _bases_of(bases: Collection[str | None], news: Collection[OrderNews]) -> list[str | None]:
    """The coins to look at; None alone, for all of them, where one of them is not known."""
    wanted = {*bases, *(one.symbol.partition("/")[0] if one.symbol else None for one in news)}
    return [None] if None in wanted else sorted(wanted, key=str)
