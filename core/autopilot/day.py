"""The day of one desk: how it began, what it has brought, and the kill switch that outlives the process."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from loguru import logger

from core.domain.brackets import Bracket, ExitReason
from core.domain.errors import Code, Denied, ZynError
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from core.domain.money import ZERO, cents
from core.ledger.store import Store
from core.risk.day import Day, result_of, why_killed, worth
from core.strategy.config import Limits
from core.trading.desk import Desk
from core.trading.door import account_now
from core.trading.leaving import leave


class DayKeeper:
    """`look` is called again and again; everything that it knows is in the store."""

    def __init__(self, desk: Desk, store: Store, limits: Limits) -> None:
        self.result: Decimal | None = None
        """What the day has brought at the last look, in quote; None while that is not known."""
        self._desk = desk
        self._store = store
        self._limits = limits
        self._waits_for = "nobody has looked yet"
        """What keeps the day from beginning."""
        self._looking = asyncio.Lock()
        self._day = self._stored()
        desk.killed = self._killed

    @property
    def day(self) -> Day | None:
        """Today as it began; None before the first look of the day that could read the account."""
        return self._day if self._day is not None and self._day.date == self._today() else None

    @property
    def limit_pct(self) -> Decimal:
        """How much of its beginning a day may lose."""
        return self._limits.daily_loss_pct

    def _killed(self) -> str:
        """A clock that is put back does not bring a day back that has ended."""
        day = self._day
        return day.killed if day is not None and day.date >= self._today() else ""

    @property
    def blind(self) -> str:
        """Why nobody can say whether the day has lost too much; empty where it can be said."""
        if self.day is None:
            return f"the day cannot be counted, {self._waits_for}"
        if self.result is None:
            return "what the day has brought cannot be counted, a price is missing"
        return ""

    async def look(self) -> None:
        """Begin the day where it has not begun, count its result, and end it for entries where it has lost too much."""
        async with self._looking:
            day = self.day or await self._begin()
            if day is None:
                return
            brackets = self._of_today(day)
            known, is_all = result_of(day, brackets, await self._bids(brackets))
            self.result = known if is_all else None
            if day.killed:
                await self._flatten()
                return
            # What is missing may be better or worse; what is known to be lost is lost.
            why = why_killed(day, known, self._limits.daily_loss_pct)
            if why:
                self._kill(day, why)
                await self._flatten()

    async def resume(self) -> str:
        """Take entries again: what was lost so far counts no more. Returns why they had ended, or "".

        Raises Denied where what was lost cannot be counted just now: it would end them again at once.
        """
        await self.look()
        day = self.day
        if day is None or not day.killed:
            return ""
        if self.result is None:
            raise Denied(Code.NO_PRICES, "what the day has lost cannot be counted, a price is missing; try again")
        self._keep(replace(day, killed="", forgiven=min(ZERO, self.result)))
        return day.killed

    async def _begin(self) -> Day | None:
        """The first look of a UTC day. What is open then is counted from what it is worth now."""
        desk = self._desk
        if self._day is not None and self._day.date > self._today():
            self._waits_for = f"this machine's clock was put back: {self._day.date} had begun"
            return None
        # What was begun today has all of its result today, however late the first look is.
        start = self._start()
        open_now = [one for one in self._ours(desk.ledger.unfinished()) if one.created_at < start]
        bids = await self._bids(open_now)
        began = {one.id: worth(one, bids.get(one.symbol)) for one in open_now}
        lacking = sorted({one.symbol for one in open_now if began[one.id] is None})
        if lacking:
            self._waits_for = f"there is no price of {', '.join(lacking)}"
            return None
        try:
            account = await account_now(desk)
        except ZynError as error:
            self._waits_for = f"the account could not be read: {error.message}"
            logger.debug("[{}] the day cannot begin yet: {}", desk.mode, error.message)
            return None
        worths = {name: value for name, value in began.items() if value is not None}
        events = []
        if self._day is not None and self._day.killed:
            text = f"A new day has begun: the kill switch of the {desk.mode} desk is off, entries are taken again."
            events.append(Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text))
        day = Day(self._today(), account.equity, worths)
        self._keep(day, *events)
        return day

    def _kill(self, day: Day, why: str) -> None:
        desk = self._desk
        then = (
            "Zyn sells everything now." if self._limits.kill_flattens else "What is open keeps its stops and targets."
        )
        text = (
            f"KILL SWITCH of the {desk.mode} desk: {why}. No new entries until tomorrow (UTC) or "
            f"'{desk.mode.lower()} risk resume'. {then}"
        )
        self._keep(replace(day, killed=why), Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text))
        logger.warning("[{}] kill switch: {}", desk.mode, why)

    async def _flatten(self) -> None:
        """Where that is set: leave whatever is not being left yet. What has no price now is tried at each look."""
        if not self._limits.kill_flattens:
            return
        left = [one for one in self._desk.ledger.unfinished() if one.leave is None and not one.cancel_entry]
        for bracket in left:
            try:
                await leave(self._desk, [(bracket, None)], ExitReason.KILL_SWITCH)
            except ZynError as error:
                logger.warning("[{}] {} cannot be sold yet: {}", self._desk.mode, bracket.symbol, error.message)

    def _of_today(self, day: Day) -> list[Bracket]:
        """What is open, and what was closed today. What was open overnight and had ended before the day's first look
        is left out: what of its result is today's, nobody knows.
        """
        start = self._start()
        closed = self._desk.ledger.closed_between(start, start + timedelta(days=1))
        counted = [one for one in closed if one.created_at >= start or one.id in day.began_with]
        return self._ours([*counted, *self._desk.ledger.unfinished()])

    def _ours(self, brackets: Iterable[Bracket]) -> list[Bracket]:
        """Those of the desk's own currency: amounts of others are not of the same kind."""
        currency = self._desk.settings.quote_currency
        return [one for one in brackets if one.symbol.endswith(f"/{currency}")]

    async def _bids(self, brackets: Sequence[Bracket]) -> dict[str, Decimal]:
        quotes = await self._desk.quotes({one.symbol for one in brackets if one.held > ZERO})
        return {symbol: quote.bid for symbol, quote in quotes.items()}

    def _start(self) -> datetime:
        return self._desk.clock().replace(hour=0, minute=0, second=0, microsecond=0)

    def _today(self) -> str:
        return f"{self._desk.clock():%Y-%m-%d}"

    # -- what is stored ----------------------------------------------------------------------------------------

    def _keep(self, day: Day, *events: Event) -> None:
        values = {
            "date": day.date, "equity": str(day.equity), "forgiven": str(day.forgiven), "killed": day.killed,
            "began_with": {name: str(value) for name, value in day.began_with.items()},
        }  # fmt: skip
        self._store.put(_key(self._desk.mode), json.dumps(values), *events)
        self._day = day

    def _stored(self) -> Day | None:
        text = self._store.get(_key(self._desk.mode))
        if text is None:
            return None
        values = json.loads(text)
        began = {name: Decimal(value) for name, value in values["began_with"].items()}
        return Day(values["date"], Decimal(values["equity"]), began, Decimal(values["forgiven"]), values["killed"])

    def line(self) -> str:
        """How the day stands, in one line."""
        day = self.day
        if day is None:
            return f"Today: not begun yet, {self._waits_for}."
        quote = self._desk.settings.quote_currency
        result = "unknown, a price is missing" if self.result is None else f"{cents(self.result)} {quote}"
        return f"Today: {result} of {cents(day.equity)} {quote} that it began with."


def _key(mode: Mode) -> str:
    return f"day:{mode.value}"
