"""The implementations of the Exchange port, each with its world around it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pydantic import SecretStr

from core.domain.modes import Mode
from core.domain.money import ZERO
from core.domain.venue import Action, Amend, Snapshot, VenueOrder
from core.exchange.budget import RestBudget, Tier
from core.exchange.kraken import Access, AccountClient, new_account_client
from core.exchange.kraken_market import KrakenMarketData
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_wire import AccountWire
from core.exchange.pacing import TokenBucket
from core.exchange.port import Exchange
from tests.contract.subject import HOME, ZEC, Body, Hand, Lack
from tests.core.exchange.kraken_rig import no_wait, quick_client
from tests.rig import START, Rig, SettableClock, hand_market, open_rig
from tests.simulation.faults import CALM, Dice
from tests.simulation.kraken_shape import KrakenShaped
from tests.simulation.matching import ZEC as ZEC_OF_THE_SIMULATION
from tests.simulation.matching import Books, Links, Nature
from tests.simulation.venue import HostileVenue
from tests.simulation.virtual import VirtualLoop
from tests.standins.kraken import KrakenStandIn
from tests.standins.kraken_records import Spelling

NOTHING: frozenset[Lack] = frozenset()


# -- paper -----------------------------------------------------------------------------------------------------------


@dataclass
class PaperSubject:
    """A paper account over a market made by hand."""

    rig: Rig
    exchange: Exchange
    lacks = frozenset({Lack.DISTANCE, Lack.DEADLINES, Lack.SWEEP})
    holds = True

    def now(self) -> datetime:
        return self.rig.clock()

    async def pass_s(self, seconds: float) -> None:
        self.rig.time.pass_s(seconds)
        for symbol, quote in list(self.rig.hand.last.items()):
            self.rig.hand.last[symbol] = replace(quote, at=self.rig.clock())
        if not self.rig.hand.down:
            await self.exchange.advance()

    async def move(self, price: str) -> None:
        self.rig.hand.books.clear()
        self.rig.hand.trade(ZEC, price)
        await self.pass_s(2)

    async def fill(self, shown: VenueOrder, price: str, quantity: str) -> None:
        self.rig.hand.trade(ZEC, price, quantity)
        await self.pass_s(2)

    def show_bids(self, bids: dict[str, str]) -> None:
        self.rig.hand.put_book(ZEC, bids, {})

    async def strand(self) -> None:
        self.rig.hand.down = True

    async def rescue(self) -> None:
        self.rig.hand.down = False

    async def reborn(self) -> None:
        self.exchange = (await self.rig.reopen(start=False)).exchange


class PaperVenue:
    """PaperExchangeWrapper over its ledger in memory."""

    name = "paper"

    def run(self, body: Body) -> None:
        async def work() -> None:
            async with open_rig() as rig:
                rig.hand.price(ZEC, HOME)
                await body(Hand(PaperSubject(rig, rig.exchange)))

        asyncio.run(work())


# -- the Kraken wrapper over the stand-in ----------------------------------------------------------------------------


@dataclass
class FastTime:
    """Seconds that pass when somebody waits for them."""

    clock: SettableClock

    def __call__(self) -> float:
        return self.clock.now.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        await asyncio.sleep(0)


def kraken_wire(kraken: KrakenStandIn, time: FastTime) -> AccountWire:
    """The account's wire to the stand-in, whose waits cost no time."""
    access = Access(
        SecretStr(kraken.key), SecretStr(kraken.secret), kraken.url, kraken.ws_url, kraken.ws_auth_url, timeout_s=2.0
    )

    def client() -> AccountClient:
        made: Any = new_account_client(access)
        made.timeout_on_exit = 0
        return made  # type: ignore[no-any-return]

    return AccountWire(client, RestBudget(Tier.PRO, monotonic=time, sleep=time.sleep), sleep=time.sleep)


def kraken_market(kraken: KrakenStandIn, clock: SettableClock) -> KrakenMarketData:
    """The market data of the stand-in, read without pauses."""
    pace = TokenBucket(1000.0, 1000, sleep=no_wait)
    return KrakenMarketData(kraken.url, clock, {}, client_factory=quick_client, pace=pace, sleep=no_wait)


def kraken_exchange(kraken: KrakenStandIn, market: KrakenMarketData, clock: SettableClock) -> KrakenExchangeWrapper:
    """The wrapper as a process makes it, on the clock that a test sets."""
    time, options = FastTime(clock), AccountOptions(tier=Tier.PRO)
    return KrakenExchangeWrapper(kraken_wire(kraken, time), market, clock, options, monotonic=time)


def on_one_clock(kraken: KrakenStandIn, clock: SettableClock) -> None:
    """Let the stand-in live by a clock that a test sets, counters and lags included."""
    kraken.market.now = clock
    kraken.account.monotonic = FastTime(clock)
    kraken.account.limits = False


@dataclass
class KrakenSubject:
    """An account at the stand-in, all of it on one clock that a test sets."""

    kraken: KrakenStandIn
    clock: SettableClock
    market: KrakenMarketData
    exchange: Exchange
    lacks = NOTHING

    @property
    def holds(self) -> bool:
        return self.kraken.account.stop_holds

    def now(self) -> datetime:
        return self.clock()

    async def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)

    async def move(self, price: str) -> None:
        self.clock.pass_s(1)
        self.kraken.account.trade(ZEC, price)

    async def fill(self, shown: VenueOrder, price: str, quantity: str) -> None:
        self.clock.pass_s(1)
        self.kraken.account.trade(ZEC, price, volume=quantity)

    def show_bids(self, bids: dict[str, str]) -> None:
        self.kraken.account.pair(ZEC).bids = list(bids.items())

    async def strand(self) -> None:
        await self.kraken.stop()

    async def rescue(self) -> None:
        await self.kraken.start()

    async def reborn(self) -> None:
        await self.exchange.close()
        self.exchange = kraken_exchange(self.kraken, self.market, self.clock)


@dataclass
class KrakenVenue:
    """KrakenExchangeWrapper over real HTTP, in one of the worlds that nobody has documented."""

    name: str
    stop_holds: bool
    spelling: Spelling = field(default_factory=Spelling)

    def run(self, body: Body) -> None:
        asyncio.run(self._work(body))

    async def _work(self, body: Body) -> None:
        clock = SettableClock()
        funds = {"USD": Decimal(10_000)}
        async with KrakenStandIn(balances=funds, stop_holds=self.stop_holds) as kraken:
            on_one_clock(kraken, clock)
            kraken.account.spelling = self.spelling
            kraken.account.trade(ZEC, str(HOME))
            market = kraken_market(kraken, clock)
            await market.instruments()
            subject = KrakenSubject(kraken, clock, market, kraken_exchange(kraken, market, clock))
            try:
                await body(Hand(subject))
            finally:
                await subject.exchange.close()
                await market.close()
            assert kraken.private.forbidden == []


# -- the simulation's venues, calm ------------------------------------------------------------------------------------


class Nobody:
    """Watches nothing."""

    def sending(self, venue: HostileVenue, action: Action) -> None: ...

    def arrived_late(self, venue: HostileVenue, action: Action) -> None: ...

    def amended(self, venue: HostileVenue, action: Amend) -> None: ...

    def placed_or_changed(self, venue: HostileVenue, order: VenueOrder) -> None: ...

    def read(self, venue: HostileVenue, snapshot: Snapshot, wanted: Collection[str]) -> None: ...

    def say(self, line: str) -> None: ...


@dataclass
class HostileSubject:
    """An account of the simulation, on whose day nothing goes wrong."""

    venue: HostileVenue
    exchange: Exchange

    @property
    def lacks(self) -> frozenset[Lack]:
        every = frozenset({Lack.TICKS, Lack.PAIRS, Lack.MONEY, Lack.BOOK, Lack.FILLS})
        return every if isinstance(self.venue, KrakenShaped) else every | {Lack.SWEEP}

    @property
    def holds(self) -> bool:
        return self.venue.books.nature.holds

    def now(self) -> datetime:
        return self.venue.clock()

    async def pass_s(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def move(self, price: str) -> None:
        await asyncio.sleep(1)
        self.venue.books.move(Decimal(price))

    async def fill(self, shown: VenueOrder, price: str, quantity: str) -> None:
        await asyncio.sleep(1)
        self.venue.books.price = Decimal(price)
        self.venue.books.fill(shown.venue_id, Decimal(quantity), shown.limit_price or Decimal(price))

    def show_bids(self, bids: dict[str, str]) -> None:
        raise NotImplementedError(Lack.BOOK.value)

    async def strand(self) -> None:
        self.venue.outage_until = self.venue.clock() + timedelta(hours=1)

    async def rescue(self) -> None:
        self.venue.outage_until = None

    async def reborn(self) -> None:
        if isinstance(self.venue, KrakenShaped):
            self.venue.reborn()


@dataclass
class SimulatedVenue:
    """HostileVenue, or KrakenShaped with the real wrapper over it, on a loop whose time is a number."""

    name: str
    nature: Nature
    shaped: bool = False

    def run(self, body: Body) -> None:
        random = Random(7)
        with VirtualLoop(random) as loop:
            hand = Hand(self._subject(loop, random))
            task = loop.spawn(_finished(body, hand))
            loop.run(until=task.done, step=lambda: None)
            task.result()
            assert loop.errors == []

    def _subject(self, loop: VirtualLoop, random: Random) -> HostileSubject:
        def clock() -> datetime:
            return START + timedelta(seconds=loop.time())

        books, dice = Books(self.nature, clock, HOME), Dice(random, CALM)
        if not self.shaped:
            venue = HostileVenue(Mode.PAPER, books, loop, dice, clock, Nobody())
            return HostileSubject(venue, venue)
        market = hand_market()
        market.known = {ZEC: ZEC_OF_THE_SIMULATION}
        shaped = KrakenShaped(Mode.LIVE, books, loop, dice, clock, Nobody(), market=market)
        return HostileSubject(shaped, shaped)


async def _finished(body: Body, hand: Hand) -> None:
    await body(hand)


def _nature(*, holds: bool, links: Links = Links.NOTHING, attaches: bool = True) -> Nature:
    return Nature(holds=holds, links=links, attaches=attaches, spare=ZERO)


VENUES = (
    PaperVenue(),
    KrakenVenue("kraken, stops hold", stop_holds=True),
    KrakenVenue("kraken, stops hold nothing", stop_holds=False),
    KrakenVenue(
        "kraken, spelled otherwise",
        stop_holds=True,
        spelling=Spelling(money_decimals=5, pending_stops=True, named_children=True),
    ),
    SimulatedVenue("simulated, links by shrinking", _nature(holds=True, links=Links.SHRINKS, attaches=False)),
    SimulatedVenue("simulated, links by canceling", _nature(holds=False, links=Links.CANCELS, attaches=False)),
    SimulatedVenue("simulated, attaches stops", _nature(holds=False)),
    SimulatedVenue("kraken-shaped, stops hold", _nature(holds=True), shaped=True),
    SimulatedVenue("kraken-shaped, stops hold nothing", _nature(holds=False), shaped=True),
)
"""Every implementation of the port, in every nature that it can have."""
