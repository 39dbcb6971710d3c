"""A leg fires on a recorded market: the coins are gone, the other leg with them, and the alert says so once."""

import asyncio
from datetime import datetime
from decimal import Decimal
from functools import partial

import pytest

from tests.e2e.books import Books, Row, disagreements, read_books
from tests.e2e.kit import STANDS_STILL, Bot, Home, Wire, eventually
from tests.e2e.recording import flat, moving, write_closes, write_rows

pytestmark = pytest.mark.e2e

FAST = "600"
"""Ten candles of a minute in a second."""
ALERTS_WITHIN_S = 40.0
BUY = "buy 0.5 ETH/USD sl 1% tp 1%"


def replaying(home: Home, closes: list[Decimal], **more: str) -> Home:
    """The home, with a recording of these closes as its market."""
    path = write_closes(home.path / "ETHUSD_1.csv", closes)
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": FAST, **more}
    return home


def is_over(home: Home) -> bool:
    books = read_books(home.database)
    return bool(books.brackets) and not books.unfinished


async def wait_for_the_end(home: Home) -> Books:
    await eventually(lambda: is_over(home), "the bracket closes")
    return read_books(home.database)


async def alerts_until(bot: Bot, wire: Wire, words: str) -> list[str]:
    """Wait until an alert with these words has come; a machine that stood still brings others before it.

    By the clock and not by a number of questions: a hundred fit between two deliveries of the outbox.
    """
    async with asyncio.timeout(ALERTS_WITHIN_S):
        while not any(words in text for text in wire.alerts):
            await wire.send("status")
            await wire.answer()
            await bot.ask("status")
    return wire.alerts


async def order_in_a_market_that_stands_still(home: Home, text: str) -> str:
    bot = await home.bot(MARKET_SPEED=STANDS_STILL)
    told = await bot.done(text)
    assert await bot.stop() == 0
    return told


def has_bought(home: Home, least: Decimal) -> bool:
    return read_books(home.database).balances.get("ETH", Decimal(0)) >= least


def by_role(books: Books) -> dict[str, Row]:
    return {row["role"]: row for row in books.orders}


@pytest.mark.parametrize("target_mode", ["emulated", "resting"])
async def test_a_rising_market_sells_at_the_target_and_the_stop_is_gone(home: Home, target_mode: str) -> None:
    bot = await replaying(home, moving("3000", "0.05", 3000), TARGET_MODE=target_mode).bot()
    # The answer itself shows both legs: the market runs, and may be through with them before the next question.
    assert [receipt["role"] for receipt in (await bot.ask(BUY))["receipts"]] == ["entry", "stop", "target"]
    books = await wait_for_the_end(home)
    legs = by_role(books)
    assert legs["target"]["state"] == "filled"
    assert legs["stop"]["state"] == "canceled"
    target = books.brackets[0]["target_price"]
    assert legs["target"]["cost"] >= target * Decimal("0.5") * Decimal("0.999")
    assert books.brackets[0]["close_reason"] == "target"
    assert books.brackets[0]["result_quote"] > 0
    after = await bot.done("open")
    assert "No positions." in after
    assert "No open orders." in after
    assert disagreements(books) == []


@pytest.mark.parametrize("target_mode", ["emulated", "resting"])
async def test_a_falling_market_sells_at_the_stop_and_the_target_is_gone(home: Home, target_mode: str) -> None:
    bot = await replaying(home, moving("3000", "-0.05", 3000), TARGET_MODE=target_mode).bot()
    wire = await bot.wire()
    await bot.done(BUY)
    books = await wait_for_the_end(home)
    legs = by_role(books)
    assert (legs["stop"]["state"], legs["target"]["state"]) == ("filled", "canceled")
    assert legs["stop"]["cost"] <= books.brackets[0]["stop_price"] * Decimal("0.5")
    assert books.brackets[0]["close_reason"] == "stop"
    assert books.balances["ETH"] == 0
    alerts = await alerts_until(bot, wire, "closed: stop hit")
    await wire.close()
    assert [text.split(" at ")[0] for text in alerts if "Stop sold" in text] == ["[PAPER] Stop sold 0.5 ETH"]
    assert sum("closed: stop hit" in text for text in alerts) == 1
    assert "No open orders." in await bot.done("open")
    assert disagreements(books) == []


async def test_a_gap_through_the_stop_is_paid_in_full(home: Home) -> None:
    path = home.path / "ETHUSD_1.csv"
    calm, gap = ("3000", "3000", "3000", "3000"), ("2800", "2810", "2790", "2800")
    write_rows(path, [calm] * 3 + [gap] * 2000)
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": FAST}
    await order_in_a_market_that_stands_still(home, BUY)
    await home.bot()
    books = await wait_for_the_end(home)
    stop = by_role(books)["stop"]
    assert stop["trigger_price"] > Decimal(2960)
    assert Decimal(2790) <= stop["cost"] / Decimal("0.5") < Decimal(2800)
    assert disagreements(books) == []


async def test_a_waiting_limit_entry_shows_its_plan_and_is_protected_when_it_fills(home: Home) -> None:
    replaying(home, moving("3000", "-0.02", 3000))
    waiting = await order_in_a_market_that_stands_still(home, "buy 0.5 ETH/USD limit 2997 sl 5% tp 5%")
    assert "Planned when it fills: stop 2847.15 (5%), target 3146.85 (5%)." in waiting
    bot = await home.bot()
    await eventually(lambda: len(read_books(home.database).orders) == 3, "the limit fills and gets its legs")
    await eventually(lambda: disagreements(read_books(home.database)) == [], "both books agree")
    shown = await bot.done("open")
    assert "• ETH/USD 0.5 bought at 2997" in shown
    assert "• stop ETH/USD sell 0.5 at 2847.15 · resting" in shown
    assert "• target ETH/USD sell 0.5 at 3146.85 · held by Zyn" in shown
    assert any("Bought 0.5 ETH at 2997" in text for text in read_books(home.database).alert_texts())


@pytest.mark.parametrize("target_mode", ["emulated", "resting"])
async def test_an_entry_that_fills_in_parts_has_each_part_protected_at_once(home: Home, target_mode: str) -> None:
    path = write_closes(home.path / "ETHUSD_1.csv", moving("3000", "-0.02", 3000), volume="2.0")
    home.environment = {"MARKET": f"replay:{path}", "MARKET_SPEED": "300", "RISK_PCT_MAX": "50"}
    home.environment["TARGET_MODE"] = target_mode
    await order_in_a_market_that_stands_still(home, "buy 1 ETH/USD limit 2999 sl 20% tp 20%")
    await home.bot()
    for least in ("0.2", "0.6", "1"):
        await eventually(partial(has_bought, home, Decimal(least)), f"{least} of it are bought")
        await eventually(lambda: disagreements(read_books(home.database)) == [], "what is bought is covered")
    books = read_books(home.database)
    assert [fill["quantity"] for fill in books.paper_fills] == [Decimal("0.2")] * 5
    assert all(fill["price"] <= Decimal(2999) for fill in books.paper_fills)


async def test_trades_list_what_traded_and_nothing_else(home: Home) -> None:
    bot = await replaying(home, moving("3000", "0.05", 3000)).bot()
    await bot.done(BUY)
    await bot.done("buy 0.1 ETH/USD limit 2000 sl 5% tp 5%")
    await eventually(lambda: len(read_books(home.database).unfinished) == 1, "the target fires")
    for question in ("trades", "executed orders"):
        reply = await bot.ask(question)
        listed = [line for line in reply["text"].splitlines() if line.startswith("• ")]
        assert [line.split(" · ")[1] for line in listed] == ["entry", "target"]
        assert all(" · command · SL 2" in line and " · TP 3" in line for line in listed)
        datetime.strptime(listed[0][2:21], "%Y-%m-%d %H:%M:%S").astimezone()


async def test_a_recording_that_is_over_refuses_new_entries_with_the_age_of_its_price(home: Home) -> None:
    bot = await replaying(home, flat("3000", 3), MARKET_SPEED="6000").bot()
    await eventually(lambda: _market_clock(home) > datetime.fromisoformat("2024-03-01T00:10:00+00:00"), "it ends")
    refused = await bot.refused(BUY)
    assert refused["code"] == "STALE_PRICES"
    assert read_books(home.database).brackets == []


def _market_clock(home: Home) -> datetime:
    stored = read_books(home.database).settings.get("market_clock", "1970-01-01T00:00:00+00:00")
    return datetime.fromisoformat(stored)
