"""A decision that breaks a promise is recognised before it is saved; one that breaks none is left alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.domain.brackets import Bracket, BracketState
from core.domain.modes import TargetMode
from core.domain.orders import Order, OrderState, Role
from core.domain.venue import Submit
from core.lifecycle.decide import Decision, only_protect
from core.lifecycle.promises import Promise, broken
from tests.core.lifecycle.build import NOW, D, World, bracket


def _world() -> World:
    world = World(bracket())
    world.step()
    return world


def _decision(before: Bracket, after: Bracket, *sent: Order) -> Decision:
    return Decision(before, after, (), tuple(Submit(order, after.symbol) for order in sent), ())


def _with(bracket: Bracket, order: Order) -> Bracket:
    kept = tuple(one for one in bracket.orders if one.client_id != order.client_id)
    return replace(bracket, orders=(*kept, order))


def _found(decision: Decision) -> list[Promise]:
    return [one.promise for one in broken(decision)]


@pytest.mark.parametrize("mode", [TargetMode.EMULATED, TargetMode.RESTING])
def test_an_ordinary_life_breaks_nothing(mode: TargetMode) -> None:
    world = World(bracket(), target_mode=mode)
    for price in ("100", "99.5", "101", "102.5", "97"):
        world.last = D(price)
        decision = world.decide()
        assert broken(decision) == []
        world.step()
        world.pass_s(5)


def test_a_second_entry_is_refused() -> None:
    before = _world().bracket
    second = replace(before.orders[0], client_id="zy00000001-9", state=OrderState.SUBMITTING, filled=D(0), fills=())
    assert _found(_decision(before, _with(before, second), second)) == [Promise.ONE_ENTRY]


def test_two_orders_of_one_name_are_refused() -> None:
    before = _world().bracket
    after = replace(before, orders=(*before.orders, before.orders[-1]))
    assert _found(_decision(before, after)) == [Promise.ONE_NAME]


def test_a_move_that_the_table_lacks_is_refused() -> None:
    before = _world().bracket
    entry = before.orders[0]
    assert entry.state is OrderState.FILLED
    after = _with(before, replace(entry, state=OrderState.OPEN))
    assert _found(_decision(before, after)) == [Promise.LEGAL_MOVE]


def test_a_fill_that_disappears_is_refused() -> None:
    before = _world().bracket
    after = _with(before, replace(before.orders[0], filled=Decimal("0.5")))
    assert Promise.FILLS_STAY in _found(_decision(before, after))
    forgotten = _with(before, replace(before.orders[0], fills=()))
    assert _found(_decision(before, forgotten)) == [Promise.FILLS_STAY]


def test_what_is_sent_must_be_saved_as_new() -> None:
    before = _world().bracket
    stop = before.of_role(Role.STOP)[0]
    assert _found(_decision(before, before, stop)) == [Promise.SAVED_AS_SENT]
    nobody = replace(stop, client_id="zy00000001-8", state=OrderState.SUBMITTING)
    assert Promise.SAVED_AS_SENT in _found(_decision(before, before, nobody))


def test_a_sale_of_coins_that_a_stop_may_still_sell_is_refused() -> None:
    before = _world().bracket
    stop = before.of_role(Role.STOP)[0]
    sale = replace(stop, client_id="zy00000001-7", role=Role.EXIT, state=OrderState.SUBMITTING)
    decision = _decision(before, _with(before, sale), sale)
    assert _found(decision) == [Promise.NO_OVERSALE]
    assert broken(decision)[0].detail == "2 on sale, 1 ZEC held"


def test_more_sold_than_bought_is_told_and_still_a_truth_to_be_saved() -> None:
    world = _world()
    before = world.bracket
    stop = replace(before.of_role(Role.STOP)[0], filled=D("1.5"), quantity=D("1.5"))
    found = broken(_decision(before, _with(before, stop)))
    assert [one.promise for one in found] == [Promise.NOT_OVERSOLD]
    assert not found[0].promise.is_ours
    assert all(one.is_ours for one in Promise if one is not Promise.NOT_OVERSOLD)


def test_a_child_that_sold_before_its_entry_was_seen_to_fill_is_no_oversale() -> None:
    before = World(bracket()).decide().after
    child = replace(
        before.orders[0], client_id="zy00000001-2", role=Role.STOP, state=OrderState.FILLED, spawned=D(1), filled=D(1)
    )
    assert _found(_decision(before, _with(before, child))) == []


def test_a_closed_bracket_has_nothing_open() -> None:
    before = _world().bracket
    found = broken(_decision(before, replace(before, state=BracketState.CLOSED)))
    assert [one.promise for one in found] == [Promise.CLOSED_IS_OVER]


def test_when_a_decision_is_refused_a_bare_position_still_gets_its_stop_and_nothing_else_happens() -> None:
    world = _world()
    world.end(world.of("stop")[0])
    world.bracket = replace(world.bracket, cancel_entry=True)
    decision = only_protect(world.bracket, world.snapshot(), None, NOW, world.rules)
    assert [(type(one).__name__, one.order.role, one.order.quantity) for one in decision.actions] == [
        ("Submit", Role.STOP, D(1))
    ]
    assert broken(decision) == []
    assert world.bracket.order(world.of("stop")[0]).state is OrderState.OPEN
    assert decision.after.order(world.of("stop")[0]).state is OrderState.CANCELED
