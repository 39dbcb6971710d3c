"""The bot as a process against a Telegram that refuses, loses, repeats and interrupts; and users who are not alone."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.books import age, disagreements, read_books
from tests.e2e.kit import Home, eventually
from tests.e2e.telegram_kit import (
    OWNER,
    SECOND,
    STRANGER,
    answer,
    is_alert,
    on_telegram,
    polling_bot,
    rival,
    tell,
    texts_to,
)
from tests.standins.telegram import Telegram

pytestmark = pytest.mark.e2e

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
GROUP = -1001234567890


async def test_an_answer_that_telegram_took_and_did_not_confirm_is_repeated_once(
    home: Home, telegram: Telegram
) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    telegram.lose_answers(1)
    said = telegram.say(OWNER, BUY)
    await telegram.reply_to(said)
    await eventually(lambda: sum("Bought" in one.text for one in telegram.sent) == 2, "the repetition")
    assert "Positions (1):" in await tell(telegram, "open")
    assert sum("Bought" in one.text for one in telegram.sent) == 2
    assert len(read_books(home.database).brackets) == 1


async def test_markup_that_telegram_refuses_arrives_as_plain_text(home: Home, telegram: Telegram) -> None:
    telegram.takes_markup = False
    await polling_bot(on_telegram(home, telegram), telegram)
    assert (await tell(telegram, BUY)).startswith("Mode: PAPER.\nBought 0.04 ZEC")
    assert telegram.sent[-1].html == telegram.sent[-1].text, "no tags in it"


async def test_a_second_bot_on_the_same_token_is_survived_and_told_in_the_log(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    async with rival(telegram):
        await bot.log.wait_for("Conflict", 10.0)
    assert "No positions." in await tell(telegram, "open", timeout=20.0)
    assert "Traceback" not in bot.log.text


async def test_the_same_update_delivered_five_times_is_one_order(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    said = telegram.say(OWNER, BUY)
    for _ in range(4):
        telegram.deliver_again(said)
    assert "Bought 0.04 ZEC" in await answer(telegram, said)
    assert "Positions (1):" in await tell(telegram, "open")
    assert sum("Bought" in text for text in texts_to(telegram, OWNER)) == 1


async def test_an_edit_of_an_order_trades_nothing_and_says_so(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    said = telegram.say(OWNER, "status")
    await answer(telegram, said)
    assert "An edit is never executed" in await answer(telegram, telegram.edit(said, BUY))
    assert read_books(home.database).brackets == []


async def test_in_a_group_zyn_hears_who_may_speak_and_only_when_he_is_spoken_to(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    for text in (BUY, "nice weather", "/open@another_bot", "/buy 0.04 ZEC"):
        user = STRANGER if text.startswith("/buy") else OWNER
        telegram.say(user, text, chat_id=GROUP)
    told = await answer(telegram, telegram.say(OWNER, f"@{telegram.username} {BUY}", chat_id=GROUP))
    assert "Bought 0.04 ZEC" in told
    shown = await telegram.reply_to(telegram.say(OWNER, f"/open@{telegram.username}", chat_id=GROUP))
    assert "Positions (1):" in shown.text
    pressed = telegram.press(STRANGER, shown, "Close ZEC")
    await telegram.wait_until_read(pressed)
    assert "No trades" not in await answer(telegram, telegram.say(OWNER, "/trades", chat_id=GROUP))
    assert pressed.press_id not in telegram.pressed
    assert len([one for one in telegram.sent if one.chat_id == GROUP]) == 3


async def test_a_forwarded_order_is_not_the_users_own(home: Home, telegram: Telegram) -> None:
    await polling_bot(on_telegram(home, telegram), telegram)
    origin = {"type": "hidden_user", "date": 1_700_000_000, "sender_user_name": "Somebody"}
    told = await answer(telegram, telegram.say(OWNER, BUY, forward_origin=origin))
    assert "nothing was done" in told
    assert read_books(home.database).brackets == []


async def test_pictures_and_impossible_characters_end_nothing(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    telegram.push(message={"message_id": 1, "date": int(datetime.now(UTC).timestamp()), "photo": [],
        "chat": {"id": OWNER, "type": "private", "first_name": "F"},
        "from": {"id": OWNER, "is_bot": False, "first_name": "F"}})  # fmt: skip
    await telegram.wait_for(lambda one: "only read text" in one.text)
    for text in ("buy \ud800 0.04 ZEC", "a\x00b", "\u202eCEZ 40.0 yub", "🧨" * 3000):
        assert await tell(telegram, text)
    assert "No positions." in await tell(telegram, "open")
    assert read_books(home.database).brackets == []
    assert "Traceback" not in bot.log.text


async def test_alerts_can_be_without_sound_or_off_but_not_those_of_danger(home: Home, telegram: Telegram) -> None:
    on_telegram(home, telegram).environment["ALERTS"] = "restart=silent"
    bot = await polling_bot(home, telegram)
    await bot.done(BUY)
    await bot.kill()
    await polling_bot(home, telegram)
    assert (await telegram.wait_for(lambda one: "Zyn is back" in one.text)).silent
    ran = await home.run(ALERTS="unprotected=off")
    assert ran.status == 2
    assert "unprotected cannot be off" in ran.err


async def test_an_alert_about_an_open_position_carries_the_buttons_for_it(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    await bot.done(BUY)
    assert await bot.stop() == 0
    goodbye = await telegram.wait_for(lambda one: "Zyn stops" in one.text)
    assert is_alert(goodbye)
    assert "Open list" in goodbye.buttons
    await polling_bot(home, telegram)
    pressed = telegram.press(OWNER, goodbye, "Open list")
    shown = await telegram.reply_to(pressed, where=lambda one: "Positions (1):" in one.text)
    assert {"↻ Refresh", "Close ZEC", "Protect ZEC"} == set(shown.buttons)


async def test_kill_9_at_any_moment_of_a_conversation_doubles_nothing_and_is_told(
    home: Home, telegram: Telegram
) -> None:
    dice = random.Random(4)
    print("seed 4")
    home.environment["MARKET_SPEED"] = "1"  # Deadlines pass only where time does.
    bot = await polling_bot(on_telegram(home, telegram), telegram)
    orders = 0
    for _ in range(8):
        heard = len(telegram.sent)
        said = telegram.say(OWNER, "buy 0.01 ZEC/USD sl 1% tp 2%")
        await asyncio.sleep(dice.uniform(0.0, 0.03))
        await bot.kill()
        bot = await polling_bot(home, telegram)
        await telegram.wait_until_read(said, 20.0)
        told = await telegram.wait_for(
            lambda one: any(words in one.text for words in ("Bought", "was begun", "was not executed")),
            20.0,
            after=heard,
        )
        now = len(read_books(home.database).brackets)
        assert now - orders in {0, 1}, told.text
        orders = now
    await tell(telegram, "open", timeout=20.0)
    # What the last kill left unanswered is settled once its deadline has passed.
    await eventually(lambda: disagreements(read_books(home.database)) == [], "the books agree", timeout=40.0)
    # An answer may come a kill later than its message: what was told is compared when all of it is there.
    books, answers = read_books(home.database), [one.text for one in telegram.sent if not is_alert(one)]
    # A process that dies between sending and noting that it has sent sends the same words again: one answer.
    bought = {text for text in answers if "Bought 0.01 ZEC" in text and "Positions (" not in text}
    begun = [text for text in answers if "was begun" in text]
    assert len(bought) <= len(books.brackets) <= len(bought) + len(begun)
    traded = {order["venue_id"] for order in books.orders if order["role"] == "entry"}
    assert {text.partition(", order ")[2].partition(",")[0] for text in bought} <= traded


async def test_twenty_users_are_answered_each_in_his_own_order(home: Home, telegram: Telegram) -> None:
    users = [7000 + number for number in range(20)]
    await polling_bot(on_telegram(home, telegram, *users), telegram)
    said = [telegram.say(user, text) for text in ("status", "balance", "open") for user in users]
    await asyncio.gather(*(telegram.wait_until_read(one) for one in said))
    await eventually(lambda: len(telegram.sent) >= 60, "sixty answers", 20.0)
    for user in users:
        first, second, third = texts_to(telegram, user)
        assert "Active mode" in first
        assert "Equity" in second
        assert "No positions." in third


async def test_a_press_that_comes_late_does_no_more_than_a_question_allows(home: Home, telegram: Telegram) -> None:
    bot = await polling_bot(on_telegram(home, telegram, OWNER, SECOND), telegram)
    await bot.done(BUY)
    question = await telegram.reply_to(telegram.say(OWNER, "flatten"), where=lambda one: "Confirm" in one.buttons)
    await bot.kill()
    age(home.database, timedelta(seconds=130))
    pressed = telegram.press(OWNER, question, "Confirm")
    await polling_bot(home, telegram)
    assert "too old" in await telegram.toast(pressed)
    shown = telegram.say(OWNER, "open")
    await telegram.reply_to(shown, where=lambda one: "Positions (1):" in one.text)
