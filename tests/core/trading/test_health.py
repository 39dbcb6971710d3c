"""What the world around a desk allows, sign by sign."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.domain.modes import TradingState
from core.trading.health import Health, Signs, hiccup_of, judge

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WELL = Signs(NOW)
REDUCING, HALTED = TradingState.REDUCING, TradingState.HALTED


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_a_fresh_failure_does_not_hide_a_long_silence_and_the_two_are_one_trouble() -> None:
    silent = judge(replace(WELL, silent_since=ago(60)))
    both = judge(replace(WELL, silent_since=ago(60), failing_since=ago(5), failure="no answer."))
    later = judge(replace(WELL, failing_since=ago(25), failure="no answer."))
    assert silent == both
    assert (later.state, later.troubles) == (REDUCING, silent.troubles)


def test_a_world_without_a_sign_allows_everything() -> None:
    assert judge(WELL) == Health()
    assert judge(WELL).text == ""


@pytest.mark.parametrize(
    ("signs", "state", "why"),
    [
        ({"failing_since": ago(20)}, REDUCING, "the exchange has not answered as it should since 11:59:40 UTC"),
        (
            {"failing_since": ago(20), "failure": 'Kraken answered "EAPI:Invalid key" to X.'},
            REDUCING,
            'the exchange has not answered as it should since 11:59:40 UTC (Kraken answered "EAPI:Invalid key" to X)',
        ),
        ({"silent_since": ago(20)}, REDUCING, "the exchange has not answered as it should since 11:59:40 UTC"),
        ({"status": "maintenance"}, HALTED, "the exchange is in maintenance mode"),
        ({"status": "cancel_only"}, HALTED, "the exchange is in cancel_only mode"),
        ({"status": "something new"}, HALTED, "the exchange is in something new mode"),
        ({"status": "post_only"}, REDUCING, "the exchange is in post_only mode"),
        ({"status": "limit_only"}, REDUCING, "the exchange is in limit_only mode"),
        ({"status": "reduce_only"}, REDUCING, "the exchange is in reduce_only mode"),
        ({"nonce_refusals": 3}, REDUCING, "the exchange refuses our nonces: another program uses the same key"),
        ({"price_age_s": 30.1}, REDUCING, "the prices are older than 30 s"),
        ({"last_tick_at": ago(45.1)}, REDUCING, "the tick is overdue: none was finished for more than 45 s"),
        (
            {"last_tick_at": ago(121), "tick_every_s": 20.0},
            REDUCING,
            "the tick is overdue: none was finished for more than 120 s",
        ),
        ({"skew_s": 5.1}, REDUCING, "this machine's clock is more than 5 s behind the exchange's"),
        ({"skew_s": -5.1}, REDUCING, "this machine's clock is more than 5 s ahead of the exchange's"),
        ({"hiccup_at": ago(59), "hiccup": "Zyn stood still for 9 s"}, REDUCING, "Zyn stood still for 9 s"),
        ({"hiccup_at": ago(-59), "hiccup": "jumped back"}, REDUCING, "jumped back"),
    ],
)
def test_each_sign_allows_less_with_its_reason(signs: dict[str, Any], state: TradingState, why: str) -> None:
    found = judge(replace(WELL, **signs))
    assert (found.state, found.because, len(found.troubles)) == (state, (why,), 1)


@pytest.mark.parametrize(
    "signs",
    [
        {"failing_since": ago(19.9)}, {"status": "online"}, {"status": "unknown"}, {"nonce_refusals": 2},
        {"price_age_s": 30.0}, {"price_age_s": None}, {"price_age_s": 59.0, "price_age_max_s": 60.0},
        {"last_tick_at": ago(45)}, {"last_tick_at": ago(119), "tick_every_s": 20.0}, {"skew_s": 5.0},
        {"skew_s": -5.0}, {"skew_s": None}, {"hiccup_at": ago(60), "hiccup": "long ago"},
    ],
)  # fmt: skip
def test_up_to_its_limit_no_sign_takes_anything_away(signs: dict[str, Any]) -> None:
    assert judge(replace(WELL, **signs)) == Health()


def test_of_several_signs_the_one_that_allows_least_counts_and_all_are_told() -> None:
    found = judge(replace(WELL, failing_since=ago(60), status="maintenance", nonce_refusals=5, skew_s=9.0))
    assert found.state is HALTED
    assert len(found.because) == 4
    assert found.text == "; ".join(found.because)


def test_a_reason_does_not_change_while_its_sign_stays() -> None:
    first = replace(WELL, failing_since=ago(30), price_age_s=31.0, last_tick_at=ago(50), skew_s=6.0)
    later = replace(first, now=NOW + timedelta(seconds=20), price_age_s=51.0, skew_s=6.4)
    assert judge(later) == judge(first)


@pytest.mark.parametrize(
    ("slept", "wall", "text"),
    [
        (2.0, 2.0, ""),
        (7.0, 7.0, ""),
        (9.0, 9.0, "Zyn stood still for 7 s"),
        (2.0, 3602.0, "this machine's clock jumped by +3600 s"),
        (2.0, -58.0, "this machine's clock jumped by -60 s"),
        (2.0, 7.0, ""),
    ],
)
def test_a_machine_that_stood_still_or_whose_clock_jumped_is_noticed(slept: float, wall: float, text: str) -> None:
    assert hiccup_of(slept, 2.0, wall) == text


def test_an_owner_of_a_slow_machine_may_allow_it_more() -> None:
    assert hiccup_of(9.0, 2.0, 9.0, 8.0) == ""
    assert hiccup_of(2.0, 2.0, 12.0, 8.0) == "this machine's clock jumped by +10 s"


def test_of_two_states_the_one_that_allows_less_counts_whichever_is_asked() -> None:
    order = [TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED]
    for first, one in enumerate(order):
        for second, other in enumerate(order):
            assert one.or_less(other) is other.or_less(one) is order[max(first, second)]
