"""Stops that the venue spawns with each fill of the entry: found by their parent, whatever shows first."""

from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import BracketState
from core.domain.modes import TargetMode
from core.domain.orders import OrderState, OrderType, Role, Side
from core.domain.venue import (
    Accepted,
    Action,
    Amend,
    Cancel,
    Outcome,
    Snapshot,
    Submit,
    Unknown,
    VenueOrder,
    VenueState,
)
from core.lifecycle.decide import decide
from core.lifecycle.rules import Rules
from tests.core.lifecycle.build import ZEC, D, World, bracket


class Family(World):
    """A venue that spawns; `unseen` children are in no list."""

    children: dict[str, VenueOrder]
    unseen: set[str]

    @property
    def rules(self) -> Rules:
        return Rules(ZEC, target_mode=self.target_mode, attach_stop=True)

    def spawn(self, quantity: str, name: str = "C1", *, seen: bool = True) -> None:
        parent = next(iter(self.orders.values()))
        self.children[name] = VenueOrder(
            name, None, "ZEC/USD", Side.SELL, OrderType.STOP_LOSS, D(quantity), VenueState.OPEN, self.now,
            trigger_price=D("99"), parent_id=parent.venue_id,
        )  # fmt: skip
        if not seen:
            self.unseen.add(name)

    def snapshot(self) -> Snapshot:
        shown = {name: child for name, child in self.children.items() if name not in self.unseen}
        return replace(super().snapshot(), nameless=shown)

    def _do(self, action: Action) -> Outcome:
        name = action.order.venue_id or ""
        if name not in self.children:
            return super()._do(action)
        child = self.children[name]
        if isinstance(action, Cancel):
            self.children[name] = replace(child, state=VenueState.CANCELED)
        elif isinstance(action, Amend):
            self.children[name] = replace(child, quantity=action.quantity, trigger_price=action.trigger_price)
        return Accepted(name)


def _family(mode: TargetMode = TargetMode.EMULATED) -> Family:
    world = Family(replace(bracket(limit="100"), stop_price=D(99)), target_mode=mode)
    world.children, world.unseen = {}, set()
    world.step()
    return world


def _stops(world: Family) -> list[tuple[str | None, Decimal]]:
    return [(order.venue_id, order.quantity) for order in world.bracket.of_role(Role.STOP) if order.is_live]


def test_the_entry_carries_its_stop_and_its_child_is_adopted_and_moved_to_the_real_fill() -> None:
    world = _family()
    [sent] = [one for one in world.history if isinstance(one, Submit)]
    assert sent.attached_stop == D(99)
    world.fill(world.of("entry")[0], price="99.5")
    world.spawn("1")
    world.step()
    assert _stops(world) == [("C1", D(1))]
    assert world.children["C1"].trigger_price == world.bracket.stop_price == D("98.51")


def test_a_child_that_is_not_listed_yet_counts_as_cover_for_the_grace_and_no_longer() -> None:
    world = _family()
    world.fill(world.of("entry")[0])
    world.spawn("1", seen=False)
    world.step()
    assert _stops(world) == []
    assert world.bracket.unprotected_since is None
    world.pass_s(4.9)
    world.step()
    assert _stops(world) == []
    world.pass_s(0.2)
    world.step()
    assert [quantity for _, quantity in _stops(world)] == [D(1)]


def test_in_half_a_list_a_child_is_never_missing() -> None:
    world = _family()
    world.fill(world.of("entry")[0])
    world.spawn("1", seen=False)
    world.complete = False
    world.pass_s(30)
    world.step()
    assert _stops(world) == []


def test_the_grace_is_counted_to_the_reading_and_not_to_the_decision() -> None:
    world = _family()
    world.fill(world.of("entry")[0])
    early = world.snapshot()
    world.pass_s(8)
    decision = decide(world.bracket, early, world.quote, world.now, world.rules)
    assert not [one for one in decision.actions if isinstance(one, Submit)]


def test_a_child_seen_before_its_fill_is_left_alone() -> None:
    world = _family()
    world.spawn("1")
    world.step()
    assert _stops(world) == [("C1", D(1))]
    assert world.children["C1"].state is VenueState.OPEN
    assert world.bracket.bought == 0


def test_children_of_an_entry_whose_answer_was_lost_are_found_with_it() -> None:
    world = Family(bracket(limit="100"), answers={"submit entry": Unknown("time-out")})
    world.children, world.unseen = {}, set()
    world.step()
    entry = world.bracket.orders[0]
    assert entry.venue_id is None
    world._do(Submit(entry, "ZEC/USD"))
    world.fill(entry.client_id)
    world.spawn("1")
    world.pass_s(60)
    world.step()
    assert _stops(world) == [("C1", D(1))]


def test_each_partial_fill_has_its_child_and_each_is_counted_once() -> None:
    world = _family()
    world.fill(world.of("entry")[0], "0.25")
    world.spawn("0.25", "C1")
    world.step()
    world.fill(world.of("entry")[0], "0.75")
    world.spawn("0.75", "C2")
    world.step()
    world.step()
    assert _stops(world) == [("C1", D("0.25")), ("C2", D("0.75"))]
    assert world.bracket.spawned == world.bracket.bought == D(1)


def test_a_bracket_with_dust_waits_for_a_child_that_may_still_show_up() -> None:
    world = Family(bracket("0.005", limit="100"))
    world.children, world.unseen = {}, set()
    world.step()
    world.fill(world.of("entry")[0])
    world.spawn("0.005", seen=False)
    world.step()
    assert world.bracket.state is BracketState.OPEN
    world.unseen.clear()
    world.step()
    assert _stops(world) == [("C1", D("0.005"))]
    assert world.bracket.state is BracketState.OPEN


def test_targets_do_not_rest_beside_children_that_no_group_links() -> None:
    world = _family(TargetMode.RESTING)
    world.fill(world.of("entry")[0])
    world.spawn("1")
    world.step()
    targets = [order for order in world.bracket.of_role(Role.TARGET) if not order.is_terminal]
    assert [order.state for order in targets] == [OrderState.HELD]
    assert not Rules(ZEC, target_mode=TargetMode.RESTING, links_legs=False).rests_target
    assert Rules(ZEC, target_mode=TargetMode.RESTING).rests_target
