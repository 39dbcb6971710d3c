"""What goes wrong around a conversation, and what the user hears of it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut

from bot.faces.telegram.intake import Intake
from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.render import render_lines
from bot.grammar.parse import NotParsed
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from core.trading.reply import Reply
from tests.bot.faces.telegram.phone import ANN, JIMMY, furnish, phone
from tests.rig import open_rig

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"


class Thinker:
    """A model that takes its time."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.latest: list[bool] = []

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        await self.let.wait()
        self.latest.append(is_wanted())
        return Reply((f"I thought about: {text}",))

    def note(self, user: str, text: str, reply: str) -> None:
        """Hears it."""


async def test_an_edit_of_an_old_message_is_not_said_to_be_late_nor_that_the_message_was_not_executed() -> None:
    async with phone() as one:
        await one.say(BUY)
        one.wall.pass_s(300)
        edited = one.message(BUY, kind="edited_message", edit_date=1, age_s=300)
        [told] = await one.deliver(edited)
        assert "An edit is never executed, and what was done about it before stands" in told.text
        assert "was not executed" not in told.text
        assert len(one.rig.desk.ledger.unfinished()) == 1


async def test_a_command_overtakes_a_model_that_is_still_thinking_and_both_are_answered() -> None:
    async with open_rig() as rig:
        model = Thinker()
        one = furnish(rig, model=model)
        one.face.take(_update(one.message("tell me a story about the two of us")))
        one.face.take(_update(one.message("tell me another one of those stories")))
        one.face.take(_update(one.message(BUY)))
        async with asyncio.timeout(5):
            while not one.bot.messages:
                await asyncio.sleep(0.01)
        assert [message.text[:28] for message in one.bot.messages] == ["Mode: PAPER.\nBought 0.04 ZEC"]
        model.let.set()
        await one.settle()
        assert [message.text for message in one.bot.messages[1:]] == [
            "I thought about: tell me a story about the two of us",
            "I thought about: tell me another one of those stories",
        ]
        assert model.latest == [False, False], "both know that he has acted since"
        await one.say("and now a third one of those stories")
        assert model.latest[-1]


async def test_what_a_model_would_have_answered_too_late_is_refused_as_late() -> None:
    async with open_rig() as rig:
        model = Thinker()
        one = furnish(rig, model=model)
        one.face.take(_update(one.message("tell me a story about the two of us")))
        one.face.take(_update(one.message("our pockets want to buy 0.04 zcash")))
        await asyncio.sleep(0.05)
        one.wall.pass_s(61)
        model.let.set()
        await one.settle()
        assert "was not executed" in one.bot.messages[-1].text


@pytest.mark.parametrize(
    "errors",
    [
        [BadRequest("BUTTON_DATA_INVALID")] * 3,
        [BadRequest("can't parse reply keyboard markup JSON object")] * 3,
        [BadRequest("TOPIC_CLOSED")] * 3,
    ],
    ids=["button", "keyboard", "topic"],
)
async def test_an_answer_that_is_refused_with_its_buttons_comes_without_them(errors: list[BadRequest]) -> None:
    async with phone() as one:
        one.bot.trouble.extend(errors)
        [told] = await one.say(BUY)
        assert told.text.startswith("Mode: PAPER.\nBought 0.04 ZEC")
        assert told.buttons == {}


async def test_an_answer_that_is_refused_in_every_form_is_at_least_named() -> None:
    async with phone() as one:
        one.bot.trouble.extend([BadRequest("something new")] * 4)
        [told] = await one.say(BUY)
        assert "could not be shown" in told.text
        assert one.inbox.in_progress("telegram") == []


async def test_who_unblocked_us_while_we_were_away_gets_his_alerts_again() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.rig.service.tell_stop()
        one.bot.trouble.append(Forbidden("blocked"))
        await one.pump()
        assert await one.pump() is None
        two = furnish(one.rig, allowed=frozenset({JIMMY}))
        two.update_id = 5000
        await two.say("status")
        assert not two.face.post.is_blocked(JIMMY)
        await two.pump()
        assert any("Zyn stops" in message.text for message in two.bot.messages)


async def test_a_refusal_whose_toast_cannot_be_delivered_comes_as_a_message() -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        one.rig.time.pass_s(121)
        one.bot.toast_trouble = TimedOut()
        [told] = await one.press(question, "Confirm")
        assert "too old" in told.text
        [unknown] = await one.press(question, "", data="of another time")
        assert "another time" in unknown.text


async def test_an_update_that_cannot_be_read_is_told_to_its_user_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_rig() as rig:
        intake = Intake()
        one = furnish(rig, intake=intake)

        def broken(*_: Any) -> bool:
            raise ValueError("nobody can read this")

        monkeypatch.setattr(one.inbox, "take", broken)
        await intake.put(_update(one.message(BUY)))
        monkeypatch.undo()
        await one.face.post.flush_all()
        assert "could not be read. It was not executed." in one.bot.messages[-1].text
        await intake.put(_update(one.message("status")))
        await one.settle()
        assert "Active mode" in one.bot.messages[-1].text


async def test_after_a_crash_a_press_is_named_in_words() -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        shown = (await one.say("open"))[0]
        for update in (one.press_of(question, "Confirm"), one.press_of(shown, "Close ZEC")):
            one.face.take(_update(update))
        for task in one.face._lanes._tasks.values():
            task.cancel()
        two = furnish(await one.rig.reopen())
        two.face._recover()
        await two.face.post.flush_all()
        text = two.bot.messages[-1].text
        assert "• Confirm (the question " in text
        assert "• the button “close ZEC/USD” was not executed." in text


async def test_a_chat_that_is_slow_delays_no_other_chats_alerts() -> None:
    async with phone() as one:
        slow = asyncio.Event()
        send = one.bot.send_message

        async def waits(chat: int, *given: Any, **named: Any) -> None:
            if chat == JIMMY:
                await slow.wait()
            await send(chat, *given, **named)

        one.bot.send_message = waits  # type: ignore[method-assign]
        running = [asyncio.ensure_future(channel()) for channel in one.face.channels()]
        one.rig.service.tell_stop()
        again = [asyncio.ensure_future(channel()) for channel in one.face.channels()]
        async with asyncio.timeout(5):
            while not any(message.chat == ANN for message in one.bot.messages):
                await asyncio.sleep(0.01)
        assert all(message.chat == ANN for message in one.bot.messages)
        slow.set()
        await asyncio.gather(*running, *again)


async def test_a_long_alert_goes_on_where_a_flood_stopped_it() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        text = "\n".join(f"{letter * 3000}" for letter in "xyz")
        one.rig.desk.ledger.save((), [Event(EventKind.CLOSED, Mode.PAPER, one.rig.time(), text)])
        one.bot.trouble.extend([None, RetryAfter(timedelta(seconds=3)), NetworkError("down")])
        for _ in range(5):
            await one.pump()
            one.face.post._chat(JIMMY).not_before = 0.0
        assert [message.text.lstrip("[PAER] ")[0] for message in one.bot.messages] == ["x", "y", "z"]


async def test_an_alert_that_comes_late_says_when_it_was() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.rig.desk.ledger.save((), [Event(EventKind.CLOSED, Mode.PAPER, one.rig.time(), "ZEC/USD closed.")])
        one.rig.time.pass_s(36_000)
        await one.pump()
        assert one.bot.messages[-1].text == "[PAPER] ZEC/USD closed. (2026-11-20 12:00:00 UTC)"


async def test_a_link_to_the_bot_is_a_start_and_shows_the_keyboard() -> None:
    async with phone() as one:
        for text in ("/start", "/start ref_abc", "/help"):
            [told] = await one.say(text)
            assert told.text.startswith("I am Zyn")
            assert told.common


async def test_the_id_is_told_again_where_the_first_time_failed() -> None:
    async with phone(allowed=frozenset()) as one:
        one.bot.trouble.append(TimedOut())
        assert await one.say("hello") == []
        assert [message.text for message in await one.say("hello")] == ["Your Telegram id is 1."]


async def test_the_diagnostic_asks_telegram_and_does_not_remember() -> None:
    async with phone() as one:
        assert (await one.face.check()).ok
        one.bot.me_trouble = InvalidToken()
        check = await one.face.check()
        assert (check.ok, check.text) == (False, "does not answer (InvalidToken)")


async def test_levels_that_are_chosen_below_a_receipt_leave_the_receipt_where_it_is() -> None:
    async with phone() as one:
        [bought] = await one.say(BUY)
        [levels] = await one.press(bought, "Protect ZEC")
        assert levels.text == bought.text
        [shown] = await one.press(levels, "Open list")
        assert not shown.edited
        assert one.bot.latest(bought.id).text == bought.text


def _update(content: dict[str, Any]) -> Update:
    update = Update.de_json(content, None)
    assert update is not None
    return update


async def test_a_message_is_not_lost_where_the_database_fails_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_rig() as rig:
        intake = Intake()
        one = furnish(rig, intake=intake)

        def locked(*_: Any) -> None:
            raise OperationalError("select", {}, Exception("database is locked"))

        update = _update(one.message(BUY))
        monkeypatch.setattr(one.face.post._chats, "of", locked)
        with pytest.raises(NetworkError):
            await intake.put(update)
        monkeypatch.undo()
        await intake.put(update)
        await one.settle()
        assert "Bought 0.04 ZEC" in one.bot.messages[-1].text


async def test_an_alert_that_was_sent_is_not_sent_again_because_its_place_could_not_be_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.rig.service.tell_stop()

        def full(*_: Any) -> None:
            raise OperationalError("insert", {}, Exception("disk is full"))

        monkeypatch.setattr(one.face.post._chats, "put", full)
        for _ in range(4):
            await one.pump()
        assert len(one.bot.messages) == 1


async def test_an_answer_that_becomes_late_between_its_parts_repeats_none() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        outgoing = Outgoing(render_lines(["x" * 3000, "y" * 3000]))
        one.face.post.add(JIMMY, "telegram:1", outgoing, one.wall())
        one.bot.trouble.extend([None, RetryAfter(timedelta(seconds=90))])
        await one.face.post.flush_all()
        one.wall.pass_s(95)
        one.face.post._chat(JIMMY).not_before = 0.0
        await one.face.post.flush_all()
        assert [message.text[0] for message in one.bot.messages] == ["x", "y"]


async def test_an_alert_of_one_endless_line_comes_whole() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.rig.desk.ledger.save((), [Event(EventKind.CLOSED, Mode.PAPER, one.rig.time(), "y" * 9000)])
        for _ in range(4):
            await one.pump()
        assert sum(message.text.count("y") for message in one.bot.messages) == 9000


async def test_an_order_of_the_model_that_took_too_long_is_not_done_unasked() -> None:
    async with open_rig() as rig:
        model = Thinker()
        one = furnish(rig, model=model)
        one.face.take(_update(one.message("our pockets want to buy 0.04 zcash", age_s=50)))
        await asyncio.sleep(0.02)
        one.wall.pass_s(20)
        model.let.set()
        await one.settle()
        assert model.latest == [False], "older than a minute by its own date, it never trades by itself"


async def test_an_answer_in_the_inbox_that_nobody_can_read_does_not_keep_the_bot_from_starting() -> None:
    async with phone() as one:
        one.bot.trouble.append(NetworkError("down"))
        await one.say(BUY)
        with one.rig.database.transaction() as connection:
            connection.exec_driver_sql('UPDATE inbox SET reply = \'{"of": "another version"}\'')
        two = furnish(await one.rig.reopen())
        two.face._recover()
        await two.face.post.flush_all()
        assert "was begun; whether it was done, 'open' and 'trades' show" in two.bot.messages[-1].text
        assert two.inbox.in_progress("telegram") == []
