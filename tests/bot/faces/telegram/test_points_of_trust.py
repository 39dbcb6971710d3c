"""The other points that a trader on a phone must be able to rely on: secrets, faults, models."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from loguru import logger
from sqlalchemy.exc import OperationalError
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError, TimedOut

from bot.faces.telegram.intake import Intake
from bot.grammar.parse import NotParsed
from bot.logs import set_up_logs
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
        await one.pump()
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
        monkeypatch.setattr(one.face._answering._talk, "reply", broken)
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
        monkeypatch.setattr(one.face._answering._talk, "reply", broken)
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

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        return Reply((self.text,))

    def note(self, user: str, text: str, reply: str) -> None:
        """Hears it."""


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
        await one.pump()
        assert one.face.post.is_blocked(JIMMY) != one.face.post.is_blocked(ANN)
        one.rig.service.tell_stop()
        await one.pump()
        reached = [message.chat for message in one.bot.messages]
        assert len(reached) == 2
        assert len(set(reached)) == 1
        blocked = ({JIMMY, ANN} - set(reached)).pop()
        await one.say("status", blocked)
        await one.pump()
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
