"""PURE. What goes out: the parts of one answer with its buttons, as text that outlives the process, and what became of
sending it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.faces.telegram.buttons import Keyboard
from bot.faces.telegram.render import Part
from core.trading.reply import Picture, picture_of


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One answer. `edit` is the message that it replaces; `common` puts the keyboard of common commands up.

    Where there is a `picture`, the first part is what stands below it.
    """

    parts: Sequence[Part]
    keyboard: Keyboard = ()
    edit: int | None = None
    common: bool = False
    picture: Picture | None = None

    def as_json(self) -> str:
        """As it is kept until it is delivered."""
        parts = [[part.html, part.plain] for part in self.parts]
        picture = self.picture.as_json() if self.picture is not None else None
        kept = {"parts": parts, "keyboard": self.keyboard, "edit": self.edit, "common": self.common, "picture": picture}
        return json.dumps(kept)


def outgoing_of(text: str) -> Outgoing:
    """The same back. Raises ValueError or KeyError for text that was never one."""
    kept = json.loads(text)
    parts = [Part(html, plain) for html, plain in kept["parts"]]
    keyboard = [[(label, data) for label, data in row] for row in kept["keyboard"]]
    # One that was kept before there were pictures has none.
    picture = picture_of(kept["picture"]) if kept.get("picture") else None
    return Outgoing(parts, keyboard, kept["edit"], kept["common"], picture)


class Fate(StrEnum):
    """What became of one message to Telegram."""

    SENT = "sent"
    WAIT = "wait"
    """Not taken now; to be sent again after a while."""
    UNKNOWN = "unknown"
    """No answer came: it may have arrived, and is sent again all the same."""
    BAD_MARKUP = "bad markup"
    NO_EDIT = "no edit"
    """The message that was to be replaced cannot be; a new one can be sent."""
    REFUSED = "refused"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate, and for WAIT how many seconds Telegram asked for (None: it did not say)."""

    fate: Fate
    wait_s: float | None = None


_TOO_LARGE = "entity too large"
_GONE = ("chat not found", "was kicked", "user is deactivated", "have no rights to send", "chat was deactivated")
_NO_EDIT = ("message to edit not found", "message can't be edited", "message_id_invalid", "there is no text")


def fate_of(error: TelegramError) -> Verdict:
    """What a refusal or failure of the Bot API means for the message that was sent."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return Verdict(Fate.WAIT, wait.total_seconds() if isinstance(wait, timedelta) else float(wait))
    if isinstance(error, BadRequest):
        return Verdict(_of_bad_request(error.message.lower()))
    if isinstance(error, (Forbidden, ChatMigrated)):
        return Verdict(Fate.BLOCKED)
    if isinstance(error, TimedOut):
        return Verdict(Fate.UNKNOWN)
    # The library takes what is too large for trouble on the line, but it would never become smaller.
    if isinstance(error, (NetworkError, InvalidToken)) and _TOO_LARGE not in error.message.lower():
        return Verdict(Fate.WAIT)
    return Verdict(Fate.REFUSED)


def _of_bad_request(message: str) -> Fate:
    if "not modified" in message:
        return Fate.SENT
    if any(words in message for words in _GONE):
        return Fate.BLOCKED
    if any(words in message for words in _NO_EDIT):
        return Fate.NO_EDIT
    return Fate.BAD_MARKUP if "entit" in message or "parse" in message or "tag" in message else Fate.REFUSED
