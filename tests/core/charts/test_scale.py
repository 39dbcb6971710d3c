"""Ranges, ticks and tags: round, readable, and never on top of each other."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.charts.scale import decimals_of, price_text, short_number, spread, time_ticks, value_range, value_ticks

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PRICES = st.floats(1e-8, 1e8)


def labels(first: datetime, last: datetime) -> list[tuple[str, str]]:
    return [(tick.label, tick.below) for tick in time_ticks(first, last, 8)]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (64100.0, 65900.0, ["64,500", "65,000", "65,500"]),
        (0.0791, 0.0812, ["0.0795", "0.0800", "0.0805", "0.0810"]),
        (0.0000121, 0.0000125, ["0.0000121", "0.0000122", "0.0000123", "0.0000124", "0.0000125"]),
        (3299.0, 3301.2, ["3,299.0", "3,299.5", "3,300.0", "3,300.5", "3,301.0"]),
        (-0.5, 0.5, ["-0.4", "-0.2", "0.0", "0.2", "0.4"]),
    ],
)
def test_prices_are_labelled_at_round_values_with_the_decimals_that_they_need(
    low: float, high: float, expected: list[str]
) -> None:
    assert [tick.label for tick in value_ticks(low, high, 5)] == expected


@given(PRICES, PRICES, st.integers(4, 12))
def test_ticks_are_few_and_in_range_and_different(low: float, high: float, most: int) -> None:
    low, high = value_range([low, high])
    ticks = value_ticks(low, high, most)
    assert 0 < len(ticks) <= most + 1
    assert len({tick.label for tick in ticks}) == len(ticks)
    slack = (high - low) * 1e-6
    assert all(low - slack <= tick.at <= high + slack for tick in ticks)


def test_a_price_keeps_its_own_digits_and_loses_its_noise() -> None:
    assert price_text(65000.1, 0) == "65,000.1"
    assert price_text(0.08123, 4) == "0.08123"
    assert price_text(0.1 + 0.2, 1) == "0.3"
    assert price_text(3300.0, 2) == "3,300.00"
    assert price_text(65000.0, 0) == "65,000"
    assert decimals_of(64100, 65900, 5) == 0


def test_large_numbers_are_written_in_few_letters() -> None:
    told = [short_number(value) for value in (0.0, 0.00412, 54.26, 950.0, 1234.0, 35_000_000.0, 2.5e9, 7e13)]
    assert told == ["0", "0.00412", "54.3", "950", "1.23K", "35M", "2.5B", "70,000B"]


def test_what_is_far_off_does_not_widen_the_range_and_what_is_near_does() -> None:
    plain = value_range([100.0, 110.0])
    assert plain == value_range([100.0, 110.0], [500.0, -3.0, nan, inf])
    low, high = value_range([100.0, 110.0], [118.0])
    assert (low < 100, high > 118) == (True, True)
    assert value_range([5.0])[0] < 5.0 < value_range([5.0])[1]
    assert value_range([0.0, 0.0]) == (-0.56, 0.56)


def test_hours_are_round_and_the_day_stands_where_it_changes() -> None:
    assert labels(AT + timedelta(minutes=7), AT + timedelta(hours=16)) == [
        ("14:00", "20 Nov"), ("16:00", ""), ("18:00", ""), ("20:00", ""), ("22:00", ""), ("00:00", "21 Nov"),
        ("02:00", ""), ("04:00", ""),
    ]  # fmt: skip


def test_days_and_months_are_labelled_with_their_year() -> None:
    assert labels(datetime(2026, 12, 29, 5, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)) == [
        ("30 Dec", "2026"), ("31 Dec", ""), ("01 Jan", "2027"), ("02 Jan", ""), ("03 Jan", ""),
    ]  # fmt: skip
    assert labels(datetime(2026, 3, 5, tzinfo=UTC), datetime(2027, 2, 3, tzinfo=UTC)) == [
        ("May", "2026"), ("Jul", ""), ("Sep", ""), ("Nov", ""), ("Jan", "2027"),
    ]  # fmt: skip


def test_times_are_told_in_utc_wherever_they_come_from() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    assert labels(AT.astimezone(there), (AT + timedelta(hours=2)).astimezone(there))[0] == ("12:00", "20 Nov")


@given(st.integers(60, 86400 * 6000))
def test_times_of_any_span_are_few_and_within_it(seconds: int) -> None:
    last = AT + timedelta(seconds=seconds)
    ticks = time_ticks(AT, last, 8)
    assert len(ticks) <= 10
    assert all(AT.timestamp() <= tick.at <= last.timestamp() for tick in ticks)


def test_tags_move_as_little_as_they_must() -> None:
    assert spread([100.0, 300.0], 40, 0, 400) == [100.0, 300.0]
    assert spread([100.0, 110.0], 40, 0, 400) == [85.0, 125.0]
    assert spread([110.0, 100.0], 40, 0, 400) == [125.0, 85.0]
    assert spread([-50.0, 500.0], 40, 0, 400) == [0.0, 400.0]
    assert spread([], 40, 0, 400) == []


@given(st.lists(st.floats(-100, 500), max_size=30), st.floats(1, 60))
def test_tags_stay_inside_and_apart_and_in_order_as_far_as_there_is_room(places: list[float], gap: float) -> None:
    moved = spread(places, gap, 0, 400)
    least = min(gap, 400 / max(1, len(places) - 1))
    assert all(-1e-6 <= place <= 400 + 1e-6 for place in moved)
    ranked = sorted(moved)
    assert all(above - below >= least - 1e-6 for below, above in pairwise(ranked))
    assert [moved[n] for n in sorted(range(len(places)), key=lambda n: places[n])] == ranked
