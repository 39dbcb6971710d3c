"""PURE. A stop that trails: it follows the best bid from below and never goes back."""

from dataclasses import replace
from decimal import Decimal

from core.domain.brackets import Bracket, Level, LevelUnit
from core.domain.money import ZERO, percent_of, times
from core.lifecycle.draft import Draft

STEP_PCT = Decimal(10)
"""The stop is moved when it would rise by so much of its distance: each move is an amend that the venue counts."""


def trail(draft: Draft) -> None:
    """Note a new high of the bid, and raise the stop behind it."""
    bracket, quote, level = draft.bracket, draft.fresh_quote, draft.bracket.trail
    if level is None or bracket.held <= ZERO or quote is None or bracket.stop_price is None:
        return
    high = max(bracket.trail_high or ZERO, quote.bid)
    if high != bracket.trail_high:
        bracket = draft.bracket = replace(bracket, trail_high=high)
    distance = distance_of(bracket, level, high)
    stop = draft.rules.instrument.price(high - distance)
    if stop <= ZERO or bracket.stop_price is None or stop - bracket.stop_price < percent_of(distance, STEP_PCT):
        return
    draft.bracket = replace(bracket, stop=Level(stop, LevelUnit.PRICE), stop_price=stop)


def distance_of(bracket: Bracket, level: Level, high: Decimal) -> Decimal:
    """How far below `high` the stop follows, in quote. A level given as a price is that distance itself."""
    if level.unit is LevelUnit.PERCENT:
        return percent_of(high, level.value)
    if level.unit is LevelUnit.ATR:
        return times(level.value, bracket.atr or percent_of(high, Decimal(1)))
    if level.unit is LevelUnit.R:
        return times(level.value, bracket.risk_per_unit or percent_of(high, Decimal(1)))
    return level.value
