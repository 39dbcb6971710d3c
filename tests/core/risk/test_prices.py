"""Stop and target prices."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.brackets import Level, LevelUnit
from core.domain.errors import Code, Denied
from core.domain.money import is_multiple
from core.risk.prices import BracketConfig, BracketPrices, compute_bracket_prices, misplaced

D = Decimal

TICK = D("0.01")
CONFIG = BracketConfig()


def _prices(
    stop: Level | None = None, target: Level | None = None, *, entry: str = "100", atr: str | None = None
) -> BracketPrices:
    known = D(atr) if atr else None
    return compute_bracket_prices(D(entry), known, CONFIG, stop=stop, target=target, tick_size=TICK)


@pytest.mark.parametrize(
    ("stop", "target", "expected"),
    [
        (Level(D(1), LevelUnit.PERCENT), Level(D(2), LevelUnit.PERCENT), ("99", "102")),
        (Level(D(97), LevelUnit.PRICE), Level(D(110), LevelUnit.PRICE), ("97", "110")),
        (Level(D("1.5"), LevelUnit.ATR), Level(D(2), LevelUnit.ATR), ("97", "104")),
        (Level(D(2), LevelUnit.PERCENT), Level(D(3), LevelUnit.R), ("98", "106")),
        (Level(D(0), LevelUnit.PERCENT), Level(D(1), LevelUnit.PERCENT), ("100", "101")),
    ],
)
def test_a_level_means_what_its_unit_says(stop: Level, target: Level, expected: tuple[str, str]) -> None:
    prices = _prices(stop, target, atr="2")
    assert (prices.stop, prices.target) == (D(expected[0]), D(expected[1]))
    assert prices.risk == D(100) - prices.stop


def test_levels_that_nobody_gave_are_two_and_three_atr() -> None:
    prices = _prices(atr="1.5")
    assert (prices.stop, prices.target) == (D(97), D("104.5"))


def test_without_history_the_defaults_are_percents() -> None:
    prices = _prices()
    assert (prices.stop, prices.target) == (D(98), D(103))


def test_an_atr_multiple_without_history_is_refused_by_the_field_that_asked_for_it() -> None:
    with pytest.raises(Denied) as stop:
        _prices(Level(D(2), LevelUnit.ATR))
    with pytest.raises(Denied) as target:
        _prices(target=Level(D(2), LevelUnit.ATR))
    assert (stop.value.code, target.value.code) == (Code.STOP_LOSS, Code.TAKE_PROFIT)


@pytest.mark.parametrize(
    "stop", [Level(D(2), LevelUnit.R), Level(D(100), LevelUnit.PERCENT), Level(D(200), LevelUnit.ATR)]
)
def test_a_stop_that_is_no_price_is_refused(stop: Level) -> None:
    with pytest.raises(Denied) as caught:
        _prices(stop, atr="2")
    assert caught.value.code is Code.STOP_LOSS


def test_levels_on_the_wrong_side_of_the_entry_are_named() -> None:
    above = misplaced(_prices(Level(D(101), LevelUnit.PRICE)), D(100))
    below = misplaced(_prices(target=Level(D(99), LevelUnit.PRICE)), D(100))
    assert above is not None
    assert below is not None
    assert (above.code, below.code) == (Code.STOP_LOSS, Code.TAKE_PROFIT)
    assert misplaced(_prices(), D(100)) is None


@settings(derandomize=True, max_examples=300)
@given(
    entry=st.decimals("0.05", "99999", places=4),
    stop_pct=st.decimals("0.001", "50", places=3),
    target_pct=st.decimals("0.001", "300", places=3),
)
def test_percent_levels_lie_on_the_tick_and_enclose_the_entry_no_further_than_said(
    entry: Decimal, stop_pct: Decimal, target_pct: Decimal
) -> None:
    stop, target = Level(stop_pct, LevelUnit.PERCENT), Level(target_pct, LevelUnit.PERCENT)
    prices = compute_bracket_prices(entry, None, CONFIG, stop=stop, target=target, tick_size=TICK)
    assert is_multiple(prices.stop, TICK)
    assert is_multiple(prices.target, TICK)
    assert prices.stop < entry < prices.target
    assert prices.stop >= min(entry * (1 - stop_pct / 100), entry - TICK * 2)
    assert prices.target <= max(entry * (1 + target_pct / 100), entry + TICK)
