"""Signals: causal, the same for a longer history, and each market answered by its own rule."""

import random
from collections import Counter

import numpy as np
import pytest

from core.strategy.config import Filters, Regimes, TradingConfig
from core.strategy.panel import Floats, Panel
from core.strategy.signals import DECISIONS, Signals, signals
from core.strategy.words import Decision, Filter, Reason, Regime, Vote
from tests.core.strategy.build import made, real

CONFIG = TradingConfig()
WITH_HOURS = TradingConfig(confirm_s=3600, history=600)
NAMES = tuple(f"kraken_{coin}_USD_5m.parquet" for coin in ("ETH", "SOL", "XRP", "DOGE"))
LOOKS = (63, 64, 65, 100, 401, 777, 1500, 2999)
"""Around the warm-up, and further on; any others are drawn."""


def _same_cell(one: Signals, row: int, other: Signals, other_row: int, *, exactly: bool) -> None:
    symbol = one.panel.symbols[0]
    first, second = one.at(row, symbol), other.at(other_row, symbol)
    assert (first.at, first.regime, first.votes, first.decision, first.reason) == (
        second.at, second.regime, second.votes, second.decision, second.reason,
    )  # fmt: skip
    for name, value in first.figures.items():
        expected = second.figures[name]
        if value is None or expected is None:
            assert value is expected, name
        else:
            assert value == (expected if exactly else pytest.approx(expected, rel=1e-7, abs=1e-9)), name


@pytest.mark.parametrize("config", [CONFIG, WITH_HOURS], ids=["alone", "with the hour"])
@pytest.mark.parametrize("name", NAMES)
def test_what_it_says_of_a_candle_does_not_change_with_what_came_after(name: str, config: TradingConfig) -> None:
    panel = real(name, 3000)
    whole, seed = signals(panel, config), random.randrange(2**32)
    print(f"seed {seed}")
    for rows in (*LOOKS, *random.Random(seed).sample(range(2, 3000), 12)):
        _same_cell(whole, rows - 1, signals(panel.head(rows), config), rows - 1, exactly=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_history_changes_nothing_past_the_history_that_the_bot_reads(name: str) -> None:
    panel = real(name, 6000)
    whole, seed = signals(panel, CONFIG), random.randrange(2**32)
    print(f"seed {seed}")
    for rows in (401, 5999, *random.Random(seed).sample(range(402, 5999), 8)):
        part = panel.head(rows).tail(CONFIG.history)
        _same_cell(whole, rows - 1, signals(part, CONFIG), part.rows - 1, exactly=False)


@pytest.mark.parametrize("name", NAMES)
def test_on_real_candles_it_trades_both_ways_and_mostly_not(name: str) -> None:
    said = Counter(DECISIONS[code] for code in signals(real(name), CONFIG).decisions[:, 0])
    assert set(said) == set(Decision)
    assert said[Decision.NO_TRADE] > said[Decision.LONG] > 1000


def _last(close: Floats, config: TradingConfig = CONFIG, **given: float) -> tuple[Regime, Decision, Reason]:
    found = signals(made(close, **given), config).last("ZEC/USD")
    assert found is not None
    return found.regime, found.decision, found.reason


def _stairs(rows: int = 401, up: float = 3.0, down: float = -1.2) -> Floats:
    """Up a step and down a smaller one, again and again; the last step goes up."""
    return np.asarray(2000 + np.cumsum(np.where(np.arange(rows) % 2 == 0, up, down)), dtype=float)


def test_a_rising_market_is_bought_and_a_falling_one_only_left() -> None:
    assert _last(_stairs()) == (Regime.TREND_UP, Decision.LONG, Reason.TREND_LONG)
    regime, decision, _ = _last(_stairs(up=-3.0, down=1.2))
    assert (regime, decision in {Decision.SHORT, Decision.EXIT}) == (Regime.TREND_DOWN, True)


def test_a_range_is_bought_at_its_lower_band_and_left_alone_inside() -> None:
    config = TradingConfig(filters=Filters(chop_max=100.0, range_rsi_max=49.0), regimes=Regimes(chop_min=100.0))
    flat = 1000 + 3 * np.sin(np.arange(400) * 1.9)
    assert _last(np.append(flat, 1000.0), config)[2] is Reason.INSIDE_THE_BANDS
    assert _last(np.append(flat, 995.5), config) == (Regime.RANGE, Decision.LONG, Reason.RANGE_LONG)
    assert _last(np.append(flat, 1004.5), config) == (Regime.RANGE, Decision.SHORT, Reason.RANGE_SHORT)


def test_a_jump_is_volatile_and_not_traded() -> None:
    close = np.append(_stairs(), [2000, 2200, 1900, 2300, 1800])
    assert _last(close)[:2] == (Regime.VOLATILE, Decision.NO_TRADE)


def test_volume_that_dries_up_keeps_a_trend_from_being_bought() -> None:
    panel = made(_stairs())
    panel.volume[-1, 0] = 1.0
    found = signals(panel, CONFIG).last("ZEC/USD")
    assert found is not None
    assert (found.decision, found.reason) == (Decision.NO_TRADE, Reason.VOLUME_TOO_LOW)
    assert found.votes[Filter.VOLUME] is Vote.NEITHER


def test_the_hour_has_to_agree_where_that_is_asked() -> None:
    # A long fall, and a rise of some minutes at its end.
    fall = _stairs(600, up=-3.0, down=1.2)
    close = np.append(fall, fall[-1] - 2000 + _stairs(41))
    assert _last(close)[1] is Decision.LONG
    assert _last(close, WITH_HOURS)[1:] == (Decision.NO_TRADE, Reason.TIMEFRAME_AGAINST)


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_too_little_history_is_no_trade_and_no_crash(rows: int) -> None:
    found = signals(made(_stairs()[:rows]), CONFIG)
    if rows == 0:
        assert found.last("ZEC/USD") is None
        return
    last = found.last("ZEC/USD")
    assert last is not None
    assert (last.regime, last.decision, last.reason) == (Regime.UNKNOWN, Decision.NO_TRADE, Reason.WARM_UP)
    assert last.figures["atr"] is None


def test_the_first_complete_row_is_the_one_after_the_stated_warm_up() -> None:
    reasons = [
        signals(made(_stairs()), CONFIG).at(row, "ZEC/USD").reason for row in range(CONFIG.indicators.warm_up + 1)
    ]
    assert set(reasons[:-1]) == {Reason.WARM_UP}
    assert reasons[-1] not in {Reason.WARM_UP, Reason.MISSING_NUMBERS}


def test_a_missing_close_is_said_to_be_missing() -> None:
    panel: Panel = made(_stairs())
    panel.close[-1, 0] = np.nan
    found = signals(panel, CONFIG).last("ZEC/USD")
    assert found is not None
    assert (found.close, found.decision, found.reason) == (None, Decision.NO_TRADE, Reason.MISSING_NUMBERS)
