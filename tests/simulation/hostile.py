"""A venue that loses requests and answers, answers late or in part, refuses, hides and fills piecemeal. Seeded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from random import Random

from core.domain.modes import Mode
from core.domain.money import ZERO
from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import (
    Accepted,
    Action,
    Amend,
    Balance,
    Cancel,
    Outcome,
    Refused,
    Snapshot,
    Submit,
    Unknown,
    VenueOrder,
    VenueState,
)
from core.exchange.errors import VenueUnreadableError
from tests.rig import SettableClock

LOT = Decimal("0.0001")
FEE_PCT = Decimal("0.4")
LATE_S = 8.0
LAG_S = 4.0


class Crash(BaseException):
    """The process dies here."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances of each fault, from 0 to 1."""

    lost_request: float = 0.04
    lost_answer: float = 0.04
    late: float = 0.03
    refused: float = 0.05
    lag: float = 0.10
    unreadable: float = 0.04
    partial_snapshot: float = 0.04
    partial_fill: float = 0.25
    crash: float = 0.012


CALM = Faults(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass
class HostileVenue:
    """An `Exchange` with books of its own. `holds`: whether a resting sale keeps its coins from other sales."""

    clock: SettableClock
    random: Random
    holds: bool
    price: Decimal = Decimal(500)
    faults: Faults = field(default_factory=Faults)
    mode: Mode = Mode.PAPER
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    entries_sent: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    _visible_at: dict[str, datetime] = field(default_factory=dict)
    _late: list[tuple[datetime, Action]] = field(default_factory=list)
    _ioc: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return type(self).__name__

    # -- what the bot calls --------------------------------------------------------------------------------------

    async def advance(self, base: str | None = None) -> None:
        """This venue lives by `move`, whether the bot looks or not."""

    async def close(self) -> None:
        """Nothing to give back."""

    async def perform(self, action: Action) -> Outcome:
        self._maybe_crash()
        for fault in ("lost_request", "late", "refused"):
            if self._strikes(fault):
                return self._not_now(fault, action)
        outcome = self._process(action)
        self._maybe_crash()
        return Unknown("the answer was lost") if self._strikes("lost_answer") else outcome

    def _not_now(self, fault: str, action: Action) -> Outcome:
        if fault == "refused":
            return Refused(self.random.choice(["EOrder:Insufficient funds", "EOrder:Rate limit exceeded"]))
        if fault == "late":
            arrives = self.clock() + timedelta(seconds=self.random.uniform(0.5, LATE_S))
            self._late.append((arrives, action))
        return Unknown(fault)

    async def snapshot(self, wanted: Collection[str]) -> Snapshot:
        self._maybe_crash()
        if self._strikes("unreadable"):
            raise VenueUnreadableError("the venue does not answer")
        now = self.clock()
        shown = {name: order for name, order in self.orders.items() if self._visible_at.get(name, now) <= now}
        complete = not self._strikes("partial_snapshot")
        if not complete:
            shown = {name: order for name, order in shown.items() if self.random.random() < 0.5}
        kept = {name: one for name, one in shown.items() if one.state is VenueState.OPEN or name in wanted}
        return Snapshot(now, now, complete=complete, orders=kept, balances=self._balances())

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        return [one for one in self.orders.values() if one.state is VenueState.OPEN and symbol in {None, one.symbol}]

    # -- the world moves -----------------------------------------------------------------------------------------

    def move(self, price: Decimal) -> None:
        """Late requests arrive, the price jumps, and what rests trades, in whole or in part."""
        now = self.clock()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _, action in due:
            if not isinstance(action, Submit) or now <= action.order.deadline:
                self._process(action)
        self.price = price
        for order in [one for one in self.orders.values() if one.state is VenueState.OPEN]:
            if self._trades(order):
                self._fill(order, whole=not self._strikes("partial_fill"))

    def cancel_by_hand(self) -> None:
        """Somebody cancels one of the open orders in the venue's own window."""
        resting = [one for one in self.orders.values() if one.state is VenueState.OPEN]
        if resting:
            self._count("canceled by hand")
            self._put(replace(self.random.choice(resting), state=VenueState.CANCELED, reason="User canceled"))

    def coins(self) -> Decimal:
        """What the bot's orders have bought and not sold."""
        return sum((one.filled if one.side is Side.BUY else -one.filled for one in self.orders.values()), ZERO)

    # -- inside --------------------------------------------------------------------------------------------------

    def _strikes(self, fault: str) -> bool:
        if self.random.random() >= getattr(self.faults, fault):
            return False
        self._count(fault)
        return True

    def _count(self, what: str) -> None:
        self.counted[what] = self.counted.get(what, 0) + 1

    def _maybe_crash(self) -> None:
        if self._strikes("crash"):
            raise Crash

    def _process(self, action: Action) -> Outcome:
        if isinstance(action, Submit):
            return self._submit(action)
        order = self.orders.get(action.order.client_id)
        if order is None or order.state is not VenueState.OPEN:
            return Refused("EOrder:Unknown order")
        if isinstance(action, Cancel):
            self._put(replace(order, state=VenueState.CANCELED, reason="User requested"))
        elif isinstance(action, Amend):
            if action.quantity <= order.filled:
                return Refused("EGeneral:Invalid arguments:order_qty")
            changed = replace(
                order, quantity=action.quantity, limit_price=action.limit_price, trigger_price=action.trigger_price
            )
            if not self._has_coins_for(changed):
                return Refused("EOrder:Insufficient funds")
            self._put(changed)
        return Accepted(order.venue_id)

    def _submit(self, action: Submit) -> Outcome:
        order = action.order
        known = self.orders.get(order.client_id)
        if known is not None and known.state is VenueState.OPEN:
            return Refused("EGeneral:Invalid arguments:cl_ord_id not unique")
        shown = VenueOrder(
            f"V{len(self.orders) + 1}", order.client_id, action.symbol, order.side, order.type, order.quantity,
            VenueState.OPEN, self.clock(), order.limit_price, order.trigger_price,
        )  # fmt: skip
        if not self._has_coins_for(shown):
            return Refused("EOrder:Insufficient funds")
        if order.side is Side.BUY:
            self.entries_sent[order.bracket_id] = self.entries_sent.get(order.bracket_id, 0) + 1
        self._put(shown)
        if self._strikes("lag"):
            late = timedelta(seconds=self.random.uniform(0.1, LAG_S))
            self._visible_at[order.client_id] = self.clock() + late
        at_once = order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC
        if at_once or self._trades(shown):
            self._fill(shown, whole=not self._strikes("partial_fill"))
        if at_once and self.orders[order.client_id].state is VenueState.OPEN:
            self._put(replace(self.orders[order.client_id], state=VenueState.CANCELED, reason="Rest canceled"))
        return Accepted(shown.venue_id)

    def _has_coins_for(self, order: VenueOrder) -> bool:
        if order.side is Side.BUY:
            return True
        others = sum(
            (one.quantity - one.filled for one in self.orders.values()
             if one.side is Side.SELL and one.state is VenueState.OPEN and one.client_id != order.client_id),
            ZERO,
        )  # fmt: skip
        return order.quantity - order.filled + (others if self.holds else ZERO) <= self.coins()

    def _trades(self, order: VenueOrder) -> bool:
        if order.type is OrderType.STOP_LOSS:
            return order.trigger_price is not None and self.price <= order.trigger_price
        if order.type is OrderType.MARKET or order.limit_price is None:
            return True
        return self.price <= order.limit_price if order.side is Side.BUY else self.price >= order.limit_price

    def _fill(self, order: VenueOrder, *, whole: bool) -> None:
        if not self._trades(order):
            return
        left = order.quantity - order.filled
        quantity = left if whole else (left / 2).quantize(LOT, rounding=ROUND_DOWN)
        if order.side is Side.SELL:
            # A venue sells no coins that are not there; what cannot be sold ends the order.
            quantity = min(quantity, self.coins())
            if quantity <= ZERO:
                self._put(replace(order, state=VenueState.CANCELED, reason="Insufficient funds"))
                return
        cost = quantity * self.price
        filled = order.filled + quantity
        self._put(
            replace(
                order,
                filled=filled,
                cost=order.cost + cost,
                fee=order.fee + cost * FEE_PCT / 100,
                filled_at=self.clock(),
                state=VenueState.CLOSED if filled >= order.quantity else order.state,
            )
        )

    def _put(self, order: VenueOrder) -> None:
        self.orders[str(order.client_id)] = order

    def _balances(self) -> dict[str, Balance]:
        return {"USD": Balance("USD", Decimal(1_000_000)), "ZEC": Balance("ZEC", self.coins())}
