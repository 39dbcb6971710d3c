"""The autopilot's ways out: a position that the market has turned against, and what profit targeting asks for."""

from dataclasses import replace
from datetime import timedelta

from loguru import logger

from core.autopilot.entering import own_position
from core.domain.brackets import Bracket, BracketState, ExitReason, Level, LevelUnit
from core.domain.errors import ZynError
from core.domain.events import Event, EventKind
from core.domain.money import ZERO, plain
from core.lifecycle.news import EXIT_WORDS, resting_stop
from core.strategy.config import TradingConfig
from core.strategy.evaluation import Came, Evaluation
from core.strategy.profit import Step, Wish, next_step
from core.trading.desk import Desk
from core.trading.leaving import Left, leave
from core.trading.levels import apply_levels


async def leave_position(desk: Desk, evaluation: Evaluation) -> Evaluation:
    """Sell what the autopilot holds of this symbol; what the ledger shows afterwards is what came of it."""
    bracket = own_position(desk, evaluation.symbol)
    if bracket is None or (evaluation.holding and bracket.id != evaluation.holding):
        return evaluation.ended(Came.NOTHING, "its position had ended by itself")
    try:
        [left] = await leave(desk, [(bracket, None)], ExitReason.STRATEGY)
    except ZynError as error:
        return evaluation.ended(Came.REFUSED, f"{error.code}: {error.message}", bracket_id=bracket.id)
    return evaluation.ended(Came.LEFT, _left_text(left), bracket_id=bracket.id)


def left_meanwhile(desk: Desk, evaluation: Evaluation) -> Evaluation | None:
    """What became of the position that this evaluation was about, if it has ended or is being sold already."""
    bracket = desk.ledger.bracket(evaluation.holding)
    if bracket is None:
        return None
    # A part that somebody sells is not this way out.
    is_going = bracket.leave is not None and bracket.to_leave >= bracket.held
    if bracket.state is not BracketState.CLOSED and not is_going:
        return None
    return evaluation.ended(Came.LEFT, _left_text(Left(bracket, bracket)), bracket_id=bracket.id)


def _left_text(left: Left) -> str:
    """What the ledger shows of a way out."""
    after = left.after
    if left.unpriced:
        return f"{plain(after.held)} {after.base} were not sold, for want of a fresh price; {resting_stop(after)}"
    if after.state is BracketState.CLOSED:
        text = f"sold {plain(left.sold)} {after.base}" if left.sold > ZERO else "the entry was canceled"
        if left.sold > ZERO and after.close_reason not in {None, ExitReason.STRATEGY, ExitReason.TIME}:
            text += f", {EXIT_WORDS[after.close_reason]}" if after.close_reason is not None else ""
        elif after.bought > ZERO and left.sold <= ZERO:
            why = EXIT_WORDS[after.close_reason] if after.close_reason is not None else "over"
            text = f"it had ended before: {why}"
        return text
    if after.leave is None and left.sold > ZERO:
        return f"sold {plain(left.sold)} of {plain(left.sold + after.held)} {after.base}"
    return f"{plain(after.held)} {after.base} are being sold"


async def manage(desk: Desk, evaluation: Evaluation, config: TradingConfig) -> Evaluation:
    """Take the step that profit targeting asks for now, if there is one, tell it, and write it into the row."""
    bracket = own_position(desk, evaluation.symbol)
    if bracket is None:
        return evaluation
    try:
        quote = await desk.fresh_quote(bracket.symbol)
        instrument = await desk.instrument(bracket.symbol)
        now = evaluation.at + timedelta(seconds=evaluation.interval_s)
        wish = next_step(bracket, quote.bid, now, evaluation.interval_s, config.profit, instrument)
        if wish is None:
            return evaluation
        came, text = Came.MANAGED, f"{_WORDS[wish.step]} ({wish.why}): {await _take(desk, bracket, wish, config)}"
        event = Event(
            EventKind.PROTECTED,
            desk.mode,
            desk.clock(),
            f"Autopilot, {bracket.symbol}: {text}.",
            bracket.symbol,
            bracket.id,
        )
        desk.ledger.save((), [event])
    except ZynError as error:
        logger.warning("[{}] {} could not be managed: {}", desk.mode, bracket.symbol, error.message)
        came, text = Came.REFUSED, f"{error.code}: {error.message}"
    if evaluation.came is Came.NOTHING:
        return evaluation.ended(came, text, bracket_id=bracket.id)
    # What came of its decision stays the row's answer; the step is told behind it.
    return replace(evaluation, text=f"{evaluation.text}; {text}" if evaluation.text else text)


async def _take(desk: Desk, bracket: Bracket, wish: Wish, config: TradingConfig) -> str:
    """Take a step; what the ledger shows of it."""
    if wish.step is Step.TIME or (wish.step is Step.PARTIAL and wish.quantity is not None):
        reason = ExitReason.TIME if wish.step is Step.TIME else ExitReason.PROFIT
        [left] = await leave(desk, [(bracket, wish.quantity)], reason)
        return _left_text(left)
    if wish.step is Step.TRAIL:
        level, trails = Level(config.profit.trail_atr, LevelUnit.ATR), True
    else:
        level, trails = Level(wish.stop or ZERO, LevelUnit.PRICE), False
    [after] = await apply_levels(desk, [bracket], level, None, trails=trails)
    wanted = plain(after.stop_price) if after.stop_price is not None else "N/A"
    moved = "" if after.stands_as_wished else f", wanted at {wanted} and NOT MOVED there yet"
    return f"{resting_stop(after)}{moved}"


_WORDS = {
    Step.TIME: "its time is over",
    Step.PARTIAL: "a part is taken as profit",
    Step.TRAIL: "its stop trails from now on",
    Step.BREAK_EVEN: "its stop goes to its entry",
}
