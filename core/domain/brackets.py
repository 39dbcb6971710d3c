"""A bracket: one entry, the stop and the target that protect it, and what is still wanted of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.domain.modes import Mode, Source
from core.domain.money import ZERO
from core.domain.orders import Order, OrderType, Role, TimeInForce

COVER_MAY_TAKE_S = 15.0


class LevelUnit(StrEnum):
    """How a stop or target is given: percent of the entry, a price, multiples of ATR or of the risk."""

    PERCENT = "percent"
    PRICE = "price"
    ATR = "atr"
    R = "r"


@dataclass(frozen=True, slots=True)
class Level:
    """A stop or target as asked for. `is_default` marks one that the user did not give."""

    value: Decimal
    unit: LevelUnit
    is_default: bool = False


class BracketState(StrEnum):
    """PENDING waits for its entry, OPEN holds coins, CLOSED is over."""

    PENDING = "pending"
    OPEN = "open"
    CLOSED = "closed"


class ExitReason(StrEnum):
    """Why a position was left or a bracket ended."""

    STOP = "stop"
    TARGET = "target"
    COMMAND = "command"
    FLATTEN = "flatten"
    FORCE_TEST = "force_test"
    UNPROTECTED = "unprotected_too_long"
    STOP_EMULATED = "stop_emulated"
    STOP_STUCK = "stop_stuck"
    ENTRY_REJECTED = "entry_rejected"
    ENTRY_CANCELED = "entry_canceled"
    ENTRY_LOST = "entry_lost"
    DUST = "dust"
    SOLD_ELSEWHERE = "sold_elsewhere"
    STRATEGY = "strategy"
    PROFIT = "profit"
    TIME = "time"
    KILL_SWITCH = "kill_switch"


@dataclass(frozen=True, slots=True)
class Leave:
    """A wish to sell `quantity` of the bracket at market now; `sold_before` is what its exits had sold by then."""

    quantity: Decimal
    reason: ExitReason
    sold_before: Decimal
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Bracket:
    """One intent of the user or the autopilot, and everything done about it. Spot only: the entry buys."""

    id: str
    mode: Mode
    symbol: str
    source: Source
    created_at: datetime
    quantity: Decimal
    entry_type: OrderType
    stop: Level
    target: Level
    limit_price: Decimal | None = None
    atr: Decimal | None = None
    state: BracketState = BracketState.PENDING
    orders: tuple[Order, ...] = ()
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    risk_per_unit: Decimal | None = None
    leave: Leave | None = None
    cancel_entry: bool = False
    target_held: bool = False
    trail: Level | None = None
    """How far below the best bid a trailing stop follows; None for a stop that stays where it is."""
    trail_high: Decimal | None = None
    """The best bid since the stop began to trail."""
    unprotected_since: datetime | None = None
    unprotected_s: float = 0.0
    protect_failures: int = 0
    protect_retry_at: datetime | None = None
    target_failures: int = 0
    target_retry_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: ExitReason | None = None
    result_quote: Decimal | None = None
    result_r: Decimal | None = None
    gone: Decimal = ZERO
    """Base quantity that left the account by another way than our orders."""

    @property
    def base(self) -> str:
        """The coin of the bracket."""
        return self.symbol.partition("/")[0]

    def lacks_cover(self, now: datetime) -> bool:
        """True while a stop is refused, or has been missing for longer than sending one may take."""
        since = self.unprotected_since
        missing = since is not None and (now - since).total_seconds() > COVER_MAY_TAKE_S
        return self.protect_failures > 0 or missing

    def of_role(self, *roles: Role) -> tuple[Order, ...]:
        """The bracket's orders with one of these roles, oldest first."""
        return tuple(order for order in self.orders if order.role in roles)

    @property
    def sales_under_way(self) -> tuple[Order, ...]:
        """Sales that may be trading now: exits, and targets that Zyn kept until their price came."""
        return tuple(
            order
            for order in self.of_role(Role.EXIT, Role.TARGET)
            if order.is_live and (order.role is Role.EXIT or order.time_in_force is TimeInForce.IOC)
        )

    @property
    def stands_as_wished(self) -> bool:
        """True unless a stop of it rests, or may rest, at another price than it is to, or none covers what is held."""
        in_place = all(order.price == self.stop_price for order in self.of_role(Role.STOP) if order.is_live)
        return in_place and (self.held <= ZERO or self.unprotected_since is None)

    @property
    def entry(self) -> Order | None:
        """The entry order, None before the first decision."""
        return next((order for order in self.orders if order.role is Role.ENTRY), None)

    @property
    def bought(self) -> Decimal:
        """Base quantity that the entry has brought, less fees paid in coins."""
        entry = self.entry
        return entry.received if entry else ZERO

    @property
    def spawned(self) -> Decimal:
        """What the stops that its fills have spawned prove to be bought, whatever the entry itself shows yet."""
        return sum((order.spawned for order in self.orders), ZERO)

    @property
    def sold(self) -> Decimal:
        """Base quantity that all exits have sold."""
        return sum((order.filled for order in self.orders if order.role is not Role.ENTRY), ZERO)

    @property
    def sold_on_wish(self) -> Decimal:
        """Base quantity that its sales at market have sold, stops and targets left out."""
        return sum((order.filled for order in self.of_role(Role.EXIT)), ZERO)

    @property
    def to_leave(self) -> Decimal:
        """Base quantity that a wish to sell still asks for; zero where there is none."""
        wish = self.leave
        return max(ZERO, wish.quantity - (self.sold_on_wish - wish.sold_before)) if wish is not None else ZERO

    @property
    def held(self) -> Decimal:
        """Base quantity that is still there."""
        return self.bought - self.sold - self.gone

    @property
    def entry_average(self) -> Decimal | None:
        """Average price of the entry's fills."""
        return self.entry.average if self.entry else None

    def order(self, client_id: str) -> Order:
        """The order of this name. Raises KeyError when it is not the bracket's."""
        for order in self.orders:
            if order.client_id == client_id:
                return order
        raise KeyError(client_id)
