"""Figures of whole processes: start to first poll, idle memory, parsing from a pipe."""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from tests.standins.telegram import Telegram

ROOT = Path(__file__).parents[1]
STARTS = 5
LINES = 10_000


def _environment(folder: str, **given: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    database = f"sqlite:///{folder}/bench.db"
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "MARKET": "generated",
        "DATABASE_URL": database,
        "AUTOPILOT": "false",
        **given,
    }


async def start(folder: str, *arguments: str, **given: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments, cwd=folder, env=_environment(folder, **given),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def start_to_first_poll() -> Figure:
    """From starting the process to its first getUpdates, database created before."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(STARTS + 1):
            async with Telegram() as telegram:
                begun = time.perf_counter()
                process = await start(
                    folder,
                    TELEGRAM_API_URL=telegram.url,
                    TELEGRAM_BOT_TOKEN=telegram.token,
                    TELEGRAM_ALLOWED_USERS="1",
                )
                await telegram.wait_for_poll()
                seconds.append(time.perf_counter() - begun)
                process.kill()
                await process.wait()
    return Figure("start to first poll, MARKET=generated", statistics.median(seconds[1:]), "s", 1.5)


async def idle_memory() -> Figure:
    """Resident memory of the bot with a token, a few seconds after its start."""
    with tempfile.TemporaryDirectory() as folder:
        async with Telegram() as telegram:
            process = await start(
                folder,
                TELEGRAM_API_URL=telegram.url,
                TELEGRAM_BOT_TOKEN=telegram.token,
                TELEGRAM_ALLOWED_USERS="1",
            )
            await telegram.wait_for_poll()
            await asyncio.sleep(8)
            kibibytes = resident(process.pid)
            process.kill()
            await process.wait()
    return Figure("idle memory, MARKET=generated", kibibytes / 1024, "MiB", 120)


def resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


async def parse_lines() -> Figure:
    """`zyn parse --jsonl` over 10,000 lines, start included."""
    texts = (
        "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.",
        "should I buy ETH?",
        "open",
        "sell half my ETH",
    )
    lines = "".join(json.dumps(texts[number % len(texts)]) + "\n" for number in range(LINES))
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        process = await start(folder, "parse", "--jsonl")
        answers, _ = await process.communicate(lines.encode())
        seconds = time.perf_counter() - begun
    answered = len(answers.splitlines())
    if answered != LINES:
        raise RuntimeError(f"{answered} answers to {LINES} lines")
    return Figure(f"zyn parse --jsonl, {LINES:,} lines", seconds, "s", 5)
