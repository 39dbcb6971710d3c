"""What the grammar does not take goes to a model over a real socket; what happened is still said by code alone."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Bot, Home
from tests.e2e.telegram_kit import OWNER, SECOND, on_telegram, polling_bot, tell
from tests.standins.openai import OpenAI
from tests.standins.telegram import Telegram

pytestmark = pytest.mark.e2e

KEY = "sk-stand-in-key-of-nobody"
WISH = "Our pockets want some zcash, about four hundredths."
NAMED = "Our pockets want to buy 0.04 zcash, stop 1% and target 2% sort of thing."
LEVELS = {"stop_loss": {"value": "1", "unit": "percent"}, "take_profit": {"value": "2", "unit": "percent"}}
BUY = {
    "symbol": "ZEC/USD",
    "amount": {"value": "0.04", "unit": "base"},
    "order_type": "market",
    "limit_price": None,
    "mode": None,
    **LEVELS,
}


@pytest.fixture
async def model() -> AsyncIterator[OpenAI]:
    async with OpenAI() as server:
        yield server


async def bot_with(home: Home, model: OpenAI) -> Bot:
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": KEY, "OPENAI_MODEL": "stand-in"}
    return await home.bot()


async def test_a_tool_call_trades_once_and_code_writes_the_receipt(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    model.calls(("buy", BUY), text="I bought 7 ZEC for you at 1 USD!")
    reply = await bot.ask(NAMED)
    assert reply["ok"], reply["text"]
    assert reply["text"].startswith("Mode: PAPER.\nBought 0.04 ZEC (ZEC/USD) at ")
    assert "7 ZEC" not in reply["text"]
    assert [receipt["role"] for receipt in reply["receipts"]] == ["entry", "stop", "target"]
    assert len(model.asked) == 1
    assert model.keys == [f"Bearer {KEY}"]
    books = read_books(home.database)
    assert len(books.brackets) == 1
    assert disagreements(books) == []
    assert KEY not in bot.log.text + bot.out.text


async def test_prose_that_claims_a_trade_never_reaches_the_owner(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    model.says("Done! I bought 0.04 ZEC at 500 USD and placed your stop.")
    reply = await bot.ask(WISH)
    assert "bought" not in reply["text"].lower()
    assert "Nothing was executed" in reply["text"]
    assert "No positions." in reply["text"], "what is, in the place of what was claimed"
    assert read_books(home.database).brackets == []


async def test_a_question_never_becomes_a_trade_whatever_the_model_calls(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    for text in ("should I buy 0.04 ZEC/USD?", "don't buy 0.04 ZEC", "if it rains tomorrow buy 0.04 ZEC"):
        model.calls(("buy", BUY))
        model.says("I looked, and did nothing.")
        await bot.ask(text)
    assert read_books(home.database).brackets == []
    offered = {tool["function"]["name"] for asked in model.asked for tool in asked["tools"]}
    assert "price" in offered
    assert offered.isdisjoint({"buy", "sell", "close", "flatten", "cancel", "protect", "mode"})


async def test_of_two_orders_in_one_answer_only_the_first_is_done(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    model.calls(("buy", BUY), ("buy", BUY))
    await bot.ask(NAMED)
    books = read_books(home.database)
    assert len(books.brackets) == 1
    assert disagreements(books) == []


async def test_whatever_the_model_does_wrong_is_one_honest_sentence_and_no_success(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    troubles: dict[str, Callable[[], None]] = {
        "an error": model.fails,
        "a page of HTML": model.sends_html,
        "a dropped line": model.drops,
        "a rate limit": lambda: model.fails(429, "Rate limit reached"),
        "broken arguments": lambda: model.calls(("buy", '{"symbol": "ZEC/USD", "amount":')),
        "an unknown tool": lambda: model.calls(("withdraw_everything", {"to": "somebody"})),
    }
    for name, misbehave in troubles.items():
        misbehave()
        reply = await bot.ask(WISH)
        assert "The model is not answering" in reply["text"], name
        assert not reply["ok"], f"{name}: nothing was done, and the reply counts as a success"
    assert read_books(home.database).brackets == []
    assert (await bot.done("buy 0.04 ZEC/USD sl 1% tp 2%")).startswith("Mode: PAPER.")
    assert "Traceback" not in bot.log.text


async def test_on_telegram_nobody_waits_for_a_model_that_keeps_somebody_else_waiting(
    home: Home, model: OpenAI, telegram: Telegram
) -> None:
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "stand-in"}
    await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)
    assert "Bought 0.04 ZEC" in await tell(telegram, "buy 0.04 ZEC/USD sl 1% tp 2%")
    model.hangs(60)
    telegram.say(SECOND, WISH)
    assert "Sold 0.04 of 0.04 ZEC" in await tell(telegram, "close ZEC", timeout=20.0)


async def test_while_the_model_is_silent_the_rest_of_the_house_answers(home: Home, model: OpenAI) -> None:
    bot = await bot_with(home, model)
    model.hangs(60)
    wire = await bot.wire()
    await wire.send(WISH)
    assert (await bot.done("open", timeout=20.0)).startswith("Mode: PAPER.")
    assert await bot.stop(8.0) == 0
    await wire.close()
