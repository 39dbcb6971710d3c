"""PURE. TradingConfig: every number that the strategy and its gates depend on, frozen and checked.

Written as TOML; two profiles come with Zyn, `aggressive` and `balanced`. Candles are counted in rows of the timeframe,
percents are percents.
"""

import tomllib
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Rows = Annotated[int, Field(ge=2, le=1000)]
Percent = Annotated[Decimal, Field(gt=0, le=100)]
Share = Annotated[float, Field(ge=0, le=100)]


class ConfigError(Exception):
    """A configuration that cannot be used; the message names each field and what would be right."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Indicators(_Part):
    """Over how many closed candles each indicator looks."""

    rsi: Rows = 14
    sma_fast: Rows = 12
    sma_slow: Rows = 36
    slope: Rows = 6
    atr: Rows = 14
    atr_mean: Rows = 50
    bollinger: Rows = 20
    bollinger_width: Annotated[float, Field(gt=0, le=10)] = 2.0
    adx: Rows = 14
    volume: Rows = 20
    volatility: Rows = 20
    chop: Rows = 14

    @model_validator(mode="after")
    def _fast_is_faster(self) -> Self:
        if self.sma_fast >= self.sma_slow:
            raise ValueError(f"sma_fast ({self.sma_fast}) has to be below sma_slow ({self.sma_slow})")
        return self

    @property
    def warm_up(self) -> int:
        """Rows before the first complete one."""
        return max(
            self.rsi + 1, self.sma_slow + self.slope, self.atr + self.atr_mean, self.bollinger, 2 * self.adx + 1,
            self.volume, self.volatility + 1, self.chop + 1,
        )  # fmt: skip


class Regimes(_Part):
    """Where one kind of market ends and the next begins."""

    trend_adx: Share = 20.0
    trend_slope_pct: Annotated[float, Field(ge=0, le=10)] = 0.005
    """Least change of the fast average in percent per candle that counts as a direction."""
    volatile_atr_ratio: Annotated[float, Field(gt=1, le=20)] = 2.2
    chop_min: Share = 61.8


class Filters(_Part):
    """What each filter lets pass."""

    trend_rsi_min: Share = 48.0
    trend_rsi_max: Share = 78.0
    range_rsi_max: Share = 42.0
    """A long in a range needs an RSI at or below this; a short one at or above 100 less this."""
    band_touch: Annotated[float, Field(ge=0, le=1)] = 0.15
    """How near to the band is at the band, as a part of half the band's width."""
    volume_ratio_min: Annotated[float, Field(ge=0, le=10)] = 0.6
    volatility_max_pct: Annotated[float, Field(gt=0, le=100)] = 1.5
    chop_max: Share = 60.0
    atr_spike_max: Annotated[float, Field(gt=1, le=20)] = 1.8

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        if self.trend_rsi_min >= self.trend_rsi_max:
            raise ValueError("trend_rsi_min has to be below trend_rsi_max")
        return self


class Risk(_Part):
    """How large a position is and where its legs are."""

    risk_pct: Percent = Decimal(1)
    """What the stop of one position may lose, in percent of equity."""
    stop_atr: Annotated[Decimal, Field(gt=0, le=50)] = Decimal(2)
    target_atr: Annotated[Decimal, Field(gt=0, le=50)] = Decimal(3)
    reward_to_fees_min: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    """How many times the fees of both ways a target has to bring; 0: never asked."""
    total_risk_pct: Percent = Decimal(5)
    """What all stops together may lose."""
    exposure_pct: Percent = Decimal(80)
    """What all positions may be worth together, in percent of equity; `position_pct`: one of them."""
    position_pct: Percent = Decimal(25)
    least_pct: Percent = Decimal(2)
    """A position that would be worth less than this is not worth its fees."""
    correlation_max: Annotated[float, Field(gt=0, le=1)] = 0.9
    correlated_positions: Annotated[int, Field(ge=1, le=100)] = 3
    """How many positions may be open whose returns move together more than `correlation_max`, the new one included."""
    correlation_rows: Rows = 144

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.least_pct > self.position_pct:
            raise ValueError(f"least_pct ({self.least_pct}) may not exceed position_pct ({self.position_pct})")
        return self


class Limits(_Part):
    """How often, and until when."""

    trades_per_symbol: Annotated[int, Field(ge=1, le=1000)] = 10
    trades_per_day: Annotated[int, Field(ge=1, le=10_000)] = 30
    cooldown_losses: Annotated[int, Field(ge=1, le=100)] = 2
    """After so many losses in a row a symbol rests for `cooldown_minutes`."""
    cooldown_minutes: Annotated[int, Field(ge=0, le=10_080)] = 30
    daily_loss_pct: Percent = Decimal(5)
    """The kill switch: no entries for the rest of the day once it has lost so much of the equity that it began with."""
    kill_flattens: bool = False


class Profit(_Part):
    """What may happen to a position before its target; everything is off unless it is switched on."""

    partial_at_r: Annotated[Decimal, Field(ge=0, le=50)] = Decimal(0)
    """At so many R a part is sold; 0: never."""
    partial_pct: Percent = Decimal(50)
    break_even_at_r: Annotated[Decimal, Field(ge=0, le=50)] = Decimal(0)
    trail_at_r: Annotated[Decimal, Field(ge=0, le=50)] = Decimal(0)
    trail_atr: Annotated[Decimal, Field(gt=0, le=50)] = Decimal(2)
    time_exit_candles: Annotated[int, Field(ge=0, le=100_000)] = 0
    daily_goal_pct: Annotated[Decimal, Field(ge=0, le=1000)] = Decimal(0)
    at_goal: Literal["rest", "tighten"] = "rest"
    """What a reached goal does: no entries for the rest of the day, or half the risk."""


class Universe(_Part):
    """Which symbols are watched, where the owner has not chosen himself."""

    symbols: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9.]{1,15}(/[A-Z0-9.]{2,10})?$")], ...] = (
        "BTC", "ETH", "SOL", "XRP", "DOGE",
    )  # fmt: skip
    """Coins, traded against QUOTE_CURRENCY, or pairs of it."""
    select: bool = False
    """Choose by figures out of everything that is listed in the quote currency, instead of by name."""
    size: Annotated[int, Field(ge=1, le=100)] = 10
    volume_quote_min: Annotated[float, Field(ge=0)] = 1_000_000.0
    """Least turnover of 24 hours in quote currency."""
    spread_max_pct: Annotated[float, Field(gt=0, le=10)] = 0.2


class TradingConfig(_Part):
    """Everything. `timeframe_s` is the candle's length; `confirm_s` a longer one that has to agree, 0: none."""

    profile: Annotated[str, Field(min_length=1, max_length=40)] = "aggressive"
    timeframe_s: Literal[60, 300, 900, 1800, 3600, 14400, 86400] = 300
    confirm_s: Annotated[int, Field(ge=0, le=604_800)] = 0
    history: Annotated[int, Field(ge=100, le=720)] = 400
    """How many closed candles each evaluation reads."""
    indicators: Indicators = Indicators()
    regimes: Regimes = Regimes()
    filters: Filters = Filters()
    risk: Risk = Risk()
    limits: Limits = Limits()
    profit: Profit = Profit()
    universe: Universe = Universe()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.history <= self.indicators.warm_up:
            raise ValueError(f"history ({self.history}) has to exceed the warm-up of {self.indicators.warm_up} candles")
        longer = self.confirm_s // self.timeframe_s * (self.indicators.sma_slow + 1)
        if self.history < longer:
            raise ValueError(f"history ({self.history}) has to reach over the {longer} candles that confirm_s looks at")
        if self.confirm_s and (self.confirm_s <= self.timeframe_s or self.confirm_s % self.timeframe_s):
            raise ValueError(f"confirm_s ({self.confirm_s}) has to be a multiple of timeframe_s ({self.timeframe_s})")
        return self


def in_currency(config: TradingConfig, currency: str) -> TradingConfig:
    """The same with pairs of `currency` for its coins. Raises ConfigError where it names pairs of another one."""
    named = config.universe.symbols
    foreign = sorted(one for one in named if "/" in one and not one.endswith(f"/{currency}"))
    if foreign:
        raise ConfigError(
            f"{config.profile}: universe.symbols names {', '.join(foreign)}, and QUOTE_CURRENCY is {currency}: limits "
            f"and the day's result are counted in one currency; name coins, or pairs of {currency}"
        )
    pairs = tuple(one if "/" in one else f"{one}/{currency}" for one in named)
    return config.model_copy(update={"universe": config.universe.model_copy(update={"symbols": pairs})})


def from_toml(text: str, name: str) -> TradingConfig:
    """Read a configuration. Raises ConfigError, naming `name`, the field and what would be right."""
    try:
        given: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {error}") from error
    try:
        return TradingConfig.model_validate(given)
    except ValidationError as error:
        problems = [f"{'.'.join(str(part) for part in one['loc']) or 'it'}: {one['msg']}" for one in error.errors()]
        raise ConfigError(f"{name}: {'; '.join(problems)}") from error
