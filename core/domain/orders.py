"""Orders and fills as values."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.money import ZERO, divide


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order finds its price. A stop-loss sells at market once the last price reaches its trigger."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_LOSS = "stop-loss"


class TimeInForce(StrEnum):
    """How long a limit order waits: until canceled, or not at all."""

    GTC = "GTC"
    IOC = "IOC"


class Role(StrEnum):
    """What an order is for within its bracket."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    EXIT = "exit"


class OrderState(StrEnum):
    """Where an order is in its life. Which moves are legal stands in `core.lifecycle.states`."""

    HELD = "held"
    SUBMITTING = "submitting"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    LOST = "lost"


TERMINAL = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.LOST})
IN_DOUBT = frozenset({OrderState.CANCELED, OrderState.REJECTED, OrderState.LOST})
AT_VENUE = frozenset({OrderState.SUBMITTING, OrderState.OPEN})


OUR_SIGN = "zy"
"""How the name of every order of ours begins; the installation's own sign follows."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of an order of ours. `fee` is in quote, `quantity` in base."""

    id: str
    order_id: str
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    at: datetime
    caught_up: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One instruction of ours, from the moment it is intended. `client_id` is its name everywhere."""

    client_id: str
    bracket_id: str
    role: Role
    side: Side
    type: OrderType
    quantity: Decimal
    state: OrderState
    created_at: datetime
    deadline: datetime
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    venue_id: str | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    filled_at: datetime | None = None
    missing_since: datetime | None = None
    amended_at: datetime | None = None
    """When the venue last took a change of ours: its lists may show the former order for a while."""
    former_quantity: Decimal | None = None
    former_price: Decimal | None = None
    """What it was before that change."""
    triggered_at: datetime | None = None
    """Since when the venue shows a stop as reached and not sold through."""
    cancel_asked: bool = False
    base_fee: Decimal = ZERO
    """What a purchase paid in coins."""
    spawned: Decimal = ZERO
    """For a stop that a fill of the entry has spawned at the venue: its size then. Zero for every other order."""
    reason: str = ""
    fills: tuple[Fill, ...] = ()

    @property
    def remaining(self) -> Decimal:
        """What is not filled yet."""
        return self.quantity - self.filled

    @property
    def received(self) -> Decimal:
        """Base quantity that came to the account, less what was paid in coins. For a purchase."""
        return self.filled - self.base_fee

    @property
    def average(self) -> Decimal | None:
        """Average fill price, None while nothing is filled."""
        return divide(self.cost, self.filled) if self.filled > ZERO else None

    @property
    def is_terminal(self) -> bool:
        """True when the venue will do nothing more with it, as far as we know."""
        return self.state in TERMINAL

    @property
    def is_live(self) -> bool:
        """True when it may rest or trade at the venue now, including while the answer is outstanding."""
        return self.state in AT_VENUE

    @property
    def is_in_doubt(self) -> bool:
        """True when it counts as over with something unfilled: should the venue show more of it, the venue is right."""
        if self.state not in IN_DOUBT or self.filled >= self.quantity:
            return False
        return self.venue_id is not None or self.state is not OrderState.CANCELED  # else it never left us

    @property
    def price(self) -> Decimal | None:
        """The price that the order names, whichever kind it is."""
        return self.trigger_price if self.trigger_price is not None else self.limit_price
