"""The one table of moves."""

from dataclasses import replace
from itertools import product

import pytest

from core.domain.errors import Code
from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.lifecycle.states import MOVES, IllegalMoveError, move
from tests.core.lifecycle.build import NOW, D

ORDER = Order("a-1", "a", Role.STOP, Side.SELL, OrderType.STOP_LOSS, D(1), OrderState.OPEN, NOW, NOW, missing_since=NOW)


@pytest.mark.parametrize(("before", "after"), list(product(OrderState, OrderState)))
def test_a_move_is_made_if_and_only_if_the_table_has_it(before: OrderState, after: OrderState) -> None:
    order = replace(ORDER, state=before)
    if after is before:
        assert move(order, after) is order
    elif after in MOVES[before]:
        assert move(order, after) == replace(order, state=after, missing_since=None)
    else:
        with pytest.raises(IllegalMoveError) as caught:
            move(order, after)
        assert caught.value.code is Code.ILLEGAL_MOVE
        assert order == replace(ORDER, state=before)


def test_every_state_has_a_row_in_the_table() -> None:
    assert set(MOVES) == set(OrderState)


def test_nothing_follows_a_full_fill() -> None:
    assert MOVES[OrderState.FILLED] == frozenset()


def test_an_order_given_up_for_lost_may_come_back_as_the_venue_shows_it() -> None:
    assert MOVES[OrderState.LOST] == {OrderState.OPEN, OrderState.FILLED, OrderState.CANCELED}


def test_a_move_keeps_its_reason_unless_it_is_given_another() -> None:
    told = move(ORDER, OrderState.CANCELED, "User requested")
    assert told.reason == "User requested"
    assert move(told, OrderState.FILLED).reason == "User requested"
