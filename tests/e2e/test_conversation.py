"""A day's talk with Zyn on Telegram, each statement held against the venue's books."""

import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.e2e.books import Books, disagreements, read_books
from tests.e2e.kit import Home
from tests.e2e.telegram_kit import OWNER, on_telegram, polling_bot
from tests.standins.openai import OpenAI
from tests.standins.telegram import Sent, Telegram

pytestmark = pytest.mark.e2e


@pytest.fixture
async def model() -> AsyncIterator[OpenAI]:
    async with OpenAI() as server:
        yield server


class Talker:
    """Says, presses, and holds every number and id of the answers against the books."""

    def __init__(self, home: Home, telegram: Telegram) -> None:
        self.home = home
        self.telegram = telegram
        self.turns = 0

    async def say(self, text: str, *expected: str) -> Sent:
        self.turns += 1
        sent = await self.telegram.reply_to(
            self.telegram.say(OWNER, text), where=lambda one: not one.text.startswith("[PAPER]")
        )
        return self._held(text, sent, expected)

    async def press(self, sent: Sent, label: str, *expected: str) -> Sent:
        self.turns += 1
        said = self.telegram.press(OWNER, sent, label)
        found = await self.telegram.reply_to(said, where=lambda one: not one.text.startswith("[PAPER]"))
        await self.telegram.toast(said)
        return self._held(label, found, expected)

    def _held(self, what: str, sent: Sent, expected: tuple[str, ...]) -> Sent:
        for words in expected:
            assert words in sent.text, f"{what}: {words!r} is not in {sent.text!r}"
        books = read_books(self.home.database)
        assert disagreements(books) == [], what
        if not sent.text.startswith("I am Zyn"):  # The examples of the help are no claims.
            _ids_exist(sent.text, books)
        return sent


def _ids_exist(text: str, books: Books) -> None:
    """Every order that is named is one that the venue or our ledger has."""
    known = {str(row["venue_id"]) for row in books.paper_orders} | {str(row["client_id"]) for row in books.orders}
    for name in re.findall(r"PX-\d{6}|zy[0-9a-f]{8}-\d+", text):
        assert name in known, f"{name} is in no book: {text}"


def held(home: Home, base: str) -> Decimal:
    return read_books(home.database).balances.get(base, Decimal(0))


async def test_twenty_turns_are_true_to_the_books(home: Home, model: OpenAI, telegram: Telegram) -> None:
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "stand-in"}
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    one = Talker(home, telegram)

    await one.say("/start", "I am Zyn, jimmy")
    await one.say("open", "Mode: PAPER.\nNo positions.")
    await one.say("balance", "Equity: 10,000.00 USD.")
    await one.say(
        "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute.", "Mode: PAPER.\nBought 0.04 ZEC", "Stop "
    )
    assert held(home, "ZEC") == Decimal("0.04")
    shown = await one.say("Show open positions and open orders.", "Positions (1):", "Open orders (2):", "held by Zyn")
    model.says("That is for you to decide.")
    await one.say("should I sell my ZEC?", "That is for you to decide.")
    assert held(home, "ZEC") == Decimal("0.04")
    model.says("Zcash is a coin, jimmy.")
    await one.say("what is zcash all about, old friend", "The model says (its words", "› Zcash is a coin, jimmy.")
    model.says("Bought you another 0.04 ZEC at 600!")
    await one.say("now be a good fellow and get going", "Nothing was executed", "Positions (1):")
    assert held(home, "ZEC") == Decimal("0.04")
    model.calls(("buy", {"symbol": "ETH/USD", "amount": {"value": "30", "unit": "quote"}, "order_type": "market",
        "limit_price": None, "stop_loss": None, "take_profit": None, "mode": None}))  # fmt: skip
    question = await one.say("put a little something into ether for us", "Buy 0.0", "Nothing is done yet.")
    assert held(home, "ETH") == 0
    await one.press(question, "Cancel", "nothing was done")
    assert held(home, "ETH") == 0
    await one.say("buy 0.01 ETH limit 100 sl 1% tp 2%", "Waiting to buy 0.01 ETH (ETH/USD) at 100 or better")
    both = await one.press(shown, "↻ Refresh", "Positions (1):", "entry ETH/USD buy 0.01 at 100")
    cancel = await one.press(both, next(label for label in both.buttons if label.startswith("Cancel PX")), "Cancel the")
    await one.press(cancel, "Confirm", "is canceled; nothing was bought")
    levels = await one.press(both, "Protect ZEC", "Positions (1):")
    moved = await one.press(levels, "Stop 3%", "stop ", "Nothing is done yet.")
    await one.press(moved, "Confirm", "Open orders (2):")
    await one.say("protect ZEC sl 2% tp 5%", "Open orders (2):")
    await one.say("sell half my ZEC", "Sold 0.02 of 0.04 ZEC", "0.02 ZEC/USD stays")
    assert held(home, "ZEC") == Decimal("0.02")
    await one.say("sell 5 ZEC", "NOT_OURS", "our brackets hold 0.02")
    await one.say("live buy 0.04 ZEC", "WRONG_MODE")
    flat = await one.say("flatten", "Sell 0.02 of 0.02 ZEC", "Nothing is done yet.")
    assert held(home, "ZEC") == Decimal("0.02")
    await one.press(flat, "Confirm", "Sold 0.02 of 0.02 ZEC", "Verified with the venue:", "No positions.")
    assert held(home, "ZEC") == 0
    trades = await one.say("trades", "Executed in the last 24 hours (3 orders):")
    assert len(re.findall(r"PX-\d{6}", trades.text)) == 3
    await one.say("balance", "Equity: ")
    assert one.turns >= 20
    assert "Traceback" not in bot.log.text
