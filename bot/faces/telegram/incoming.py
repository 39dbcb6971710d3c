"""PURE. What Telegram delivers, as values: who said what, where and when, and whether he is to be heard."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatType

OLD_S = 60.0
"""A message older than this by its own date is never executed."""


class Kind(StrEnum):
    """How something was said."""

    MESSAGE = "message"
    EDITED = "edited"
    PRESS = "press"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update by a person. `text` is None for a picture and the like; for a press it is the button's data.

    `not_his_own` marks what was forwarded or written by another bot; `is_for_us` is False for what a group says among
    itself. `press_id` and `message_id` are set for presses: to answer them, and the message that carries the button.
    """

    update_id: int
    kind: Kind
    user: int
    chat: int
    is_private: bool
    text: str | None
    said_at: datetime | None
    not_his_own: bool = False
    is_for_us: bool = True
    press_id: str = ""
    message_id: int | None = None

    def age_s(self, now: datetime) -> float:
        """Seconds since it was said; 0 for a press, which carries no date."""
        return (now - self.said_at).total_seconds() if self.said_at is not None else 0.0

    def is_late(self, now: datetime) -> bool:
        """True for a message that is too old to be executed. An edit has the date of what was edited, and never is."""
        return self.kind is Kind.MESSAGE and self.age_s(now) > OLD_S

    @property
    def name(self) -> str:
        """The user's name towards the talk and the approvals."""
        return f"telegram:{self.user}"


class Verdict(StrEnum):
    """What becomes of an update before anything else."""

    HEARD = "heard"
    STRANGER = "stranger"
    NOBODY_YET = "nobody yet"
    NOT_FOR_US = "not for us"


def incoming_of(update: Update, username: str) -> Incoming | None:
    """The update as a value; None for one that no person made (channel posts, anonymous admins, service messages)."""
    if update.callback_query is not None:
        return _of_press(update.update_id, update.callback_query)
    message = update.message or update.edited_message
    if message is None or message.from_user is None or message.from_user.is_bot or message.sender_chat is not None:
        return None
    kind = Kind.MESSAGE if update.message is not None else Kind.EDITED
    return Incoming(
        update_id=update.update_id,
        kind=kind,
        user=message.from_user.id,
        chat=message.chat.id,
        is_private=message.chat.type == ChatType.PRIVATE,
        text=_without_name(_clean(message.text), username) if message.text is not None else None,
        said_at=message.date,
        not_his_own=message.forward_origin is not None or message.via_bot is not None,
        is_for_us=_is_for_us(message, username),
    )


def _of_press(update_id: int, press: CallbackQuery) -> Incoming:
    carrier = press.message
    return Incoming(
        update_id=update_id,
        kind=Kind.PRESS,
        user=press.from_user.id,
        chat=carrier.chat.id if carrier is not None else press.from_user.id,
        is_private=carrier is None or carrier.chat.type == ChatType.PRIVATE,
        text=_clean(press.data or ""),
        said_at=None,
        press_id=press.id,
        message_id=carrier.message_id if isinstance(carrier, Message) else None,
    )


def _is_for_us(message: Message, username: str) -> bool:
    """In a group: a slash command that names no other bot, our name, or a reply to us. In private: everything."""
    if message.chat.type == ChatType.PRIVATE:
        return True
    text = (message.text or "").lower()
    head = text.split(maxsplit=1)[0] if text.strip() else ""
    if head.startswith("/"):
        return "@" not in head or head.endswith(f"@{username.lower()}")
    answered = message.reply_to_message
    to_us = answered is not None and answered.from_user is not None and answered.from_user.username == username
    return _mention(username).search(text) is not None or to_us


def _mention(username: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@/])@{re.escape(username)}\b[,:]?\s*", re.IGNORECASE)


def _clean(text: str) -> str:
    """Without what no database takes: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _without_name(text: str, username: str) -> str:
    """The words without our own name, by which a group calls us."""
    return _mention(username).sub("", text)


def judge(incoming: Incoming, allowed: Collection[int]) -> Verdict:
    """The one guard, for messages, edits and presses alike, in private and in groups."""
    if not allowed:
        return Verdict.NOBODY_YET
    if incoming.user not in allowed:
        return Verdict.STRANGER
    return Verdict.HEARD if incoming.is_for_us else Verdict.NOT_FOR_US
