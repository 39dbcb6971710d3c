"""SIGTERM, SIGKILL, a full disk: how a running bot ends, and what it makes of trouble on its way."""

import asyncio
import resource
import signal
import sqlite3

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Home, eventually
from tests.e2e.telegram_kit import on_telegram, polling_bot
from tests.standins.telegram import Telegram

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
SOON_S = 3.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: str(number.name))
async def test_a_signal_ends_the_bot_soon_with_a_line_of_what_rests(home: Home, number: signal.Signals) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    wire = await bot.wire()
    bot.process.send_signal(number)
    assert await bot.wait(SOON_S) == 0
    await wire.close()
    last = [line for line in bot.log.seen if "Zyn stops" in line]
    assert len(last) == 1
    assert "PAPER: 1 open. Resting at PaperExchangeWrapper" in last[0]
    assert "stop 0.04 ZEC/USD at " in last[0]
    assert "Asleep until Zyn is back: target 0.04 ZEC/USD at " in last[0]
    assert bot.log.seen[-1] == last[0], "nothing is done after the goodbye"
    assert not bot.socket.exists()
    assert disagreements(read_books(home.database)) == []


async def test_a_second_sigterm_changes_nothing(home: Home) -> None:
    bot = await home.bot()
    for _ in range(3):
        bot.process.send_signal(signal.SIGTERM)
    assert await bot.wait(SOON_S) == 0
    assert "Traceback" not in bot.log.text


async def test_sigterm_with_telegram_connected_ends_it_soon(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    assert await bot.stop(SOON_S) == 0
    assert "Traceback" not in bot.log.text


async def test_orders_that_are_under_way_at_sigterm_are_whole_or_not_there(home: Home) -> None:
    bot = await home.bot()
    wires = [await bot.wire() for _ in range(10)]
    for wire in wires:
        await wire.send(BUY)
    bot.process.send_signal(signal.SIGTERM)
    replies = await asyncio.gather(*(wire.answer() for wire in wires), return_exceptions=True)
    assert await bot.wait(SOON_S) == 0
    for wire in wires:
        await wire.close()
    confirmed = {reply["data"]["bracket"] for reply in replies if isinstance(reply, dict) and reply["ok"]}
    again = await home.bot()
    await eventually(lambda: disagreements(read_books(home.database)) == [], "both books agree")
    books = read_books(home.database)
    assert confirmed <= {row["id"] for row in books.brackets if row["state"] == "open"}
    assert "Traceback" not in bot.log.text
    assert await again.stop() == 0


async def test_a_disk_that_is_full_refuses_the_order_and_nothing_is_half_done(home: Home) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    _, hard = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    # Whatever the process writes now beyond its first bytes fails, as it does on a full or read-only disk.
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (1024, hard))
    refused = await bot.refused(BUY)
    assert refused["code"] == "STORAGE"
    assert "database" in refused["text"]
    shown = await bot.done("open")
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert "Positions (1):" in shown
    assert "Bought 0.04 ZEC" in await bot.done(BUY)
    await eventually(lambda: disagreements(read_books(home.database)) == [], "both books agree")
    assert len(read_books(home.database).brackets) == 2
    assert await bot.stop() == 0


async def test_a_database_that_is_locked_for_a_while_loses_nothing(home: Home) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    other = sqlite3.connect(home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wire = await bot.wire()
    await wire.send(BUY)
    await asyncio.sleep(0.5)
    other.execute("ROLLBACK")
    other.close()
    reply = await wire.answer()
    await wire.close()
    assert reply["ok"], reply["text"]
    assert disagreements(read_books(home.database)) == []
    assert len(read_books(home.database).brackets) == 2
