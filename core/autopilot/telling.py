"""PURE. The autopilot's rows in words and numbers. Nothing is said that is not in a row, or in the bracket that came of
it: a row says what was known when it was written, the bracket what has become of it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.domain.brackets import Bracket, BracketState
from core.domain.money import ZERO, plain
from core.lifecycle.news import EXIT_WORDS, closed, price, resting_stop, signed
from core.risk.gates import Gate, GateLimits
from core.strategy.config import TradingConfig
from core.strategy.evaluation import Came, Evaluation
from core.strategy.universe import LeftOut
from core.strategy.words import Filter, Reason, Regime

if TYPE_CHECKING:
    from core.strategy.signals import Signal

WHY = {
    Reason.TREND_LONG: "the trend is up and no filter objects",
    Reason.TREND_SHORT: "the trend is down; on spot that only leaves a long that is held",
    Reason.RANGE_LONG: "in a range the price stands at its lower band",
    Reason.RANGE_SHORT: "in a range the price stands at its upper band; on spot that only leaves a long",
    Reason.TREND_TURNED: "the trend is down: a long would be left",
    Reason.WARM_UP: "there is too little history yet",
    Reason.MISSING_NUMBERS: "a number is missing",
    Reason.VOLATILE_MARKET: "the market is too volatile",
    Reason.CHOPPY_MARKET: "the market goes nowhere, choppily",
    Reason.RSI_AGAINST: "the RSI objects",
    Reason.TREND_AGAINST: "the price stands on the wrong side of its fast average",
    Reason.VOLUME_TOO_LOW: "too little was traded",
    Reason.VOLATILITY_TOO_HIGH: "the candles vary too much",
    Reason.TOO_CHOPPY: "the way here was too choppy",
    Reason.ATR_SPIKE: "the range of the candles has jumped",
    Reason.TIMEFRAME_AGAINST: "the longer timeframe does not agree",
    Reason.INSIDE_THE_BANDS: "in a range the price stands between its bands",
    Reason.MISSED: "nobody looked in time, and a candle is not traded late",
}
_REGIMES = {
    Regime.TREND_UP: "a trend up", Regime.TREND_DOWN: "a trend down", Regime.RANGE: "a range",
    Regime.VOLATILE: "a volatile market", Regime.CHOP: "chop", Regime.UNKNOWN: "N/A",
}  # fmt: skip
_GATES = {
    Gate.DATA_FRESH: "the data was not fresh", Gate.TRADING_STATE: "the trading state",
    Gate.KILL_SWITCH: "the kill switch", Gate.DAILY_LIMIT: "a limit of the day", Gate.COOLDOWN: "a rest after losses",
    Gate.ONE_POSITION: "one position for each symbol", Gate.TRADE_RISK: "the risk of the trade",
    Gate.FEES: "the fees",
    Gate.TOTAL_RISK: "the risk of all positions", Gate.EXPOSURE: "the exposure",
    Gate.CORRELATION: "positions that move together", Gate.BALANCE: "the balance", Gate.MINIMUM: "the venue's minimum",
    Gate.AUTOPILOT_OFF: "the autopilot's switch", Gate.SPOT_ONLY: "spot only", Gate.NOT_WATCHED: "the watchlist",
    Gate.ORDER: "the order itself",
}  # fmt: skip
LEFT_OUT_WORDS = {
    LeftOut.RANK: "others are traded more",
    LeftOut.MINIMUM: "a position is worth less than the smallest order",
    LeftOut.SPREAD: "bid and ask are too far apart",
    LeftOut.VOLUME: "too little is traded in a day",
    LeftOut.NO_FIGURES: "no figures came",
    LeftOut.CLOSED: "the venue takes no orders for it",
    LeftOut.MONEY: "it stands still by design",
}
_CAME = {
    Came.NOTHING: "", Came.STOPPED: "stopped by", Came.BEGUN: "begun, not finished",
    Came.OPENED: "opened", Came.LEFT: "left", Came.MANAGED: "managed", Came.REFUSED: "refused", Came.MISSED: "missed",
    Came.INTERRUPTED: "interrupted",
}  # fmt: skip


def shown(value: float | None, unit: str = "") -> str:
    """A figure for people: four significant digits, "N/A" where it is missing."""
    if value is None:
        return "N/A"
    text = f"{value:.4g}"
    return (f"{value:,.2f}" if "e+" in text else text) + unit


def row_line(one: Evaluation, bracket: Bracket | None = None) -> str:
    """One row of the log in one line; `bracket` is what it opened, as the ledger has it now."""
    figures = one.figures or {}
    head = f"• {one.at:%m-%d %H:%M} {one.symbol} {one.decision} ({one.reason})"
    if one.came is Came.MISSED:
        return head
    seen = f"{one.regime}, RSI {shown(figures.get('rsi'))}, ATR {shown(figures.get('atr'))}"
    return f"{head} · {seen}{_ending(one)}{_since(one, bracket)}"


def _ending(one: Evaluation) -> str:
    if one.came is Came.NOTHING:
        return ""
    gate = f" {one.gate}" if one.gate is not None else ""
    text = f": {one.text}" if one.text else ""
    return f" · {_CAME[one.came]}{gate}{text}"


def _since(one: Evaluation, bracket: Bracket | None) -> str:
    """What has become of the bracket that a row says it opened, in a few words; nothing while it is as it says."""
    if one.came is not Came.OPENED or bracket is None or bracket.close_reason is None:
        return ""
    if bracket.bought == ZERO:
        return f" → NOT BOUGHT, {EXIT_WORDS[bracket.close_reason]}"
    return f" → {EXIT_WORDS[bracket.close_reason]}, {signed(bracket.result_quote)}"


def now_line(bracket: Bracket) -> str:
    """How the bracket of a row stands in the ledger now."""
    if bracket.state is BracketState.CLOSED:
        return closed(bracket)
    if bracket.bought == ZERO:
        return f"{bracket.symbol}: not bought yet; the entry is {bracket.entry.state if bracket.entry else 'not sent'}."
    average = price(bracket.entry_average) if bracket.entry_average is not None else "N/A"
    return f"{bracket.symbol}: {plain(bracket.held)} bought at {average} are held; {resting_stop(bracket)}."


def explain_lines(one: Evaluation, bracket: Bracket | None = None) -> list[str]:
    """Why a candle was traded, or not: what was seen, what each filter said, what decided, and what came of it;
    `bracket` is the one that came of it, as the ledger has it now.
    """
    lines = [f"{one.symbol}, the candle of {one.at:%Y-%m-%d %H:%M} UTC ({one.interval_s // 60} min):"]
    if one.came is Came.MISSED:
        return [*lines, f"It was missed: {WHY[Reason.MISSED]}."]
    figures = one.figures or {}
    lines.append(
        f"It closed at {shown(one.close)} in {_REGIMES[one.regime]}: ADX {shown(figures.get('adx'))}, fast average "
        f"{shown(figures.get('sma_fast'))}, slow {shown(figures.get('sma_slow'))}, slope "
        f"{shown(figures.get('slope_pct'), '%')} a candle."
    )
    said = one.said or {}
    lines += [f"• {name.replace('_', ' ')}: {vote} · {said.get(name, '')}" for name, vote in (one.votes or {}).items()]
    lines.append(f"Decision: {one.decision}, since {WHY[one.reason]} ({one.reason}).")
    return [*lines, *_came_lines(one), *([f"Now: {now_line(bracket)}"] if bracket is not None else [])]


def _came_lines(one: Evaluation) -> list[str]:
    if one.came is Came.NOTHING:
        return ["So nothing was to be done." if not one.holding else f"It holds {one.holding} and kept it."]
    if one.came is Came.STOPPED and one.gate is not None:
        return [f"Stopped by {_GATES[one.gate]} ({one.gate}): {one.text}."]
    if one.came is Came.REFUSED:
        return [f"It was tried and refused: {one.text}."]
    bracket = f" Bracket {one.bracket_id}; 'debug {one.symbol}' shows its orders." if one.bracket_id else ""
    return [f"What came of it: {_CAME[one.came]}{f', {one.text}' if one.text else ''}.{bracket}"]


def numbers_of(signal: "Signal", config: TradingConfig) -> dict[Filter, str]:
    """Each filter's number beside its limit, as they are now: written down with the vote."""
    found, limits = signal.figures, config.filters
    trend = f"{limits.trend_rsi_min:g} to {limits.trend_rsi_max:g} with a trend"
    longer = f"candles of {config.confirm_s // 60} min"
    numbers = {
        Filter.RSI: f"{shown(found.get('rsi'))} ({trend}, up to {limits.range_rsi_max:g} at a lower band)",
        Filter.TREND: f"close {shown(signal.close)} beside the fast average {shown(found.get('sma_fast'))}",
        Filter.VOLUME: f"{shown(found.get('volume_ratio'))} of its mean (at least {limits.volume_ratio_min:g})",
        Filter.VOLATILITY: f"{shown(found.get('volatility_pct'), '%')} (at most {limits.volatility_max_pct:g}%)",
        Filter.CHOP: f"{shown(found.get('chop'))} (at most {limits.chop_max:g})",
        Filter.ATR_SPIKE: f"ATR {shown(found.get('atr_ratio'))} of its mean (at most {limits.atr_spike_max:g})",
        Filter.TIMEFRAME: f"{shown(found.get('longer'))} between the averages of {longer}",
    }
    return {name: numbers[name] for name in signal.votes}


def market_line(one: Evaluation | None, symbol: str) -> str:
    """A symbol as it stood at the last closed candle."""
    if one is None:
        return f"• {symbol}: not evaluated yet"
    figures = one.figures or {}
    return (
        f"• {symbol} {shown(one.close)} · {one.regime} · RSI {shown(figures.get('rsi'))} · ATR "
        f"{shown(figures.get('atr'))} · ADX {shown(figures.get('adx'))} · {one.decision} ({one.reason}) at "
        f"{one.at:%m-%d %H:%M}"
    )


def config_lines(config: TradingConfig, limits: GateLimits) -> Sequence[str]:
    """The numbers in force: the strategy's, and `limits` as the desk's gates have them."""
    risk, days, filters, kinds, profit = config.risk, config.limits, config.filters, config.regimes, config.profit
    confirm = f", {config.confirm_s // 60} min has to agree" if config.confirm_s else ""
    steps = {
        "a part": profit.partial_at_r, "break-even": profit.break_even_at_r, "a trailing stop": profit.trail_at_r,
    }  # fmt: skip
    wants = [f"{name} at {plain(at)} R" for name, at in steps.items() if at]
    wants += [f"out after {profit.time_exit_candles} candles"] if profit.time_exit_candles else []
    wants += [f"{profit.at_goal} at +{plain(profit.daily_goal_pct)}% a day"] if profit.daily_goal_pct else []
    fees = f"{plain(limits.reward_to_fees_min)} times the fees" if limits.reward_to_fees_min else "not asked for fees"
    return (
        f"Strategy: {config.profile}, candles of {config.timeframe_s // 60} min{confirm}.",
        (
            f"Autopilot risks {plain(limits.risk_pct)}% a trade, {plain(limits.total_risk_pct)}% in all; stop "
            f"{plain(risk.stop_atr)} ATR, target {plain(risk.target_atr)} ATR, {fees}."
        ),
        (
            f"One position from {plain(limits.least_pct)}% to {plain(limits.position_pct)}% of equity, all up to "
            f"{plain(limits.exposure_pct)}%; {limits.correlated_positions} that move together over "
            f"{limits.correlation_max:g}."
        ),
        (
            f"Regimes: a trend from ADX {kinds.trend_adx:g} and {kinds.trend_slope_pct:g}% a candle, volatile from ATR "
            f"{kinds.volatile_atr_ratio:g} of its mean, chop from {kinds.chop_min:g}."
        ),
        (
            f"Filters: RSI {filters.trend_rsi_min:g} to {filters.trend_rsi_max:g} in trends, up to "
            f"{filters.range_rsi_max:g} at a lower band; volume from {filters.volume_ratio_min:g}, ATR up to "
            f"{filters.atr_spike_max:g} of their means; chop up to {filters.chop_max:g}, volatility up to "
            f"{filters.volatility_max_pct:g}%."
        ),
        (
            f"Up to {days.trades_per_symbol} trades of a symbol and {days.trades_per_day} in all a day; rests "
            f"{days.cooldown_minutes} min after {days.cooldown_losses} losses in a row of a symbol; a day ends for "
            f"entries at a loss of {plain(days.daily_loss_pct)}%."
        ),
        f"Profit targeting: {', '.join(wants) or 'off'}.",
    )
