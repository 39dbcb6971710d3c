"""The post keeps the order, waits as it is told, and loses nothing."""

import asyncio
from datetime import timedelta

import pytest
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TimedOut

from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.post import PAUSES_S, Post
from bot.faces.telegram.render import render_lines
from bot.loudness import Loudness, Topic
from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from tests.bot.faces.telegram.phone import ANN, JIMMY, Phone, phone


def alert(one: Phone, text: str, kind: EventKind = EventKind.CLOSED, symbol: str = "") -> None:
    one.rig.desk.ledger.save((), [Event(kind, Mode.PAPER, one.rig.time(), text, symbol)])


def texts(one: Phone, chat: int = JIMMY) -> list[str]:
    return [message.text for message in one.bot.messages if message.chat == chat]


def hurry(post: Post) -> None:
    for chat in post._posts.values():
        chat.not_before = 0.0


async def test_alerts_of_an_outage_come_together_and_in_order_and_once() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        for number in range(300):
            alert(one, f"{number:03d} " + "x" * 90)
        one.bot.trouble.append(NetworkError("down"))
        assert await one.pump() == 0
        sent = 0
        while await one.pump() != one.rig.store.waiting_alerts(1000)[-1].id:
            hurry(one.face.post)
            sent += 1
            assert sent < 20, "too many messages for Telegram's limits"
        lines = [line.split()[1] for text in texts(one) for line in text.splitlines()]
        assert lines == [f"{number:03d}" for number in range(300)]
        assert len(texts(one)) < 12


async def test_each_chat_has_its_own_place() -> None:
    async with phone() as one:
        alert(one, "one")
        one.bot.trouble.append(TimedOut())
        await one.pump()
        assert sorted([len(texts(one, JIMMY)), len(texts(one, ANN))]) == [0, 1]
        hurry(one.face.post)
        await one.pump()
        assert (texts(one, JIMMY), texts(one, ANN)) == (["[PAPER] one"], ["[PAPER] one"])


async def test_an_answer_goes_before_the_alerts_and_both_wait_while_telegram_asks_for_it() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        alert(one, "one")
        one.bot.trouble.append(RetryAfter(timedelta(seconds=30)))
        await one.say("status")
        await one.pump()
        assert texts(one) == []
        hurry(one.face.post)
        await one.pump()
        assert [text[:12] for text in texts(one)] == ["Mode: PAPER.", "[PAPER] one"]


async def test_the_pauses_between_tries_grow_and_end_with_the_outage() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.bot.trouble.extend([NetworkError("down")] * 7)
        await one.say("status")
        pauses = []
        post = one.face.post._chat(JIMMY)
        for _ in range(6):
            pauses.append(round(post.not_before - asyncio.get_running_loop().time()))
            hurry(one.face.post)
            await one.face.post.flush_all()
        assert pauses == [round(pause) for pause in (*PAUSES_S, PAUSES_S[-1])]
        hurry(one.face.post)
        await one.face.post.flush_all()
        assert post.failures == 0
        assert len(texts(one)) == 1


async def test_loudness_is_kept_per_topic() -> None:
    loudness = {Topic.STOP: Loudness.SILENT, Topic.PARTIAL: Loudness.OFF}
    async with phone(allowed=frozenset({JIMMY}), loudness=loudness) as one:
        alert(one, "half of it", EventKind.ENTRY_PARTIAL)
        alert(one, "stop", EventKind.STOP_FILLED)
        await one.pump()
        alert(one, "another half", EventKind.ENTRY_PARTIAL)
        assert await one.pump() == one.rig.store.waiting_alerts()[-1].id, "what is off is passed over"
        alert(one, "closed", EventKind.CLOSED)
        alert(one, "stop again", EventKind.STOP_FILLED)
        await one.pump()
        assert [(message.text, message.silent) for message in one.bot.messages] == [
            ("[PAPER] stop", True),
            ("[PAPER] closed\n[PAPER] stop again", False),
        ]


async def test_one_alert_has_its_buttons_and_several_together_have_none() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        alert(one, "protected", EventKind.PROTECTED, "ZEC/USD")
        await one.pump()
        assert list(one.bot.messages[-1].buttons) == ["Open list", "Close ZEC", "Protect ZEC"]
        alert(one, "one", EventKind.PROTECTED, "ZEC/USD")
        alert(one, "two", EventKind.PROTECTED, "ZEC/USD")
        await one.pump()
        assert one.bot.messages[-1].buttons == {}


@pytest.mark.parametrize("error", [BadRequest("Message to edit not found"), BadRequest("Message can't be edited")])
async def test_what_cannot_be_replaced_is_sent_anew(error: BadRequest) -> None:
    async with phone() as one:
        [shown] = await one.say("open")
        one.bot.trouble.append(error)
        [anew] = await one.press(shown, "↻ Refresh")
        assert (anew.edited, anew.text[:12]) == (False, "Mode: PAPER.")


async def test_a_part_that_telegram_refuses_for_good_does_not_hold_up_the_rest() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.bot.trouble.append(BadRequest("something new"))
        await one.say("status")
        assert [text[:12] for text in [message.text for message in await one.say("open")]] == ["Mode: PAPER."]
        assert one.inbox.in_progress("telegram") == []


async def test_a_blocked_chat_loses_its_answers_and_keeps_its_alerts_for_later() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.bot.trouble.append(Forbidden("blocked"))
        await one.say("status")
        alert(one, "while away")
        assert await one.pump() is None
        assert texts(one) == []
        await one.say("open")
        await one.pump()
        assert [text[:12] for text in texts(one)] == ["Mode: PAPER.", "[PAPER] whil"]


async def test_of_a_long_answer_only_what_is_missing_is_sent_again() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        outgoing = Outgoing(render_lines(["x" * 3000, "y" * 3000, "z" * 3000]), [[("Go", "re:P:open")]])
        one.face.post.add(JIMMY, "telegram:1", outgoing, one.wall())
        one.bot.trouble.extend([None, NetworkError("down")])
        await one.face.post.flush_all()
        hurry(one.face.post)
        await one.face.post.flush_all()
        assert [text[0] for text in texts(one)] == ["x", "y", "z"]
        assert [bool(message.buttons) for message in one.bot.messages] == [False, False, True]


async def test_while_an_answer_takes_long_the_user_sees_that_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.faces.telegram import face  # noqa: PLC0415

    monkeypatch.setattr(face, "TYPING_AFTER_S", 0.01)
    monkeypatch.setattr(face, "TYPING_EVERY_S", 0.01)
    async with phone() as one:
        answer = one.face._answering._talk.reply

        async def slow(*given: object, **named: object) -> object:
            await asyncio.sleep(0.1)
            return await answer(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(one.face._answering._talk, "reply", slow)
        await one.say("status")
        assert one.bot.typing.count(JIMMY) >= 2
        seen = len(one.bot.typing)
        await asyncio.sleep(0.05)
        assert len(one.bot.typing) == seen, "and no longer than that"
