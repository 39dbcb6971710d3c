"""A venue under test, and the hands of the world around it: one test body for every implementation of the port.

A test is written as a coroutine over a `Subject` and marked `@on_every_venue`. Each venue runs it in its own way: on
a loop of asyncio's with real sockets, or on a loop whose time is a number.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

import pytest

from core.domain.orders import Order, OrderState, OrderType, Role, Side, TimeInForce
from core.domain.venue import Accepted, Outcome, Reach, Refused, Snapshot, Submit, VenueOrder, VenueState
from core.exchange.port import Exchange

ZEC = "ZEC/USD"
HOME = Decimal(500)
"""Where the market stands when a test begins."""
BRACKET = "zycontract"
TAKER_PCT = Decimal("0.4")
GRAIN = Decimal("0.00001")
"""Kraken writes money to the fifth place."""
SETTLED_S = 3.0
"""After so long every venue shows what has happened, also one that remembers what it has read."""
D = Decimal


class Lack(StrEnum):
    """What a venue of these tests legitimately does not have, as the reason of a skip."""

    TICKS = "this venue of the simulation takes any price"
    PAIRS = "this venue of the simulation has one pair"
    MONEY = "this venue of the simulation has money without end"
    BOOK = "this venue of the simulation has a price and no book"
    FILLS = "this venue of the simulation lists no executions"
    DEADLINES = "paper orders arrive at once, so that no deadline can pass"
    DISTANCE = "its books are our own database: only its market can be out of reach"
    SWEEP = "its books cannot be older or newer than the ledger"


class Subject(Protocol):
    """One account, and what only the world can do to it."""

    exchange: Exchange

    @property
    def lacks(self) -> frozenset[Lack]:
        """What it legitimately does not have."""
        ...

    @property
    def holds(self) -> bool:
        """A resting stop keeps its coins from other sales."""
        ...

    def now(self) -> datetime:
        """The venue's clock."""
        ...

    async def pass_s(self, seconds: float) -> None:
        """Let time pass in a market that stands still."""
        ...

    async def move(self, price: str) -> None:
        """The market trades at this price, with volume for everybody."""
        ...

    async def fill(self, shown: VenueOrder, price: str, quantity: str) -> None:
        """So much of a resting order trades, the market being at `price`."""
        ...

    def show_bids(self, bids: dict[str, str]) -> None:
        """The book has these bids and no others (price: quantity)."""
        ...

    async def strand(self) -> None:
        """The venue cannot be reached any more; for paper: its market."""
        ...

    async def rescue(self) -> None:
        """It can be reached again."""
        ...

    async def reborn(self) -> None:
        """The process has ended and begun anew: what it remembered is gone."""
        ...


Body = Callable[["Hand"], Awaitable[None]]


class Venue(Protocol):
    """A kind of venue that can run a test body."""

    name: str

    def run(self, body: Body) -> None:
        """Open an account with 10,000 USD, run the body over it, and give everything back."""
        ...


@dataclass
class Hand:
    """How a test trades: orders by short names, looks that are never old."""

    subject: Subject

    @property
    def exchange(self) -> Exchange:
        """The implementation under test."""
        return self.subject.exchange

    def needs(self, *lacks: Lack) -> None:
        """Skip where the venue lacks one of these, with its reason."""
        for lack in lacks:
            if lack in self.subject.lacks:
                pytest.skip(lack.value)

    def order(
        self,
        name: str,
        side: Side,
        quantity: str,
        *,
        limit: str | None = None,
        stop: str | None = None,
        ioc: bool = False,
    ) -> Order:
        """An order of ours that nobody has sent yet: a stop, a limit, else at market."""
        kind = OrderType.STOP_LOSS if stop else OrderType.LIMIT if limit else OrderType.MARKET
        role = Role.ENTRY if side is Side.BUY else Role.STOP if stop else Role.EXIT
        now = self.subject.now()
        return Order(
            client_id=name,
            bracket_id=BRACKET,
            role=role,
            side=side,
            type=kind,
            quantity=D(quantity),
            state=OrderState.SUBMITTING,
            created_at=now,
            deadline=now + timedelta(seconds=40),
            limit_price=D(limit) if limit else None,
            trigger_price=D(stop) if stop else None,
            time_in_force=TimeInForce.IOC if ioc else TimeInForce.GTC,
        )

    async def place(self, order: Order, *, group: str | None = None, attached: str | None = None) -> Order:
        """Send it and have it accepted. Returns it with the venue's name."""
        outcome = await self.send(order, group=group, attached=attached)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.venue_id, "an accepted order has a name at the venue"
        return replace(order, venue_id=outcome.venue_id, state=OrderState.OPEN)

    async def send(
        self, order: Order, *, group: str | None = None, sold: str = "0", attached: str | None = None
    ) -> Outcome:
        """Send it, whatever comes."""
        stop = D(attached) if attached else None
        return await self.exchange.perform(
            Submit(order, ZEC, group=group, group_sold=D(sold), attached_stop=stop),
        )

    async def buy(self, quantity: str = "0.04", name: str = "zyc-buy") -> Order:
        """Buy at market."""
        return await self.place(self.order(name, Side.BUY, quantity))

    async def look(self, *names: str, parents: tuple[str, ...] = ()) -> Snapshot:
        """The books now: first what has happened settles."""
        await self.subject.pass_s(SETTLED_S)
        since = self.subject.now() - timedelta(hours=1)
        snapshot = await self.exchange.snapshot(names, Reach(since=since, parents=frozenset(parents), urgent=True))
        assert snapshot.complete
        return snapshot

    async def shown(self, order: Order) -> VenueOrder:
        """One order in the books now."""
        found = (await self.look(order.client_id)).orders.get(order.client_id)
        assert found is not None, f"{order.client_id} is in neither list"
        return found

    async def resting(self) -> list[VenueOrder]:
        """What rests at the venue now, ours and others'."""
        return list((await self.look()).open_orders)


def on_every_venue(body: Body) -> Callable[[Venue], None]:
    """Make a test of a coroutine: it is run on the venue of the fixture, in that venue's way."""

    def test(venue: Venue) -> None:
        venue.run(body)

    test.__name__ = test.__qualname__ = getattr(body, "__name__", "test")
    test.__module__ = body.__module__
    return test


def is_close(found: Decimal, expected: Decimal, per_mille: str = "1") -> bool:
    """True where the two differ by no more than so many thousandths."""
    return abs(found - expected) <= abs(expected) * D(per_mille) / 1000


def is_over(shown: VenueOrder) -> bool:
    """True where the venue works it no more."""
    return shown.state is not VenueState.OPEN


def reason_of(outcome: Outcome) -> str:
    """The venue's words; anything but a refusal fails the test."""
    assert isinstance(outcome, Refused), outcome
    return outcome.reason
