"""The day's result, counted from our own brackets against where they stood when it began."""

from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import Bracket
from core.risk.day import Day, result_of, why_killed, worth
from tests.core.lifecycle.build import World, bracket

D = Decimal
DAY = Day("2026-11-20", D(10_000))


def _bought() -> Bracket:
    """One coin, bought at 100 without a fee."""
    world = World(bracket())
    world.step()
    return world.bracket


def test_what_is_held_counts_at_the_bid_and_what_was_never_bought_as_nothing() -> None:
    held = _bought()
    fee = held.entry.fee if held.entry else D(0)
    assert worth(held, D(97)) == D(-3) - fee
    assert worth(held, None) is None
    assert worth(bracket(), None) == 0


def test_coins_that_the_owner_took_away_are_no_loss() -> None:
    held = _bought()
    half = replace(held, gone=D("0.5"))
    whole, rest = worth(held, D(100)), worth(half, D(100))
    assert whole is not None
    assert rest == whole / 2


def test_the_day_begins_where_its_positions_stood_then() -> None:
    held = _bought()
    at_start = worth(held, D(95))
    assert at_start is not None
    day = replace(DAY, began_with={held.id: at_start})
    assert result_of(day, [held], {held.symbol: D(97)}) == (D(2), True)
    assert result_of(day, [held], {}) == (D(0), False)


def test_a_day_ends_when_it_has_lost_its_share_of_what_it_began_with() -> None:
    assert why_killed(DAY, D("-499.99"), D(5)) == ""
    why = why_killed(DAY, D(-500), D(5))
    assert why == "the day has lost 500.00, 5% of the 10,000.00 that it began with; the limit is 5%"


def test_after_it_was_resumed_the_same_again_has_to_be_lost() -> None:
    resumed = replace(DAY, forgiven=D(-600))
    assert why_killed(resumed, D(-1_000), D(5)) == ""
    assert "since it was resumed" in why_killed(resumed, D(-1_100), D(5))


def test_an_account_without_equity_is_never_killed_by_nothing() -> None:
    assert why_killed(replace(DAY, equity=D(0)), D(0), D(5)) == ""
