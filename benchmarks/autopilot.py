"""Figures of the autopilot: a hundred symbols in one look, indicators over five years, the loop's lag, memory."""

import asyncio
import math
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
from loguru import logger

from benchmarks import process
from benchmarks.figures import Figure
from core.domain.instruments import Instrument
from core.domain.market import Candle
from core.market.builtin import builtin_instruments
from core.strategy.config import Indicators, TradingConfig, Universe
from core.strategy.indicators import figures as indicators
from core.strategy.panel import Panel
from tests.rig import Rig, Wiring, open_rig

SYMBOLS, ROUNDS, ROWS = 100, 5, 525_600
BLINK_S = 0.001


def five_years() -> Figure:
    """Indicators over 525,600 candles of one symbol."""
    steps = np.random.default_rng(7).normal(0, 1, ROWS).cumsum().reshape(-1, 1)
    close = 1000 + steps - steps.min()
    spread = np.abs(np.random.default_rng(8).normal(0, 1, (ROWS, 1)))
    times = np.arange(ROWS, dtype=np.int64).reshape(-1, 1) * 300
    panel = Panel(("A/USD",), 300, times, close, close + spread, close - spread, close, spread * 100)
    seconds = []
    for _ in range(7):
        began = time.perf_counter()
        indicators(panel, Indicators())
        seconds.append(time.perf_counter() - began)
    return Figure(f"indicators over {ROWS:,} candles", statistics.median(seconds[1:]) * 1000, "ms", 150)


async def a_hundred_symbols() -> list[Figure]:
    """From their candles in hand to a hundred rows written, and the longest that the loop was held up meanwhile."""
    names = tuple(f"C{number:03d}/USD" for number in range(SYMBOLS))
    config = TradingConfig(universe=Universe(symbols=names))
    logger.disable("core")
    async with open_rig(Wiring(strategy=config)) as rig:
        known = builtin_instruments()
        rig.hand.known = known | {name: _named(known["ZEC/USD"], name) for name in names}
        rig.time.now = rig.time.now.replace(minute=0, second=4)
        pilot = rig.service.pilot
        pilot._offload = asyncio.to_thread  # noqa: SLF001 - as the bot has it
        pilot.choices.switch(rig.desk.mode, on=False)
        await pilot.prepare()
        for row in range(config.history):
            _candle(rig, names, row - config.history)
        seconds, lags = [], []
        for row in range(ROUNDS + 1):
            _candle(rig, names, row)
            rig.time.now += timedelta(minutes=5)
            lag = asyncio.create_task(_lags())
            began = time.perf_counter()
            count = await pilot.look()
            seconds.append(time.perf_counter() - began)
            lag.cancel()
            lags += await lag
            assert count == SYMBOLS, count
    logger.enable("core")
    lags.sort()
    return [
        Figure(f"{SYMBOLS} symbols evaluated and written down", statistics.median(seconds[1:]) * 1000, "ms", 300),
        Figure("the loop's lag meanwhile, p99", lags[int(len(lags) * 0.99)] * 1000, "ms", 20, f"{len(lags)} looks"),
    ]


def _named(one: Instrument, symbol: str) -> Instrument:
    return replace(one, symbol=symbol, venue_name=symbol.replace("/", ""))


def _candle(rig: Rig, names: tuple[str, ...], row: int) -> None:
    at = rig.time.now.replace(second=0) + timedelta(minutes=5) * (min(0, row))
    for number, name in enumerate(names):
        close = Decimal(round(1000 + 20 * math.sin(row / 9 + number), 2)).quantize(Decimal("0.01"))
        candle = Candle(name, at, 300, close, close + 1, close - 1, close, Decimal(100))
        rig.hand.history.setdefault(name, []).append(candle)


async def _lags() -> list[float]:
    """How much later than asked the loop comes back, again and again until canceled."""
    found = []
    try:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BLINK_S)
            found.append(time.perf_counter() - began - BLINK_S)
    except asyncio.CancelledError:
        return found


async def idle_with_autopilot_and_model() -> Figure:
    """Resident memory after candles were evaluated, with a model configured."""
    with tempfile.TemporaryDirectory() as folder:
        given = {"AUTOPILOT": "true", "OPENAI_API_KEY": "sk-nobody", "MARKET_SPEED": "60"}
        running = await process.start(folder, **given)
        try:
            await asyncio.sleep(25)
            return Figure(
                "idle memory, autopilot at work and a model", process.resident(running.pid) / 1024, "MiB", 300
            )
        finally:
            running.terminate()
            await running.wait()


async def figures() -> list[Figure]:
    """All of them."""
    return [five_years(), *await a_hundred_symbols(), await idle_with_autopilot_and_model()]
