"""The day of one desk: how it began, what it has brought, and the kill switch that outlives the process."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from loguru import logger

from core.domain.brackets import Bracket, ExitReason
from core.domain.errors import ZynError
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
        day = self.day
        return day.killed if day is not None else ""

    async def look(self) -> None:
        """Begin the day where it has not begun, count its result, and end it for entries where it has lost too much."""
        day = self.day or await self._begin()
        if day is None:
            return
        brackets = self._of_today()
        self.result = result_of(day, brackets, await self._bids(brackets))
        if self.result is None or day.killed:
            return
        why = why_killed(day, self.result, self._limits.daily_loss_pct)
        if why:
            await self._kill(day, why)

    def resume(self) -> str:
        """Take entries again: what was lost so far counts no more. Returns why they had ended, or ""."""
        day = self.day
        if day is None or not day.killed:
            return ""
        lost = self.result if self.result is not None else ZERO
        self._keep(replace(day, killed="", forgiven=min(ZERO, lost)))
        return day.killed

    async def _begin(self) -> Day | None:
        """The first look of a UTC day. What is open then is counted from what it is worth now."""
        desk = self._desk
        open_now = desk.ledger.unfinished()
        bids = await self._bids(open_now)
        began = {one.id: worth(one, bids.get(one.symbol)) for one in open_now}
        if any(value is None for value in began.values()):
            return None
        try:
            account = await account_now(desk)
        except ZynError as error:
            logger.debug("[{}] the day cannot begin yet: {}", desk.mode, error.message)
            return None
        worths = {name: value for name, value in began.items() if value is not None}
        if self._day is not None and self._day.killed:
            text = f"A new day has begun: the kill switch of the {desk.mode} desk is off, entries are taken again."
            desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text)])
        day = Day(self._today(), account.equity, worths)
        self._keep(day)
        return day

    async def _kill(self, day: Day, why: str) -> None:
        desk = self._desk
        self._keep(replace(day, killed=why))
        then = (
            "Everything is being sold." if self._limits.kill_flattens else "What is open keeps its stops and targets."
        )
        text = (
            f"KILL SWITCH of the {desk.mode} desk: {why}. No new entries until tomorrow (UTC) or "
            f"'{desk.mode.lower()} risk resume'. {then}"
        )
        desk.ledger.save((), [Event(EventKind.STATE_CHANGED, desk.mode, desk.clock(), text)])
        logger.warning("[{}] kill switch: {}", desk.mode, why)
        if self._limits.kill_flattens:
            await leave(desk, [(bracket, None) for bracket in desk.ledger.unfinished()], ExitReason.KILL_SWITCH)

    def _of_today(self) -> list[Bracket]:
        start = datetime.combine(self._desk.clock().date(), datetime.min.time(), self._desk.clock().tzinfo)
        closed = self._desk.ledger.closed_between(start, start + timedelta(days=1))
        return [*closed, *self._desk.ledger.unfinished()]

    async def _bids(self, brackets: "list[Bracket] | tuple[Bracket, ...]") -> dict[str, Decimal]:
        quotes = await self._desk.quotes({one.symbol for one in brackets if one.held > ZERO})
        return {symbol: quote.bid for symbol, quote in quotes.items()}

    def _today(self) -> str:
        return f"{self._desk.clock():%Y-%m-%d}"

    # -- what is stored ----------------------------------------------------------------------------------------

    def _keep(self, day: Day) -> None:
        values = {
            "date": day.date, "equity": str(day.equity), "forgiven": str(day.forgiven), "killed": day.killed,
            "began_with": {name: str(value) for name, value in day.began_with.items()},
        }  # fmt: skip
        self._store.put(_key(self._desk.mode), json.dumps(values))
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
            return "Today: not begun yet, the account could not be read."
        quote = self._desk.settings.quote_currency
        result = "unknown, a price is missing" if self.result is None else f"{cents(self.result)} {quote}"
        return f"Today: {result} of {cents(day.equity)} {quote} that it began with."


def _key(mode: Mode) -> str:
    return f"day:{mode.value}"
