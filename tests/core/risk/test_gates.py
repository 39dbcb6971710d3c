"""The gates: in their order, each with its numbers; size is reduced where that is safe."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain.modes import TradingState
from core.market.builtin import builtin_instruments
from core.risk.gates import Gate, GateLimits, Passed, Situation, Stopped, pass_gates

D = Decimal
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = GateLimits(
    risk_pct=D(1), total_risk_pct=D(5), exposure_pct=D(80), position_pct=D(50), least_pct=D(2),
    max_order_quote=D(100_000), reward_to_fees_min=D(0), trades_per_symbol=10, trades_per_day=30, cooldown_losses=2,
    cooldown=timedelta(minutes=30), correlation_max=0.9, correlated_positions=2, candle_age_max_s=150.0,
)  # fmt: skip
CALM = Situation(
    symbol="ZEC/USD", instrument=builtin_instruments()["ZEC/USD"], now=NOW,
    candle_age_s=3.0, state=TradingState.ACTIVE, state_because="",
    kill="", trades_of_symbol=0, trades_of_all=0, losses_in_row=0, last_loss_at=None, position_open="",
    equity=D(10_000), available=D(10_000), exposure=D(0), active_risk=D(0), price=D(500), stop_distance=D(10),
    target_distance=D(15), taker_pct=D("0.4"), correlated=(),
)  # fmt: skip


def test_a_calm_desk_buys_what_its_stop_may_lose() -> None:
    # 1 % of 10,000 is 100; 10 to the stop: 10 coins, worth 5,000.
    assert pass_gates(CALM, LIMITS) == Passed(D(10))


STOPS: list[tuple[dict[str, Any], Gate, str]] = [
    ({"candle_age_s": 151.0}, Gate.DATA_FRESH, "closed 151 s ago, the limit is 150 s"),
    ({"state": TradingState.REDUCING, "state_because": "old prices"}, Gate.TRADING_STATE, "reducing: old prices"),
    ({"kill": "the day has lost 5%"}, Gate.KILL_SWITCH, "the day has lost 5%"),
    ({"trades_of_symbol": 10}, Gate.DAILY_LIMIT, "10 trades of ZEC/USD today, the limit is 10"),
    ({"trades_of_all": 30}, Gate.DAILY_LIMIT, "30 trades today, the limit is 30"),
    ({"goal": "the goal of the day is reached"}, Gate.DAILY_LIMIT, "goal of the day"),
    ({"losses_in_row": 2, "last_loss_at": NOW - timedelta(minutes=29)}, Gate.COOLDOWN, "rests until 12:01 UTC"),
    ({"position_open": "zy01"}, Gate.ONE_POSITION, r"holds ZEC/USD already \(zy01\)"),
    ({"stop_distance": None}, Gate.TRADE_RISK, "no ATR"),
    ({"stop_distance": D(0)}, Gate.TRADE_RISK, "no ATR"),
    ({"stop_distance": D(400)}, Gate.TRADE_RISK, "125.00 USD may be bought, the least is 200.00"),
    ({"active_risk": D(500)}, Gate.TOTAL_RISK, r"risk 500.00 USD already, the limit is 500.00 \(5% of 10,000.00\)"),
    ({"exposure": D(7_900)}, Gate.EXPOSURE, r"worth 7,900.00 USD already, the limit is 8,000.00 \(80% of"),
    ({"room": D(50)}, Gate.EXPOSURE, r"yours included, may be worth 50.00 USD more \(EXPOSURE_PCT_MAX\)"),
    ({"correlated": ("BTC/USD", "ETH/USD")}, Gate.CORRELATION, "BTC/USD, ETH/USD, and 2 such positions are the limit"),
    ({"available": D(150)}, Gate.BALANCE, "150.00 USD are available"),
    ({"equity": D(1), "available": D(1)}, Gate.MINIMUM, "would be bought, the venue takes"),
]


@pytest.mark.parametrize(("seen", "gate", "words"), STOPS)
def test_each_gate_stops_with_its_numbers(seen: dict[str, Any], gate: Gate, words: str) -> None:
    found = pass_gates(replace(CALM, **seen), LIMITS)
    assert isinstance(found, Stopped)
    assert found.gate is gate
    assert re.search(words, found.why), found.why


def test_the_first_gate_that_stops_is_the_answer() -> None:
    """Everything is wrong at once, and things are put right one by one from the top."""
    wrong: dict[str, Any] = {}
    order = []
    for seen, gate, _ in STOPS[:-1]:
        if gate not in order:
            wrong |= seen
            order.append(gate)
    met = []
    for seen, gate, _ in STOPS[:-1]:
        if gate in met:
            continue
        found = pass_gates(replace(CALM, **wrong), LIMITS)
        assert isinstance(found, Stopped)
        met.append(found.gate)
        wrong = {name: value for name, value in wrong.items() if name not in seen}
    assert met == order


@pytest.mark.parametrize(
    ("seen", "quantity", "gate"),
    [
        ({"active_risk": D(450)}, D(5), Gate.TOTAL_RISK),
        ({"exposure": D(6_000)}, D(4), Gate.EXPOSURE),
        ({"stop_distance": D(2)}, D(10), Gate.EXPOSURE),
        ({"available": D(1_004)}, D(2), Gate.BALANCE),
    ],
)
def test_what_is_too_large_is_made_smaller_and_the_note_says_by_which_gate(
    seen: dict[str, Any], quantity: Decimal, gate: Gate
) -> None:
    found = pass_gates(replace(CALM, **seen), LIMITS)
    assert isinstance(found, Passed)
    assert found.quantity == quantity
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"{gate}: reduced from ")


def test_no_order_is_larger_than_one_may_be() -> None:
    found = pass_gates(CALM, replace(LIMITS, max_order_quote=D(1_000)))
    assert isinstance(found, Passed)
    assert found.quantity == D(2)
    assert "MAX_ORDER_QUOTE" in found.notes[0]


@pytest.mark.parametrize(("distance", "passes"), [(D("5.99"), False), (D(6), True), (None, True)])
def test_a_target_that_does_not_pay_its_fees_is_not_tried_where_that_is_asked(
    distance: Decimal | None, *, passes: bool
) -> None:
    # 0.4 % of 500 is 2, twice is 4, one and a half times that is 6.
    found = pass_gates(replace(CALM, target_distance=distance), replace(LIMITS, reward_to_fees_min=D("1.5")))
    assert isinstance(found, Passed if passes else Stopped)
    if isinstance(found, Stopped):
        assert found.gate is Gate.FEES
        assert re.search(r"fees take 4(\.0+)?; 1.5 times", found.why), found.why


def test_a_rest_that_is_over_stops_nothing() -> None:
    seen = replace(CALM, losses_in_row=5, last_loss_at=NOW - timedelta(minutes=30))
    assert isinstance(pass_gates(seen, LIMITS), Passed)


def test_one_that_moves_together_with_another_is_allowed_up_to_the_cap() -> None:
    assert isinstance(pass_gates(replace(CALM, correlated=("BTC/USD",)), LIMITS), Passed)
