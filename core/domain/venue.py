"""The port's vocabulary: what we ask of a venue, what it answers, what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.money import ZERO
from core.domain.orders import Order, OrderType, Side


class VenueState(StrEnum):
    """Whether the venue still works an order. `CLOSED` says nothing of whether it filled: compare the quantities."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue's books have it. `filled`, `cost` and `fee` are cumulative; cost and fee are in quote."""

    venue_id: str
    client_id: str | None
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    state: VenueState
    opened_at: datetime
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    filled_at: datetime | None = None
    reason: str = ""
    parent_id: str | None = None
    caught_up: bool = False
    base_fee: Decimal = ZERO
    """What a purchase paid in coins: so much less than `filled` has come."""
    triggered: bool = False
    """A stop whose price was reached and that has not sold everything yet."""


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution in the venue's own books. Cost and fee are in quote."""

    id: str
    venue_id: str
    symbol: str
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What a stream says of one order: that it trades or is over. Enough to know whether a look has seen it."""

    venue_id: str
    symbol: str | None
    filled: Decimal
    is_over: bool


@dataclass(frozen=True, slots=True)
class Fees:
    """What this account pays, in percent."""

    maker_pct: Decimal
    taker_pct: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """One asset: everything there is, and how much of it waits in open orders."""

    asset: str
    total: Decimal
    held: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What a new order could use."""
        return self.total - self.held


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a reading has to go, so that a venue that counts its calls is asked for no more.

    `since`: no order that is wanted is older; `ages`: when each of them, and each parent, was made, by name, so that
    what is found among the open ones does not stretch the search for the others. `parents`: venue ids of entries whose
    spawned stops are looked for; `spans`: of each of those, when it was made and when it was last filled, between which
    its stops have begun.
    `sweep`: every order that ended since then, wanted or not, for a ledger that may have forgotten some. `urgent`:
    something is under way that must not wait behind other reads.
    """

    since: datetime | None = None
    parents: frozenset[str] = frozenset()
    sweep: datetime | None = None
    balances: bool = True
    urgent: bool = False
    ages: Mapping[str, datetime] = field(default_factory=dict)
    spans: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)


EVERYTHING = Reach()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The venue's open orders, then its closed ones, then its balances, read between `began_at` and `at`.

    `complete` is False when any part could not be read; then absence from it means nothing. `balances` is empty where
    they were not asked for.
    """

    began_at: datetime
    at: datetime
    complete: bool
    orders: Mapping[str, VenueOrder] = field(default_factory=dict)
    """By client order id."""
    nameless: Mapping[str, VenueOrder] = field(default_factory=dict)
    """By venue id: orders on the account that carry no id of ours. Those with the parent of an entry of ours are the
    conditional stops that its fills have spawned; the others are not ours."""
    balances: Mapping[str, Balance] = field(default_factory=dict)
    parents: frozenset[str] | None = None
    """The entries whose spawned stops were looked for among what is over; None where all of them are shown."""

    def shows_children_of(self, parent_id: str | None) -> bool:
        """True where a spawned stop of this entry that is not here does not exist, or did not when this was read."""
        return self.complete and (self.parents is None or parent_id in self.parents)

    @property
    def open_orders(self) -> tuple[VenueOrder, ...]:
        """The orders that rest at the venue, ours and others'."""
        ours = tuple(order for order in self.orders.values() if order.state is VenueState.OPEN)
        return ours + tuple(order for order in self.nameless.values() if order.state is VenueState.OPEN)

    def find(self, order: Order) -> VenueOrder | None:
        """The venue's view of an order of ours, by its name or, for a spawned stop, by the venue's."""
        shown = self.orders.get(order.client_id)
        return shown if shown is not None or order.spawned == ZERO else self.nameless.get(order.venue_id or "")

    def children(self, parent_id: str | None) -> list[VenueOrder]:
        """The orders that this parent's fills have spawned, oldest first."""
        if parent_id is None or not self.nameless:
            return []
        found = [order for order in self.nameless.values() if order.parent_id == parent_id]
        return sorted(found, key=lambda order: (order.opened_at, order.venue_id))


@dataclass(frozen=True, slots=True)
class Submit:
    """Send this order. Orders of one `group` share their hold and cancel each other, where the venue can link.

    `group_sold` is what we know the group to have sold: a venue that knows of more refuses, because the order was
    made for coins that are no longer there.

    With `attached_stop` every fill of the order spawns a stop of its size at that price, at the venue itself.
    """

    order: Order
    symbol: str
    group: str | None = None
    group_sold: Decimal = ZERO
    attached_stop: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Take this order back."""

    order: Order
    symbol: str


@dataclass(frozen=True, slots=True)
class Amend:
    """Change quantity or prices in place; `quantity` is the order's new total, fills included. `group` as in Submit."""

    order: Order
    symbol: str
    quantity: Decimal
    limit_price: Decimal | None
    trigger_price: Decimal | None
    group: str | None = None
    group_sold: Decimal = ZERO


Action = Submit | Cancel | Amend


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took it."""

    venue_id: str | None = None


LINKED_LEG_TRADED = "EOrder:Linked order traded"
"""The refusal of an order whose group has sold more than its sender knew."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue said no, in its own words; or Zyn itself did, before it sent anything. `words`: what that means."""

    reason: str
    words: str = field(default="", compare=False)

    @property
    def told(self) -> str:
        """The reason with its meaning."""
        return f"{self.reason} ({self.words})" if self.words else self.reason


NOT_SENT = "not sent: "
"""How the reason of a refusal begins that is our own."""


def who_refused(reason: str) -> str:
    """Who said no: "the venue", or "Zyn itself" for what was never sent."""
    return "Zyn itself" if reason.startswith(NOT_SENT) else "the venue"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say: no answer, or one that proves nothing. The next snapshot decides."""

    detail: str


Outcome = Accepted | Refused | Unknown
