"""What a snapshot teaches."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.orders import OrderState
from core.domain.venue import Snapshot, Unknown, VenueState
from core.lifecycle.absorb import absorb
from tests.core.lifecycle.build import NOW, D, World, bracket


def _bought() -> World:
    world = World(bracket())
    world.step()
    return world


def test_a_snapshot_that_says_nothing_new_changes_nothing() -> None:
    world = _bought()
    absorbed = absorb(world.bracket, world.snapshot())
    assert absorbed.bracket is world.bracket
    assert absorbed.fills == ()


def test_a_fill_is_the_difference_between_the_venue_and_what_is_booked() -> None:
    world = _bought()
    stop = world.of("stop")[0]
    world.fill(stop, "0.25", "99")
    first = absorb(world.bracket, world.snapshot())
    world.bracket = first.bracket
    world.fill(stop, "0.5", "98")
    second = absorb(world.bracket, world.snapshot())
    fills = [fill for _, fill in (*first.fills, *second.fills)]
    assert [(fill.quantity, fill.price) for fill in fills] == [(D("0.25"), D(99)), (D("0.5"), D(98))]
    assert len({fill.id for fill in fills}) == 2
    assert second.bracket.order(stop).filled == D("0.75")


def test_for_a_while_after_an_amend_the_list_may_show_the_former_price_and_then_the_list_is_right() -> None:
    world = _bought()
    stop, stale = world.of("stop")[0], world.snapshot()
    shown = world.bracket.order(stop)
    bracket = _amended(world, stop)

    def look(*, after_s: float) -> tuple[Decimal | None, Decimal, int]:
        at = NOW + timedelta(seconds=after_s)
        absorbed = absorb(bracket, replace(stale, began_at=at, at=at))
        found = absorbed.bracket.order(stop)
        return found.trigger_price, found.quantity, len(absorbed.moved)

    assert look(after_s=-1) == look(after_s=9) == (D(97), D(2), 0)
    assert look(after_s=11)[:2] == (shown.trigger_price, shown.quantity)
    assert look(after_s=-3600)[:2] == (shown.trigger_price, shown.quantity)


def test_what_is_neither_the_former_order_nor_the_new_one_is_news_at_once() -> None:
    """An earlier change of ours that arrives late, or the owner's hand."""
    world = _bought()
    stop = world.of("stop")[0]
    bracket = _amended(world, stop)
    snapshot = world.snapshot()
    late = replace(snapshot.orders[stop], trigger_price=D("97.5"))
    found = absorb(bracket, replace(snapshot, orders={**snapshot.orders, stop: late})).bracket.order(stop)
    assert (found.trigger_price, found.quantity) == (D("97.5"), late.quantity)


def _amended(world: World, stop: str) -> Bracket:
    """The bracket after the venue took a change of its stop, now."""
    shown = world.bracket.order(stop)
    amended = replace(
        shown, trigger_price=D(97), quantity=D(2), amended_at=NOW, former_quantity=shown.quantity,
        former_price=shown.trigger_price,
    )  # fmt: skip
    return replace(
        world.bracket, orders=tuple(amended if one.client_id == stop else one for one in world.bracket.orders)
    )


def test_an_older_view_never_unfills_or_reopens() -> None:
    world = _bought()
    stale = world.snapshot()
    world.fill(world.of("stop")[0])
    filled = absorb(world.bracket, world.snapshot()).bracket
    again = absorb(filled, stale).bracket
    assert again.order(world.of("stop")[0]).filled == D(1)
    assert again.order(world.of("stop")[0]).state is OrderState.FILLED


def test_absence_counts_only_in_a_complete_snapshot_past_the_deadline_and_seen_twice_with_a_pause() -> None:
    world = World(bracket(), answers={"submit entry": Unknown("time-out")})
    world.step()
    entry = world.of("entry")[0]

    def look(*, after_s: float, complete: bool) -> OrderState:
        at = NOW + timedelta(seconds=after_s)
        world.bracket = absorb(world.bracket, Snapshot(at, at, complete=complete)).bracket
        return world.bracket.order(entry).state

    assert look(after_s=5, complete=True) is OrderState.SUBMITTING
    assert look(after_s=60, complete=False) is OrderState.SUBMITTING
    assert look(after_s=61, complete=True) is OrderState.SUBMITTING
    assert look(after_s=61.5, complete=True) is OrderState.SUBMITTING
    assert look(after_s=65, complete=False) is OrderState.SUBMITTING
    assert look(after_s=66, complete=True) is OrderState.LOST


def test_an_order_seen_again_in_between_is_not_lost() -> None:
    world = World(bracket(limit="90"))
    world.step()
    entry = world.of("entry")[0]
    at = NOW + timedelta(seconds=60)
    once = absorb(world.bracket, Snapshot(at, at, complete=True)).bracket
    seen = absorb(once, world.snapshot()).bracket
    assert seen.order(entry).missing_since is None
    assert seen.order(entry).state is OrderState.OPEN


def test_a_lost_order_that_the_venue_shows_after_all_is_taken_up_again() -> None:
    world = _bought()
    entry = world.of("entry")[0]
    forgotten = replace(world.bracket.orders[0], state=OrderState.LOST, filled=D(0), fills=())
    lost = replace(world.bracket, orders=(forgotten,))
    after = absorb(lost, world.snapshot())
    assert after.bracket.order(entry).state is OrderState.FILLED
    assert [fill.quantity for _, fill in after.fills] == [D(1)]


def test_a_partly_filled_order_that_ends_is_canceled_and_keeps_its_fill() -> None:
    world = World(bracket("2", limit="90"))
    world.step()
    entry = world.of("entry")[0]
    world.fill(entry, "0.5", "90")
    world.end(entry, "User requested")
    after = absorb(world.bracket, world.snapshot()).bracket
    assert (after.order(entry).state, after.order(entry).filled) == (OrderState.CANCELED, D("0.5"))
    assert world.orders[entry].state is VenueState.CANCELED
