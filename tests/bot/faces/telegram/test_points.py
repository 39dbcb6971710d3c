"""What a trader on a phone must be able to rely on: one point, one test."""

import asyncio
import re
from decimal import Decimal
from typing import Any

import pytest
from loguru import logger
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.faces.telegram.face import Intake, menu
from bot.grammar.parse import NotParsed
from bot.logs import set_up_logs
from core.commands.base import registry
from core.domain.modes import Mode
from core.trading.reply import Reply
from tests.bot.faces.telegram.phone import ANN, JIMMY, STRANGER, Phone, furnish, phone
from tests.rig import Rig, Wiring, open_rig

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
        await one.face.pump()
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
        [coin] = await one.say("open NOSUCHCOIN")
        assert "Positions (" not in coin.text


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
        for text in ("buy 0,04 ZEC", "buy -1 ZEC", "buy 1e400 ZEC", "/buy ZEC", "buy 0 ZEC", "protect ZEC sl abc"):
            [told] = await one.say(text)
            assert "[EXEC-ERR]" in told.text or "'" in told.text, f"{text}: {told.text}"
            assert "Bought" not in told.text
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
        assert "counts once" in (one.last_toast or "")


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


async def test_24_words_that_look_like_markup_or_log_lines_stay_words(capsys: pytest.CaptureFixture[str]) -> None:
    async with phone() as one:
        nasty = "<b>buy</b> & <script>\n2026-01-01 00:00:00.000 | INFO    | [EXEC] mode=LIVE {field}"
        [told] = await one.deliver(one.message(nasty, kind="edited_message", edit_date=1))
        assert "<b>buy</b> & <script>" in told.text, "shown as typed, not swallowed as markup"
        set_up_logs("DEBUG", None, [])
        logger.warning("Telegram said {}", nasty)
        logger.remove()
        written = capsys.readouterr().err
        assert written.count("\n") == 1, "a line of the log stays one line"


async def test_25_secrets_are_masked_wherever_they_turn_up(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("DEBUG", None, ["AAsecretOfTheBot"])
    async with phone() as one:
        one.bot.trouble.append(BadRequest("https://api.telegram.org/bot1:AAsecretOfTheBot/sendMessage"))
        await one.say("status")
    logger.remove()
    assert "AAsecretOfTheBot" not in capsys.readouterr().err


async def test_26_every_message_about_a_trade_begins_with_its_mode() -> None:
    async with phone() as one:
        for text in (BUY, "open", "balance", "trades", "protect ZEC sl 3%", "cancel ZEC", "flatten", "close ZEC"):
            told = await one.say(text)
            assert told[0].text.startswith(("Mode: PAPER.", "[EXEC-ERR]")), f"{text}: {told[0].text}"
        await one.rig.tell("buy 0.1 ZEC sl 1% tp 2%")
        one.rig.hand.trade("ZEC/USD", "505")
        await one.rig.tick()
        await one.face.pump()
        lines = one.bot.messages[-1].text.splitlines()
        assert len(lines) >= 2
        assert all(line.startswith("[PAPER] ") for line in lines)


async def test_27_no_connection_of_the_database_stays_open_after_a_message_not_even_a_broken_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    wiring = Wiring(database_url=f"sqlite:///{tmp_path}/z.db")
    async with phone(wiring=wiring) as one:

        async def broken(*_: Any, **__: Any) -> Reply:
            with one.rig.database.transaction():
                raise RuntimeError("in the middle")

        await one.say(BUY)
        monkeypatch.setattr(one.face._answering._talk, "answer", broken)
        [told] = await one.say("open")
        assert "code E-" in told.text
        assert one.rig.database.engine.pool.status().endswith("Current Checked out connections: 0") or (
            one.rig.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        )


async def test_28_a_face_that_fails_never_reaches_the_trading_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    async with phone() as one:

        async def broken(*_: Any, **__: Any) -> Reply:
            raise RuntimeError("the face has a hole")

        lines = logged()
        monkeypatch.setattr(one.face._answering._talk, "answer", broken)
        [told] = await one.say("open")
        code = re.search(r"code (E-[0-9a-f]{6})", told.text)
        assert code is not None
        assert any(code[1] in line for line in lines), "the log has the rest under the same code"
        assert "hole" not in told.text
        monkeypatch.undo()
        assert not (await one.rig.tick()).troubles
        assert (await one.say("open"))[0].text.startswith("Mode: PAPER.")


class Liar:
    """A model that says and calls what it likes."""

    def __init__(self, rig: Rig, text: str) -> None:
        self.rig, self.text = rig, text

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        return Reply((self.text,))


async def test_29_a_models_words_open_no_door_for_a_stranger() -> None:
    async with open_rig() as rig:
        one = furnish(rig, model=Liar(rig, "user 666 is allowed now"))
        await one.say("what a lovely day for the two of us")
        assert await one.say("open", STRANGER) == []


async def test_30_a_models_words_are_no_confirmation() -> None:
    async with open_rig() as rig:
        one = furnish(rig)
        await one.say(BUY)
        [question] = await one.say("flatten")
        [data] = [value for label, value in question.buttons.items() if label == "Confirm"]
        code = data.partition(":")[2]
        liar = furnish(rig, model=Liar(rig, f"confirm {code}"))
        liar.update_id = 5000
        await liar.say("what a lovely day for the two of us")
        assert brackets(one) == 1


async def test_31_a_models_words_switch_no_mode() -> None:
    async with open_rig() as rig:
        one = furnish(rig, model=Liar(rig, "mode live"))
        await one.say("what a lovely day for the two of us")
        assert rig.service.active_mode is Mode.PAPER


async def test_32_a_blocked_chat_is_marked_and_holds_up_nobody_else() -> None:
    async with phone() as one:
        one.rig.service.tell_stop()
        one.bot.trouble.append(Forbidden("bot was blocked by the user"))
        await one.face.pump()
        assert one.face.post.is_blocked(JIMMY) != one.face.post.is_blocked(ANN)
        one.rig.service.tell_stop()
        await one.face.pump()
        reached = [message.chat for message in one.bot.messages]
        assert len(reached) == 2
        assert len(set(reached)) == 1
        blocked = ({JIMMY, ANN} - set(reached)).pop()
        await one.say("status", blocked)
        await one.face.pump()
        late = [message.text for message in one.bot.messages if message.chat == blocked]
        assert sum(text.count("Zyn stops") for text in late) == 2, "he gets what he missed"


async def test_33_an_update_that_cannot_be_committed_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    async with phone() as one:
        intake = Intake()
        intake.take = one.face.take
        update = Update.de_json(one.message(BUY), None)

        def full(*_: Any) -> bool:
            raise OperationalError("insert", {}, Exception("disk is full"))

        monkeypatch.setattr(one.inbox, "take", full)
        with pytest.raises(NetworkError, match="cannot be written"):
            await intake.put(update)
        monkeypatch.undo()
        await intake.put(update)
        await intake.put(update)
        await one.settle()
        assert brackets(one) == 1, "delivered again it is taken, and once"


async def test_34_an_answer_that_got_lost_is_repeated_only_because_nobody_knows_whether_it_arrived() -> None:
    async with phone() as one:
        one.bot.trouble.append(TimedOut())
        assert await one.say("status") == []
        one.face.post._chat(JIMMY).not_before = 0
        await one.face.post.flush_all()
        await one.face.post.flush_all()
        assert len(one.bot.messages) == 1


async def test_35_a_database_that_fails_silences_nobody_and_executes_nothing_that_it_did_not_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with phone() as one:

        def full(*_: Any, **__: Any) -> None:
            raise OperationalError("update", {}, Exception("disk is full"))

        monkeypatch.setattr(one.inbox, "finish", full)
        monkeypatch.setattr(one.inbox, "answered", full)
        [told] = await one.say(BUY)
        assert "Bought 0.04 ZEC" in told.text
        monkeypatch.setattr(one.inbox, "begin", full)
        first, second = await one.deliver(one.message("status"), one.message("close ZEC"))
        assert "Active mode" in first.text
        assert "was not executed" in second.text
        assert brackets(one) == 1
