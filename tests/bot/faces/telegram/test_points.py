"""What a trader on a phone must be able to rely on: one point, one test."""

import asyncio
import re
from decimal import Decimal
from typing import Any

from loguru import logger
from telegram.error import BadRequest, NetworkError, RetryAfter

from bot.faces.telegram.face import menu
from core.commands.base import registry
from tests.bot.faces.telegram.phone import ANN, JIMMY, STRANGER, Phone, phone
from tests.rig import Wiring

BUY = "Paper buy 0.04 ZEC/USD market. SL 1% below. TP 2% above. Execute."


def brackets(phone: Phone) -> int:
    return len(phone.rig.desk.ledger.unfinished())


def logged() -> list[str]:
    lines: list[str] = []
    logger.add(lambda message: lines.append(message.record["message"]), level="DEBUG")
    return lines


async def test_01_an_unauthorised_user_gets_silence_and_a_line_in_the_log() -> None:
    async with phone() as one:
        lines = logged()
        assert await one.say(BUY, STRANGER) == []
        assert any("user 666 ignored" in line for line in lines)
        assert one.inbox.in_progress("telegram") == []
        assert brackets(one) == 0


async def test_02_the_same_guard_stands_before_every_button() -> None:
    async with phone() as one:
        [question] = await one.say("flatten")
        assert await one.press(question, "Confirm", STRANGER) == []
        assert one.bot.toasts == {}, "a stranger hears nothing, not even the toast"


async def test_03_an_edited_message_never_trades_and_crashes_nothing() -> None:
    async with phone() as one:
        [told] = await one.deliver(one.message(BUY, kind="edited_message", edit_date=1))
        assert "never executed" in told.text
        assert brackets(one) == 0


async def test_04_an_update_without_a_user_is_passed_over() -> None:
    async with phone() as one:
        userless: list[dict[str, Any]] = [
            {"update_id": 1, "channel_post": one.message(BUY, chat=-5)["message"]},
            {"update_id": 2, "message": {k: v for k, v in one.message(BUY)["message"].items() if k != "from"}},
            {"update_id": 3},
            one.message(BUY, sender_chat={"id": -7, "type": "supergroup", "title": "Anonymous"}),
        ]
        assert await one.deliver(*userless) == []
        assert brackets(one) == 0
        assert len(await one.say("open")) == 1


async def test_05_the_id_helper_tells_the_number_and_nothing_else() -> None:
    async with phone(allowed=frozenset()) as one:
        [told] = await one.say(BUY)
        assert told.text == "Your Telegram id is 1."
        assert await one.say("open") == [], "once is enough"
        assert await one.say("open", ANN, chat=-5) == [], "and never in a group"
        assert brackets(one) == 0


async def test_06_the_menu_is_exactly_the_registry_and_the_readme_has_every_command() -> None:
    built = {name for name, entry in registry().items() if entry.command.declaration.built}
    assert {command.command for command in menu()} == built
    from bot.docs import commands_table  # noqa: PLC0415

    documented = set(re.findall(r"`/(\w+)`", commands_table()))
    assert documented >= built


async def test_07_a_backlog_at_the_start_trades_nothing_and_is_named_in_one_message() -> None:
    async with phone() as one:
        old = [one.message(f"buy 0.0{number} ZEC", age_s=61) for number in range(1, 4)]
        told = await one.deliver(*old, one.message("open"))
        assert [message.text.split("\n")[0] for message in told] == [
            "[EXEC-ERR] DEFERRED: 3 messages came to me too late and were not executed:",
            "Mode: PAPER.",
        ]
        assert "buy 0.02 ZEC" in told[0].text
        assert brackets(one) == 0


async def test_08_telegram_down_at_the_start_keeps_answers_until_it_is_back() -> None:
    async with phone() as one:
        one.bot.trouble.extend([NetworkError("no route")] * 3)
        assert await one.say(BUY) == []
        assert brackets(one) == 1, "trading goes on"
        one.face.post._chat(JIMMY).not_before = 0
        for _ in range(3):
            await one.face.post.flush_all()
            one.face.post._chat(JIMMY).not_before = 0
        assert [message.text.split("\n")[1][:15] for message in one.bot.messages] == ["Bought 0.04 ZEC"]


async def test_09_the_goodbye_says_what_rests_and_what_sleeps() -> None:
    async with phone() as one:
        await one.say(BUY)
        one.rig.service.tell_stop()
        await one.pump()
        goodbye = one.bot.messages[-1].text
        assert "Zyn stops" in goodbye
        assert "Resting at PaperExchangeWrapper" in goodbye
        assert "stop 0.04 ZEC/USD at 506.88 (PX-000002)" in goodbye
        assert "Asleep until Zyn is back: target 0.04 ZEC/USD at 522.24" in goodbye


async def test_10_open_with_nothing_open_says_so() -> None:
    async with phone() as one:
        [told] = await one.say("/open")
        assert told.text.startswith("Mode: PAPER.\nNo positions.\nNo open orders.")
        assert list(told.buttons) == ["↻ Refresh"]


async def test_11_an_unknown_id_or_symbol_is_answered_with_what_would_be_right() -> None:
    async with phone() as one:
        [unknown] = await one.say("cancel PX-999999")
        assert "NOT_FOUND" in unknown.text
        assert "'open' lists what waits" in unknown.text
        [coin] = await one.say("/price NOSUCHCOIN")
        assert coin.text.startswith("[EXEC-ERR] ")
        assert "SYMBOL" in coin.text


async def test_12_sixty_positions_come_in_parts_that_lack_nothing() -> None:
    async with phone(wiring=Wiring(balance=Decimal(1_000_000))) as one:
        for _ in range(60):
            await one.rig.tell("buy 0.01 ZEC sl 1% tp 2%")
        told = await one.say("open")
        assert len(told) > 1
        whole = "\n".join(message.text for message in told)
        assert whole.count("• ZEC/USD 0.01 bought at ") == 60
        assert len(set(re.findall(r"PX-\d{6}", whole))) == 60
        assert [bool(message.buttons) for message in told] == [False] * (len(told) - 1) + [True]


async def test_13_averages_of_several_fills_are_right() -> None:
    async with phone() as one:
        one.rig.hand.put_book("ZEC/USD", {"511": "5"}, {"512": "0.03", "514": "0.01"})
        [told] = await one.say("buy 0.04 ZEC sl 5% tp 9%")
        assert "Bought 0.04 ZEC (ZEC/USD) at 512.5," in told.text, "(0.03 x 512 + 0.01 x 514) / 0.04"


async def test_14_a_partial_fill_says_what_is_there_and_what_still_waits() -> None:
    async with phone() as one:
        await one.say("buy 1 ZEC limit 500 sl 5% tp 9%")
        one.rig.hand.trade("ZEC/USD", "499", "0.4")
        await one.rig.tick()
        [told] = await one.say("open")
        assert "• ZEC/USD 0.4 bought at 500" in told.text
        assert "entry ZEC/USD buy 0.6 at 500, 0.4 filled" in told.text


async def test_15_bad_numbers_get_usage_and_no_order() -> None:
    async with phone() as one:
        for text, code, usage in (
            ("buy 0,04 ZEC", "AMOUNT", "0.04"),
            ("buy -1 ZEC", "AMOUNT", ""),
            ("/buy ZEC", "AMOUNT", "0.04 ZEC, $50, 10%, or risk 1%"),
            ("buy 0 ZEC", "AMOUNT", ""),
            ("buy 0.04 ZEC sl 100%", "STOP_LOSS", "less than 100%"),
        ):
            [told] = await one.say(text)
            assert told.text.splitlines()[-1].startswith(("[EXEC-ERR] ", "Mode")), f"{text}: {told.text}"
            assert code in told.text or "AMBIGUOUS" in told.text, f"{text}: {told.text}"
            assert usage in told.text, f"{text}: {told.text}"
        assert brackets(one) == 0


async def test_16_an_empty_balance_is_shown_as_empty() -> None:
    async with phone(wiring=Wiring(balance=Decimal("0.01"))) as one:
        [told] = await one.say("balance")
        assert "USD" in told.text
        assert "Equity: 0.01 USD." in told.text


async def test_17_dust_is_shown_and_not_rounded_away() -> None:
    async with phone() as one:
        with one.rig.database.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO paper_balance (asset, total) VALUES ('ZEC', '0.00000001')")
        one.rig.paper.load()
        [told] = await one.say("bal")
        assert "0.00000001" in told.text


async def test_18_a_balance_of_three_hundred_coins_comes_whole() -> None:
    async with phone() as one:
        names = [f"C{number:03d}" for number in range(300)]
        with one.rig.database.transaction() as connection:
            for name in names:
                connection.exec_driver_sql(f"INSERT INTO paper_balance VALUES ('{name}', '123456.12345678')")
        one.rig.paper.load()
        told = await one.say("balance")
        whole = "\n".join(message.text for message in told)
        assert len(told) > 1
        assert all(name in whole for name in names)


async def test_19_an_expired_confirmation_does_nothing_and_says_so() -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        one.rig.time.pass_s(121)
        assert await one.press(question, "Confirm") == []
        assert "too old" in (one.last_toast or "")
        assert brackets(one) == 1


async def test_20_a_repeated_confirmation_counts_once() -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        press = one.press_of(question, "Confirm")
        again = one.press_of(question, "Confirm")
        same = press | {"update_id": 9000}
        [told] = await one.deliver(press, same, again)
        assert "Sold 0.04 of 0.04 ZEC" in told.text
        assert told.edited, "the answer stands where the question stood"
        assert any("counts once" in (toast or "") for toast in one.bot.toasts.values())


async def test_21_a_foreign_confirmation_is_refused_although_he_may_trade_himself() -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        assert await one.press(question, "Confirm", ANN) == []
        assert "only the one who was asked" in (one.last_toast or "")
        assert brackets(one) == 1
        assert (await one.press(question, "Confirm"))[0].text.startswith("Mode: PAPER.\nSold")


async def test_22_a_flood_is_waited_out_as_telegram_asks_and_nothing_is_sent_twice() -> None:
    async with phone() as one:
        one.bot.trouble.append(RetryAfter(17))
        assert await one.say("status") == []
        post = one.face.post._chat(JIMMY)
        assert 16 < post.not_before - asyncio.get_running_loop().time() <= 17
        await one.face.post.flush_all()
        assert one.bot.messages == [], "not before Telegram's time"
        post.not_before = 0
        await one.face.post.flush_all()
        await one.face.post.flush_all()
        assert len(one.bot.messages) == 1


async def test_23_refresh_replaces_the_list_in_its_place_and_not_modified_is_no_error() -> None:
    async with phone() as one:
        [shown] = await one.say("open")
        await one.rig.tell("buy 0.04 ZEC")
        [again] = await one.press(shown, "↻ Refresh")
        assert (again.id, again.edited) == (shown.id, True)
        assert "Positions (1):" in again.text
        assert "Close ZEC" in again.buttons
        one.bot.trouble.append(BadRequest("Message is not modified: exactly the same content"))
        assert await one.press(again, "↻ Refresh") == []
        assert one.inbox.in_progress("telegram") == []
