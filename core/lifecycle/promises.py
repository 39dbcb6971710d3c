"""PURE. What no decision may ever break, checked on each before it is saved. Cheap: one bracket, no history.

These hold by construction elsewhere. They are asked again here because real money follows: a fault of ours is to end
as one refused decision and an alert, not as a second entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from core.domain.brackets import Bracket, BracketState
from core.domain.money import ZERO, plain
from core.domain.orders import Order, OrderState, Role, Side, TimeInForce
from core.domain.venue import Submit
from core.lifecycle.decide import Decision
from core.lifecycle.states import MOVES


class Promise(StrEnum):
    """What was broken."""

    ONE_ENTRY = "one_entry"
    ONE_NAME = "one_name"
    LEGAL_MOVE = "legal_move"
    FILLS_STAY = "fills_stay"
    SAVED_AS_SENT = "saved_as_sent"
    NO_OVERSALE = "no_oversale"
    NOT_OVERSOLD = "not_oversold"
    CLOSED_IS_OVER = "closed_is_over"

    @property
    def is_ours(self) -> bool:
        """False where the venue's own books have broken it: that is a truth, and the ledger must still learn it."""
        return self is not Promise.NOT_OVERSOLD


@dataclass(frozen=True, slots=True)
class Broken:
    """One promise that a decision would break, with its numbers."""

    promise: Promise
    detail: str


def broken(decision: Decision) -> list[Broken]:
    """The promises that `decision` breaks anew. Where one of them is ours, none of it may be saved or sent."""
    return [*_orders(decision), *_actions(decision), *_state(decision)]


def _orders(decision: Decision) -> Iterator[Broken]:
    after = decision.after.orders
    known = {order.client_id: order for order in decision.before.orders}
    entries = [order.client_id for order in after if order.role is Role.ENTRY]
    if len(entries) > max(1, sum(1 for order in known.values() if order.role is Role.ENTRY)):
        yield Broken(Promise.ONE_ENTRY, f"{len(entries)} entries: {', '.join(entries)}")
    if len({order.client_id for order in after}) < len(after) - (len(decision.before.orders) - len(known)):
        yield Broken(Promise.ONE_NAME, "two orders of one name")
    for order in after:
        before = known.get(order.client_id)
        if before is None or before is order:
            continue
        if order.state is not before.state and order.state not in MOVES[before.state]:
            yield Broken(Promise.LEGAL_MOVE, f"order {order.client_id} cannot go from {before.state} to {order.state}")
        if order.filled < before.filled or order.fills[: len(before.fills)] != before.fills:
            text = f"order {order.client_id} had {plain(before.filled)} filled, now {plain(order.filled)}"
            yield Broken(Promise.FILLS_STAY, text)


def _actions(decision: Decision) -> Iterator[Broken]:
    live = {order.client_id for order in decision.before.orders if order.is_live}
    sent = [action.order for action in decision.actions if isinstance(action, Submit)]
    if not sent:
        return
    saved = {order.client_id: order for order in decision.after.orders}
    for order in sent:
        as_saved = saved.get(order.client_id)
        if as_saved is None or as_saved.state is not OrderState.SUBMITTING or order.client_id in live:
            yield Broken(Promise.SAVED_AS_SENT, f"order {order.client_id} would be sent without being saved as new")
    if any(_sells_now(order) for order in sent):
        on_sale = sum((order.remaining for order in decision.after.orders if order.is_live and _sells_now(order)), ZERO)
        if on_sale > decision.after.held:
            text = f"{plain(on_sale)} on sale, {plain(decision.after.held)} {decision.after.base} held"
            yield Broken(Promise.NO_OVERSALE, text)


def _sells_now(order: Order) -> bool:
    """A stop or a sale; a target that rests beside its stop takes the same coins."""
    is_second_leg = order.role is Role.TARGET and order.time_in_force is TimeInForce.GTC
    return order.side is Side.SELL and not is_second_leg


def _state(decision: Decision) -> Iterator[Broken]:
    after: Bracket = decision.after
    if after.held < ZERO <= decision.before.held and after.sold > after.spawned:
        yield Broken(Promise.NOT_OVERSOLD, f"{plain(after.sold)} sold of {plain(after.bought)} {after.base} bought")
    if after.state is BracketState.CLOSED and decision.before.state is not BracketState.CLOSED:
        live = [order.client_id for order in after.orders if order.is_live]
        if live:
            yield Broken(Promise.CLOSED_IS_OVER, f"closed with {', '.join(live)} open")
