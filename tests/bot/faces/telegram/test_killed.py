"""Killed between any two steps of a conversation: nothing is done twice, lost in silence, or untrue."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection
from telegram import Update
from telegram.error import NetworkError

from core.domain.money import ZERO
from storage.database import Database
from tests.bot.faces.telegram.phone import FakeBot, Phone, furnish, phone
from tests.rig import Rig

BUY = "buy 0.04 ZEC/USD sl 1% tp 2%"
STEPS_MAX = 60


class Killed(BaseException):
    """The process is gone."""


class Fate:
    """Kills at step number `at`; steps are the beginnings and ends of transactions, and what is sent."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.step = 0

    def __call__(self) -> None:
        self.step += 1
        if self.step >= self.at:
            raise Killed


def mortal(monkeypatch: pytest.MonkeyPatch, fate: Fate) -> None:
    """From now on every step may be the last one, until the test undoes it."""
    whole, send, edit = Database.transaction, FakeBot.send_message, FakeBot.edit_message_text

    @contextmanager
    def transaction(self: Database) -> Iterator[Connection]:
        fate()
        with whole(self) as connection:
            yield connection
        fate()

    async def sending(self: FakeBot, *given: Any, **named: Any) -> None:
        fate()
        await send(self, *given, **named)
        fate()

    async def editing(self: FakeBot, *given: Any, **named: Any) -> None:
        fate()
        await edit(self, *given, **named)
        fate()

    monkeypatch.setattr(Database, "transaction", transaction)
    monkeypatch.setattr(FakeBot, "send_message", sending)
    monkeypatch.setattr(FakeBot, "edit_message_text", editing)


async def survives(one: Phone, update: dict[str, Any], at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Deliver an update to a process that dies at step `at`. True where it had fewer steps than that."""
    fate = Fate(at)
    mortal(monkeypatch, fate)
    try:
        await one.deliver(update)
    except Killed:
        return False
    finally:
        monkeypatch.undo()
    assert fate.step > 10, "the steps were counted"
    return True


async def reborn(dead: Phone) -> tuple[Rig, Phone]:
    """The next process on the same database, with the same phone in the user's hand."""
    rig = await dead.rig.reopen()
    one = furnish(rig)
    one.bot.messages = list(dead.bot.messages)
    one.update_id = dead.update_id
    one.face._recover()
    await one.face.post.flush_all()
    return rig, one


async def a_while(rig: Rig) -> None:
    """Long enough for an order of which nobody knows whether it was sent."""
    for _ in range(5):
        rig.time.pass_s(4)
        rig.hand.price("ZEC/USD", "512")
        await rig.tick()


def heard(one: Phone, since: int) -> str:
    return "\n".join(message.text for message in one.bot.messages[since:])


@pytest.mark.parametrize("at", range(1, STEPS_MAX))
async def test_an_order_by_message(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with phone() as one:
        update = one.message(BUY)
        if await survives(one, update, at, monkeypatch):
            return
        rig, two = await reborn(one)
        # Telegram had no acknowledgement: it delivers the same update again.
        await two.deliver(update)
        await two.face.post.flush_all()
        brackets = rig.desk.ledger.unfinished()
        told = heard(two, 0)
        assert len(brackets) <= 1
        assert told, "silence"
        if "Bought" in told or "(PX-000001) was" in told:
            assert len(brackets) == 1
        if "was not executed" in told:
            assert brackets == ()
        if brackets:
            assert "Bought 0.04 ZEC" in told or "was begun; whether it was done, 'open' and 'trades' show" in told
            await a_while(rig)
            left = rig.desk.ledger.unfinished()
            assert all(bracket.unprotected_since is None for bracket in left), "what was begun is protected by the next"
            if not left:
                kinds = {alert.kind for alert in rig.store.waiting_alerts()}
                assert "order_lost" in kinds, "an entry that never reached the venue is told to be lost"


@pytest.mark.parametrize("at", range(1, STEPS_MAX))
async def test_a_sale_by_button(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async with phone() as one:
        await one.say(BUY)
        [question] = await one.say("flatten")
        update = one.press_of(question, "Confirm")
        said_before = len(one.bot.messages)
        if await survives(one, update, at, monkeypatch):
            return
        rig, two = await reborn(one)
        await two.deliver(update)
        await two.face.post.flush_all()
        await a_while(rig)
        told = heard(two, said_before)
        sold = [item for item in rig.desk.ledger.executed() if item.order.side == "sell"]
        assert len(sold) <= 1, "sold twice"
        assert told or two.bot.toasts, "silence"
        if "Sold 0.04" in told:
            assert len(sold) == 1
        for bracket in rig.desk.ledger.unfinished():
            assert bracket.held == ZERO or bracket.unprotected_since is None


async def test_what_waited_in_line_was_not_executed_and_what_was_begun_may_have_been() -> None:
    async with phone() as one:
        first, second = one.message("status"), one.message(BUY)
        for update in (first, second):
            # Both are taken down, and the process dies before either is worked on.
            one.face.take(Update.de_json(update, None))
        for task in one.face._lanes._tasks.values():
            task.cancel()
        _, two = await reborn(one)
        [told] = two.bot.messages
        assert told.text.splitlines() == [
            "I was stopped before I had answered. Nothing of this will be executed now:",
            "• “status” was begun; whether it was done, 'open' and 'trades' show.",
            f"• “{BUY}” was not executed.",
        ]
        assert await two.deliver(first, second) == [], "delivered again, they are known"
        assert two.rig.desk.ledger.unfinished() == ()


async def test_an_answer_that_was_ready_is_sent_by_the_next_process_and_says_so_when_it_is_late() -> None:
    async with phone() as one:
        one.bot.trouble.extend([NetworkError("down")] * 2)
        await one.say(BUY)
        assert one.bot.messages == []
        dead = one
        rig = await dead.rig.reopen()
        two = furnish(rig)
        two.wall.pass_s(300)
        two.face._recover()
        await two.face.post.flush_all()
        texts = [message.text for message in two.bot.messages]
        assert texts[0].startswith("(This is late: it was the answer at ")
        assert texts[1].startswith("Mode: PAPER.\nBought 0.04 ZEC")
        assert two.inbox.in_progress("telegram") == []
