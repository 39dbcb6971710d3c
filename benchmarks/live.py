"""Figures of LIVE on the stand-in for Kraken: from a sentence, a fill or a price to the wire; calls spent; memory."""

import asyncio
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from loguru import logger

from benchmarks.figures import Figure
from benchmarks.process import resident
from tests.e2e.kit import Bot, Home, eventually
from tests.e2e.live_kit import live_environment
from tests.live_kit import live_house
from tests.standins.kraken import KrakenStandIn, trading_market
from tests.standins.kraken_limits import Tier
from tests.standins.kraken_private import Request
from tests.standins.kraken_public import ANSWERS, Pair, PublicMarket

SAMPLES = int(os.environ.get("ZYN_LIVE_SAMPLES", "5"))
"""Each takes up to twenty seconds: Kraken counts calls, and what waits for our own budget tells nothing else."""
BUDGET_S = 9.0
"""So long the budget fills up again after a sample."""
POLL_S = 5
BRACKETS = 50
WATCHED_S = 120.0
PAIRS = 1434
"""How many pairs Kraken lists."""
PAIRS_FILE = os.environ.get("ZYN_ASSET_PAIRS", "")
"""Kraken's answer to AssetPairs, as .json.gz; without it a list of that length is made up."""
BUY = "buy 0.04 ZEC/USD market. SL 20%. TP 1%."
START, ABOVE = "510.10", "530.00"


async def figures() -> list[Figure]:
    """All of them, one after the other."""
    return [
        await command_to_wire(),
        await fill_to_sibling(),
        await price_to_target(),
        await fill_to_sibling(polling=True),
        await price_to_target(polling=True),
        *await calls_of_many_brackets(),
        await idle_with_all_markets(),
    ]


@asynccontextmanager
async def _trading(kraken: KrakenStandIn, **given: str) -> AsyncIterator[Bot]:
    """A bot on `kraken` whose LIVE desk is ready."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), live_environment(kraken, **{"BRACKET_CHECK_SECONDS": "5", **given}))
        try:
            bot = await home.bot()
            await _ready(bot)
            yield bot
        finally:
            await home.close()


async def _ready(bot: Bot) -> None:
    for _ in range(240):
        if "LIVE desk: active, Kraken" in await bot.done("status", 60):
            return
        await asyncio.sleep(0.5)
    raise RuntimeError("the LIVE desk is not ready")


class _Wire:
    """When calls arrive at the stand-in."""

    def __init__(self, kraken: KrakenStandIn) -> None:
        self._waiting: dict[str, asyncio.Future[float]] = {}
        kraken.private.on_request = self._on_request

    def next(self, endpoint: str) -> "asyncio.Future[float]":
        """When the next call of this endpoint arrives, on the monotonic clock."""
        return self._waiting.setdefault(endpoint, asyncio.get_running_loop().create_future())

    def _on_request(self, request: Request) -> None:
        waiting = self._waiting.pop(request.endpoint, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.monotonic())


async def command_to_wire() -> Figure:
    """From writing the sentence to the local socket until Kraken hears of the order."""
    seconds = []
    async with KrakenStandIn(tier=Tier.PRO) as kraken, _trading(kraken) as bot:
        wire, line = _Wire(kraken), await bot.wire()
        for _ in range(SAMPLES + 1):
            await asyncio.sleep(BUDGET_S)
            arrives, began = wire.next("AddOrder"), time.monotonic()
            await line.send(BUY)
            seconds.append(await asyncio.wait_for(arrives, 30) - began)
            await line.answer(60)
        await line.close()
    return Figure(
        f"LIVE: command in → AddOrder on the wire, median of {SAMPLES}",
        statistics.median(seconds[1:]) * 1000,
        "ms",
        20,
        f"worst {max(seconds[1:]) * 1000:.1f}, first {seconds[0] * 1000:.0f}",
    )


async def fill_to_sibling(*, polling: bool = False) -> Figure:
    """Both legs rest; the target fills, and the stop is canceled."""
    async with KrakenStandIn(tier=Tier.PRO, stop_holds=False) as kraken:
        seconds = await _rounds(kraken, polling=polling, TARGET_MODE="resting")
    return _reaction("target fills → CancelOrder of its stop", seconds, polling=polling)


async def price_to_target(*, polling: bool = False) -> Figure:
    """The stop rests and Zyn holds the target; the price reaches it, and the stop is canceled to sell."""
    async with KrakenStandIn(tier=Tier.PRO) as kraken:
        seconds = await _rounds(kraken, polling=polling, TARGET_MODE="emulated")
    return _reaction("price at the target → CancelOrder of the stop", seconds, polling=polling)


def _reaction(what: str, seconds: list[float], *, polling: bool) -> Figure:
    if polling:
        name, limit = f"LIVE, without streams, asking every {POLL_S} s: {what}", POLL_S * 1000
    else:
        name, limit = f"LIVE: {what}", 50
    detail = f"worst of {len(seconds)}, median {statistics.median(seconds) * 1000:.0f}"
    return Figure(name, max(seconds) * 1000, "ms", limit, detail)


async def _rounds(kraken: KrakenStandIn, *, polling: bool, **given: str) -> list[float]:
    """Buy, let the market rise through the target, and see how long the CancelOrder takes; again and again."""
    seconds = []
    kraken.streams.refuse_connections = polling
    every = {"BRACKET_CHECK_SECONDS": str(POLL_S)} if polling else {}
    async with _trading(kraken, **every, **given) as bot:
        wire = _Wire(kraken)
        for number in range(SAMPLES):
            kraken.account.trade("ZEC/USD", START)
            await asyncio.sleep(BUDGET_S)
            await bot.done(BUY, 60)
            # At another moment between two looks each time.
            await asyncio.sleep(BUDGET_S + POLL_S * number / SAMPLES)
            arrives, began = wire.next("CancelOrder"), time.monotonic()
            kraken.account.trade("ZEC/USD", ABOVE)
            seconds.append(await asyncio.wait_for(arrives, 60) - began)
            await eventually(lambda: not kraken.account.open_records(), "everything is sold", 60)
    return seconds


async def calls_of_many_brackets() -> list[Figure]:
    """Fifty brackets at Kraken's lowest tier while prices move: how high its counter rises, and what it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        async with KrakenStandIn(balances={"USD": Decimal(1_000_000)}) as kraken:
            await _buy_many(Path(folder), kraken)
            home = Home(Path(folder), live_environment(kraken, BRACKET_CHECK_SECONDS="5"))
            counter = kraken.private.counter
            counter.value = counter.peak = counter.refusals = 0
            asked = len(kraken.requests)
            try:
                bot = await home.bot()
                await _ready(bot)
                await _prices_move(kraken, WATCHED_S)
            finally:
                await home.close()
            spent = f"{len(kraken.requests) - asked} calls"
    title = f"LIVE, {BRACKETS} brackets, starter, {WATCHED_S:.0f} s"
    return [
        Figure(f"{title}: calls refused", counter.refusals, "calls", 0, spent),
        Figure(f"{title}: highest counter", counter.peak, "of 15", 15),
    ]


async def _buy_many(folder: Path, kraken: KrakenStandIn) -> None:
    """Buy them in this process, without any limit of calls."""
    logger.remove()
    (folder / "data").mkdir()
    kraken.account.limits = False
    async with live_house(folder / "data", kraken, kraken_tier="pro") as live:
        for number in range(BRACKETS):
            coin = ("ZEC", "ETH", "SOL", "DOGE")[number % 4]
            reply = await live.tell(f"buy $100 of {coin}/USD sl 20% tp 40%")
            if not reply.ok:
                raise RuntimeError(reply.text)
    kraken.account.limits = True
    kraken.account.counters.clear()


async def _prices_move(kraken: KrakenStandIn, seconds: float) -> None:
    ends_at, number = time.monotonic() + seconds, 0
    while time.monotonic() < ends_at:
        number += 1
        kraken.account.trade("ZEC/USD", f"{510 + number % 7}.00", "0.5")
        await asyncio.sleep(0.25)


async def idle_with_all_markets() -> Figure:
    """Resident memory with keys, streams and every pair that Kraken lists, twenty seconds after the start."""
    rows = _listed_pairs()
    async with KrakenStandIn(_market(rows)) as kraken:
        with _listing(rows):
            async with _trading(kraken) as bot:
                await asyncio.sleep(20)
                kibibytes = resident(bot.pid)
    return Figure(f"LIVE: idle memory, {len(rows):,} pairs", kibibytes / 1024, "MiB", 220)


def _listed_pairs() -> dict[str, dict[str, Any]]:
    if PAIRS_FILE:
        with gzip.open(PAIRS_FILE) as file:
            found: dict[str, dict[str, Any]] = json.load(file)["result"]
            return found
    fees = [[volume, fee / 100] for volume, fee in zip(range(0, 120_000, 10_000), range(40, 28, -1), strict=True)]
    market = PublicMarket()
    for number in range(PAIRS):
        market.add(Pair(f"C{number}USD", f"C{number}USD", f"C{number}/USD"))
    made: dict[str, dict[str, Any]] = ANSWERS["AssetPairs"](market, {})  # type: ignore[assignment]
    return {key: row | {"fees": fees, "fees_maker": fees} for key, row in made.items()}


def _market(rows: dict[str, dict[str, Any]]) -> PublicMarket:
    market = trading_market()
    names = ("altname", "wsname", "tick_size", "pair_decimals", "lot_decimals", "ordermin", "costmin", "status")
    for key, row in rows.items():
        if key not in market.pairs:
            market.add(Pair(key, **{name: row[name] for name in names}))
    return market


@contextmanager
def _listing(rows: dict[str, dict[str, Any]]) -> Iterator[None]:
    """Let the stand-in answer AssetPairs with these rows, as long as Kraken's own."""
    plain = ANSWERS["AssetPairs"]
    ANSWERS["AssetPairs"] = lambda market, query: plain(market, query) | rows
    try:
        yield
    finally:
        ANSWERS["AssetPairs"] = plain
