"""PURE. At what price, and for how much, an order trades: as a sceptic would have it.

- A book is walked level by level; what lies beyond it stays unfilled.
- A resting limit order fills when the market trades through its price, not when it only touches it, because our
  place in the queue is unknown; it fills at its price (or at a gap's better one), for the volume that traded.
- A stop triggers on a trade at or below its trigger and sells at the market, half a spread below the trade, so a
  gap is paid in full.
- Inside a candle stops come before targets, and all our orders together take at most a share of its volume.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.domain.market import BookLevel, Candle
from core.domain.money import ZERO, ceil_to, floor_to, percent_of
from core.domain.orders import Side


@dataclass(frozen=True, slots=True)
class Match:
    """One execution to be booked."""

    price: Decimal
    quantity: Decimal
    maker: bool


@dataclass(frozen=True, slots=True)
class Friction:
    """What trading costs beside the market's price. Percents as percents: 0.4 is 0.4 %."""

    maker_pct: Decimal = Decimal("0.25")
    taker_pct: Decimal = Decimal("0.40")
    half_spread_pct: Decimal = Decimal("0.02")
    volume_share_pct: Decimal = Decimal(10)


def walk(levels: Sequence[BookLevel], quantity: Decimal, side: Side, limit: Decimal | None = None) -> list[Match]:
    """Take liquidity from `levels` (best first) up to `quantity` and no worse than `limit`."""
    matches: list[Match] = []
    left = quantity
    for level in levels:
        beyond = limit is not None and (level.price > limit if side is Side.BUY else level.price < limit)
        if left <= ZERO or beyond:
            break
        taken = min(left, level.quantity)
        matches.append(Match(level.price, taken, maker=False))
        left -= taken
    return matches


def worse_by_half_spread(price: Decimal, side: Side, friction: Friction, tick: Decimal) -> Decimal:
    """The price that a market order gets when only a last price is known: half a spread against us, on the tick."""
    step = percent_of(price, friction.half_spread_pct)
    return ceil_to(price + step, tick) if side is Side.BUY else max(tick, floor_to(price - step, tick))


def limit_on_print(side: Side, limit: Decimal, traded: Decimal) -> Decimal | None:
    """The fill price of a resting limit order after a trade at `traded`, None when it was not traded through."""
    through = traded < limit if side is Side.BUY else traded > limit
    return limit if through else None


def limit_on_candle(side: Side, limit: Decimal, candle: Candle) -> Decimal | None:
    """The fill price of a resting limit order inside `candle`: its own, or the open when the market gapped past it."""
    if side is Side.BUY:
        return min(limit, candle.open) if candle.low < limit else None
    return max(limit, candle.open) if candle.high > limit else None


def stop_on_candle(trigger: Decimal, candle: Candle, friction: Friction, tick: Decimal) -> Decimal | None:
    """The sale price of a stop inside `candle`: below its trigger, or below the open of a gap; None if not reached."""
    if candle.low > trigger:
        return None
    market = min(trigger, candle.open)
    return max(candle.low, worse_by_half_spread(market, Side.SELL, friction, tick))


def market_on_candle(side: Side, candle: Candle, friction: Friction, tick: Decimal) -> Decimal:
    """The price of a market order that waited for `candle`: its open and half a spread, kept inside its range."""
    price = worse_by_half_spread(candle.open, side, friction, tick)
    return min(candle.high, price) if side is Side.BUY else max(candle.low, price)


def share_of_volume(volume: Decimal, friction: Friction, lot: Decimal) -> Decimal:
    """How much of a candle's volume our orders may take together."""
    return floor_to(percent_of(volume, friction.volume_share_pct), lot)
