"""Figures of the bot on Telegram: one conversation, twenty of them, and what an outage leaves behind."""

import asyncio
import os
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.process import resident, start
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from core.ledger.ledger import Ledger
from storage.database import open_database
from tests.standins.openai import OpenAI
from tests.standins.telegram import Sent, Telegram

ORDER = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."
ORDERS = 300
USERS = [9000 + number for number in range(20)]
ROUNDS = 12
SETTLE_S = 5.0
ALERTS = 1000
OUTAGE_S = float(os.environ.get("ZYN_OUTAGE_S", "45"))
"""How long Telegram is away; the pauses of the bot reach their longest within a minute."""


@asynccontextmanager
async def _bot(telegram: Telegram, *users: int, **given: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """A bot that polls, and the file of its database."""
    with tempfile.TemporaryDirectory() as folder:
        process = await start(
            folder,
            TELEGRAM_API_URL=telegram.url,
            TELEGRAM_BOT_TOKEN=telegram.token,
            TELEGRAM_ALLOWED_USERS=",".join(str(user) for user in users),
            PAPER_BALANCE="100000000",
            EXPOSURE_PCT_MAX="100",
            **given,
        )
        try:
            await telegram.wait_for_poll()
            yield process, Path(folder) / "bench.db"
        finally:
            process.kill()
            await process.wait()


def _is_reply(sent: Sent) -> bool:
    return not sent.text.startswith("[PAPER]")


async def _ask(telegram: Telegram, user: int, text: str) -> float:
    begun = time.perf_counter()
    await telegram.reply_to(telegram.say(user, text), 30.0, where=_is_reply)
    return time.perf_counter() - begun


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] * 1000


async def message_to_reply() -> list[Figure]:
    """A message over the stand-in's socket, a bracketed paper order on disk, its reply back over the socket."""
    seconds = []
    async with Telegram() as telegram, _bot(telegram, 1):
        for number in range(ORDERS + 20):
            seconds.append(await _ask(telegram, 1, ORDER))
            if number % 10 == 9:
                await _ask(telegram, 1, "close ZEC")
            # A person does not write in the moment in which the answer arrives.
            await asyncio.sleep(0.01)
    warm = seconds[20:]
    return [
        Figure("message → bracketed order → reply, Telegram", statistics.median(warm) * 1000, "ms", 15, "median"),
        Figure("the same, the slowest of a hundred", _p99(warm), "ms", 60, "p99"),
    ]


async def beside_a_hanging_model() -> Figure:
    """Twenty users write at once, again and again, while the model of one of them does not answer."""
    seconds: list[float] = []
    async with (
        Telegram() as telegram,
        OpenAI() as model,
        _bot(telegram, *USERS, OPENAI_BASE_URL=model.url, OPENAI_MODEL="bench", MODEL_BUDGET_S="60"),
    ):
        await asyncio.sleep(SETTLE_S)
        model.hangs(120)
        telegram.say(USERS[0], "sing me a song of sixpence")
        await asyncio.sleep(0.2)
        for number in range(ROUNDS):
            text = ("status", "balance", "open", "price ZEC")[number % 4]
            seconds += await asyncio.gather(*(_ask(telegram, user, text) for user in USERS[1:]))
    median = statistics.median(seconds) * 1000
    return Figure(
        "20 users at once, a model hanging: the others' p99", _p99(seconds), "ms", 150, f"median {median:.0f}"
    )


async def alerts_of_an_outage() -> list[Figure]:
    """Alerts that were written while Telegram was away: all delivered, in order, at a pace that Telegram allows."""
    async with Telegram() as telegram, _bot(telegram, 1) as (_, path):
        await telegram.go_down()
        database = open_database(f"sqlite:///{path}")
        ledger = Ledger(database, Mode.PAPER)
        for number in range(ALERTS):
            text = f"ZEC/USD closed: stop hit. Result -0.24 USD (-1.02 R). Number {number:04d}."
            ledger.save((), [Event(EventKind.CLOSED, Mode.PAPER, datetime.now(UTC), text, "ZEC/USD")])
            await asyncio.sleep(OUTAGE_S / ALERTS)
        database.close()
        heard = len(telegram.sent)
        begun = time.perf_counter()
        await telegram.come_back()
        await telegram.wait_for(lambda one: f"Number {ALERTS - 1:04d}." in one.text, 180.0, after=heard)
        seconds = time.perf_counter() - begun
        told = [number for one in telegram.sent[heard:] for number in re.findall(r"Number (\d{4})\.", one.text)]
        if told != [f"{number:04d}" for number in range(ALERTS)]:
            raise RuntimeError("alerts were lost, doubled or out of order")
        messages = len(telegram.sent) - heard
        pace = _fastest_second(telegram.taken_at[heard:])
    return [
        Figure(f"{ALERTS:,} alerts of an outage of {OUTAGE_S:g} s, after it", seconds, "s", 90, f"{messages} messages"),
        Figure("messages to one chat within a second, at most", pace, "", 2),
    ]


def _fastest_second(moments: list[float]) -> int:
    return max(sum(1 for other in moments if moment <= other < moment + 1.0) for moment in moments)


async def idle_with_a_model() -> Figure:
    """Resident memory with token and model configured and the model not used yet."""
    async with Telegram() as telegram, _bot(telegram, 1, OPENAI_API_KEY="sk-bench") as (process, _):
        await _ask(telegram, 1, "status")
        await asyncio.sleep(8)
        return Figure("idle memory, model configured and unused", resident(process.pid) / 1024, "MiB", 150)
