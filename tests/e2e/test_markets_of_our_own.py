"""A generated or recorded market has its books for itself, and stands still while nobody runs it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.books import age, disagreements, read_books
from tests.e2e.kit import STANDS_STILL, Home, eventually
from tests.e2e.recording import flat, moving, write_closes

pytestmark = pytest.mark.e2e

BUY = "buy 0.1 ETH/USD sl 1% tp 2%"
MONTH = timedelta(days=30)


def market_clock(home: Home) -> datetime:
    """Where the market was when it was last written down; before all time when it never was."""
    stored = read_books(home.database).settings.get("market_clock")
    return datetime.fromisoformat(stored) if stored else datetime.min.replace(tzinfo=UTC)


def recording(folder: Path) -> str:
    return f"replay:{write_closes(folder / 'ETHUSD_1.csv', flat('3000', 500))}"


async def test_a_database_belongs_to_the_market_it_was_made_with(home: Home) -> None:
    replay = recording(home.path)
    assert (await home.run("do", "balance", MARKET="generated")).status == 0
    for other in ({"MARKET": replay}, {"MARKET": "kraken"}, {"MARKET": "generated", "MARKET_SEED": "8"}):
        refused = await home.run("run", **other)
        assert refused.status != 0, other
        assert "belongs to the market 'generated:7'" in refused.err
        assert "DATABASE_URL" in refused.err
        assert "Traceback" not in refused.err
    assert (await home.run("do", "balance", MARKET="generated")).status == 0


async def test_a_database_of_a_recording_refuses_the_generated_market(home: Home) -> None:
    replay = recording(home.path)
    assert (await home.run("do", "balance", MARKET=replay)).status == 0
    refused = await home.run("run", MARKET="generated")
    assert refused.status != 0
    assert "belongs to the market 'replay:" in refused.err
    assert (await home.run("do", "balance", MARKET=replay)).status == 0


async def test_two_recordings_of_one_file_name_are_two_markets(home: Home) -> None:
    here, there = home.path / "here", home.path / "there"
    for folder in (here, there):
        folder.mkdir()
    first = write_closes(here / "ETHUSD_1.csv", flat("3000", 50))
    second = write_closes(there / "ETHUSD_1.csv", flat("9000", 50))
    assert (await home.run("do", BUY, MARKET=f"replay:{first}")).status == 0
    ran = await home.run("do", "open", MARKET=f"replay:{second}")
    assert ran.status != 0, f"the position bought at 3000 is shown in another market: {ran.out}"
    assert "belongs to the market" in ran.err


async def test_the_generated_market_goes_on_where_it_stopped(home: Home) -> None:
    bot = await home.bot()
    await bot.done(BUY)
    price = (await bot.ask("price eth"))["data"]
    assert await bot.stop() == 0
    stopped = market_clock(home)
    # As if a month of wall time had passed: the market must not know of it.
    age(home.database, MONTH)
    aged = (stopped - MONTH).isoformat()
    _set_clock(home, aged)
    again = await home.bot()
    assert await again.stop() == 0
    assert timedelta(0) <= market_clock(home) - datetime.fromisoformat(aged) < timedelta(seconds=1)
    _set_clock(home, stopped.isoformat())
    age(home.database, -MONTH)
    third = await home.bot()
    assert (await third.ask("price eth"))["data"] == price
    assert "(1)" in await third.done("open")
    assert disagreements(read_books(home.database)) == []


async def test_a_generated_market_that_runs_goes_on_from_its_own_time_after_a_kill(home: Home) -> None:
    bot = await home.bot(MARKET_SPEED="1000")
    await bot.done(BUY)
    began = datetime.now(UTC)
    await eventually(lambda: market_clock(home) > began + timedelta(minutes=20), "the market runs ahead")
    await bot.kill()
    known = market_clock(home)
    again = await home.bot(MARKET_SPEED=STANDS_STILL)
    assert await again.stop() == 0
    assert timedelta(0) <= market_clock(home) - known < timedelta(minutes=5)
    assert disagreements(read_books(home.database)) == []


async def test_no_book_knows_of_a_later_moment_than_the_clock_goes_on_from(home: Home) -> None:
    bot = await home.bot(MARKET_SPEED="3000", BRACKET_CHECK_SECONDS="300")
    await bot.done("buy 0.1 ETH/USD sl 30% tp 60%")
    for _ in range(20):
        await bot.done("price eth")
    await bot.done("close eth")
    await bot.kill()
    books = read_books(home.database)
    known = [row[name] for row in books.orders for name in ("created_at", "filled_at")]
    known += [row[name] for row in books.brackets for name in ("created_at", "closed_at")]
    latest = max(moment for moment in known if moment is not None)
    again = await home.bot()
    assert await again.stop() == 0
    assert market_clock(home) >= latest


async def test_a_recording_goes_on_at_the_candle_where_it_stopped(home: Home) -> None:
    path = write_closes(home.path / "ETHUSD_1.csv", moving("3000", "0.01", 5000))
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": "1200"}
    bot = await home.bot()
    await eventually(lambda: market_clock(home) > datetime(2024, 3, 1, 0, 5, tzinfo=UTC), "it ticks")
    assert await bot.stop() == 0
    stopped = market_clock(home)
    again = await home.bot(MARKET_SPEED=STANDS_STILL)
    shown = (await again.ask("price eth"))["data"]["last"]
    assert market_clock(home) == stopped
    minutes = int((stopped - datetime(2024, 3, 1, tzinfo=UTC)).total_seconds()) // 60
    assert Decimal(shown) == moving("3000", "0.01", minutes)[-1]


def _set_clock(home: Home, moment: str) -> None:
    with sqlite3.connect(home.database) as connection:
        connection.execute("UPDATE setting SET value = ? WHERE key = 'market_clock'", (moment,))
    connection.close()
