"""PURE. All moves of an order's state, in one table.

HELD orders are kept by us and unknown to the venue. SUBMITTING means that the order may be at the venue. The venue
has the last word: an order that we took for dead comes back when the venue shows it.
"""

from dataclasses import replace

from core.domain.errors import Code, ZynError
from core.domain.orders import Order, OrderState

_S = OrderState

MOVES: dict[OrderState, frozenset[OrderState]] = {
    _S.HELD: frozenset({_S.SUBMITTING, _S.CANCELED}),
    _S.SUBMITTING: frozenset({_S.OPEN, _S.FILLED, _S.CANCELED, _S.REJECTED, _S.LOST}),
    _S.OPEN: frozenset({_S.FILLED, _S.CANCELED, _S.LOST}),
    _S.FILLED: frozenset(),
    _S.CANCELED: frozenset({_S.FILLED}),
    _S.REJECTED: frozenset({_S.OPEN, _S.FILLED, _S.CANCELED}),
    _S.LOST: frozenset({_S.OPEN, _S.FILLED, _S.CANCELED}),
}
"""From each state, the states that may follow. The last three rows are the venue overruling us."""


class IllegalMoveError(ZynError):
    """A move that the table does not have. Nothing was changed."""


def move(order: Order, state: OrderState, reason: str = "") -> Order:
    """`order` in `state`; staying is always allowed. Raises IllegalMoveError and changes nothing otherwise."""
    if state is order.state:
        return order
    if state not in MOVES[order.state]:
        raise IllegalMoveError(Code.ILLEGAL_MOVE, f"order {order.client_id} cannot go from {order.state} to {state}")
    return replace(order, state=state, reason=reason or order.reason, missing_since=None)
