"""A Zyn process that can die: the ordinary bootstrap, the ordinary jobs, on a database that outlives it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial

from sqlalchemy import Connection, event
from sqlalchemy.pool import PoolProxiedConnection

from bot.jobs import Jobs
from bot.outbox import Outbox
from bot.settings import Settings
from bot.talk import Talk
from bot.wiring import House, MarketParts, assemble
from core.domain.events import Event
from core.domain.instruments import Instrument
from core.domain.market import Book, Quote
from core.exchange.errors import MarketDownError
from core.ledger.ledger import Ledger
from core.ledger.store import Alert
from core.lifecycle.decide import Decision
from core.trading.desk import Desk
from core.trading.reply import Reply
from storage.database import Database, open_database
from storage.lock import ProcessLock
from storage.migrate import migrate
from tests.rig import START, HandMarket
from tests.simulation.faults import Dice
from tests.simulation.venue import HostileVenue
from tests.simulation.virtual import VirtualLoop

TICK_S, PRICES_S, OUTBOX_S = 5.0, 2.5, 10.0
JOB_TIMEOUT_S = 60.0
INSTRUMENTS_AT_ONCE = 0.9
"""Chance that the table of instruments is at hand; else it is read anew, and others may run meanwhile."""


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Disk:
    """A SQLite database in memory: one engine for all lives of this test process, so that its compiled statements are
    kept, and a fresh connection with the empty schema for each."""

    database: Database

    def wipe(self) -> sqlite3.Connection:
        """A new life begins on an empty database. Returns the driver's connection, for looking on."""
        self.database.engine.dispose()
        raw = self.database.engine.raw_connection()
        rows = self.rows(raw)
        raw.close()
        return rows

    @staticmethod
    def rows(raw: PoolProxiedConnection) -> sqlite3.Connection:
        """The driver's own connection. Raises TypeError where it is another driver's."""
        rows = raw.driver_connection
        if not isinstance(rows, sqlite3.Connection):
            raise TypeError(f"a SQLite connection was expected, this is {type(rows)}")
        return rows


@cache
def disk() -> Disk:
    """Migrated once; every later connection starts from the serialised result."""
    database = open_database("sqlite://")
    migrate(database, START)
    made = Disk(database)
    raw = database.engine.raw_connection()
    template = made.rows(raw).serialize()
    raw.close()

    def fill(connection: sqlite3.Connection, _record: object) -> None:
        connection.deserialize(template)

    event.listen(database.engine, "connect", fill)
    return made


class MortalDatabase(Database):
    """The database as one process sees it: the process may die before a transaction or right after its commit."""

    def __init__(self, database: Database, fate: Callable[[], None]) -> None:
        super().__init__(database.engine, database.url)
        self._fate = fate

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._fate()
        with super().transaction() as connection:
            yield connection
        self._fate()


class WatchedLedger(Ledger):
    """A ledger that shows what it has committed."""

    saved: Callable[[Sequence[Decision]], None]

    def save(self, decisions: Iterable[Decision], events: Sequence[Event] = ()) -> None:
        changed = list(decisions)
        super().save(changed, events)
        self.saved(changed)


class DriftingMarket(HandMarket):
    """A market whose answers take a moment, and that has sometimes nothing to say."""

    dice: Dice

    async def instruments(self) -> Mapping[str, Instrument]:
        await asyncio.sleep(0 if self.dice.random.random() < INSTRUMENTS_AT_ONCE else self.dice.travel_s())
        return await super().instruments()

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        await asyncio.sleep(0)
        if self.dice.strikes("quotes_missing"):
            raise MarketDownError("the market of this life is down")
        return await super().quotes(symbols)

    async def book(self, symbol: str) -> Book | None:
        await asyncio.sleep(0)
        return await super().book(symbol)


@dataclass
class Process:
    """One incarnation. Everything of it runs with its number, and stops for good when it dies."""

    number: int
    loop: VirtualLoop
    house: House
    talk: Talk
    outbox: Outbox
    troubles: list[str] = field(default_factory=list)

    def start(self) -> None:
        """The recovery, then the jobs."""
        self.loop.spawn(self._run(), self.number)

    async def _run(self) -> None:
        await self.house.service.start()
        jobs = Jobs(self.house, self.outbox)
        for desk in self.house.service.desks:
            for seconds, work in ((TICK_S, jobs.tick), (PRICES_S, jobs.prices)):
                self.loop.spawn(self._repeat(seconds, partial(work, desk)), self.number)
        self.loop.spawn(self._repeat(OUTBOX_S, jobs.outbox), self.number)

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                async with asyncio.timeout(JOB_TIMEOUT_S):
                    await work()
            except TimeoutError:
                pass
            except Exception as error:
                self.troubles.append(f"{type(error).__name__}: {error}")
                raise

    def hear(self, text: str, answered: Callable[[Reply], None]) -> None:
        """A message of the owner's; `answered` is called unless the process dies over it."""

        async def answer() -> None:
            answered(await self.talk.answer("jimmy", text))

        self.loop.spawn(answer(), self.number)


def boot(
    number: int,
    loop: VirtualLoop,
    settings: Settings,
    market: DriftingMarket,
    venues: Sequence[HostileVenue],
    fate: Callable[[], None],
    sink: Callable[[Alert], bool],
    saved: Callable[[HostileVenue, Sequence[Decision]], None],
    new_id: Callable[[], str],
) -> Process:
    """The house as the wiring assembles it, with ledgers that show what they save and an outbox that is heard."""
    database = MortalDatabase(disk().database, fate)
    parts = MarketParts(market, market.clock, "hand", 30.0)
    house = assemble(settings, database, ProcessLock(database), parts, market.known, venues)
    for venue in venues:
        desk: Desk = house.service.desk(venue.mode)
        ledger = WatchedLedger(database, venue.mode)
        ledger.saved = lambda decisions, venue=venue: saved(venue, decisions)  # type: ignore[misc]
        desk.ledger = ledger
        desk.new_bracket_id = new_id
    outbox = Outbox(house.store)

    async def channel() -> int:
        reached = 0
        for alert in house.store.waiting_alerts():
            await asyncio.sleep(0)
            if not sink(alert):
                break
            # As a real channel does: how far it is, is on disk before the next one goes out.
            house.store.mark_alerts([alert.id], "delivered")
            reached = alert.id
        return reached

    outbox.channels.append(channel)
    return Process(number, loop, house, Talk(house.approvals, house.grammar), outbox)
