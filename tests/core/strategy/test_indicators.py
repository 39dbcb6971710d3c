"""Indicators: equal to `ta` where it can be trusted, missing where nothing is known, and never a crash."""

import numpy as np
import pandas as pd
import pytest
from ta.momentum import RSIIndicator
from ta.trend import ADXIndicator, SMAIndicator
from ta.volatility import AverageTrueRange, BollingerBands

from core.strategy.config import Indicators
from core.strategy.indicators import Figures, figures, wilder
from core.strategy.panel import Panel
from tests.core.strategy.build import beside, made, real

CONFIG = Indicators()
NAMES = ("kraken_ETH_USD_5m.parquet", "kraken_DOGE_USD_5m.parquet", "kraken_SOL_USD_5m.parquet")


def _columns(panel: Panel) -> tuple[pd.Series, pd.Series, pd.Series]:
    return pd.Series(panel.high[:, 0]), pd.Series(panel.low[:, 0]), pd.Series(panel.close[:, 0])


@pytest.mark.parametrize("name", NAMES)
def test_on_real_candles_each_is_what_ta_says_from_its_first_row_on(name: str) -> None:
    panel = real(name, 6000)
    high, low, close = _columns(panel)
    found = figures(panel, CONFIG)
    bands = BollingerBands(close, 20, 2.0)
    pairs = [
        (found.rsi, RSIIndicator(close, 14).rsi(), 14),
        (found.sma_slow, SMAIndicator(close, 36).sma_indicator(), 35),
        (found.band_low, bands.bollinger_lband(), 19),
        (found.band_high, bands.bollinger_hband(), 19),
        (found.atr, AverageTrueRange(high, low, close, 14).average_true_range(), 14),
        (found.adx, ADXIndicator(high, low, close, 14).adx(), 400),
    ]
    for ours, theirs, first in pairs:
        np.testing.assert_allclose(ours[first:, 0], theirs.to_numpy()[first:], rtol=1e-9, atol=1e-12)


def test_before_it_knows_enough_an_indicator_is_missing_and_not_zero() -> None:
    found = figures(made(np.linspace(100, 120, 60)), CONFIG)
    assert np.isnan(found.atr[:13]).all()
    assert found.atr[13:].min() > 0
    assert np.isnan(found.adx[:26]).all()
    for values in found.as_mapping().values():
        assert np.isnan(values[0, 0])


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 14, 40])
def test_a_short_history_crashes_nothing(rows: int) -> None:
    found = figures(made(np.full(rows, 100.0)), CONFIG)
    assert all(values.shape == (rows, 1) for values in found.as_mapping().values())


def test_a_market_that_stands_still_has_no_strength_no_range_and_no_direction() -> None:
    found = figures(made(np.full(200, 100.0), spread=0.0), CONFIG)
    assert found.rsi[-1, 0] == pytest.approx(50.0)
    assert found.atr[-1, 0] == pytest.approx(0.0)
    assert np.isnan(found.atr_ratio[-1, 0])
    assert np.isnan(found.chop[-1, 0])
    assert np.isnan(found.adx[-1, 0])


def test_a_missing_number_makes_its_own_windows_missing_and_heals() -> None:
    panel = made(100 + np.sin(np.arange(300) / 5))
    panel.close[150, 0] = np.nan
    found = figures(panel, CONFIG)
    assert np.isnan(found.band_mid[150, 0])
    assert not np.isnan(found.band_mid[150 + CONFIG.bollinger, 0])
    assert not np.isnan(found.atr[-1, 0])


def test_prices_that_are_none_count_as_missing() -> None:
    panel = made(np.full(100, 50.0))
    panel.low[60, 0] = 0.0
    panel.close[61, 0] = -5.0
    found = figures(panel, CONFIG)
    assert np.isnan(found.sma_fast[61, 0])
    assert not np.isinf(np.concatenate([values.ravel() for values in found.as_mapping().values()])).any()


def test_each_symbol_of_a_panel_has_the_figures_that_it_has_alone() -> None:
    alone = [made(100 + n + np.cumsum(np.sin(np.arange(200) * (n + 1)))) for n in range(3)]
    together = figures(beside(*alone), CONFIG)
    for column, panel in enumerate(alone):
        _same(figures(panel, CONFIG), together, column)


def _same(one: Figures, all_of_them: Figures, column: int) -> None:
    for name, values in one.as_mapping().items():
        np.testing.assert_array_equal(values[:, 0], all_of_them.as_mapping()[name][:, column], err_msg=name)


def test_a_shorter_history_at_the_top_changes_nothing_of_its_neighbour() -> None:
    panel = beside(made(100 + np.sin(np.arange(200))), made(100 + np.cos(np.arange(200))))
    whole = figures(panel, CONFIG)
    panel.close[:50, 1] = panel.high[:50, 1] = panel.low[:50, 1] = np.nan
    cut = figures(panel, CONFIG)
    np.testing.assert_array_equal(whole.adx[:, 0], cut.adx[:, 0])
    assert np.isnan(cut.atr[50 + CONFIG.atr - 2, 1])
    assert not np.isnan(cut.atr[50 + CONFIG.atr, 1])


def test_wilders_smoothing_begins_with_the_mean_and_forgets_slowly() -> None:
    values = np.array([[1.0], [3.0], [5.0], [9.0]])
    assert wilder(values, 2)[:, 0] == pytest.approx([np.nan, 2.0, 3.5, 6.25], nan_ok=True)
