"""Updates, presses and refusals as values."""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from telegram import Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.faces.telegram.buttons import (
    DATA_MAX,
    ROWS_MAX,
    Levels,
    Said,
    keyboard_of,
    keyboard_of_alert,
    levels_of,
    read_press,
)
from bot.faces.telegram.incoming import Kind, Verdict, incoming_of, judge
from bot.faces.telegram.lanes import Lanes
from bot.faces.telegram.outgoing import Fate, Outgoing, fate_of, outgoing_of
from bot.faces.telegram.render import Part
from bot.grammar.parse import Grammar, Parsed
from bot.talk import Answered
from core.domain.modes import Mode
from core.ledger.store import Alert
from core.market.builtin import builtin_instruments
from core.trading.offers import open_offers
from core.trading.reply import Offer, OfferKind, Question, Reply

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GROUP = -1001
ME = "zyn_test_bot"


def update(text: str | None = "open", *, chat: int = 1, kind: str = "message", **fields: Any) -> Update:
    content: dict[str, Any] = {
        "message_id": 7, "date": int(NOW.timestamp()), "text": text,
        "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup", "title": "T"},
        "from": {"id": 1, "is_bot": False, "first_name": "F"},
    }  # fmt: skip
    whole = {"update_id": 5, kind: content | fields}
    parsed = Update.de_json(whole, None)
    assert parsed is not None
    return parsed


def test_a_message_is_who_what_where_and_when() -> None:
    found = incoming_of(update(), ME)
    assert found is not None
    assert (found.kind, found.user, found.chat, found.text) == (Kind.MESSAGE, 1, 1, "open")
    assert found.age_s(NOW + timedelta(seconds=61)) == 61


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("/open", True),
        (f"/open@{ME}", True),
        ("/open@other_bot", False),
        (f"@{ME} open", True),
        (f"@{ME.upper()} open", True),
        (f"@{ME}, open", True),
        (f"open please @{ME}", True),
        (f"open @{ME}s_brother", False),
        ("open", False),
        ("mail me@zyn_test_bottles.com", False),
        ("", False),
    ],
)
def test_in_a_group_only_what_is_said_to_us_is_heard(text: str, *, heard: bool) -> None:
    found = incoming_of(update(text, chat=GROUP), ME)
    assert found is not None
    assert judge(found, {1}) is (Verdict.HEARD if heard else Verdict.NOT_FOR_US)
    assert judge(found, {2}) is Verdict.STRANGER
    assert judge(found, set()) is Verdict.NOBODY_YET


def test_a_reply_to_us_in_a_group_is_said_to_us() -> None:
    ours = {"message_id": 1, "date": 1, "chat": {"id": GROUP, "type": "group", "title": "T"},
        "from": {"id": 9, "is_bot": True, "first_name": "Zyn", "username": ME}}  # fmt: skip
    found = incoming_of(update("open", chat=GROUP, reply_to_message=ours), ME)
    assert found is not None
    assert found.is_for_us


def test_our_name_is_no_word_of_the_order() -> None:
    found = incoming_of(update(f"@{ME} buy 0.04 ZEC", chat=GROUP), ME)
    assert found is not None
    assert found.text == "buy 0.04 ZEC"


@pytest.mark.parametrize(
    "fields",
    [
        {"sender_chat": {"id": -9, "type": "channel", "title": "C"}},
        {"from": {"id": 1, "is_bot": True, "first_name": "B"}},
    ],
    ids=["anonymous", "bot"],
)
def test_what_no_person_said_is_nobodys(fields: dict[str, Any]) -> None:
    assert incoming_of(update(**fields), ME) is None


def test_impossible_characters_are_taken_out_before_anything_is_stored() -> None:
    found = incoming_of(update("a\x00b\ud800c"), ME)
    assert found is not None
    assert found.text == "ab?c"


@pytest.mark.parametrize(
    ("data", "meant"),
    [
        ("ok:K7QPAB", Answered("K7QPAB", yes=True)),
        ("no:K7QPAB", Answered("K7QPAB", yes=False)),
        ("do:P:close ZEC/USD", Said("close ZEC/USD", Mode.PAPER, in_place=False)),
        ("re:L:open", Said("open", Mode.LIVE, in_place=True)),
        ("lv:P:protect ZEC/USD", Levels("protect ZEC/USD", Mode.PAPER)),
        ("", None),
        ("ok:", None),
        ("ok:k7qpab", None),
        ("do:X:close ZEC/USD", None),
        ("do:P:", None),
        ("rm -rf", None),
    ],
)
def test_a_press_means_one_thing_or_nothing(data: str, meant: object) -> None:
    assert read_press(data) == meant


def test_every_button_of_every_keyboard_can_be_read_fits_and_says_a_command() -> None:
    grammar = Grammar(builtin_instruments(), "USD")
    offers = open_offers("open", sorted(builtin_instruments()), ["PX-000001", "OABCDE-FGHIJ-KLMNOP"], Mode.LIVE)
    alert = Alert(1, "LIVE", "entry_filled", NOW, "text", 0, "ZEC/USD")
    keyboards = [
        keyboard_of(Reply((), offers=offers)),
        keyboard_of_alert(alert),
        levels_of("protect ZEC/USD", Mode.PAPER),
    ]
    for keyboard in keyboards:
        assert 0 < len(keyboard) <= ROWS_MAX
        for label, data in (button for row in keyboard for button in row):
            assert len(data.encode()) <= DATA_MAX
            meant = read_press(data)
            assert isinstance(meant, (Said, Levels)), label
            words = meant.words if isinstance(meant, Said) else f"{meant.words} sl 1%"
            assert isinstance(grammar.parse(words), Parsed), words


def test_a_question_has_confirm_and_cancel_and_nothing_else() -> None:
    reply = Reply(("Buy?",), question=Question("K7QPAB", NOW), offers=(Offer("x", "open", Mode.PAPER),))
    assert keyboard_of(reply) == [[("Confirm", "ok:K7QPAB"), ("Cancel", "no:K7QPAB")]]


def test_an_offer_that_does_not_fit_into_a_button_is_left_out() -> None:
    long = Offer("x", "close " + "A" * 60 + "/USD", Mode.PAPER, OfferKind.RUN)
    assert keyboard_of(Reply((), offers=(long,))) == []


def test_an_alert_of_what_is_over_offers_no_close() -> None:
    labels = [
        label for row in keyboard_of_alert(Alert(1, "PAPER", "closed", NOW, "", 0, "ZEC/USD")) for label, _ in row
    ]
    assert labels == ["Open list"]


@pytest.mark.parametrize(
    ("error", "fate", "wait_s"),
    [
        (TimedOut(), Fate.UNKNOWN, None),
        (NetworkError("refused"), Fate.WAIT, None),
        (InvalidToken(), Fate.WAIT, None),
        (Forbidden("bot was blocked by the user"), Fate.BLOCKED, None),
        (BadRequest("Chat not found"), Fate.BLOCKED, None),
        (ChatMigrated(-100), Fate.BLOCKED, None),
        (BadRequest("Message is not modified: exactly the same"), Fate.SENT, None),
        (BadRequest("Can't parse entities: unexpected end tag"), Fate.BAD_MARKUP, None),
        (BadRequest("Message to edit not found"), Fate.NO_EDIT, None),
        (BadRequest("Message can't be edited"), Fate.NO_EDIT, None),
        (BadRequest("Message is too long"), Fate.REFUSED, None),
        (Conflict("terminated by other getUpdates request"), Fate.REFUSED, None),
    ],
)
def test_each_refusal_has_its_fate(error: TelegramError, fate: Fate, wait_s: float | None) -> None:
    verdict = fate_of(error)
    assert (verdict.fate, verdict.wait_s) == (fate, wait_s)


def test_a_flood_asks_for_its_seconds() -> None:
    verdict = fate_of(RetryAfter(timedelta(seconds=17)))
    assert (verdict.fate, verdict.wait_s) == (Fate.WAIT, 17.0)


def test_an_answer_comes_back_from_the_inbox_as_it_was_put_there() -> None:
    kept = Outgoing([Part("<b>a</b>", "a"), Part("b", "b")], [[("Confirm", "ok:K7QPAB")]], edit=7, common=True)
    assert outgoing_of(kept.as_json()) == kept


async def test_a_lane_works_in_order_and_lanes_beside_each_other() -> None:
    done: list[tuple[int, str]] = []

    async def work(user: int, queue: deque[str]) -> None:
        item = queue.popleft()
        await asyncio.sleep(0)
        done.append((user, item))

    lanes: Lanes[str] = Lanes(work)
    assert lanes.is_idle(1)
    for user, item in ((1, "a"), (1, "b"), (2, "x"), (1, "c")):
        lanes.add(user, item)
    assert not lanes.is_idle(1)
    while not (lanes.is_idle(1) and lanes.is_idle(2)):
        await asyncio.sleep(0)
    assert [item for user, item in done if user == 1] == ["a", "b", "c"]
    assert done.index((2, "x")) < done.index((1, "c")), "the second user did not wait for all of the first"


async def test_what_waits_in_a_lane_when_it_is_stopped_is_not_worked_on_and_what_runs_may_end() -> None:
    done: list[str] = []

    async def work(_user: int, queue: deque[str]) -> None:
        item = queue.popleft()
        await asyncio.sleep(0.01 if item == "short" else 60)
        done.append(item)

    lanes: Lanes[str] = Lanes(work)
    lanes.add(1, "short")
    lanes.add(1, "never begun")
    lanes.add(2, "long")
    await asyncio.sleep(0)
    await lanes.stop(0.1)
    assert done == ["short"]


async def test_a_message_over_which_the_work_breaks_does_not_hold_up_the_next() -> None:
    done: list[str] = []

    async def work(_user: int, queue: deque[str]) -> None:
        item = queue.popleft()
        await asyncio.sleep(0)
        if item == "bad":
            raise RuntimeError("broke over it")
        done.append(item)

    lanes: Lanes[str] = Lanes(work)
    for item in ("bad", "good"):
        lanes.add(1, item)
    while not lanes.is_idle(1):
        await asyncio.sleep(0)
    assert done == ["good"]
