"""An answer with a picture reaches Telegram as a photo, or says that it is missing; nothing waits behind it."""

import asyncio
import zlib
from datetime import timedelta
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import HTTPXRequest

from bot.faces.telegram.outgoing import Fate, Outgoing, fate_of, outgoing_of
from bot.faces.telegram.post import PICTURE_TRIES, Post
from bot.faces.telegram.presses import outgoing_reply
from bot.faces.telegram.render import CAPTION_MAX, TEXT_MAX, render, units
from core.domain.modes import Mode
from core.trading.reply import Offer, OfferKind, Picture, Reply, Row
from tests.bot.faces.telegram.phone import JIMMY, Message, Phone, phone
from tests.standins.markup import visible
from tests.standins.telegram import Refusal, Telegram

MISSING = "(The picture that belongs here could not be shown.)"


def png(width: int = 4, height: int = 3) -> bytes:
    """A real picture, black."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    header = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\0" * 3 * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PICTURE = Picture("ETHUSD-20261120-120000.png", png())


def charted(*lines: str, **fields: Any) -> Reply:
    return Reply(lines or ("ETH/USD & so on",), mode=Mode.PAPER, picture=PICTURE, **fields)


def add(one: Phone, reply: Reply, name: str = "telegram:1", *, edit: int | None = None) -> None:
    one.face.post.add(JIMMY, name, outgoing_reply(reply, edit=edit), one.wall())


async def tries(post: Post, times: int = 1) -> None:
    """As often as that after every pause."""
    for _ in range(times):
        for chat in post._posts.values():
            chat.not_before = 0.0
        await post.flush_all()


async def sent(reply: Reply, *trouble: TelegramError | None, times: int = 1) -> list[Message]:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.bot.trouble.extend(trouble)
        add(one, reply)
        await tries(one.face.post, times)
        return one.bot.messages


async def test_a_picture_comes_as_a_photo_with_its_lines_below_and_its_buttons() -> None:
    offer = Offer("Refresh", "chart ETH", Mode.PAPER, OfferKind.REFRESH)
    [message] = await sent(charted(offers=(offer,)))
    assert (message.photo, message.photo_name) == (PICTURE.png, PICTURE.name)
    assert message.text == "Mode: PAPER.\nETH/USD & so on"
    assert list(message.buttons) == ["Refresh"]


async def test_what_does_not_fit_below_the_picture_follows_as_text_with_the_buttons() -> None:
    offer = Offer("Open", "open", Mode.PAPER)
    lines = [f"{number:04d} " + "x" * 95 for number in range(60)]
    first, *rest = await sent(charted(*lines, offers=(offer,)))
    assert (first.photo, [one.photo for one in rest]) == (PICTURE.png, [b"", b""])
    assert 900 < units(first.text) <= CAPTION_MAX
    assert "\n".join(one.text for one in (first, *rest)) == "\n".join(["Mode: PAPER.", *lines])
    assert [list(one.buttons) for one in (first, *rest)] == [[], [], ["Open"]]


async def test_a_picture_without_a_word_is_still_sent() -> None:
    [message] = await sent(Reply((), picture=PICTURE))
    assert (message.photo, message.text) == (PICTURE.png, "")


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=700), max_size=12))
def test_a_caption_is_never_too_long_and_nothing_is_lost_behind_it(lines: list[str]) -> None:
    lines = [line * 3 for line in lines]
    parts = render(Reply(tuple(lines), picture=PICTURE))
    assert units(parts[0].plain) <= CAPTION_MAX
    assert all(units(visible(part.html)) <= TEXT_MAX for part in parts)
    told = "".join("".join(part.plain.split()) for part in parts)
    assert told == "".join("".join(line.split()) for line in lines)


def test_a_table_that_a_caption_cuts_is_whole_on_both_sides() -> None:
    rows = tuple(Row(f"• C{number:04d} 1", f"C{number:04d}", "1.00000000") for number in range(100))
    parts = render(Reply(rows, picture=PICTURE))
    assert len(parts) == 2
    assert all(part.html.startswith("<pre>") and part.html.endswith("</pre>") for part in parts)


@pytest.mark.parametrize("why", ["IMAGE_PROCESS_FAILED", "not enough rights to send photos to the chat"])
async def test_a_refused_photo_gives_way_to_its_text_which_says_so(why: str) -> None:
    [message] = await sent(charted("one <two>"), BadRequest(why), BadRequest(why))
    assert (message.photo, message.text) == (b"", f"Mode: PAPER.\none <two>\n{MISSING}")


async def test_a_photo_too_large_for_telegram_is_refused_and_not_waited_for() -> None:
    error = NetworkError("Request Entity Too Large (413)")
    assert fate_of(error).fate is Fate.REFUSED
    [message] = await sent(charted(), error, error)
    assert message.text.endswith(MISSING)


async def test_a_caption_whose_markup_is_refused_stands_plainly_below_the_picture() -> None:
    [message] = await sent(charted(), BadRequest("Can't parse entities"))
    assert (message.photo, message.text) == (PICTURE.png, "Mode: PAPER.\nETH/USD & so on")


async def test_a_photo_waits_as_long_as_telegram_asks_and_is_sent_once() -> None:
    errors = [RetryAfter(timedelta(seconds=3))] * (PICTURE_TRIES + 2)
    [message] = await sent(charted(), *errors, times=len(errors) + 1)
    assert message.photo == PICTURE.png


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("reset")])
async def test_a_line_that_carries_no_picture_gets_the_text_and_what_waits_behind_it(error: TelegramError) -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        one.bot.trouble.extend([error] * PICTURE_TRIES)
        add(one, charted())
        add(one, Reply(("next",)), "telegram:2")
        await tries(one.face.post, PICTURE_TRIES + 1)
        assert [message.text for message in one.bot.messages] == [f"Mode: PAPER.\nETH/USD & so on\n{MISSING}", "next"]


async def test_after_an_outage_of_everything_the_picture_still_comes() -> None:
    [message] = await sent(charted(), *[NetworkError("down")] * (PICTURE_TRIES + 1), times=PICTURE_TRIES + 2)
    assert message.photo == PICTURE.png


async def test_a_chat_that_blocked_us_gets_no_photo_and_no_text() -> None:
    assert await sent(charted(), Forbidden("bot was blocked by the user")) == []


async def test_a_picture_is_always_a_new_message() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        add(one, charted(), edit=100)
        await tries(one.face.post)
        assert [(message.edited, message.photo) for message in one.bot.messages] == [(False, PICTURE.png)]


async def test_a_late_picture_comes_after_the_word_that_it_is_late() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        add(one, charted())
        one.wall.now += timedelta(minutes=5)
        await tries(one.face.post)
        assert [bool(message.photo) for message in one.bot.messages] == [False, True]
        assert one.bot.messages[0].text.startswith("(This is late")


async def test_a_kept_answer_has_its_picture_after_a_restart_and_an_older_one_has_none() -> None:
    kept = outgoing_reply(charted())
    assert outgoing_of(kept.as_json()) == kept
    assert outgoing_of('{"parts": [["a", "a"]], "keyboard": [], "edit": null, "common": false}').picture is None
    with pytest.raises(ValueError, match=r"base64|padding|Only"):
        outgoing_of('{"parts": [], "keyboard": [], "edit": null, "common": false, "picture": {"name": "", "png": "?"}}')


async def test_a_delivered_picture_is_kept_no_longer() -> None:
    async with phone(allowed=frozenset({JIMMY})) as one:
        await one.say("status")
        with one.rig.database.transaction() as connection:
            found = connection.exec_driver_sql("SELECT state, reply FROM inbox").all()
        assert [tuple(row) for row in found] == [("answered", None)]


async def through_the_library(telegram: Telegram, reply: Reply) -> Outgoing:
    """Send with the real library to the stand-in, as the post does."""
    outgoing = outgoing_reply(reply)
    async with phone(allowed=frozenset({JIMMY})) as one:
        bot = Bot(telegram.token, base_url=f"{telegram.url}/bot", request=HTTPXRequest())
        async with bot:
            one.face.post._bot = bot
            one.face.post.add(JIMMY, "telegram:1", outgoing, one.wall())
            async with asyncio.timeout(20):
                assert await one.face.post.flush(JIMMY)
    return outgoing


async def test_the_library_uploads_the_picture_as_it_is() -> None:
    async with Telegram() as telegram:
        await through_the_library(telegram, charted("17", "x" * 1020))
        first, second = telegram.sent
        assert first.photo is not None
        assert (first.photo.content, first.photo.name) == (PICTURE.png, PICTURE.name)
        assert (first.text, second.text, second.photo) == ("Mode: PAPER.\n17", "x" * 1020, None)


async def test_a_photo_that_the_api_refuses_comes_as_text() -> None:
    async with Telegram() as telegram:
        telegram.photo_trouble = Refusal(400, "Bad Request: CHAT_SEND_PHOTOS_FORBIDDEN")
        await through_the_library(telegram, charted())
        assert [(one.photo, one.text) for one in telegram.sent] == [(None, f"Mode: PAPER.\nETH/USD & so on\n{MISSING}")]


@pytest.mark.parametrize(
    "content", [b"GIF89a", b"", png(9000, 1001), png(50, 2)], ids=["no PNG", "empty", "huge", "a stripe"]
)
async def test_a_picture_that_telegram_cannot_show_is_told_as_text(content: bytes) -> None:
    async with Telegram() as telegram:
        await through_the_library(telegram, Reply(("words",), picture=Picture("x.png", content)))
        assert [(one.photo, one.text) for one in telegram.sent] == [(None, f"words\n{MISSING}")]
