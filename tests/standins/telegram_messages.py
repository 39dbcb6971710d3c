"""What passes between a bot and Telegram's stand-in: messages, refusals, and the checks that the real one makes."""

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from tests.standins.markup import MarkupError, visible

TEXT_MAX = 4096
"""UTF-16 units."""
CAPTION_MAX = 1024
PHOTO_MAX = 10 * 1024 * 1024
SIDES_MAX = 10_000
"""Pixels that the sides of a photo may have together."""
COMMANDS_MAX = 100
_COMMAND = re.compile(r"[a-z0-9_]{1,32}$")
_PNG = b"\x89PNG\r\n\x1a\n"
CALLBACK_DATA_MAX = 64

Json = dict[str, Any]


class Down(StrEnum):
    """How Telegram can be away."""

    REFUSING = "connections are refused"
    GATEWAY = "502 Bad Gateway"


class Refusal(Exception):  # noqa: N818 - what Telegram does, in its own words
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Said:
    """What a user wrote or pressed. `heard` is how many messages the bot had sent by then."""

    update_id: int
    user_id: int
    text: str
    heard: int
    chat_id: int = 0
    message_id: int = 0
    press_id: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the bot sent and Telegram took. `buttons` maps labels to their data; an edit has `edited`.

    With a `photo` the text is its caption.
    """

    message_id: int
    chat_id: int
    text: str
    html: str = ""
    buttons: Mapping[str, str] = field(default_factory=dict)
    common: tuple[str, ...] = ()
    silent: bool = False
    edited: bool = False
    photo: "Uploaded | None" = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file of a multipart request."""

    name: str
    content: bytes


@dataclass(slots=True)
class Line:
    """The queue of updates that wait for the bot."""

    updates: list[Json] = field(default_factory=list)
    next_id: int = 1000
    poll: int = 0
    """The number of the newest getUpdates; an older one that still waits is told to go."""


class LostError(Exception):
    """Taken, and the answer gets lost."""


def person(user_id: int) -> Json:
    return {"id": user_id, "is_bot": False, "first_name": f"User {user_id}"}


def chat_of(chat_id: int) -> Json:
    if chat_id < 0:
        return {"id": chat_id, "type": "supergroup", "title": f"Group {-chat_id}"}
    return {"id": chat_id, "type": "private", "first_name": f"User {chat_id}"}


def buttons_of(markup: Any) -> dict[str, str]:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    return {button["text"]: button["callback_data"] for row in rows for button in row}


def labels_of(rows: list[list[Any]]) -> tuple[str, ...]:
    return tuple(str(button["text"] if isinstance(button, dict) else button) for row in rows for button in row)


def check_text(text: str) -> None:
    if not text.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text.encode("utf-16-le")) // 2 > TEXT_MAX:
        raise Refusal(400, "Bad Request: message is too long")


def check_caption(text: str) -> None:
    if len(text.encode("utf-16-le")) // 2 > CAPTION_MAX:
        raise Refusal(400, "Bad Request: message caption is too long")


def photo_of(parameters: Json) -> Uploaded:
    """The photo of a request. Raises Refusal for what Telegram cannot show."""
    photo = parameters.get("photo")
    if not isinstance(photo, Uploaded) or not photo.content:
        raise Refusal(400, "Bad Request: there is no photo in the request")
    if len(photo.content) > PHOTO_MAX:
        raise Refusal(413, "Request Entity Too Large")
    if not photo.content.startswith(_PNG):
        raise Refusal(400, "Bad Request: IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", photo.content[16:24])
    if width + height > SIDES_MAX or max(width, height) > 20 * min(width, height):
        raise Refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    return photo


def message_of(sent: Sent, me: Json, date: int) -> Json:
    """A message as Telegram describes it to the bot that sent it."""
    message = {"message_id": sent.message_id, "date": date, "chat": chat_of(sent.chat_id), "from": me}
    if sent.photo is None:
        return message | {"text": sent.text}
    width, height = struct.unpack(">II", sent.photo.content[16:24])
    name = f"photo{sent.message_id}"
    size = {"file_id": name, "file_unique_id": name, "width": width, "height": height}
    return message | {"photo": [size], "caption": sent.text}


def check_keyboard(markup: Any) -> None:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for button in (button for row in rows for button in row):
        if len(str(button.get("callback_data", "")).encode()) > CALLBACK_DATA_MAX:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def check_commands(commands: list[Json]) -> None:
    if len(commands) > COMMANDS_MAX:
        raise Refusal(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    for one in commands:
        if not _COMMAND.match(one["command"]):
            raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        if not 1 <= len(one["description"]) <= 256:
            raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")


def refused(refusal: Refusal) -> web.Response:
    body: Json = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    return web.json_response(body, status=refusal.code)


async def parameters_of(request: web.Request) -> Json:
    """Query, form or JSON; in the first two, values that are no strings come as JSON."""
    given: Json = dict(request.query)
    if request.content_type == "application/json":
        body: Json = await request.json()
        return given | body
    for name, value in (await request.post()).items():
        given[name] = Uploaded(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
    return {name: _plain(name, value) for name, value in given.items()}


def _plain(name: str, value: Any) -> Any:
    if name in {"text", "caption"} or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def visible_of(text: str) -> str:
    """The text behind markup. Raises Refusal for what Telegram cannot parse."""
    try:
        return visible(text)
    except MarkupError as error:
        raise Refusal(400, f"Bad Request: can't parse entities: {error}") from error
