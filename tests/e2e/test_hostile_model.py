"""A model that lies, calls what it likes and confirms its own orders: no false word is delivered, nothing is traded."""

import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.e2e.books import disagreements, read_books
from tests.e2e.kit import Home
from tests.e2e.telegram_kit import OWNER, SECOND, answer, on_telegram, polling_bot, tell, texts_to
from tests.standins.openai import OpenAI
from tests.standins.telegram import Telegram

pytestmark = pytest.mark.e2e

SEED = 20261120
TURNS = 80
LIE = "777.77"
"""Stands in every lie, so that it can be looked for in what was delivered."""
LIES = (
    f"Done! I bought 0.04 ZEC at {LIE} and placed your stop.",
    f"Your order PX-000777 was filled at {LIE}.",
    f"No worries jimmy, I never slept: sold everything at {LIE}.",
    f"Position opened at {LIE}, stop is in place.",
    f"✅ 0.04 ZEC @ {LIE}",
    f"Gekauft zu {LIE}, der Stop liegt.",
    f"He comprado 0.04 ZEC a {LIE}.",
    f"You're long 0.04 ZEC from {LIE} now.",
    f"I **b o u g h t** it at {LIE}.",
    f"It\u200bs d\u200bone: b\u200bought at {LIE}.",
    f"Wе hаvе bоught 0.04 ZEC at {LIE}.",
    f"Canceled the stop, moved the target to {LIE}.",
    f"The trade went through at {LIE}.",
    f"Mode: PAPER.\nBought 0.04 ZEC (ZEC/USD) at {LIE}, order PX-000777, fee 0.08 USD.",
    f"[EXEC] mode=LIVE, ex=KrakenExchangeWrapper, outcome=filled at {LIE}",
)
WISHES = (
    "Our pockets want some zcash, about four hundredths.",
    "You choose what is good for the two of us today, mate.",
    "make me rich",
    "what would a wise man do with 40 dollars of zcash",
    "don't buy 0.04 ZEC",
    "if it rains tomorrow buy 0.04 ZEC",
    "should I sell all my ETH?",
    "I was told to buy 0.04 ZEC",
    "our pockets want to buy 2% zec with a stop of 50%",
    "our pockets want to buy 2 zec limit 4",
    "nobody should buy 0.04 zec",
    "my uncle: buy 0.04 ZEC",
)
BUY: dict[str, Any] = {
    "symbol": "ZEC/USD", "amount": {"value": "0.04", "unit": "base"}, "order_type": "market", "limit_price": None,
    "stop_loss": {"value": "1", "unit": "percent"}, "take_profit": {"value": "2", "unit": "percent"}, "mode": None,
}  # fmt: skip


@pytest.fixture
async def model() -> AsyncIterator[OpenAI]:
    async with OpenAI() as server:
        yield server


def _percent(value: str) -> dict[str, str]:
    return {"value": value, "unit": "percent"}


def hostile(model: OpenAI, dice: random.Random, code: Callable[[], str]) -> Callable[[dict[str, Any]], None]:
    """What the model does next: lies, calls twice, invents tools and ids, answers questions that were not put to it."""

    def next_act(_asked: dict[str, Any]) -> None:
        lie = dice.choice(LIES)
        acts: list[Callable[[], None]] = [
            lambda: model.says(lie),
            lambda: model.calls(("buy", BUY), ("buy", BUY), text=lie),
            lambda: model.calls(("buy", BUY | {"mode": "LIVE"}), text=lie),
            lambda: model.calls(("sell_everything_now", {}), ("buy", {"symbol": "ZEC/USD", "all": True}), text=lie),
            lambda: model.calls(("buy", BUY | {"amount": _percent("50"), "stop_loss": _percent("2")}), text=lie),
            lambda: model.calls(("buy", BUY | {"order_type": "limit", "limit_price": "2"}), text=lie),
            lambda: model.calls(("cancel", {"target": "PX-000777", "mode": None}), text=lie),
            lambda: model.calls(("flatten", {"mode": None}), text=lie),
            lambda: model.calls(("mode", {"target": "LIVE"}), text=lie),
            lambda: model.calls(("risk", {"action": "resume", "mode": None}), text=lie),
            lambda: model.calls(("confirm", {"code": code()}), text=lie),
            lambda: model.says(f"confirm {code()}"),
            lambda: model.calls(("open", {"symbol": None, "mode": None}), text=lie),
            lambda: model.calls(("buy", '{"symbol": "ZEC/USD", "amount"'), text=lie),
            lambda: model.calls(("force_trade_test", {"symbol": "ZEC/USD", "mode": None}), text=lie),
        ]
        dice.choice(acts)()

    return next_act


async def test_a_hostile_model_gets_no_false_word_delivered_and_no_order_done(
    home: Home, model: OpenAI, telegram: Telegram
) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "stand-in"}
    bot = await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)

    def code() -> str:
        data = [value for one in telegram.sent for value in one.buttons.values() if value.startswith("ok:")]
        return data[-1].partition(":")[2] if data else "AAAAAA"

    model.improvise = hostile(model, dice, code)
    asked = 0
    for _ in range(TURNS):
        sent = await telegram.reply_to(telegram.say(OWNER, dice.choice(WISHES)))
        asked += "Confirm" in sent.buttons
    delivered = "\n".join(texts_to(telegram, OWNER))
    assert LIE not in delivered
    books = read_books(home.database)
    assert books.brackets == []
    assert books.paper_orders == []
    assert asked > 5, "it got as far as being asked about, which is as far as it gets"
    assert int(books.settings["model_claims_dropped"]) > 5, "lies were told, noticed and counted"
    assert "Traceback" not in bot.log.text


async def test_only_the_press_of_the_one_who_was_asked_does_what_the_model_proposed(
    home: Home, model: OpenAI, telegram: Telegram
) -> None:
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "stand-in"}
    await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)
    model.calls(("buy", BUY), text=f"I bought it at {LIE}.")
    question = await telegram.reply_to(telegram.say(OWNER, WISHES[0]))
    assert question.text.startswith("Mode: PAPER.\nBuy 0.04 ZEC (ZEC/USD) at market, now about ")
    assert "At risk: " in question.text
    foreign = telegram.press(SECOND, question, "Confirm")
    assert "only the one who was asked" in await telegram.toast(foreign)
    assert read_books(home.database).brackets == []
    pressed = telegram.press(OWNER, question, "Confirm")
    again = telegram.press_again(pressed)
    done = await telegram.wait_for(lambda one: "Bought 0.04 ZEC" in one.text)
    assert (done.message_id, done.edited, done.buttons.get("Confirm")) == (question.message_id, True, None)
    await telegram.wait_until_read(again)
    assert "Positions (1):" in await answer(telegram, telegram.say(OWNER, "open"))
    assert await telegram.toast(pressed) == ""
    books = read_books(home.database)
    assert len(books.brackets) == 1
    assert disagreements(books) == []


async def test_a_named_order_is_done_and_a_setting_makes_even_that_ask(
    home: Home, model: OpenAI, telegram: Telegram
) -> None:
    home.environment |= {"OPENAI_BASE_URL": model.url, "OPENAI_MODEL": "stand-in"}
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    named = "Our pockets want to buy 0.04 zcash, stop 1% and target 2% sort of thing."
    model.calls(("buy", BUY))
    assert "Bought 0.04 ZEC" in await tell(telegram, named)
    for other in ({"amount": {"value": "0.4", "unit": "base"}}, {"symbol": "ETH/USD"}, {"mode": "LIVE"}):
        model.calls(("buy", BUY | other))
        model.says("hm")
        await tell(telegram, named)
        model.forget()
    assert len(read_books(home.database).brackets) == 1
    assert await bot.stop() == 0
    home.environment["CONFIRM_PAPER"] = "always"
    await polling_bot(home, telegram)
    model.calls(("buy", BUY))
    question = await telegram.reply_to(telegram.say(OWNER, named), where=lambda one: "Confirm" in one.buttons)
    assert "Nothing is done yet." in question.text
    assert len(read_books(home.database).brackets) == 1
