"""What an answer of the venue teaches at once: refusals, back-off, and sales in place of a stop that cannot rest."""

from dataclasses import replace

import pytest

from core.domain.brackets import BracketState, ExitReason, Leave
from core.domain.events import EventKind
from core.domain.modes import TargetMode
from core.domain.orders import OrderState, Role
from core.domain.venue import Refused, Submit, Unknown
from tests.core.lifecycle.build import D, World, bracket

REFUSED = Refused("EOrder:Insufficient funds")


def _stops_sent(world: World) -> int:
    return sum(isinstance(action, Submit) and action.order.role is Role.STOP for action in world.history)


def test_a_refused_entry_ends_the_bracket_with_the_venues_words() -> None:
    world = World(bracket(), answers={"submit entry": REFUSED})
    world.step()
    entry = world.bracket.entry
    assert entry is not None
    assert (entry.state, entry.reason) == (OrderState.REJECTED, "EOrder:Insufficient funds")
    assert world.bracket.close_reason is ExitReason.ENTRY_REJECTED
    assert EventKind.ENTRY_REJECTED in world.kinds()


def test_a_refused_stop_is_tried_again_after_one_two_four_seconds_and_told_once() -> None:
    world = World(bracket(), answers={"submit stop": REFUSED})
    world.step()
    tries = [_stops_sent(world)]
    for seconds in (0.9, 0.2, 1.8, 0.3, 3.8, 0.3):
        world.pass_s(seconds)
        world.step()
        tries.append(_stops_sent(world))
    assert tries == [1, 1, 2, 2, 3, 3, 4]
    assert world.kinds().count(EventKind.PROTECTION_REFUSED) == 1


def test_while_its_stop_is_refused_the_stop_price_sells_at_market() -> None:
    world = World(bracket(), answers={"submit stop": REFUSED})
    world.step()
    world.pass_s(0.5)
    world.last = D("98.9")
    world.step()
    assert world.bracket.state is BracketState.CLOSED
    assert world.bracket.close_reason is ExitReason.STOP_EMULATED


def test_past_the_limit_without_a_stop_the_position_is_sold() -> None:
    world = World(bracket(), answers={"submit stop": REFUSED})
    world.step()
    for _ in range(8):
        world.pass_s(10)
        world.step()
    assert world.bracket.close_reason is ExitReason.UNPROTECTED
    assert any("had no stop for" in text for _, text in world.told)
    assert world.bracket.unprotected_since is None


def test_a_stop_accepted_after_refusals_counts_the_seconds_without_one() -> None:
    world = World(bracket(), answers={"submit stop": REFUSED})
    world.step()
    world.answers.clear()
    world.pass_s(5)
    world.step()
    assert world.bracket.unprotected_since is None
    assert world.bracket.unprotected_s == pytest.approx(5.0)
    assert world.bracket.protect_failures == 0


def test_a_refused_resting_target_is_held_by_zyn_instead() -> None:
    world = World(bracket(), target_mode=TargetMode.RESTING, answers={"submit target": REFUSED})
    world.step()
    states = [world.bracket.order(name).state for name in world.of("target")]
    assert states == [OrderState.REJECTED, OrderState.HELD]
    assert EventKind.TARGET_HELD in world.kinds()


def test_an_unknown_answer_changes_nothing() -> None:
    world = World(bracket(), answers={"submit stop": Unknown("502")})
    world.step()
    assert world.bracket.order(world.of("stop")[0]).state is OrderState.SUBMITTING
    assert _stops_sent(world) == 1


def test_a_stop_whose_answer_was_lost_is_reborn_under_a_new_name_once_its_absence_is_proven() -> None:
    world = World(bracket(), answers={"submit stop": Unknown("502")})
    world.step()
    world.answers.clear()
    for _ in range(3):
        world.pass_s(11)
        world.step()
    first, second = world.of("stop")
    assert world.bracket.order(first).state is OrderState.LOST
    assert world.bracket.order(second).state is OrderState.OPEN
    assert first != second


def test_a_refused_sale_by_command_puts_the_protection_back() -> None:
    world = World(bracket())
    world.step()
    world.answers["submit exit"] = REFUSED
    world.bracket = replace(world.bracket, leave=Leave(D(1), ExitReason.COMMAND, D(0), world.now))
    world.step()
    assert world.bracket.leave is None
    assert world.bracket.state is BracketState.OPEN
    live = [order for order in world.bracket.of_role(Role.STOP) if order.state is OrderState.OPEN]
    assert [order.quantity for order in live] == [D(1)]
