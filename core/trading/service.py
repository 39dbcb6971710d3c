"""The TradingService: the desks of the house, the active mode, and the tick that keeps both books true."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from core.ledger.store import Store
from core.trading import notice
from core.trading.desk import Desk
from core.trading.house import Check, Probe
from core.trading.state import tell_readiness
from core.trading.tick import TickReport, tick

if TYPE_CHECKING:
    from core.autopilot.pilot import Pilot

MODE_KEY = "mode"
RECOVERY_PAUSE_MAX = timedelta(seconds=30)
REFUSED_PAUSE = timedelta(minutes=10)
"""A key that is wrong does not heal by being asked about; its owner may mend it at Kraken."""
START_TICKS = 3
"""Recovery needs more than one look: absence from a snapshot counts only when seen twice."""


class TradingService:
    """One house: at most one desk a mode. Made by the wiring."""

    def __init__(
        self,
        desks: Mapping[Mode, Desk],
        store: Store,
        first_mode: Mode,
        *,
        owner: str,
        database_name: str,
        lacks: str = "",
    ) -> None:
        self._desks = dict(desks)
        self._store = store
        self._database_name = database_name
        self.owner = owner
        self.pilot: Pilot
        """Set by the wiring, which makes it around this service."""
        self.lacks = lacks
        """What a desk that is not set up would need, as an instruction."""
        self.probes: dict[str, Probe] = {}
        self._summed_up: dict[Mode, str] = {}
        self._recovering = {mode: asyncio.Lock() for mode in self._desks}
        stored = store.get(MODE_KEY)
        self._active = Mode(stored) if stored in set(Mode) else first_mode
        for desk in self._desks.values():
            desk.house = self

    @property
    def active_mode(self) -> Mode:
        """The stored mode; MODE was only its first value."""
        return self._active

    def desk(self, mode: Mode) -> Desk:
        """The desk of `mode`. Raises Denied where it is not set up."""
        desk = self._desks.get(mode)
        if desk is None:
            raise Denied(
                Code.LIVE_UNAVAILABLE, f"there is no {mode} desk in this Zyn: {self.lacks or 'it is not set up'}"
            )
        return desk

    @property
    def desks(self) -> tuple[Desk, ...]:
        """Every desk that is set up."""
        return tuple(self._desks.values())

    def other_desk(self, desk: Desk) -> Desk | None:
        """The desk of the other mode, None where it is not set up."""
        return self._desks.get(desk.mode.other)

    async def switch(self, mode: Mode) -> Mode:
        """Store and use another mode. Returns the former one."""
        self.desk(mode)
        before, self._active = self._active, mode
        self._store.put(MODE_KEY, mode.value)
        return before

    async def start(self) -> None:
        """The recovery: the ordinary tick on every desk, before any trading command is taken."""
        await asyncio.gather(*(self._recover(desk) for desk in self.desks))

    async def _recover(self, desk: Desk) -> TickReport:
        """Tick until nothing changes. What cannot be read leaves the desk not ready, with the reason."""
        async with self._recovering[desk.mode]:
            return await self._compare(desk)

    async def _compare(self, desk: Desk) -> TickReport:
        before = desk.ledger.unfinished()
        readiness = await desk.exchange.readiness()
        desk.is_refused = readiness.is_final
        report = TickReport()
        for _ in range(START_TICKS if not readiness.is_final else 0):
            # Even where nothing new may be begun, what is open is protected.
            report = await self.tick(desk)
            if report.troubles or not report.changed:
                break
        if report.has_read:
            desk.compared.set()
        if readiness.problem:
            report.troubles.insert(0, readiness.problem)
        desk.ready = not report.troubles
        desk.not_ready_because = "; ".join(report.troubles)
        tell_readiness(desk, before)
        if before and desk.ready:
            self._tell_restart(desk, before)
        return report

    def _tell_restart(self, desk: Desk, before: Sequence[Bracket]) -> None:
        now = [desk.ledger.bracket(bracket.id) or bracket for bracket in before]
        desk.ledger.save((), [Event(EventKind.RESTARTED, desk.mode, desk.clock(), notice.restarted(desk.mode, now))])

    async def finish(self, limit_s: float) -> None:
        """Before the end: see through what is under way, so that no position is left bare for want of one more look."""
        try:
            async with asyncio.timeout(limit_s):
                for desk in self.desks:
                    while desk.has_compared and desk.is_busy:
                        report = await self.tick(desk, urgent=True)
                        if report.troubles or not report.changed:
                            break
        except TimeoutError:
            logger.warning("not everything that was under way could be seen through")

    def tell_stop(self) -> None:
        """Write down what rests and what sleeps from now on, for every desk that has something open, or for the active.

        The outbox delivers it now or, where it cannot, at the next start.
        """
        for desk in self.desks:
            brackets = desk.ledger.unfinished()
            if brackets or desk.mode is self.active_mode:
                text = notice.stopped(desk.mode, desk.exchange.name, brackets, desk.clock())
                desk.ledger.save((), [Event(EventKind.STOPPED, desk.mode, desk.clock(), text)])

    def summarise(self) -> None:
        """Tell of yesterday, once, at every desk where something happened or is open. The day is the desk's own."""
        for desk in self.desks:
            today = desk.clock().replace(hour=0, minute=0, second=0, microsecond=0)
            start = today - timedelta(days=1)
            day = f"{start:%Y-%m-%d}"
            if self._summed_up.get(desk.mode) == day:
                continue
            self._summed_up[desk.mode] = day
            if self._store.has_alert(EventKind.SUMMARY, desk.mode, day):
                continue
            closed = desk.ledger.closed_between(start, today)
            unfinished = desk.ledger.unfinished()
            known = [bracket for bracket in unfinished if bracket.created_at < today]
            if closed or known:
                text = notice.summary(day, closed, unfinished)
                event = Event(EventKind.SUMMARY, desk.mode, desk.clock(), text, bracket_id=day)
                desk.ledger.save((), [event])

    async def tick(self, desk: Desk, base: str | None = None, *, urgent: bool = False) -> TickReport:
        """Run the tick of one desk, for one coin or all; `urgent` where there is something to see."""
        return await tick(desk, base, urgent=urgent)

    def is_recovery_due(self, desk: Desk) -> bool:
        """True where the books are to be compared now: not while that is under way, nor within its pause."""
        if desk.ready or self.is_recovering(desk):
            return False
        now = desk.clock()
        return desk.recover_at is None or not now < desk.recover_at <= now + REFUSED_PAUSE

    def is_recovering(self, desk: Desk) -> bool:
        """True while the books are being compared."""
        return self._recovering[desk.mode].locked()

    async def until_recovered(self, desk: Desk, limit_s: float) -> None:
        """Wait for a comparison that is under way to end; give up after `limit_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s), self._recovering[desk.mode]:
                pass

    async def tick_or_recover(self, desk: Desk) -> TickReport:
        """The tick of one desk; where its books were never compared with the venue's, the recovery."""
        if desk.ready:
            return await self.tick(desk)
        if not self.is_recovery_due(desk):
            # What is open is looked after meanwhile, where its books are known.
            return await self.tick(desk) if desk.has_compared else TickReport()
        now, report = desk.clock(), await self._recover(desk)
        desk.recoveries = 0 if desk.ready else desk.recoveries + 1
        desk.recover_at = now + _recovery_pause(desk) if desk.mode is Mode.LIVE else None
        return report

    async def tick_all(self) -> list[TickReport]:
        """The tick of every desk: both keep their brackets alive, whatever the active mode."""
        work = (self.tick_or_recover(desk) for desk in self.desks)
        # Side by side: a venue that answers slowly must not keep the other desk's stops waiting.
        done = await asyncio.gather(*work, return_exceptions=True)
        for one in done:
            if isinstance(one, BaseException):
                raise one
        return [one for one in done if isinstance(one, TickReport)]

    def describe_database(self) -> Check:
        """Write and read back one value."""
        try:
            self._store.put("diagnostic", "ok")
            ok = self._store.get("diagnostic") == "ok"
        except SQLAlchemyError as error:
            return Check("Database", ok=False, text=f"{self._database_name}: {str(error).splitlines()[0]}")
        return Check("Database", ok=ok, text=f"{self._database_name}, written and read back")

    async def close(self) -> None:
        """Give back what the desks hold."""
        for desk in self.desks:
            await desk.exchange.close()
            await desk.market.close()


def _recovery_pause(desk: Desk) -> timedelta:
    """Each comparison costs calls that the venue counts: 0, 10, 20, 30 s, and long for a key that is wrong."""
    if desk.is_refused:
        return REFUSED_PAUSE
    return min(RECOVERY_PAUSE_MAX, timedelta(seconds=10 * max(0, desk.recoveries - 1)))
