"""TradingConfig: frozen, checked, and plain about what is wrong."""

from importlib import resources

import pytest
from pydantic import ValidationError

from core.strategy.config import ConfigError, TradingConfig, from_toml


@pytest.mark.parametrize("profile", ["aggressive", "balanced"])
def test_each_profile_loads_and_bears_its_name(profile: str) -> None:
    text = resources.files("core.strategy.profiles").joinpath(f"{profile}.toml").read_text(encoding="utf-8")
    assert from_toml(text, profile).profile == profile


def test_the_default_is_the_aggressive_profile() -> None:
    text = resources.files("core.strategy.profiles").joinpath("aggressive.toml").read_text(encoding="utf-8")
    assert from_toml(text, "aggressive") == TradingConfig()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[filters]\ntrend_rsi = 5", "filters.trend_rsi: Extra inputs are not permitted"),
        ("[risk]\nrisk_pct = 0", "risk.risk_pct: Input should be greater than 0"),
        ("[indicators]\nsma_fast = 50\nsma_slow = 20", r"sma_fast \(50\) has to be below sma_slow \(20\)"),
        ("history = 720\nconfirm_s = 450", r"confirm_s \(450\) has to be a multiple of timeframe_s \(300\)"),
        ("history = 100\n[indicators]\nsma_slow = 500", "history .* has to exceed the warm-up of 506 candles"),
        ("timeframe_s = 7", "timeframe_s: Input should be 60, 300"),
        ("[filters]\nvolume_ratio_min = nan", "filters.volume_ratio_min: Input should be a finite number"),
        ("this is no toml", "mine.toml is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_would_be_right(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        from_toml(text, "mine.toml")


def test_nobody_changes_a_number_while_it_is_in_use() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TradingConfig().risk.risk_pct = 50  # type: ignore[assignment]
