"""From a long signal to a position: the situation is read, the gates are asked, and the one door is gone through."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from core.autopilot.day import DayKeeper
from core.domain.brackets import Bracket, BracketState, Level, LevelUnit
from core.domain.errors import ZynError
from core.domain.market import Candle
from core.domain.modes import Mode, Source
from core.domain.money import ONE, ZERO, percent_of, plain, times
from core.domain.orders import OrderState, OrderType, Side
from core.lifecycle.news import price
from core.risk.gates import Gate, GateLimits, Passed, Situation, Standing, Stopped, pass_gates, stands
from core.risk.sizing import AmountUnit
from core.strategy.config import TradingConfig
from core.strategy.evaluation import Came, Evaluation
from core.strategy.profit import goal_reached
from core.trading.desk import Desk
from core.trading.door import account_of, flattened_meanwhile, open_position_with_brackets
from core.trading.state import reasons

Closes = Mapping[str, Sequence[Candle]]
LOOK_BACK = timedelta(days=2)
HALF = Decimal(50)


async def enter(
    desk: Desk, evaluation: Evaluation, config: TradingConfig, keeper: DayKeeper, seen: Closes, flattened: int
) -> Evaluation:
    """Buy what this evaluation asks for, or say what stopped it. Never raises for a rule, a venue or a market.

    `flattened`: the desk's count when it was decided; a flatten since then ends it.
    """
    try:
        verdict = await _ask(desk, evaluation, config, keeper, seen)
        if isinstance(verdict, Stopped):
            return evaluation.ended(Came.STOPPED, verdict.why, verdict.gate)
        if desk.flattened != flattened:
            raise flattened_meanwhile(desk)
        opened = await open_position_with_brackets(
            desk,
            evaluation.symbol,
            Side.BUY,
            (verdict.quantity, AmountUnit.BASE),
            OrderType.MARKET,
            Level(config.risk.stop_atr, LevelUnit.ATR),
            Level(config.risk.target_atr, LevelUnit.ATR),
            Source.AUTOPILOT,
            atr=atr_of(evaluation),
        )
    except ZynError as error:
        return evaluation.ended(Came.REFUSED, f"{error.code}: {error.message}", Gate.ORDER)
    return told(evaluation, opened.bracket, (*verdict.notes, *opened.notes))


def told(evaluation: Evaluation, bracket: Bracket, notes: Sequence[str]) -> Evaluation:
    """What the ledger shows after the order: only what it shows is said to have happened."""
    entry = bracket.entry
    said = "".join(f"; {note}" for note in notes)
    if entry is not None and entry.average is not None:
        text = f"bought {plain(entry.filled)} at {price(entry.average)}{said}"
        return evaluation.ended(Came.OPENED, text, bracket_id=bracket.id)
    state = entry.state if entry is not None else "not sent"
    if entry is not None and entry.state is OrderState.SUBMITTING:
        # Neither bought nor refused: the row stays begun until the ledger knows.
        return evaluation.ended(Came.BEGUN, f"the entry is sent and not answered yet{said}", bracket_id=bracket.id)
    known = entry is None or entry.state in {OrderState.REJECTED, OrderState.LOST, OrderState.CANCELED}
    why = f": {entry.reason}" if entry is not None and entry.reason else ""
    if known:
        return evaluation.ended(Came.REFUSED, f"the entry is {state}{why}{said}", Gate.ORDER, bracket.id)
    return evaluation.ended(Came.OPENED, f"the entry is {state}, its fill is not seen yet{said}", bracket_id=bracket.id)


async def _ask(
    desk: Desk, evaluation: Evaluation, config: TradingConfig, keeper: DayKeeper, seen: Closes
) -> Passed | Stopped:
    if keeper.blind:
        await keeper.look()
    limits, day, profit = gate_limits(desk, config), keeper.day, config.profit
    is_reached = day is not None and goal_reached(keeper.result, day.equity, profit)
    if is_reached and profit.at_goal == "tighten":
        limits = replace(limits, risk_pct=percent_of(limits.risk_pct, HALF))
    rests = is_reached and profit.at_goal == "rest"
    goal = f"the day's goal of {plain(profit.daily_goal_pct)}% is reached; Zyn rests until tomorrow" if rests else ""
    # A day whose losses nobody can count could not be ended by them either.
    standing = standing_of(desk, evaluation, config, kill=desk.killed() or keeper.blind, goal=goal)
    stopped = stands(standing, limits)
    if stopped is not None:
        return stopped
    return pass_gates(await situation_of(desk, standing, evaluation, config, seen), limits)


def gate_limits(desk: Desk, config: TradingConfig) -> GateLimits:
    """The numbers in force: the strategy's, and the desk's own where they are tighter."""
    risk, limits, own = config.risk, config.limits, desk.settings.limits
    return GateLimits(
        risk_pct=min(risk.risk_pct, own.risk_pct_max),
        total_risk_pct=min(risk.total_risk_pct, own.total_risk_pct_max),
        exposure_pct=min(risk.exposure_pct, own.exposure_pct_max),
        position_pct=risk.position_pct,
        least_pct=risk.least_pct,
        max_order_quote=own.max_order_quote,
        # With real money a target that does not even bring its fees is not worth its stop, whatever the profile says.
        reward_to_fees_min=max(risk.reward_to_fees_min, ONE) if desk.mode is Mode.LIVE else risk.reward_to_fees_min,
        trades_per_symbol=limits.trades_per_symbol,
        trades_per_day=limits.trades_per_day,
        cooldown_losses=limits.cooldown_losses,
        cooldown=timedelta(minutes=limits.cooldown_minutes),
        correlation_max=risk.correlation_max,
        correlated_positions=risk.correlated_positions,
        candle_age_max_s=config.timeframe_s / 2,
    )


def standing_of(desk: Desk, evaluation: Evaluation, config: TradingConfig, *, kill: str, goal: str) -> Standing:
    """What the gates ask about before market and account are read."""
    symbol, now = evaluation.symbol, desk.clock()
    begun = desk.ledger.begun_since(now.replace(hour=0, minute=0, second=0, microsecond=0))
    today = [one for one in begun if one.source is Source.AUTOPILOT and (one.bought > ZERO or not _is_over(one))]
    losses, last_loss_at = losses_in_row(desk, symbol, config)
    held = own_position(desk, symbol)
    return Standing(
        symbol=symbol,
        now=now,
        candle_age_s=(now - evaluation.at).total_seconds() - evaluation.interval_s,
        state=desk.state_beside_the_kill_switch,
        state_because=desk.broken_because or "; ".join(reasons(desk)),
        kill=kill,
        trades_of_symbol=sum(1 for one in today if one.symbol == symbol),
        trades_of_all=len(today),
        goal=goal,
        losses_in_row=losses,
        last_loss_at=last_loss_at,
        position_open=held.id if held is not None else "",
    )


async def situation_of(
    desk: Desk, standing: Standing, evaluation: Evaluation, config: TradingConfig, seen: Closes
) -> Situation:
    """Everything that the gates ask about, read now. Raises ZynError where the market or the account cannot be read."""
    symbol = evaluation.symbol
    instrument = await desk.instrument(symbol)
    account = await account_of(desk, await desk.snapshot(), instrument)
    quote = await desk.fresh_quote(symbol)
    atr = atr_of(evaluation)
    return Situation(
        **{one.name: getattr(standing, one.name) for one in fields(Standing)},
        instrument=instrument,
        equity=account.equity,
        available=account.available,
        exposure=await worth_of_ours(desk, instrument.quote),
        room=percent_of(account.equity, desk.settings.limits.exposure_pct_max) - account.exposure,
        active_risk=account.active_risk,
        price=quote.ask,
        stop_distance=times(config.risk.stop_atr, atr) if atr is not None else None,
        target_distance=times(config.risk.target_atr, atr) if atr is not None else None,
        taker_pct=account.taker_pct,
        correlated=correlated(symbol, {one.symbol for one in _ours(desk)}, seen, config),
    )


def own_position(desk: Desk, symbol: str) -> Bracket | None:
    """The autopilot's own bracket of this symbol that is not over."""
    found = (one for one in desk.ledger.unfinished() if one.symbol == symbol and one.source is Source.AUTOPILOT)
    return next(found, None)


def atr_of(evaluation: Evaluation) -> Decimal | None:
    """The ATR that was decided with, in quote per base; None where it is missing or zero."""
    value = (evaluation.figures or {}).get("atr")
    return Decimal(repr(value)) if value else None


def _is_over(bracket: Bracket) -> bool:
    return bracket.state is BracketState.CLOSED


async def worth_of_ours(desk: Desk, currency: str) -> Decimal:
    """What our own positions in this currency are worth: coins of the owner's are no exposure of the autopilot's."""
    ours = [one for one in _ours(desk) if one.symbol.endswith(f"/{currency}")]
    quotes = await desk.quotes({one.symbol for one in ours})
    total = ZERO
    for one in ours:
        quote, planned = quotes.get(one.symbol), (one.stop_price or ZERO) + (one.risk_per_unit or ZERO)
        price = quote.bid if quote is not None else one.entry_average or one.limit_price or planned
        waiting = one.entry.remaining if one.entry is not None and one.entry.is_live else ZERO
        total += times(max(one.held, ZERO) + waiting, price)
    return total


def _ours(desk: Desk) -> list[Bracket]:
    """Brackets that hold coins, or whose entry may bring some at any moment."""
    found = desk.ledger.unfinished()
    return [one for one in found if one.held > ZERO or (one.entry is not None and one.entry.is_live)]


def losses_in_row(desk: Desk, symbol: str, config: TradingConfig) -> tuple[int, datetime | None]:
    """How many of the autopilot's last trades of this symbol were losses in a row, and when the last one ended."""
    now = desk.clock()
    since = now - max(LOOK_BACK, timedelta(minutes=config.limits.cooldown_minutes))
    closed = [
        one
        for one in desk.ledger.closed_between(since, now + timedelta(seconds=1))
        if one.symbol == symbol and one.source is Source.AUTOPILOT and one.result_quote is not None
    ]
    closed.sort(key=lambda one: one.closed_at or now, reverse=True)
    count = 0
    for one in closed:
        if one.result_quote is None or one.result_quote >= ZERO:
            break
        count += 1
    return count, closed[0].closed_at if count else None


def correlated(symbol: str, held: set[str], seen: Closes, config: TradingConfig) -> list[str]:
    """Symbols of open positions whose returns moved together with this one's, or of which nobody can say."""
    import numpy as np  # noqa: PLC0415 - only where a long is asked for

    mine = _returns(seen.get(symbol, ()), config.risk.correlation_rows)
    found = []
    for other in sorted(held - {symbol}):
        theirs = _returns(seen.get(other, ()), config.risk.correlation_rows)
        times_both = sorted(mine.keys() & theirs.keys())
        if len(times_both) < config.risk.correlation_rows // 2:
            found.append(other)
            continue
        pair = np.array([[mine[at], theirs[at]] for at in times_both]).T
        if np.all(pair.std(axis=1) > 0) and float(np.corrcoef(pair)[0, 1]) > config.risk.correlation_max:
            found.append(other)
    return found


def _returns(candles: Sequence[Candle], rows: int) -> dict[datetime, float]:
    """The logarithmic returns of the last candles, by their open times."""
    last = candles[-(rows + 1) :]
    pairs = ((before, now) for before, now in pairwise(last) if before.close > ZERO and now.close > ZERO)
    return {now.at: math.log(now.close / before.close) for before, now in pairs}
