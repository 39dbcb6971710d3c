"""A stop that trails: it follows the bid from below, in steps, and never goes back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.brackets import Level, LevelUnit
from core.domain.venue import Amend
from core.lifecycle.trail import STEP_PCT, distance_of, trail
from tests.core.lifecycle.build import D, World, bracket

PERCENT = Level(D(2), LevelUnit.PERCENT)


def _trailing(level: Level = PERCENT, stop: str = "98", high: str | None = "100", **given: Decimal | None) -> World:
    """A position bought at 100 with a stop that trails, and a target far away."""
    world = World(bracket(target="900"))
    world.step()
    world.bracket = replace(
        world.bracket,
        trail=level,
        trail_high=D(high) if high is not None else None,
        stop=Level(D(stop), LevelUnit.PRICE),
        stop_price=D(stop),
        **given,  # type: ignore[arg-type]
    )
    world.step()
    return world


def _see(world: World, *bids: str) -> list[Decimal | None]:
    """The stop after each of these bids."""
    seen = []
    for bid in bids:
        world.last = D(bid)
        world.step()
        seen.append(world.bracket.stop_price)
    return seen


def _resting_at(world: World) -> list[Decimal | None]:
    return [order.trigger_price for name, order in world.orders.items() if name in world.of("stop")]


def test_the_stop_follows_a_rising_bid_at_its_distance_and_the_order_at_the_venue_is_moved() -> None:
    world = _trailing()
    assert _see(world, "101", "105", "110") == [D("98.98"), D("102.9"), D("107.8")]
    assert _resting_at(world) == [D("107.8")]
    assert [type(action) for action in world.history[-3:]] == [Amend] * 3
    assert len(world.of("stop")) == 1, "one stop, moved in place"


def test_a_falling_bid_never_takes_the_stop_back() -> None:
    world = _trailing()
    assert _see(world, "110", "108.5", "109", "108") == [D("107.8")] * 4
    assert world.bracket.trail_high == D(110)


def test_it_moves_in_steps_so_that_not_every_tick_of_the_market_is_an_amend() -> None:
    world = _trailing()
    sent = len(world.history)
    assert _see(world, "100.05", "100.10", "100.15", "100.20") == [D(98)] * 4
    assert len(world.history) == sent
    assert _see(world, "100.21") == [D("98.21")]
    assert len(world.history) == sent + 1


def test_a_high_that_is_too_small_for_a_step_is_remembered_all_the_same() -> None:
    world = _trailing()
    _see(world, "100.15", "99")
    assert (world.bracket.trail_high, world.bracket.stop_price) == (D("100.15"), D(98))


def test_a_stop_that_trails_lies_on_the_tick() -> None:
    world = _trailing(Level(D("1.234"), LevelUnit.PERCENT), "98")
    [stop] = _see(world, "103.33")
    assert stop == world.rules.instrument.price(D("103.33") - D("103.33") * D("0.01234"))


@pytest.mark.parametrize(
    ("level", "given", "distance"),
    [
        (Level(D(2), LevelUnit.PERCENT), {}, "2.4"),
        (Level(D(2), LevelUnit.ATR), {"atr": D("1.5")}, "3"),
        (Level(D(2), LevelUnit.R), {"risk_per_unit": D("0.75")}, "1.5"),
        (Level(D("0.7"), LevelUnit.PRICE), {}, "0.7"),
    ],
)
def test_the_distance_is_what_was_asked_for(level: Level, given: dict[str, Decimal | None], distance: str) -> None:
    one = replace(_trailing(level).bracket, **given)  # type: ignore[arg-type]
    assert distance_of(one, level, D(120)) == D(distance)


def test_an_atr_stop_follows_by_the_atr_of_the_entry() -> None:
    world = _trailing(Level(D(2), LevelUnit.ATR), "97", atr=D("1.5"))
    assert _see(world, "104", "102") == [D(101), D(101)]


def test_the_position_is_sold_at_the_stop_that_has_risen() -> None:
    world = _trailing()
    _see(world, "110")
    [name] = world.of("stop")
    world.fill(name, price="107.8")
    world.step()
    assert world.bracket.held == 0
    assert world.bracket.result_quote is not None
    assert world.bracket.result_quote > 0


def test_a_stop_that_does_not_trail_stays_where_it_is() -> None:
    world = World(bracket(target="900"))
    world.step()
    assert _see(world, "150", "200") == [D(99), D(99)]
    assert world.bracket.trail_high is None


@pytest.mark.parametrize("missing", ["quote", "coins", "stop"])
def test_without_a_fresh_price_coins_or_a_stop_nothing_moves(missing: str) -> None:
    world = _trailing()
    world.last = D(150)
    if missing == "coins":
        world.bracket = replace(world.bracket, gone=D(1))
    if missing == "stop":
        world.bracket = replace(world.bracket, stop_price=None)

    class Draft:
        bracket = world.bracket
        fresh_quote = None if missing == "quote" else world.quote
        rules = world.rules

    draft = Draft()
    trail(draft)  # type: ignore[arg-type]
    assert draft.bracket is world.bracket


@given(st.lists(st.decimals(min_value="99.5", max_value=300, places=2), min_size=1, max_size=20))
def test_whatever_the_market_does_the_stop_only_rises_and_is_never_nearer_than_its_distance(
    bids: list[Decimal],
) -> None:
    world, before = _trailing(), D(98)
    highest = D(100)
    for bid in bids:
        highest = max(highest, bid)
        [stop] = _see(world, str(bid))
        assert stop is not None
        assert before <= stop <= highest * D("0.98") + D("0.01")
        behind = highest * D("0.98") - stop
        assert behind <= highest * D("0.02") * STEP_PCT / 100 + D("0.01")
        before = stop
