"""Coins that left by another way than our orders are written off once that is certain, and not before."""

from dataclasses import replace

from core.domain.brackets import Bracket, BracketState, ExitReason
from core.domain.events import EventKind
from core.domain.orders import OrderState
from core.domain.venue import Balance, Snapshot, VenueState
from core.lifecycle.absorb import absorb
from core.lifecycle.shortage import SHORTAGE_PAUSE, Shortage, find_shortage, is_over, write_off
from tests.core.lifecycle.build import NOW, D, World, bracket

LOT = D("0.0001")


def _bought() -> World:
    world = World(bracket())
    world.step()
    return world


def _with_coins(world: World, coins: str) -> Snapshot:
    balances = {"USD": Balance("USD", D(100))} | ({"ZEC": Balance("ZEC", D(coins))} if coins != "0" else {})
    return replace(world.snapshot(), balances=balances)


def test_an_account_with_all_its_coins_lacks_none() -> None:
    world = _bought()
    assert find_shortage([world.bracket], _with_coins(world, "1"), None, lot=LOT) is None
    assert find_shortage([world.bracket], _with_coins(world, "7"), Shortage(D(1), NOW), lot=LOT) is None
    assert find_shortage([], _with_coins(world, "0"), None, lot=LOT) is None


def test_what_is_missing_is_the_least_that_was_missing_since_the_first_look() -> None:
    world = _bought()
    first = find_shortage([world.bracket], _with_coins(world, "0"), None, lot=LOT)
    assert first == Shortage(D(1), NOW)
    world.pass_s(5)
    second = find_shortage([world.bracket], _with_coins(world, "0.25"), first, lot=LOT)
    assert second == Shortage(D("0.75"), NOW)


def test_a_rounding_error_and_an_account_that_shows_nothing_at_all_are_no_shortage() -> None:
    world = _bought()
    assert find_shortage([world.bracket], _with_coins(world, "0.99999999"), None, lot=LOT) is None
    known = Shortage(D(1), NOW)
    empty = replace(world.snapshot(), balances={})
    assert find_shortage([world.bracket], empty, known, lot=LOT) is known
    assert find_shortage([world.bracket], empty, None, lot=LOT) is None


def test_half_a_list_neither_starts_nor_ends_a_shortage() -> None:
    world = _bought()
    half = replace(_with_coins(world, "0"), complete=False)
    known = Shortage(D(1), NOW - SHORTAGE_PAUSE)
    assert find_shortage([world.bracket], half, None, lot=LOT) is None
    assert find_shortage([world.bracket], half, known, lot=LOT) is known
    assert not is_over(known, half)


def test_a_sale_of_ours_that_is_not_answered_or_not_yet_booked_explains_missing_coins() -> None:
    world = _bought()
    stop = world.of("stop")[0]
    world.fill(stop)
    assert find_shortage([world.bracket], _with_coins(world, "0"), None, lot=LOT) is None
    other = _bought()
    unanswered = replace(other.bracket.order(other.of("stop")[0]), state=OrderState.SUBMITTING)
    orders = tuple(unanswered if order.role == "stop" else order for order in other.bracket.orders)
    hidden = replace(_with_coins(other, "0"), orders={})
    assert find_shortage([replace(other.bracket, orders=orders)], hidden, None, lot=LOT) is None


def test_it_is_over_after_the_pause_in_a_complete_list() -> None:
    world = _bought()
    shortage = Shortage(D(1), NOW)
    assert not is_over(None, world.snapshot())
    world.pass_s(SHORTAGE_PAUSE.total_seconds() - 1)
    assert not is_over(shortage, _with_coins(world, "0"))
    world.pass_s(1)
    assert is_over(shortage, _with_coins(world, "0"))
    assert not is_over(shortage, world.snapshot()), "a list without balances says nothing of coins"


def test_missing_coins_are_taken_off_the_oldest_bracket_first_and_told() -> None:
    older, newer = _bought().bracket, replace(_bought().bracket, id="zy00000002")
    decisions = write_off([older, newer], Shortage(D("1.24991"), NOW), NOW, lot=LOT)
    assert [(one.after.id, one.after.gone, one.after.held) for one in decisions] == [
        ("zy00000001", D(1), D(0)),
        ("zy00000002", D("0.25"), D("0.75")),
    ]
    events = [event for one in decisions for event in one.events]
    assert [event.kind for event in events] == [EventKind.SOLD_ELSEWHERE] * 2
    assert events[1].text.startswith("0.25 of 1 ZEC are no longer on the account")
    assert write_off([older], Shortage(D(0), NOW), NOW, lot=LOT) == []


def test_a_bracket_whose_coins_are_gone_cancels_its_stop_and_closes_with_the_reason() -> None:
    world = _bought()
    world.bracket = write_off([world.bracket], Shortage(D(1), NOW), NOW, lot=LOT)[0].after
    world.step()
    assert world.bracket.state is BracketState.CLOSED
    assert world.bracket.close_reason is ExitReason.SOLD_ELSEWHERE
    assert {order.state for order in world.orders.values()} == {VenueState.CLOSED, VenueState.CANCELED}
    assert world.bracket.result_quote is None


def test_a_fill_of_ours_that_turns_up_later_counts_the_coins_in_again() -> None:
    world = _bought()
    stop = world.of("stop")[0]
    gone: Bracket = write_off([world.bracket], Shortage(D(1), NOW), NOW, lot=LOT)[0].after
    world.fill(stop, "0.4")
    after = absorb(gone, world.snapshot()).bracket
    assert (after.sold, after.gone, after.held) == (D("0.4"), D("0.6"), D(0))
    world.fill(stop)
    whole = absorb(after, world.snapshot()).bracket
    assert (whole.sold, whole.gone, whole.held) == (D(1), D(0), D(0))
