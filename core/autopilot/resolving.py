"""Decisions that were begun and whose end nobody wrote down: what the ledger shows of them now."""

from datetime import timedelta

from core.autopilot.entering import told
from core.autopilot.leaving import leave_position, left_meanwhile
from core.domain.modes import Source
from core.strategy.evaluation import Came, Evaluation
from core.strategy.words import Decision
from core.trading.desk import Desk


async def resolve(desk: Desk, begun: Evaluation, *, is_on: bool, late: timedelta) -> Evaluation:
    """`begun` with what became of it; unchanged while the venue has not answered.

    A way out that nobody took is taken only while it would be by an autopilot that looks at that candle now.
    """
    if begun.decision is Decision.LONG:
        return _entry(desk, begun)
    found = left_meanwhile(desk, begun)
    if found is not None:
        return found
    age = desk.clock() - begun.at - timedelta(seconds=begun.interval_s)
    if is_on and age <= late:
        return await leave_position(desk, begun)
    why = "the autopilot is off" if not is_on else f"its candle closed {age.total_seconds():.0f} s ago"
    return begun.ended(Came.INTERRUPTED, f"it was cut off before anything was sold, and {why}: nothing was sold")


def _entry(desk: Desk, begun: Evaluation) -> Evaluation:
    bracket = desk.ledger.bracket(begun.bracket_id)
    if bracket is None:
        since = desk.ledger.begun_since(begun.evaluated_at)
        its = [one for one in since if one.symbol == begun.symbol and one.source is Source.AUTOPILOT]
        bracket = min(its, key=lambda one: one.created_at, default=None)
    if bracket is None:
        return begun.ended(Came.INTERRUPTED, "it was cut off before an order was saved; nothing was bought")
    found = told(begun, bracket, ())
    return begun if found.came is Came.BEGUN else found
