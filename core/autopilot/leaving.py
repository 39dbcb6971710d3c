"""The autopilot's ways out: a position that the market has turned against, and what profit targeting asks for."""

from datetime import timedelta

from loguru import logger

from core.autopilot.entering import own_position
from core.domain.brackets import Bracket, BracketState, ExitReason, Level, LevelUnit
from core.domain.errors import ZynError
from core.domain.events import Event, EventKind
from core.domain.money import ZERO, plain
from core.lifecycle.news import EXIT_WORDS
from core.strategy.config import TradingConfig
from core.strategy.evaluation import Came, Evaluation
from core.strategy.profit import Step, Wish, next_step
from core.trading.desk import Desk
from core.trading.leaving import leave
from core.trading.levels import apply_levels


async def leave_position(desk: Desk, evaluation: Evaluation) -> Evaluation:
    """Sell what the autopilot holds of this symbol; what the ledger shows afterwards is what came of it."""
    bracket = own_position(desk, evaluation.symbol)
    if bracket is None:
        return evaluation.ended(Came.NOTHING, "its position had ended by itself")
    try:
        [left] = await leave(desk, [(bracket, None)], ExitReason.STRATEGY)
    except ZynError as error:
        return evaluation.ended(Came.REFUSED, f"{error.code}: {error.message}", bracket_id=bracket.id)
    after = left.after
    if after.state is BracketState.CLOSED:
        text = f"sold {plain(left.sold)} {after.base}" if left.sold > ZERO else "the entry was canceled"
        if left.sold > ZERO and after.close_reason is not None and after.close_reason is not ExitReason.STRATEGY:
            text += f", {EXIT_WORDS[after.close_reason]}"
        elif after.bought > ZERO and left.sold <= ZERO:
            text = "it had ended by its own legs before"
        return evaluation.ended(Came.LEFT, text, bracket_id=bracket.id)
    return evaluation.ended(Came.LEFT, f"{plain(after.held)} {after.base} are being sold", bracket_id=bracket.id)


async def manage(desk: Desk, evaluation: Evaluation, config: TradingConfig) -> None:
    """Take the step that profit targeting asks for now, if there is one, and tell it."""
    bracket = own_position(desk, evaluation.symbol)
    if bracket is None:
        return
    try:
        quote = await desk.fresh_quote(bracket.symbol)
        instrument = await desk.instrument(bracket.symbol)
        now = evaluation.at + timedelta(seconds=evaluation.interval_s)
        wish = next_step(bracket, quote.bid, now, evaluation.interval_s, config.profit, instrument)
        if wish is not None:
            await _take(desk, bracket, wish, config)
    except ZynError as error:
        logger.warning("[{}] {} could not be managed: {}", desk.mode, bracket.symbol, error.message)


async def _take(desk: Desk, bracket: Bracket, wish: Wish, config: TradingConfig) -> None:
    if wish.step is Step.TIME:
        await leave(desk, [(bracket, None)], ExitReason.TIME)
    elif wish.step is Step.PARTIAL and wish.quantity is not None:
        await leave(desk, [(bracket, wish.quantity)], ExitReason.PROFIT)
    elif wish.step is Step.TRAIL:
        await apply_levels(desk, [bracket], Level(config.profit.trail_atr, LevelUnit.ATR), None, trails=True)
    elif wish.stop is not None:
        await apply_levels(desk, [bracket], Level(wish.stop, LevelUnit.PRICE), None)
    text = f"Autopilot: {bracket.symbol} {_WORDS[wish.step]}; {wish.why}."
    desk.ledger.save((), [Event(EventKind.PROTECTED, desk.mode, desk.clock(), text, bracket.symbol, bracket.id)])


_WORDS = {
    Step.TIME: "is left, its time is over",
    Step.PARTIAL: "gives a part as profit",
    Step.TRAIL: "trails its stop from now on",
    Step.BREAK_EVEN: "has its stop at its entry now",
}
