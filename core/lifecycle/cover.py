"""PURE. The middle of a decision: how much to sell now, how much to protect, and the orders between the two.

    held = under way in exits + to sell now + to cover

A sale is sent only once the stops and resting targets that the venue shows leave room for it, so that no answer that
is still outstanding can sell the same coins twice. Stops are added for uncovered quantity, not replaced.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.events import EventKind
from core.domain.market import Quote
from core.domain.money import ZERO, floor_to, percent_of
from core.domain.orders import Order, OrderState, OrderType, Role, TimeInForce
from core.domain.venue import Amend, Cancel, Submit
from core.lifecycle.draft import Draft, remaining
from core.lifecycle.news import resting_stop
from core.lifecycle.states import move

CLOSED_PAUSE = timedelta(seconds=20)
"""How long a sale that the venue would not take now is not looked at again."""
YOUNG_S = 300.0
FURTHER_COST = 8.0


def cover(draft: Draft) -> None:
    """Bring stops, targets and exits in line with what the bracket holds and wants."""
    bracket = draft.bracket
    if bracket.held <= ZERO and not any(order.is_live or order.state is OrderState.HELD for order in bracket.orders):
        return
    to_sell, by_target = _to_sell(draft)
    wanted = max(ZERO, bracket.held - remaining(draft.exits()) - to_sell)
    stops, targets = draft.stops(), draft.resting_targets()
    sellable = draft.rules.instrument.quantity(to_sell)
    resting = remaining(stops) + draft.unseen_children()
    if sellable > ZERO and resting <= wanted and remaining(targets) <= wanted:
        _sell(draft, sellable, by_target=by_target)
    # A stop that a fill has spawned is seen before the fill where a list came in part: it covers what it proves.
    ahead = max(ZERO, bracket.spawned - bracket.bought)
    _fit(draft, stops, wanted + ahead, draft.bracket.stop_price)
    # A target that Zyn has taken back into its own hands is not to hold the coins at the venue.
    keeps = draft.bracket.target_held or not draft.rules.rests_target
    _fit(draft, targets, ZERO if keeps else wanted, draft.bracket.target_price)
    add_stop(draft, wanted)
    _add_target(draft, wanted)


def may_sell(bracket: Bracket, quote: Quote | None) -> bool:
    """True where the next decision may take a stop away in order to sell: somebody wants out, the target is here, or
    the stop hangs.
    """
    if any(one.cancel_asked and one.role is Role.STOP for one in bracket.orders if not one.is_terminal):
        return False  # It has begun: from here on nothing else is asked.
    if bracket.unprotected_since is not None and any(one.cancel_asked for one in bracket.of_role(Role.STOP)):
        return False
    if bracket.leave is not None or bracket.unprotected_since is not None:
        return True
    if any(one.triggered_at is not None for one in bracket.of_role(Role.STOP) if one.is_live):
        return True  # A stop that hangs is taken back and sold.
    reached = quote is not None and bracket.target_price is not None and quote.bid >= bracket.target_price
    return reached and bracket.held > ZERO


def _market_is_closed(draft: Draft, *, by_target: bool) -> bool:
    """True where the venue would take no sale: then the stop stays, since it might not take that back either.

    Where nobody can say, a target waits, and somebody who wants out gets his try.
    """
    status = draft.rules.instrument.status
    if status == "online" or (status == "unknown" and not by_target):
        return False
    bracket = draft.bracket
    if bracket.target_failures == 0 and status != "unknown":
        draft.tell(
            EventKind.MARKET_CLOSED,
            f"The venue has {bracket.symbol} in {status} mode: the sale waits, and {resting_stop(bracket)}.",
        )
    failures = max(1, bracket.target_failures)
    draft.bracket = replace(bracket, target_failures=failures, target_retry_at=draft.now + CLOSED_PAUSE)
    return True


def _to_sell(draft: Draft) -> tuple[Decimal, bool]:
    """Base quantity that should be sold now and is in no exit yet, and whether it is the target that says so."""
    bracket = draft.bracket
    free = bracket.held - remaining(draft.exits())
    if bracket.leave is not None:
        under_way = remaining(draft.live(Role.EXIT))
        left = bracket.to_leave
        if bracket.target_retry_at is not None and draft.now < bracket.target_retry_at:
            return ZERO, False
        still_buys = any(order.role is Role.ENTRY and order.is_live for order in bracket.orders)
        if left <= ZERO and (bracket.held > ZERO or (still_buys and not bracket.cancel_entry)):
            draft.bracket = replace(bracket, leave=None)
        rest = max(ZERO, min(left - under_way, free))
        if rest > ZERO and _market_is_closed(draft, by_target=False):
            return ZERO, False
        may_grow = still_buys and bracket.cancel_entry  # A fill may cross the cancel, and is to be sold as well.
        # Else the bracket closes, with this as its reason; one whose rest has its stop goes on with it.
        goes_on = still_buys or bool(draft.stops()) or not _is_dust(draft, bracket.held)
        if under_way <= ZERO and not may_grow and goes_on and _is_dust(draft, rest):
            # What is left of the wish is too small to be sold: it is done, and the rest stays protected.
            draft.bracket = replace(draft.bracket, leave=None)
            return ZERO, False
        return rest, False
    if _target_reached(draft) and free > ZERO and not _market_is_closed(draft, by_target=True):
        return free, True
    return ZERO, False


def _is_dust(draft: Draft, quantity: Decimal) -> bool:
    price = draft.bracket.stop_price or draft.bracket.entry_average or ZERO
    return draft.rules.instrument.is_dust(quantity, price)


def _is_paused(draft: Draft) -> bool:
    """True while a refusal asks for patience."""
    retry_at = draft.bracket.protect_retry_at
    if retry_at is None:
        return False
    # No pause is longer than the longest: one that seems so was set by a clock that has been put back.
    return draft.now < retry_at <= draft.now + timedelta(seconds=2 * draft.rules.backoff_max_s)


def _target_reached(draft: Draft) -> bool:
    bracket, quote = draft.bracket, draft.fresh_quote
    if quote is None or bracket.target_price is None or draft.held_target() is None:
        return False
    if bracket.target_retry_at is not None and draft.now < bracket.target_retry_at:
        return False
    if quote.bid < bracket.target_price:
        return False
    if draft.rules.room < _try_cost(draft):
        # A try takes the stop away first: it begins only if the venue will take the stop again afterwards.
        draft.bracket = replace(bracket, target_retry_at=draft.now + CLOSED_PAUSE)
        return False
    return True


def _try_cost(draft: Draft) -> float:
    """What of the venue's counter a try may need: each further young stop has to be taken back as well."""
    young = [one for one in draft.stops() if (draft.now - one.created_at).total_seconds() < YOUNG_S]
    cost = draft.rules.target_try_cost
    return cost + FURTHER_COST * max(0, len(young) - 1) if cost > 0 else 0.0


def _sell(draft: Draft, quantity: Decimal, *, by_target: bool) -> None:
    bracket, instrument = draft.bracket, draft.rules.instrument
    if _is_dust(draft, quantity):
        return
    if not by_target:
        if _is_paused(draft):
            return
        order = draft.new_order(Role.EXIT, OrderType.MARKET, quantity)
        draft.actions.append(Submit(order, bracket.symbol))
        return
    held_target = draft.held_target()
    if held_target is None or bracket.target_price is None:
        return
    limit = floor_to(
        bracket.target_price - percent_of(bracket.target_price, draft.rules.target_slippage_pct), instrument.tick_size
    )
    order = replace(
        move(held_target, OrderState.SUBMITTING),
        quantity=quantity,
        limit_price=limit,
        time_in_force=TimeInForce.IOC,
        deadline=draft.deadline,
    )
    draft.put(order)
    failures = bracket.target_failures + 1
    pause = timedelta(seconds=draft.rules.target_pause_s * 2.0 ** min(failures - 1, 6))
    draft.bracket = replace(draft.bracket, target_failures=failures, target_retry_at=draft.now + pause)
    draft.actions.append(Submit(order, bracket.symbol))


def _fit(draft: Draft, orders: list[Order], wanted: Decimal, price: Decimal | None) -> None:
    """Shrink what covers too much, newest first, and move what stands at another price."""
    excess = remaining(orders) - wanted
    if _is_paused(draft):
        return
    for order in reversed(orders):
        if order.state is not OrderState.OPEN:
            continue
        if draft.is_unseen([order]):
            # What cannot be seen now may have traded: its size is changed when it shows. Asked to go, it goes.
            excess -= order.remaining if order.cancel_asked else ZERO
            continue
        cut = min(max(excess, ZERO), order.remaining)
        excess -= cut
        left = order.remaining - cut
        if cut <= ZERO and len(orders) > 1 and _is_dust(draft, order.remaining):
            # Too small to be changed by itself: what it covers is added to another one.
            draft.cancel(order)
        elif cut > ZERO and (left <= ZERO or draft.rules.instrument.is_dust(left, price or order.price or ZERO)):
            draft.cancel(order)
        elif cut > ZERO or (price is not None and order.price != price and not _is_dust(draft, order.remaining)):
            quantity = order.quantity if cut <= ZERO else draft.rules.instrument.quantity(order.quantity - cut)
            draft.actions.append(_amend(draft, order, quantity, price or order.price))


def _amend(draft: Draft, order: Order, quantity: Decimal, price: Decimal | None) -> Amend:
    is_stop = order.type is OrderType.STOP_LOSS
    return Amend(
        order,
        draft.bracket.symbol,
        quantity,
        limit_price=order.limit_price if is_stop else price,
        trigger_price=price if is_stop else order.trigger_price,
        group=draft.bracket.id if draft.rules.rests_target else None,
        group_sold=_sold_by_legs(draft),
    )


def add_stop(draft: Draft, wanted: Decimal) -> None:
    """Send a stop for the part of `wanted` that no stop covers."""
    bracket, instrument = draft.bracket, draft.rules.instrument
    missing = instrument.quantity(wanted - remaining(draft.stops()) - draft.unseen_children())
    if missing <= ZERO or bracket.stop_price is None:
        return
    if _is_paused(draft) or draft.is_unseen(draft.resting_targets()):
        return
    if instrument.is_dust(missing, bracket.stop_price):
        _grow(draft, missing)
        return
    order = draft.new_order(Role.STOP, OrderType.STOP_LOSS, missing, trigger_price=bracket.stop_price)
    draft.actions.append(_as_leg(draft, order) if draft.rules.rests_target else Submit(order, bracket.symbol))


def _grow(draft: Draft, missing: Decimal) -> None:
    """What is too small for a stop of its own is added to one that rests."""
    resting = [order for order in draft.stops() if order.state is OrderState.OPEN]
    if resting and not any(isinstance(action, Amend | Cancel) for action in draft.actions):
        draft.actions.append(_amend(draft, resting[-1], resting[-1].quantity + missing, draft.bracket.stop_price))


def _add_target(draft: Draft, wanted: Decimal) -> None:
    bracket = draft.bracket
    if bracket.target_price is None:
        return
    held_target = draft.held_target()
    if draft.rules.rests_target and not bracket.target_held and held_target is None:
        _add_resting_target(draft, wanted)
        return
    quantity = draft.rules.instrument.quantity(wanted - remaining(draft.resting_targets()))
    if quantity <= ZERO:
        return
    if held_target is None:
        draft.new_order(Role.TARGET, OrderType.LIMIT, quantity, state=OrderState.HELD, limit_price=bracket.target_price)
    elif (held_target.quantity, held_target.limit_price) != (quantity, bracket.target_price):
        draft.put(replace(held_target, quantity=quantity, limit_price=bracket.target_price))


def _add_resting_target(draft: Draft, wanted: Decimal) -> None:
    bracket, instrument = draft.bracket, draft.rules.instrument
    if any(isinstance(action, Submit) for action in draft.actions) or draft.is_unseen(draft.stops()):
        # The stop may sell on arrival; a target sent behind it would then sell another bracket's coins.
        return
    missing = instrument.quantity(wanted - remaining(draft.resting_targets()))
    if missing <= ZERO or bracket.target_price is None or instrument.is_dust(missing, bracket.target_price):
        return
    order = draft.new_order(Role.TARGET, OrderType.LIMIT, missing, limit_price=bracket.target_price)
    draft.actions.append(_as_leg(draft, order))


def _as_leg(draft: Draft, order: Order) -> Submit:
    bracket = draft.bracket
    return Submit(order, bracket.symbol, group=bracket.id, group_sold=_sold_by_legs(draft))


def _sold_by_legs(draft: Draft) -> Decimal:
    return sum((leg.filled for leg in draft.bracket.of_role(Role.STOP, Role.TARGET)), ZERO)
