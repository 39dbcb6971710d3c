"""The hostile venue's own books: what rests, what trades, whose coins are whose. No faults and no waiting in here."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from core.domain.instruments import Instrument
from core.domain.money import ZERO
from core.domain.orders import Order, OrderType, Side, TimeInForce
from core.domain.venue import LINKED_LEG_TRADED, Amend, Submit, VenueOrder, VenueState

ZEC = Instrument("ZEC/USD", Decimal("0.01"), Decimal("0.0001"), Decimal("0.01"), Decimal("0.5"), "XZECZUSD")
FEE_PCT = Decimal("0.4")
GRAIN = Decimal("0.00000001")
"""Fills are finer than the lot, so that rounding shows."""


class Links(StrEnum):
    """What the venue does to the other leg of a group when one trades."""

    NOTHING = "links nothing"
    SHRINKS = "shrinks the other leg"
    CANCELS = "cancels the other leg at the first fill"


@dataclass(frozen=True, slots=True)
class Nature:
    """What kind of venue this is, for a whole life."""

    holds: bool
    """A resting sale keeps its coins from other sales."""
    links: Links
    attaches: bool
    """Fills of an entry spawn stops of their own."""
    spare: Decimal
    """Coins of the owner's own that were there before."""

    def __str__(self) -> str:
        holding = "holds the coins of resting sales" if self.holds else "does not hold coins"
        spawning = "stops are children of the entry" if self.attaches else "stops are sent after the fill"
        return f"the venue {holding} and {self.links}, {spawning}, {self.spare} spare coins"


class NoError(Exception):
    """The venue refuses, in its own words."""


def nobody(_order: VenueOrder) -> None:
    """Listens to nothing."""


@dataclass
class Books:
    """Orders by venue id, in the order of their arrival. `told` hears of each order that was placed or changed."""

    nature: Nature
    clock: Callable[[], datetime]
    price: Decimal
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Client id to venue id, the latest of that name."""
    brackets: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Bracket id to the venue ids of its orders, children included."""
    owners: dict[str, str] = field(default_factory=dict)
    spare: Decimal = ZERO
    told: Callable[[VenueOrder], None] = nobody
    rests_unlinked: bool = False
    """Both legs of a bracket may rest although nothing here links them: should both trade before anybody can help it,
    more is sold than was bought."""
    fill_part: Callable[[], bool] = lambda: False
    _triggered: set[str] = field(default_factory=set)
    _groups: dict[str, str] = field(default_factory=dict)
    _attached: dict[str, Decimal] = field(default_factory=dict)
    _passing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.spare = self.nature.spare

    # -- what is there -----------------------------------------------------------------------------------------

    @property
    def resting(self) -> list[VenueOrder]:
        """Open orders, oldest first."""
        return [order for order in self.orders.values() if order.state is VenueState.OPEN]

    def of(self, bracket: str) -> list[VenueOrder]:
        """The orders of a bracket of ours."""
        return [self.orders[name] for name in self.brackets[bracket]]

    def bought_less_sold(self, bracket: str | None = None) -> Decimal:
        """Coins that orders of ours (of one bracket) have brought and not sold."""
        total = ZERO
        for order in self.orders.values() if bracket is None else self.of(bracket):
            total += order.filled if order.side is Side.BUY else -order.filled
        return total

    @property
    def coins(self) -> Decimal:
        """Everything on the account."""
        return self.spare + self.bought_less_sold()

    def find(self, order: Order) -> VenueOrder | None:
        """Our order as the venue knows it."""
        name = order.venue_id or self.names.get(order.client_id)
        return self.orders.get(name) if name else None

    def is_triggered(self, order: VenueOrder) -> bool:
        """A stop that is selling at market already."""
        return order.venue_id in self._triggered

    def on_sale(self, but: str = "") -> Decimal:
        """Coins that resting sales would take; linked legs take them once."""
        loose = ZERO
        legs: dict[tuple[str, bool], Decimal] = {}
        for order in self.resting:
            if order.side is not Side.SELL or order.venue_id == but:
                continue
            group = self._groups.get(order.venue_id)
            if group is None or self.nature.links is Links.NOTHING:
                loose += order.quantity - order.filled
            else:
                key = (group, order.type is OrderType.STOP_LOSS)
                legs[key] = legs.get(key, ZERO) + order.quantity - order.filled
        groups = {group for group, _ in legs}
        return loose + sum((max(legs.get((one, True), ZERO), legs.get((one, False), ZERO)) for one in groups), ZERO)

    # -- what we ask -------------------------------------------------------------------------------------------

    def submit(self, action: Submit) -> VenueOrder:
        """Place an order, and let it trade if it can. Raises NoError."""
        order = action.order
        known = self.orders.get(self.names.get(order.client_id, ""))
        if known is not None and known.state is VenueState.OPEN:
            raise NoError("EGeneral:Invalid arguments:cl_ord_id not unique")
        if self.clock() > order.deadline:
            raise NoError("EService:Deadline elapsed")
        if order.quantity < ZEC.order_min:
            raise NoError("EOrder:Order minimum not met")
        placed = VenueOrder(
            f"V-{len(self.orders) + 1}", order.client_id, action.symbol, order.side, order.type, order.quantity,
            VenueState.OPEN, self.clock(), order.limit_price, order.trigger_price,
        )  # fmt: skip
        self._require_coins(placed, action.group)
        self._require_known(action)
        if action.group is not None:
            self._groups[placed.venue_id] = action.group
        if action.attached_stop is not None:
            self._attached[placed.venue_id] = action.attached_stop
        self.names[order.client_id] = placed.venue_id
        self._own(placed.venue_id, order.bracket_id)
        self._put(placed)
        passes = order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC
        self._trade(placed.venue_id)
        left = self.orders[placed.venue_id]
        if passes and left.state is VenueState.OPEN:
            if order.type is OrderType.MARKET and self.fill_part():
                self._passing.add(left.venue_id)
            else:
                self.end(left.venue_id, "Rest canceled")
        return self.orders[placed.venue_id]

    def cancel(self, order: VenueOrder) -> None:
        """Take an order back. Raises NoError."""
        if order.state is not VenueState.OPEN:
            raise NoError("EOrder:Unknown order")
        self.end(order.venue_id, "User requested")

    def amend(self, order: VenueOrder, action: Amend) -> None:
        """Change quantity and prices in place. Raises NoError."""
        if order.state is not VenueState.OPEN:
            raise NoError("EOrder:Unknown order")
        if action.quantity <= order.filled:
            raise NoError("EGeneral:Invalid arguments:order_qty")
        self._require_known(action)
        changed = replace(
            order, quantity=action.quantity, limit_price=action.limit_price, trigger_price=action.trigger_price
        )
        self._require_coins(changed, self._groups.get(order.venue_id))
        self._put(changed)
        self._trade(order.venue_id)

    # -- what the world does -----------------------------------------------------------------------------------

    def move(self, price: Decimal) -> None:
        """The price jumps: everything that it reaches trades, in whole or in part."""
        self.price = price
        for order in self.resting:
            self._trade(order.venue_id)

    def fill(self, name: str, quantity: Decimal, price: Decimal | None = None) -> None:
        """Execute so much of an order at the present price (or the one given), as far as there are coins."""
        order = self.orders[name]
        if order.side is Side.SELL:
            # A venue sells no coins that are not there; what cannot be sold ends the order.
            quantity = min(quantity, self.coins)
            if quantity <= ZERO:
                self.end(name, "Insufficient funds")
                return
        cost = quantity * (price or self.price)
        filled = order.filled + quantity
        done = filled >= order.quantity
        state = VenueState.CLOSED if done else order.state
        fee = order.fee + cost * FEE_PCT / 100
        at = self.clock()
        self._put(replace(order, filled=filled, cost=order.cost + cost, fee=fee, filled_at=at, state=state))
        if name in self._attached:
            self._spawn(self.orders[name], quantity)
        self._link(self.orders[name], quantity)

    def end(self, name: str, reason: str) -> None:
        """The order is over, with what it has filled."""
        self._put(replace(self.orders[name], state=VenueState.CANCELED, reason=reason))

    def _require_known(self, action: Submit | Amend) -> None:
        if action.group is not None and self.nature.links is not Links.NOTHING:
            legs = (self.orders[name] for name, group in self._groups.items() if group == action.group)
            if sum((leg.filled for leg in legs), ZERO) > action.group_sold:
                raise NoError(LINKED_LEG_TRADED)

    # -- inside ------------------------------------------------------------------------------------------------

    def _require_coins(self, order: VenueOrder, group: str | None) -> None:
        if order.side is Side.BUY:
            return
        others = self.on_sale(but=order.venue_id) if self.nature.holds else ZERO
        if group is not None and self.nature.links is not Links.NOTHING:
            others -= self._other_leg(order, group)
        if order.quantity - order.filled + max(ZERO, others) > self.coins:
            raise NoError("EOrder:Insufficient funds")

    def _other_leg(self, order: VenueOrder, group: str) -> Decimal:
        is_stop = order.type is OrderType.STOP_LOSS
        return sum(
            (one.quantity - one.filled for one in self.resting
             if self._groups.get(one.venue_id) == group and (one.type is OrderType.STOP_LOSS) is not is_stop),
            ZERO,
        )  # fmt: skip

    def _reached(self, order: VenueOrder) -> bool:
        if order.type is OrderType.STOP_LOSS:
            if order.trigger_price is not None and self.price <= order.trigger_price:
                self._triggered.add(order.venue_id)
            return order.venue_id in self._triggered
        if order.type is OrderType.MARKET or order.limit_price is None:
            return True
        return self.price <= order.limit_price if order.side is Side.BUY else self.price >= order.limit_price

    def _trade(self, name: str) -> None:
        order = self.orders[name]
        if order.state is not VenueState.OPEN or not self._reached(order):
            return
        left = order.quantity - order.filled
        part = (left * Decimal("0.6180339")).quantize(GRAIN, rounding=ROUND_DOWN)
        takes_part = part > ZERO and name not in self._passing and self.fill_part()
        self.fill(name, part if takes_part else left)

    def _spawn(self, parent: VenueOrder, quantity: Decimal) -> None:
        child = VenueOrder(
            f"V-{len(self.orders) + 1}", None, parent.symbol, Side.SELL, OrderType.STOP_LOSS, quantity,
            VenueState.OPEN, self.clock(), trigger_price=self._attached[parent.venue_id], parent_id=parent.venue_id,
        )  # fmt: skip
        self._own(child.venue_id, self.owners[parent.venue_id])
        self._put(child)

    def _link(self, order: VenueOrder, quantity: Decimal) -> None:
        group = self._groups.get(order.venue_id)
        if group is None or self.nature.links is Links.NOTHING or order.side is Side.BUY:
            return
        is_stop = order.type is OrderType.STOP_LOSS
        others = [
            one for one in self.resting
            if self._groups.get(one.venue_id) == group and (one.type is OrderType.STOP_LOSS) is not is_stop
        ]  # fmt: skip
        for one in reversed(others):
            cut = min(quantity, one.quantity - one.filled)
            if self.nature.links is Links.CANCELS or cut == one.quantity - one.filled:
                self.end(one.venue_id, "Linked order filled")
            elif cut > ZERO:
                self._put(replace(one, quantity=one.quantity - cut))
            quantity -= cut

    def _own(self, name: str, bracket: str) -> None:
        self.owners[name] = bracket
        self.brackets[bracket].append(name)

    def _put(self, order: VenueOrder) -> None:
        self.orders[order.venue_id] = order
        self.told(order)
