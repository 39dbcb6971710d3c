"""What a chart of a symbol shows: gathered from the market, the strategy and the ledger."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from core.autopilot.telling import shown
from core.charts.values import Chart, LevelKind, LevelLine, Mark, MarkKind, Panel
from core.domain.brackets import Bracket
from core.domain.errors import Code, Denied
from core.domain.market import Candle
from core.domain.money import ZERO
from core.domain.orders import Role
from core.strategy.config import TradingConfig
from core.trading.desk import Desk

SHOWN = 144
"""Candles in a picture: half a day of five minutes."""


async def chart_of(desk: Desk, symbol: str) -> Chart:
    """The chart of the last candles. Raises Denied where there are none, MarketDownError where nobody can say."""
    config = desk.house.pilot.config
    await desk.instrument(symbol)
    history = await desk.market.candles(symbol, config.timeframe_s, config.history)
    if not history:
        raise Denied(Code.NO_PRICES, f"there are no candles of {symbol} of {config.timeframe_s // 60} minutes here")
    figures = await asyncio.to_thread(_figures, symbol, history, config)
    candles = list(history)[-SHOWN:]
    since, last = candles[0].at, candles[-1]
    lines = {
        f"SMA {config.indicators.sma_fast}": figures["sma_fast"],
        f"SMA {config.indicators.sma_slow}": figures["sma_slow"],
        "Bollinger low": figures["band_low"],
        "Bollinger high": figures["band_high"],
    }
    panels = {
        "Volume": Panel(bars=[float(one.volume) for one in candles]),
        "RSI": Panel({"RSI": figures["rsi"]}, guides=(30.0, 70.0), bounds=(0.0, 100.0)),
        "ADX": Panel({"ADX": figures["adx"]}, guides=(config.regimes.trend_adx,)),
    }
    seen = desk.house.pilot.evaluations.last(desk.mode, symbol, 1)
    said = f"{seen[0].regime}, {seen[0].decision} ({seen[0].reason})" if seen else "not evaluated yet"
    when = f"{last.ends_at:%Y-%m-%d %H:%M} UTC"
    title = f"{symbol} {config.timeframe_s // 60} min, close {shown(float(last.close))} at {when}"
    return Chart(
        symbol, config.timeframe_s, candles, lines, panels, _marks(desk, symbol, since), _levels(desk, symbol), title,
        f"{desk.mode}: {said}; ATR {shown(_number(figures['atr'][-1]))}",
    )  # fmt: skip


def _figures(symbol: str, history: Sequence[Candle], config: TradingConfig) -> dict[str, list[float]]:
    """The indicators of the candles that are shown, counted over all of the history."""
    from core.strategy.indicators import figures  # noqa: PLC0415 - pandas
    from core.strategy.panel import panel_of  # noqa: PLC0415 - numpy

    found = figures(panel_of({symbol: history}, config.timeframe_s), config.indicators)
    columns: dict[str, Any] = dict(found.as_mapping())
    return {name: [float(value) for value in values[-SHOWN:, 0]] for name, values in columns.items()}


def _number(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 - only NaN differs from itself


def _marks(desk: Desk, symbol: str, since: datetime) -> list[Mark]:
    """Every fill of this desk since then, at its own time and price."""
    found = []
    for item in desk.ledger.executed(symbol, since - timedelta(minutes=5)):
        kind = MarkKind.ENTRY if item.order.role is Role.ENTRY else _exit_kind(item.bracket)
        found += [Mark(fill.at, fill.price, kind) for fill in item.order.fills]
    return found


def _exit_kind(bracket: Bracket) -> MarkKind:
    if bracket.result_quote is None:
        return MarkKind.EXIT
    return MarkKind.EXIT_WIN if bracket.result_quote > ZERO else MarkKind.EXIT_LOSS


def _levels(desk: Desk, symbol: str) -> list[LevelLine]:
    """Stop, entry and target of each open position."""
    found = []
    for bracket in desk.positions(symbol):
        levels = (("stop", bracket.stop_price, LevelKind.STOP), ("target", bracket.target_price, LevelKind.TARGET))
        found += [LevelLine(name, price, bracket.created_at, kind) for name, price, kind in levels if price is not None]
        if bracket.entry_average is not None:
            found.append(LevelLine("entry", bracket.entry_average, bracket.created_at))
    return found
