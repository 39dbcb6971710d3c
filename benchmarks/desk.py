"""Figures inside one process: a command, a tick over many brackets, `open` over many stored orders."""

import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from loguru import logger

from benchmarks.figures import Figure
from bot.settings import load_settings
from bot.talk import Talk
from bot.wiring import House, open_house
from core.domain.brackets import Bracket, BracketState
from core.domain.modes import Mode
from core.lifecycle.decide import Decision

ORDER = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
COMMANDS = 300
BRACKETS = 1000
STORED_BRACKETS = 33_400
"""Of three orders each: a little over 100,000 orders."""


@asynccontextmanager
async def _house(**overrides: object) -> AsyncIterator[tuple[House, Talk]]:
    logger.remove()
    with tempfile.TemporaryDirectory() as folder:
        given = {
            "market": "generated",
            "database_url": f"sqlite:///{folder}/bench.db",
            "paper_balance": 100_000_000,
            "exposure_pct_max": 100,
            "max_order_quote": 10_000_000,
            **overrides,
        }
        house = await open_house(load_settings({}, Path(folder) / "none", given))
        try:
            await house.service.start()
            yield house, Talk(house.approvals, house.grammar)
        finally:
            await house.close()


async def command_to_reply() -> Figure:
    """A sentence in, a bracketed paper order durable on disk, its reply rendered."""
    seconds = []
    async with _house() as (_, talk):
        for number in range(COMMANDS):
            begun = time.perf_counter()
            reply = await talk.answer("bench", ORDER)
            _ = reply.text
            seconds.append(time.perf_counter() - begun)
            if not reply.ok:
                raise RuntimeError(reply.text)
            if number % 10 == 9:
                await talk.answer("bench", "close ZEC")
    ordered = sorted(seconds)
    detail = f"p95 {ordered[int(len(ordered) * 0.95)] * 1000:.1f}"
    return Figure("command in → bracketed order durable, rendered", statistics.median(seconds) * 1000, "ms", 8, detail)


async def tick_over_open_brackets() -> Figure:
    """One tick over 1,000 open paper brackets of which none changes."""
    seconds = []
    async with _house() as (house, talk):
        desk = house.service.desk(Mode.PAPER)
        coins = ("ZEC", "ETH", "SOL", "LTC", "XRP", "DOGE", "ADA", "DOT", "BTC", "LINK")
        for number in range(BRACKETS):
            reply = await talk.answer("bench", f"buy $40 of {coins[number % len(coins)]} sl 20% tp 40%")
            if not reply.ok:
                raise RuntimeError(reply.text)
        for _ in range(15):
            begun = time.perf_counter()
            report = await house.service.tick(desk)
            seconds.append(time.perf_counter() - begun)
            if report.changed:
                raise RuntimeError(f"{report.changed} brackets changed in a tick that should change none")
    return Figure(f"tick over {BRACKETS:,} open brackets", statistics.median(seconds) * 1000, "ms", 100)


async def open_over_stored_orders() -> Figure:
    """How much slower `open` is over 100,000 stored orders than over a few."""
    async with _house() as (house, talk):
        await talk.answer("bench", ORDER)
        few = await _open_median(talk)
        desk = house.service.desk(Mode.PAPER)
        closed = _closed(desk.ledger.unfinished()[0])
        for start in range(0, STORED_BRACKETS, 1000):
            desk.ledger.save([_copy(closed, number) for number in range(start, start + 1000)])
        many = await _open_median(talk)
    detail = f"{few * 1000:.2f} → {many * 1000:.2f} ms"
    return Figure("`open` over 100,000 stored orders, against a few", many / few, "×", 2, detail)


async def _open_median(talk: Talk) -> float:
    seconds = []
    for _ in range(100):
        begun = time.perf_counter()
        reply = await talk.answer("bench", "open")
        _ = reply.text
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _closed(bracket: Bracket) -> Bracket:
    return replace(bracket, state=BracketState.CLOSED, closed_at=bracket.created_at, result_quote=Decimal(1))


def _copy(bracket: Bracket, number: int) -> Decision:
    """The same bracket under another name, as a decision that writes it."""
    name = f"bx{number:08d}"
    orders = tuple(
        replace(order, client_id=f"{name}-{place}", bracket_id=name, fills=(), venue_id=f"BX-{number}-{place}")
        for place, order in enumerate(bracket.orders, 1)
    )
    at = bracket.created_at - timedelta(minutes=number)
    copy = replace(bracket, id=name, orders=orders, created_at=at, closed_at=at)
    return Decision(replace(copy, orders=()), copy, (), (), ())
