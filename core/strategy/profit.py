"""PURE. What may be done with a position before its target: a part taken, its stop moved, its time over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from core.domain.brackets import Bracket, BracketState
from core.domain.instruments import Instrument
from core.domain.money import ZERO, divide, percent_of, times
from core.domain.orders import Role
from core.strategy.config import Profit


class Step(StrEnum):
    """What is done about a position that still runs."""

    PARTIAL = "partial"
    BREAK_EVEN = "break_even"
    TRAIL = "trail"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Wish:
    """One step, with its quantity or price where it has one, and its numbers in a sentence."""

    step: Step
    why: str
    quantity: Decimal | None = None
    stop: Decimal | None = None


def next_step(
    bracket: Bracket, bid: Decimal, now: datetime, interval_s: int, config: Profit, instrument: Instrument
) -> Wish | None:
    """The step that is due, at most one for each candle; None where the position is left to its legs."""
    average, risk = bracket.entry_average, bracket.risk_per_unit
    if bracket.state is not BracketState.OPEN or bracket.held <= ZERO or bracket.leave is not None or average is None:
        return None
    # It was bought moments after a candle's end: that is where its first one begins.
    began = bracket.created_at - timedelta(seconds=bracket.created_at.timestamp() % interval_s)
    if config.time_exit_candles and now - began >= timedelta(seconds=interval_s * config.time_exit_candles):
        return Wish(Step.TIME, f"held for {config.time_exit_candles} candles without reaching a leg")
    if not risk or risk <= ZERO:
        return None
    gained = divide(bid - average, risk)
    partial = _partial(bracket, bid, gained, config, instrument)
    trail = _trail(bracket, gained, config)
    return partial or trail or _break_even(bracket, bid, average, gained, config, instrument)


def _reached(gained: Decimal) -> str:
    return f"{round(gained, 2)} R were reached"


def _partial(bracket: Bracket, bid: Decimal, gained: Decimal, config: Profit, instrument: Instrument) -> Wish | None:
    """A part is taken once: what has been sold already was that part."""
    has_sold = any(order.filled > ZERO for order in bracket.of_role(Role.EXIT))
    if not config.partial_at_r or gained < config.partial_at_r or has_sold:
        return None
    part = instrument.quantity(percent_of(bracket.held, config.partial_pct))
    if instrument.is_dust(part, bid) or instrument.is_dust(bracket.held - part, bid):
        return None
    return Wish(Step.PARTIAL, _reached(gained), quantity=part)


def _trail(bracket: Bracket, gained: Decimal, config: Profit) -> Wish | None:
    if not config.trail_at_r or gained < config.trail_at_r or bracket.trail is not None or bracket.atr is None:
        return None
    return Wish(Step.TRAIL, _reached(gained))


def _break_even(
    bracket: Bracket, bid: Decimal, average: Decimal, gained: Decimal, config: Profit, instrument: Instrument
) -> Wish | None:
    even = instrument.price(average)
    if not config.break_even_at_r or gained < config.break_even_at_r or bracket.stop_price is None:
        return None
    return Wish(Step.BREAK_EVEN, _reached(gained), stop=even) if bracket.stop_price < even < bid else None


def goal_reached(result: Decimal | None, equity: Decimal, config: Profit) -> bool:
    """True once the day has brought what it should."""
    if not config.daily_goal_pct or result is None:
        return False
    return times(result, Decimal(100)) >= times(equity, config.daily_goal_pct)
