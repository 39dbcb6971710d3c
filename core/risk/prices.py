"""PURE. The only place that makes stop and target prices."""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.brackets import Level, LevelUnit
from core.domain.errors import Code, Denied
from core.domain.money import HUNDRED, ZERO, ceil_to, floor_to, percent_of, plain, times


@dataclass(frozen=True, slots=True)
class BracketConfig:
    """Defaults for levels that nobody gave: multiples of ATR, and percents where there is no history for an ATR."""

    stop_atr: Decimal = Decimal(2)
    target_atr: Decimal = Decimal(3)
    stop_pct: Decimal = Decimal(2)
    target_pct: Decimal = Decimal(3)


@dataclass(frozen=True, slots=True)
class BracketPrices:
    """Stop below and target above the entry, both on the tick; `risk` is entry less stop, per unit of base."""

    stop: Decimal
    target: Decimal
    risk: Decimal


def default_stop(atr: Decimal | None, config: BracketConfig) -> Level:
    """The stop of someone who gave none: `stop_atr` ATR, or `stop_pct` without history."""
    if atr is None:
        return Level(config.stop_pct, LevelUnit.PERCENT, is_default=True)
    return Level(config.stop_atr, LevelUnit.ATR, is_default=True)


def default_target(atr: Decimal | None, config: BracketConfig) -> Level:
    """The target of someone who gave none: `target_atr` ATR, or `target_pct` without history."""
    if atr is None:
        return Level(config.target_pct, LevelUnit.PERCENT, is_default=True)
    return Level(config.target_atr, LevelUnit.ATR, is_default=True)


def compute_bracket_prices(
    entry: Decimal,
    atr: Decimal | None,
    config: BracketConfig,
    *,
    stop: Level | None,
    target: Level | None,
    tick_size: Decimal,
) -> BracketPrices:
    """Stop and target of a long position bought at `entry` (quote per base).

    percent: entry x (1 - p) and entry x (1 + p); ATR: entry -/+ n x ATR; R: entry + n x (entry - stop); price: as
    given. The stop is rounded up to the tick and the target down, so that neither is further away than was said.
    A level in percent or ATR lies at least one tick from the entry. Raises Denied with the field that is wrong:
    a stop at or below zero or in R, an ATR multiple without history, a price on the wrong side is left to `misplaced`.
    """
    stop_level = stop or default_stop(atr, config)
    target_level = target or default_target(atr, config)
    stop_price = ceil_to(_stop_at(entry, atr, stop_level), tick_size)
    if stop_level.unit is not LevelUnit.PRICE and stop_level.value > ZERO:
        stop_price = min(stop_price, ceil_to(entry, tick_size) - tick_size)
    if stop_price <= ZERO:
        raise Denied(
            Code.STOP_LOSS, f"a stop at {plain(stop_price)} is not a price; give one between 0 and {plain(entry)}"
        )
    risk = entry - stop_price
    target_price = floor_to(_target_at(entry, risk, atr, target_level), tick_size)
    if target_level.unit is not LevelUnit.PRICE and target_level.value > ZERO:
        target_price = max(target_price, floor_to(entry, tick_size) + tick_size)
    if target_price <= ZERO:
        raise Denied(
            Code.TAKE_PROFIT, f"a target at {plain(target_price)} is not a price; give one above {plain(entry)}"
        )
    return BracketPrices(stop_price, target_price, risk)


def misplaced(prices: BracketPrices, entry: Decimal) -> Denied | None:
    """The refusal of a new bracket whose levels do not enclose its entry, or None."""
    if prices.stop >= entry:
        return Denied(
            Code.STOP_LOSS,
            f"the stop {plain(prices.stop)} is not below the entry {plain(entry)}; it must be to protect a buy",
        )
    if prices.target <= entry:
        return Denied(
            Code.TAKE_PROFIT,
            f"the target {plain(prices.target)} is not above the entry {plain(entry)}; it must be to pay",
        )
    return None


def _stop_at(entry: Decimal, atr: Decimal | None, level: Level) -> Decimal:
    if level.unit is LevelUnit.PRICE:
        return level.value
    if level.unit is LevelUnit.PERCENT:
        if level.value >= HUNDRED:
            raise Denied(Code.STOP_LOSS, f"a stop {plain(level.value)}% below is no price; give less than 100%")
        return entry - percent_of(entry, level.value)
    if level.unit is LevelUnit.ATR:
        return entry - times(_known(atr, Code.STOP_LOSS), level.value)
    raise Denied(Code.STOP_LOSS, "a stop defines what 1 R is, so it cannot be given in R; use percent, a price or ATR")


def _target_at(entry: Decimal, risk: Decimal, atr: Decimal | None, level: Level) -> Decimal:
    if level.unit is LevelUnit.PRICE:
        return level.value
    if level.unit is LevelUnit.PERCENT:
        return entry + percent_of(entry, level.value)
    if level.unit is LevelUnit.ATR:
        return entry + times(_known(atr, Code.TAKE_PROFIT), level.value)
    return entry + times(risk, level.value)


def _known(atr: Decimal | None, code: Code) -> Decimal:
    if atr is None or atr <= ZERO:
        raise Denied(code, "there is not enough history for an ATR yet; give the level in percent or as a price")
    return atr
