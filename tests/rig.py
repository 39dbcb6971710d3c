"""A house for tests: database, store, market, clock, paper desk and service, wired as `bot.wiring` wires them.

    async with open_rig() as rig:                       # a HandMarket, SQLite in memory, started
        reply = await rig.tell("buy 0.04 ZEC/USD market SL 1% TP 2%")
        rig.hand.trade("ZEC/USD", "505.00")             # one print, a second later
        await rig.tick()
        again = await rig.reopen()                      # what a restarted process would see

Every part may be replaced: `open_rig(Wiring(market=..., clock=..., target_mode=..., limits=..., database_url=...))`.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import cast

from bot.grammar.parse import Grammar, Parsed
from core.autopilot.choices import Choices
from core.autopilot.day import DayKeeper
from core.autopilot.pilot import Pilot
from core.commands.base import Command
from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Candle, Print, Quote, Tape
from core.domain.modes import Mode, Source, TargetMode
from core.domain.money import ceil_to, floor_to
from core.exchange.errors import MarketDownError
from core.exchange.matching import Friction
from core.exchange.paper import PaperExchangeWrapper
from core.exchange.port import Exchange, MarketData
from core.ledger.evaluations import Evaluations
from core.ledger.ledger import Ledger
from core.ledger.paper import PaperLedger
from core.ledger.proposals import Proposals
from core.ledger.store import Store
from core.lifecycle.rules import Rules
from core.market.builtin import builtin_instruments
from core.market.clocks import Clock
from core.risk.limits import RiskLimits
from core.risk.prices import BracketConfig
from core.strategy.config import TradingConfig, in_currency
from core.trading.approvals import Approvals
from core.trading.consent import ConsentPolicy
from core.trading.desk import Desk, DeskSettings
from core.trading.execute import execute_trading_command
from core.trading.reply import Reply
from core.trading.service import TradingService
from core.trading.tick import TickReport
from storage.database import Database, open_database
from storage.migrate import migrate

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PRICES = {"BTC/USD": "91000.0", "ETH/USD": "3050.00", "SOL/USD": "137.00", "ZEC/USD": "512.00", "DOGE/USD": "0.161"}
CONSENT = ConsentPolicy()
WIDE = RiskLimits(
    risk_pct_max=Decimal(100),
    exposure_pct_max=Decimal(100),
    max_order_quote=Decimal(1_000_000),
    price_collar_pct=Decimal(50),
)
"""Limits that let everything through, for tests about something else."""
FRICTION = Friction()
CONFIG = BracketConfig()
STRATEGY = in_currency(TradingConfig(), "USD")


@dataclass
class SettableClock:
    """Time that moves only when a test says so."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self.now


@dataclass
class HandMarket:
    """Market data that a test makes by hand. `down` makes every call fail; `books` are shown as they are."""

    clock: Clock
    name: str = "hand"
    down: bool = False
    last: dict[str, Quote] = field(default_factory=dict)
    books: dict[str, Book] = field(default_factory=dict)
    events: dict[str, list[Print | Candle]] = field(default_factory=dict)
    history: dict[str, list[Candle]] = field(default_factory=dict)
    """What `candles` answers; without it there is no ATR."""
    known: dict[str, Instrument] = field(default_factory=builtin_instruments)

    def price(self, symbol: str, last: str | Decimal, *, half_spread: str | Decimal = "0") -> Quote:
        """Quote `last` now, without a trade: resting orders do not see it."""
        value, half, tick = Decimal(last), Decimal(half_spread), self.known[symbol].tick_size
        quote = Quote(symbol, floor_to(value - half, tick), ceil_to(value + half, tick), value, self.clock(), self.name)
        self.last[symbol] = quote
        return quote

    def trade(self, symbol: str, last: str | Decimal, quantity: str | Decimal = "1000000") -> Print:
        """One print, a second later, and the quote that follows it."""
        cast("SettableClock", self.clock).pass_s(1)
        event = Print(symbol, Decimal(last), Decimal(quantity), self.clock())
        self.events.setdefault(symbol, []).append(event)
        self.price(symbol, last)
        return event

    def put_book(self, symbol: str, bids: Mapping[str, str], asks: Mapping[str, str]) -> Book:
        """Show this book (price: quantity) until told otherwise."""
        book = Book(symbol, _levels(bids), _levels(asks), self.clock())
        self.books[symbol] = book
        return book

    async def instruments(self) -> Mapping[str, Instrument]:
        """The built-in table, or what a test made of it."""
        self._must_be_up()
        return self.known

    async def quotes(self, symbols: Collection[str]) -> Mapping[str, Quote]:
        """The last quotes; as old as the test left them."""
        self._must_be_up()
        return {symbol: self.last[symbol] for symbol in symbols if symbol in self.last}

    async def book(self, symbol: str) -> Book | None:
        """The book that the test has put there, None otherwise."""
        self._must_be_up()
        return self.books.get(symbol)

    async def status(self, symbol: str) -> str:
        """What the test has made of the instrument."""
        return self.known[symbol].status

    async def tape(self, symbol: str, since: datetime) -> Tape:
        """Prints after `since`, and candles that opened at or after it and have ended."""
        self._must_be_up()
        now = self.clock()
        found = [one for one in self.events.get(symbol, ()) if since < _end(one) <= now and _begin(one) >= since]
        return Tape(symbol, found, _end(found[-1]) if found else since)

    async def candles(self, symbol: str, interval_s: int, count: int, *, patient: bool = False) -> Sequence[Candle]:
        """The history that a test has put there."""
        self._must_be_up()
        return [one for one in self.history.get(symbol, ()) if one.interval_s == interval_s][-count:]

    async def close(self) -> None:
        """Nothing to give back."""

    def _must_be_up(self) -> None:
        if self.down:
            raise MarketDownError("the market of this test is down")


def _levels(side: Mapping[str, str]) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(Decimal(price), Decimal(quantity)) for price, quantity in side.items())


def _begin(event: Print | Candle) -> datetime:
    return event.at


def _end(event: Print | Candle) -> datetime:
    return event.ends_at if isinstance(event, Candle) else event.at


@dataclass(frozen=True)
class Wiring:
    """How a rig is put together."""

    market: MarketData | None = None
    """None: a HandMarket with PRICES. Another market must be made with the same clock as `clock`."""
    clock: Clock | None = None
    """None: a SettableClock at START."""
    database_url: str = "sqlite://"
    target_mode: TargetMode = TargetMode.EMULATED
    limits: RiskLimits = WIDE
    friction: Friction = FRICTION
    bracket: BracketConfig = CONFIG
    balance: Decimal = Decimal(10_000)
    quote_currency: str = "USD"
    quote_age_max_s: float = 30.0
    wrap: Callable[[Exchange], Exchange] = lambda exchange: exchange
    """Puts something between the paper desk and its exchange, for example faults."""
    live: Exchange | None = None
    """An exchange for a LIVE desk; None: there is none."""
    first_mode: Mode = Mode.PAPER
    policy: ConsentPolicy = CONSENT
    strategy: TradingConfig = STRATEGY
    autopilot: bool = True
    """Whether it trades on PAPER from the start; nobody calls it but the test."""


@dataclass
class Rig:
    """One house. `hand` and `time` are the market and clock that it makes when it is given none."""

    wiring: Wiring
    database: Database
    store: Store
    market: MarketData
    clock: Clock
    paper: PaperLedger
    exchange: Exchange
    desk: Desk
    service: TradingService
    approvals: Approvals
    grammar: Grammar

    @property
    def hand(self) -> HandMarket:
        """The market, where it is one made by hand."""
        return cast("HandMarket", self.market)

    @property
    def time(self) -> SettableClock:
        """The clock, where it is one that a test sets."""
        return cast("SettableClock", self.clock)

    async def run(self, command: Command, mode: Mode | None = None, source: Source = Source.COMMAND) -> Reply:
        """Through the one way from a command to a desk."""
        return await execute_trading_command(self.service, command, mode, source)

    async def tell(self, text: str) -> Reply:
        """The same for a sentence; one that is no command fails the test."""
        understood = self.grammar.parse(text)
        assert isinstance(understood, Parsed), f"{text!r} is not understood: {understood}"
        return await self.run(understood.command, understood.mode)

    async def tick(self) -> TickReport:
        """One tick of the paper desk."""
        return await self.service.tick(self.desk)

    async def reopen(self, *, start: bool = True) -> "Rig":
        """The house of a process that starts again on the same database, market and clock."""
        again = replace(self.wiring, market=self.market, clock=self.clock)
        rig = await _furnish(again, self.database)
        if start:
            await rig.service.start()
        return rig


@asynccontextmanager
async def open_rig(wiring: Wiring | None = None, *, start: bool = True) -> AsyncIterator[Rig]:
    """A house after its recovery (`start=False`: before it)."""
    chosen = wiring or Wiring()
    database = open_database(chosen.database_url)
    try:
        migrate(database, START)
        rig = await _furnish(chosen, database)
        if start:
            await rig.service.start()
        try:
            yield rig
        finally:
            await rig.service.close()
    finally:
        database.close()


async def _furnish(wiring: Wiring, database: Database) -> Rig:
    clock = wiring.clock or SettableClock()
    market = wiring.market or hand_market(cast("SettableClock", clock))
    instruments = await market.instruments()
    paper = PaperLedger(database, wiring.friction, start_asset=wiring.quote_currency, start_balance=wiring.balance)
    paper.load()
    exchange = wiring.wrap(PaperExchangeWrapper(paper, market, clock, quote_age_max_s=wiring.quote_age_max_s))
    some = next(iter(instruments.values()))
    rules = Rules(some, wiring.target_mode, wiring.bracket, quote_age_max_s=wiring.quote_age_max_s)
    settings = DeskSettings(rules, wiring.limits, wiring.friction, wiring.quote_currency, wiring.quote_age_max_s)
    numbers = count(_brackets_so_far(database) + 1)
    desks = {
        one.mode: Desk(
            one.mode, one, Ledger(database, one.mode), market, clock, settings, lambda: f"zy{next(numbers):08d}"
        )
        for one in (exchange, wiring.live)
        if one is not None
    }
    store = Store(database)
    service = TradingService(desks, store, wiring.first_mode, owner="jimmy", database_name=str(database))
    keepers = {mode: DayKeeper(one, store, wiring.strategy.limits) for mode, one in desks.items()}
    choices = Choices(store, wiring.strategy, starts_on=wiring.autopilot)
    service.pilot = Pilot(service, Evaluations(database), choices, keepers, settle_s=3.0, offload=_at_once)
    approvals = Approvals(service, Proposals(database), wiring.policy, clock)
    grammar = Grammar(instruments, wiring.quote_currency)
    return Rig(wiring, database, store, market, clock, paper, exchange, desks[Mode.PAPER], service, approvals, grammar)


async def _at_once(work: Callable[..., object], *given: object) -> object:
    """Where the bot would use a thread."""
    return work(*given)


def hand_market(clock: SettableClock | None = None) -> HandMarket:
    """A market made by hand that quotes PRICES, without a spread and without a book."""
    market = HandMarket(clock or SettableClock())
    for symbol, last in PRICES.items():
        market.price(symbol, last)
    return market


def _brackets_so_far(database: Database) -> int:
    with database.transaction() as connection:
        return int(connection.exec_driver_sql("SELECT COUNT(*) FROM bracket").scalar_one())
