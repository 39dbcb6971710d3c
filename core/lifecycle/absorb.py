"""PURE. What a snapshot teaches: the venue's word on each order of a bracket, merged into ours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.domain.brackets import Bracket
from core.domain.money import ZERO, divide
from core.domain.orders import Fill, Order, OrderState, OrderType, Role, Side, TimeInForce
from core.domain.venue import Snapshot, VenueOrder, VenueState
from core.lifecycle.states import move

ABSENCE_PAUSE = timedelta(seconds=3)
"""An order is lost when two complete snapshots, past its deadline and this far apart, both lack it."""

ACCEPTED_PAUSE = timedelta(seconds=120)
"""One that the venue has taken, or has shown before, is somewhere: a list may lag behind for long."""

AMEND_GRACE = timedelta(seconds=10)
"""So long a list may still show an order as it was before a change that the venue has taken."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """The bracket as the venue has it, with what is new: fills, and orders that changed their state."""

    bracket: Bracket
    fills: tuple[tuple[Order, Fill], ...]
    changed: tuple[tuple[OrderState, Order], ...]
    """Pairs of the former state and the order as it is now."""
    moved: tuple[tuple[Order, Order], ...] = ()
    """Stops of ours that rest elsewhere, or for less, than we left them: as they were, and as they are."""


def absorb(bracket: Bracket, snapshot: Snapshot) -> Absorbed:
    """Merge `snapshot` into `bracket`. Cumulative quantities of the venue win; nothing is ever un-filled."""
    orders: list[Order] = []
    fills: list[tuple[Order, Fill]] = []
    changed: list[tuple[OrderState, Order]] = []
    moved: list[tuple[Order, Order]] = []
    touched = False
    seen = {order.client_id: _one(order, snapshot) for order in bracket.orders}
    spawned = [*_adopted(bracket, snapshot), *_spawned(bracket, seen, snapshot)]
    for before in (*bracket.orders, *spawned):
        after = seen.get(before.client_id) or _one(before, snapshot)
        orders.append(after)
        if after is before:
            continue
        touched = True
        fills.extend((after, fill) for fill in after.fills[len(before.fills) :])
        if after.state is not before.state:
            changed.append((before.state, after))
        elif _was_moved(bracket, before, after):
            moved.append((before, after))
    if not touched and not spawned:
        return Absorbed(bracket, (), ())
    merged = replace(bracket, orders=tuple(orders))
    if merged.gone > ZERO and merged.held < ZERO:
        # Coins that we took for gone were sold by an order of ours, as it now turns out.
        merged = replace(merged, gone=max(ZERO, merged.gone + merged.held))
    return Absorbed(merged, tuple(fills), tuple(changed), tuple(moved))


def _was_moved(bracket: Bracket, before: Order, after: Order) -> bool:
    """True for a resting stop that stood as it was wished and does so no more, without having traded."""
    if before.role is not Role.STOP or before.state is not OrderState.OPEN or before.filled != after.filled:
        return False
    was_right = before.trigger_price == bracket.stop_price
    return was_right and (after.trigger_price != before.trigger_price or after.quantity < before.quantity)


def next_number(bracket: Bracket) -> int:
    """The number of the bracket's next order: above all that it has, so that no name is used twice."""
    return max((number_of(order.client_id) for order in bracket.orders), default=0) + 1


def number_of(client_id: str) -> int:
    """An order's number within its bracket, from its name."""
    return int(client_id.rpartition("-")[2])


def _adopted(bracket: Bracket, snapshot: Snapshot) -> list[Order]:
    """Sales under this bracket's name that the ledger does not have: it was restored from a copy made before them."""
    known = {order.client_id for order in bracket.orders}
    strange = [shown for name, shown in snapshot.orders.items() if _is_of(name, bracket.id) and name not in known]
    return [
        Order(
            client_id=shown.client_id,
            bracket_id=bracket.id,
            role=_role_of(shown),
            side=Side.SELL,
            type=shown.type,
            quantity=shown.quantity,
            state=OrderState.SUBMITTING,
            created_at=shown.opened_at,
            deadline=shown.opened_at,
            limit_price=shown.limit_price,
            trigger_price=shown.trigger_price,
        )
        for shown in strange
        if shown.side is Side.SELL and shown.client_id is not None
    ]


def _is_of(name: str, bracket_id: str) -> bool:
    first, _, number = name.rpartition("-")
    return first == bracket_id and number.isdecimal()


def _role_of(shown: VenueOrder) -> Role:
    if shown.type is OrderType.STOP_LOSS:
        return Role.STOP
    rests = shown.type is OrderType.LIMIT and shown.state is VenueState.OPEN
    return Role.TARGET if rests else Role.EXIT


def _spawned(bracket: Bracket, seen: Mapping[str, Order], snapshot: Snapshot) -> list[Order]:
    """Stops that fills of the entry have spawned at the venue and that we see for the first time.

    The entry is taken as this snapshot shows it: its venue id may be as new to us as its children.
    """
    entry = seen[bracket.entry.client_id] if bracket.entry is not None else None
    children = snapshot.children(entry.venue_id) if entry is not None else []
    if entry is None or not children:
        return []
    known = {order.venue_id for order in bracket.orders}
    fresh = [child for child in children if child.venue_id not in known]
    first = max((number_of(name) for name in (*seen, *_names_under(bracket, snapshot))), default=0) + 1
    return [
        Order(
            client_id=f"{bracket.id}-{number}",
            bracket_id=bracket.id,
            role=Role.STOP,
            side=Side.SELL,
            type=OrderType.STOP_LOSS,
            quantity=child.quantity,
            state=OrderState.OPEN,
            created_at=child.opened_at,
            deadline=child.opened_at,
            trigger_price=child.trigger_price,
            venue_id=child.venue_id,
            spawned=child.quantity,
        )
        for number, child in enumerate(fresh, first)
    ]


def _names_under(bracket: Bracket, snapshot: Snapshot) -> list[str]:
    return [name for name in snapshot.orders if _is_of(name, bracket.id)]


def _one(order: Order, snapshot: Snapshot) -> Order:
    shown = snapshot.find(order)
    if shown is not None:
        return _merge(order, shown, snapshot)
    if order.is_live and _absence_counts(order, snapshot):
        if order.missing_since is None:
            return replace(order, missing_since=snapshot.began_at)
        pause = ABSENCE_PAUSE if order.venue_id is None else ACCEPTED_PAUSE
        if snapshot.began_at - order.missing_since >= pause:
            return move(order, OrderState.LOST, "in neither list of the venue")
    return order


def _absence_counts(order: Order, snapshot: Snapshot) -> bool:
    return snapshot.complete and snapshot.began_at > order.deadline


def _merge(order: Order, shown: VenueOrder, snapshot: Snapshot) -> Order:
    after = order
    if order.state is OrderState.HELD:
        # The venue has an order that we have only meant to send: the ledger was restored from an older copy.
        rests = shown.state is VenueState.OPEN
        force = TimeInForce.GTC if rests else TimeInForce.IOC
        after = order = replace(move(order, OrderState.SUBMITTING), time_in_force=force)
    if shown.filled > order.filled:
        after = _with_fill(order, shown, snapshot.at)
    state = _state_of(after, shown)
    if state is not after.state:
        after = move(after, state, shown.reason)
    if (after.venue_id, after.missing_since, after.base_fee) != (shown.venue_id, None, shown.base_fee):
        after = replace(after, venue_id=shown.venue_id, missing_since=None, base_fee=shown.base_fee)
    if order.state is OrderState.SUBMITTING and after.reason:
        after = replace(after, reason=shown.reason)  # What came instead of an answer is answered now.
    if shown.triggered is not (after.triggered_at is not None):
        after = replace(after, triggered_at=snapshot.began_at if shown.triggered else None)
    if _may_lag(order, shown, snapshot):
        return after
    if after.quantity != shown.quantity:
        after = replace(after, quantity=shown.quantity)
    if (after.limit_price, after.trigger_price) != (shown.limit_price, shown.trigger_price):
        after = replace(after, limit_price=shown.limit_price, trigger_price=shown.trigger_price)
    return after


def _may_lag(order: Order, shown: VenueOrder, snapshot: Snapshot) -> bool:
    """True while the list shows an order as it was before our last change of it. Anything else is news: a change that
    somebody else made, or an earlier one of ours that arrived late.
    """
    if order.amended_at is None or shown.state is not VenueState.OPEN:
        return False
    price = shown.trigger_price if shown.trigger_price is not None else shown.limit_price
    if (shown.quantity, price) != (order.former_quantity, order.former_price):
        return False
    # By the distance: a clock that was put back must not keep us from learning for as long.
    return abs(snapshot.began_at - order.amended_at) < AMEND_GRACE


def _state_of(order: Order, shown: VenueOrder) -> OrderState:
    if shown.state is VenueState.OPEN:
        # A list read before the order ended must not bring it back; its fills are ours already.
        return order.state if order.state in {OrderState.FILLED, OrderState.CANCELED} else OrderState.OPEN
    if shown.filled >= shown.quantity and shown.filled > ZERO:
        return OrderState.FILLED
    return order.state if order.state is OrderState.FILLED else OrderState.CANCELED


def _with_fill(order: Order, shown: VenueOrder, seen_at: datetime) -> Order:
    """Book the difference between the venue's totals and ours as one fill; its id makes booking it twice impossible.

    Where the venue does not say when, it is told as of when it was seen.
    """
    quantity, cost = shown.filled - order.filled, shown.cost - order.cost
    at = shown.filled_at or seen_at
    fill = Fill(
        id=f"{shown.venue_id}:{shown.filled}",
        order_id=order.client_id,
        price=divide(cost, quantity),
        quantity=quantity,
        cost=cost,
        fee=shown.fee - order.fee,
        at=at,
        caught_up=shown.caught_up,
    )
    return replace(order, filled=shown.filled, cost=shown.cost, fee=shown.fee, filled_at=at, fills=(*order.fills, fill))
