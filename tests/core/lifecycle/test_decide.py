"""What a bracket wants next, told as stories against a venue of a few lines."""

from dataclasses import replace

import pytest

from core.domain.brackets import BracketState, ExitReason, Leave, Level, LevelUnit
from core.domain.events import EventKind
from core.domain.modes import TargetMode
from core.domain.orders import OrderState, OrderType, Role, TimeInForce
from core.domain.venue import Amend, Cancel, Submit, Unknown, VenueState
from core.lifecycle.decide import decide
from tests.core.lifecycle.build import D, World, bracket

BOTH = pytest.mark.parametrize("target_mode", [TargetMode.EMULATED, TargetMode.RESTING])


def _open(target_mode: TargetMode = TargetMode.EMULATED, quantity: str = "1") -> World:
    world = World(bracket(quantity), target_mode=target_mode)
    world.step()
    assert world.bracket.state is BracketState.OPEN
    return world


def test_a_fresh_intent_sends_its_entry_and_nothing_else() -> None:
    decision = World(bracket()).decide()
    assert [type(action) for action in decision.actions] == [Submit]
    entry = decision.after.entry
    assert entry is not None
    assert (entry.state, entry.type, entry.quantity) == (OrderState.SUBMITTING, OrderType.MARKET, D(1))


def test_the_same_inputs_give_the_same_decision() -> None:
    world = World(bracket())
    assert world.decide() == world.decide()


def test_an_entry_that_was_sent_is_never_sent_again() -> None:
    world = World(bracket(), answers={"submit entry": Unknown("time-out")})
    for _ in range(5):
        world.step()
        world.pass_s(30)
    assert sum(isinstance(action, Submit) and action.order.role is Role.ENTRY for action in world.history) == 1
    assert (world.bracket.state, world.bracket.close_reason) == (BracketState.CLOSED, ExitReason.ENTRY_LOST)
    assert EventKind.ORDER_LOST in world.kinds()


def test_a_filled_entry_is_covered_by_a_resting_stop_and_a_held_target() -> None:
    world = _open()
    stop, target = (world.bracket.order(world.of(role)[0]) for role in ("stop", "target"))
    assert (stop.state, stop.trigger_price, stop.quantity) == (OrderState.OPEN, D(99), D(1))
    assert (target.state, target.limit_price, target.quantity) == (OrderState.HELD, D(102), D(1))


def test_in_resting_mode_both_legs_rest_and_share_a_group() -> None:
    world = _open(TargetMode.RESTING)
    legs = [action for action in world.history if isinstance(action, Submit) and action.order.role is not Role.ENTRY]
    assert {(leg.order.role, leg.group) for leg in legs} == {(Role.STOP, "zy00000001"), (Role.TARGET, "zy00000001")}


def test_each_partial_fill_is_covered_at_once_and_its_stop_follows_the_average() -> None:
    world = World(bracket("2", limit="100"))
    world.step()
    entry = world.of("entry")[0]
    world.fill(entry, "0.5", "100")
    world.step()
    assert [world.orders[name].quantity for name in world.of("stop")] == [D("0.5")]
    world.fill(entry, "1.5", "96")
    world.last = D(97)
    world.step()
    assert sum((world.orders[name].quantity for name in world.of("stop")), D(0)) == D(2)
    assert {world.orders[name].trigger_price for name in world.of("stop")} == {D("96.03")}
    assert not any(isinstance(action, Cancel) for action in world.history)


@BOTH
def test_a_stop_that_fills_ends_the_bracket_and_its_target(target_mode: TargetMode) -> None:
    world = _open(target_mode)
    world.last = D(98)
    world.fill(world.of("stop")[0], price="98")
    world.step()
    assert (world.bracket.state, world.bracket.close_reason) == (BracketState.CLOSED, ExitReason.STOP)
    assert {world.bracket.order(name).state for name in world.of("target")} == {OrderState.CANCELED}
    assert world.kinds()[-2:] == [EventKind.STOP_FILLED, EventKind.CLOSED]
    assert world.bracket.result_quote == D(98) - D(100) - D("0.392") - D("0.4")


def test_an_emulated_target_cancels_the_stop_before_it_sells_and_sells_once() -> None:
    world = _open()
    world.last = D("102.5")
    sent = world.step()
    assert [(type(action), action.order.role) for action in sent] == [(Cancel, Role.STOP), (Submit, Role.TARGET)]
    sale = sent[1].order
    assert (sale.time_in_force, sale.limit_price, sale.quantity) == (TimeInForce.IOC, D("101.89"), D(1))
    assert (world.bracket.state, world.bracket.close_reason) == (BracketState.CLOSED, ExitReason.TARGET)


def test_a_target_does_not_sell_while_the_cancel_of_its_stop_is_unanswered() -> None:
    world = _open()
    world.last = D(103)
    world.answers["cancel stop"] = Unknown("time-out")
    decision = world.decide()
    for action in decision.actions:
        world.perform(action)
    world.bracket = decision.after
    assert [action.order.role for action in world.decide().actions] == [Role.STOP]


def test_a_stop_that_filled_while_its_cancel_was_under_way_leaves_nothing_to_sell() -> None:
    world = _open()
    world.last = D(103)
    decision = world.decide()
    world.bracket = decision.after
    world.fill(world.of("stop")[0], price="99")
    sent = world.step()
    assert not any(isinstance(action, Submit) for action in sent)
    assert world.bracket.close_reason is ExitReason.STOP


def test_a_target_that_fell_away_again_is_covered_by_a_new_stop() -> None:
    world = _open()
    world.last = D(103)
    decision = world.decide()
    world.bracket = decision.after
    for action in decision.actions:
        world.perform(action)
    world.last = D(101)
    world.step()
    live = [world.orders[name] for name in world.of("stop") if world.bracket.order(name).state is OrderState.OPEN]
    assert [order.quantity for order in live] == [D(1)]
    assert world.bracket.state is BracketState.OPEN


def test_a_partial_fill_of_a_resting_leg_shrinks_the_other_to_what_remains() -> None:
    world = _open(TargetMode.RESTING)
    world.fill(world.of("target")[0], "0.4", "102")
    sent = world.step()
    assert [(type(action), action.order.role) for action in sent] == [(Amend, Role.STOP)]
    assert world.orders[world.of("stop")[0]].quantity == D("0.6")
    assert world.bracket.state is BracketState.OPEN


def test_a_stop_canceled_by_somebody_else_is_placed_anew_and_told() -> None:
    world = _open()
    world.end(world.of("stop")[0], "by hand")
    world.step()
    assert len(world.of("stop")) == 2
    assert world.bracket.order(world.of("stop")[1]).state is OrderState.OPEN
    assert EventKind.UNPROTECTED in world.kinds()


def test_leaving_a_part_shrinks_the_stop_first_and_covers_what_stays() -> None:
    world = _open()
    world.bracket = replace(world.bracket, leave=Leave(D("0.4"), ExitReason.COMMAND, D(0), world.now))
    sent = world.step()
    assert [(type(action), action.order.role) for action in sent] == [(Amend, Role.STOP), (Submit, Role.EXIT)]
    assert world.orders[world.of("stop")[0]].quantity == D("0.6")
    assert world.bracket.order(world.of("exit")[0]).filled == D("0.4")
    assert world.bracket.held == D("0.6")
    assert world.bracket.leave is None


@BOTH
def test_leaving_everything_cancels_both_legs_sells_once_and_closes(target_mode: TargetMode) -> None:
    world = _open(target_mode)
    world.bracket = replace(world.bracket, leave=Leave(D(1), ExitReason.FLATTEN, D(0), world.now))
    world.step()
    assert world.bracket.state is BracketState.CLOSED
    assert world.bracket.close_reason is ExitReason.FLATTEN
    assert sum(order.filled for order in world.bracket.orders if order.role is not Role.ENTRY) == D(1)


def test_once_a_leg_has_traded_the_waiting_rest_of_the_entry_is_canceled() -> None:
    world = World(bracket("2", limit="100"))
    world.step()
    world.fill(world.of("entry")[0], "1", "100")
    world.step()
    world.fill(world.of("stop")[0], price="99")
    sent = world.step()
    assert [(type(action), action.order.role) for action in sent] == [(Cancel, Role.ENTRY)]
    assert world.bracket.state is BracketState.CLOSED


def test_a_moved_level_amends_the_resting_order_in_place() -> None:
    world = _open()
    world.bracket = replace(world.bracket, stop=Level(D("99.5"), LevelUnit.PRICE), stop_price=None)
    sent = world.step()
    assert [(type(action), action.order.role) for action in sent] == [(Amend, Role.STOP)]
    assert world.orders[world.of("stop")[0]].trigger_price == D("99.5")


def test_what_is_too_small_to_sell_closes_the_bracket_as_dust() -> None:
    world = _open()
    world.fill(world.of("stop")[0], "0.995", "99")
    world.end(world.of("stop")[0])
    world.step()
    assert world.bracket.state is BracketState.CLOSED
    assert world.bracket.held == D("0.005")
    assert "0.005 ZEC dust remains" in world.told[-1][1]


def test_a_late_fill_of_a_closed_bracket_opens_it_again_and_is_covered() -> None:
    world = World(bracket(), answers={"submit entry": Unknown("time-out")})
    for _ in range(4):
        world.step()
        world.pass_s(30)
    assert world.bracket.state is BracketState.CLOSED
    world.answers.clear()
    entry = world.bracket.orders[0]
    world._do(Submit(entry, "ZEC/USD"))
    world.step()
    assert world.bracket.held == D(1)
    assert EventKind.LATE_FILL in world.kinds()
    assert world.bracket.order(world.of("stop")[-1]).state is OrderState.OPEN


def test_an_old_quote_triggers_no_target() -> None:
    world = _open()
    world.last = D(110)
    quote = world.quote
    world.pass_s(31)
    decision = decide(world.bracket, world.snapshot(), quote, world.now, world.rules)
    assert decision.actions == ()


def test_an_exact_touch_of_the_target_by_the_bid_triggers_it() -> None:
    world = _open()
    world.last = D("101.99")
    assert world.decide().actions == ()
    world.last = D("102.00")
    assert [type(action) for action in world.decide().actions] == [Cancel]


def test_a_wish_to_sell_a_part_ends_when_only_dust_of_it_is_left_though_the_entry_still_buys() -> None:
    world = World(bracket("1", limit="100"))
    world.step()
    world.fill(world.of("entry")[0], "0.6")
    world.step()
    world.bracket = replace(world.bracket, leave=Leave(D("0.105"), ExitReason.COMMAND, D(0), world.now))
    world.answers["submit exit"] = Unknown("on its way")
    world.step()
    name = world.of("exit")[0]
    del world.answers["submit exit"]
    world._do(Submit(world.bracket.order(name), "ZEC/USD"))
    world.orders[name] = replace(world.orders[name], filled=D("0.1"), cost=D(10), state=VenueState.CANCELED)
    for _ in range(2):
        world.pass_s(5)
        world.step()
    assert world.bracket.leave is None
    assert [order.remaining for order in world.bracket.of_role(Role.STOP) if order.is_live] == [world.bracket.held]
