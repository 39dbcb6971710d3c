"""A phone in the test's hand: the face on a house of paper, with a Bot that only remembers and fails as it is told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from telegram import Update, User
from telegram.error import BadRequest, TelegramError

from bot.faces.telegram.face import App, Books, TelegramFace
from bot.faces.telegram.intake import Intake
from bot.faces.telegram.post import Clocks
from bot.faces.telegram.render import CAPTION_MAX, TEXT_MAX, units
from bot.loudness import Loudness, Topic
from bot.talk import Model, Talk
from core.ledger.chats import Chats
from core.ledger.inbox import Inbox
from tests.rig import Rig, SettableClock, Wiring, open_rig
from tests.standins.markup import MarkupError, visible

JIMMY, ANN, STRANGER = 1, 2, 666
USERNAME = "zyn_test_bot"


@dataclass(frozen=True, slots=True)
class Message:
    """What a chat was sent, or what one of its messages became."""

    id: int
    chat: int
    text: str
    buttons: Mapping[str, str] = field(default_factory=dict)
    common: bool = False
    silent: bool = False
    edited: bool = False
    photo: bytes = b""
    photo_name: str = ""


class FakeBot:
    """The methods of a Bot that the face uses. `trouble` holds what the next calls raise."""

    username = USERNAME

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.toasts: dict[str, str | None] = {}
        self.typing: list[int] = []
        self.trouble: deque[TelegramError | None] = deque()
        self.toast_trouble: TelegramError | None = None
        self.me_trouble: TelegramError | None = None

    async def send_message(
        self, chat: int, text: str, parse_mode: str | None = None, *, reply_markup: Any = None,
        disable_notification: bool = False, **_: Any,
    ) -> None:  # fmt: skip
        self._fail()
        seen = _seen(text, parse_mode)
        number = len(self.messages) + 100
        common = reply_markup is not None and hasattr(reply_markup, "keyboard")
        self.messages.append(Message(number, chat, seen, _buttons(reply_markup), common, disable_notification))

    async def send_photo(
        self, chat: int, photo: bytes, caption: str | None = None, *, parse_mode: str | None = None,
        reply_markup: Any = None, disable_notification: bool = False, filename: str = "", **_: Any,
    ) -> None:  # fmt: skip
        self._fail()
        seen = _seen(caption, parse_mode, CAPTION_MAX) if caption else ""
        number = len(self.messages) + 100
        common = reply_markup is not None and hasattr(reply_markup, "keyboard")
        buttons = _buttons(reply_markup)
        self.messages.append(
            Message(number, chat, seen, buttons, common, disable_notification, photo=photo, photo_name=filename)
        )

    async def edit_message_text(
        self, text: str, chat: int, message_id: int, *, parse_mode: str | None = None, reply_markup: Any = None,
        **_: Any,
    ) -> None:  # fmt: skip
        self._fail()
        seen = _seen(text, parse_mode)
        self.messages.append(Message(message_id, chat, seen, _buttons(reply_markup), edited=True))

    async def edit_message_reply_markup(self, chat: int, message_id: int, *, reply_markup: Any) -> None:
        self._fail()
        before = self.latest(message_id)
        self.messages.append(Message(message_id, chat, before.text, _buttons(reply_markup), edited=True))

    async def answer_callback_query(self, press: str, text: str | None = None, *, show_alert: bool = False) -> None:
        if self.toast_trouble is not None:
            raise self.toast_trouble
        self.toasts[press] = text

    async def get_me(self) -> User:
        if self.me_trouble is not None:
            raise self.me_trouble
        return User(9, "Zyn", is_bot=True, username=USERNAME)

    async def send_chat_action(self, chat: int, _action: str) -> None:
        self.typing.append(chat)

    def latest(self, number: int) -> Message:
        return [one for one in self.messages if one.id == number][-1]

    def _fail(self) -> None:
        error = self.trouble.popleft() if self.trouble else None
        if error is not None:
            raise error


def _seen(text: str, parse_mode: str | None, most: int = TEXT_MAX) -> str:
    """What the user sees. Raises BadRequest for what Telegram refuses."""
    try:
        seen = visible(text) if parse_mode else text
    except MarkupError as error:
        raise BadRequest(f"Can't parse entities: {error}") from error
    if not seen.strip() or units(seen) > most:
        raise BadRequest("Message is too long" if seen.strip() else "Message text is empty")
    return seen


def _buttons(markup: Any) -> dict[str, str]:
    rows = getattr(markup, "inline_keyboard", ())
    return {button.text: button.callback_data for row in rows for button in row}


@dataclass
class FakeApplication:
    """As much of an Application as a face without a network needs."""

    bot: FakeBot
    updater: None = None


@dataclass
class Phone:
    """The face and everything around it."""

    rig: Rig
    face: TelegramFace
    bot: FakeBot
    inbox: Inbox
    wall: SettableClock
    update_id: int = 1000

    async def say(self, text: str, user: int = JIMMY, *, age_s: float = 0.0, **fields: Any) -> list[Message]:
        """Write in private, and get what that brought."""
        return await self.deliver(self.message(text, user, age_s=age_s, **fields))

    def message(self, text: str | None, user: int = JIMMY, *, age_s: float = 0.0, **fields: Any) -> dict[str, Any]:
        """An update with a message."""
        chat = fields.pop("chat", user)
        kind = fields.pop("kind", "message")
        said_at = self.wall() - timedelta(seconds=age_s)
        content: dict[str, Any] = {
            "message_id": self.update_id,
            "date": int(said_at.timestamp()),
            "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup", "title": "T", "first_name": "F"},
            "from": {"id": user, "is_bot": False, "first_name": "F"},
        } | fields
        if text is not None:
            content["text"] = text
        self.update_id += 1
        return {"update_id": self.update_id, kind: content}

    def press_of(self, message: Message, label: str, user: int = JIMMY, *, data: str = "") -> dict[str, Any]:
        """An update with a press."""
        self.update_id += 1
        carrier = {
            "message_id": message.id, "date": 1, "chat": {"id": message.chat, "type": "private", "first_name": "F"},
            "from": {"id": 9, "is_bot": True, "first_name": "Zyn"}, "text": "x",
        }  # fmt: skip
        query = {
            "id": f"press{self.update_id}", "chat_instance": "1", "message": carrier,
            "from": {"id": user, "is_bot": False, "first_name": "F"},
            "data": data or message.buttons[label],
        }  # fmt: skip
        return {"update_id": self.update_id, "callback_query": query}

    async def press(self, message: Message, label: str, user: int = JIMMY, *, data: str = "") -> list[Message]:
        """Press a button, and get what that brought."""
        return await self.deliver(self.press_of(message, label, user, data=data))

    async def deliver(self, *updates: dict[str, Any]) -> list[Message]:
        """Let Telegram deliver updates, and get what they brought."""
        before = len(self.bot.messages)
        for update in updates:
            parsed = Update.de_json(update, cast("Any", None))
            self.face.take(parsed)
        await self.settle()
        return self.bot.messages[before:]

    async def settle(self) -> None:
        """Until every lane is empty."""
        while tasks := [*self.face._lanes._tasks.values(), *self.face._thinking._tasks.values()]:
            await asyncio.gather(*tasks)
        for _ in range(5):
            await asyncio.sleep(0)

    async def pump(self) -> int | None:
        """What the outbox does once a second. Returns how far everybody is who can be reached."""
        reached = [await channel() for channel in self.face.channels()]
        return min((one for one in reached if one is not None), default=None)

    @property
    def last_toast(self) -> str | None:
        """The words of the last press that was answered."""
        return list(self.bot.toasts.values())[-1]


@asynccontextmanager
async def phone(
    *,
    allowed: frozenset[int] = frozenset({JIMMY, ANN}),
    model: Model | None = None,
    wiring: Wiring | None = None,
    loudness: Mapping[Topic, Loudness] | None = None,
) -> AsyncIterator[Phone]:
    """A face that is connected to a Bot that remembers."""
    async with open_rig(wiring) as rig:
        yield furnish(rig, allowed=allowed, model=model, loudness=loudness)


def furnish(
    rig: Rig,
    *,
    allowed: frozenset[int] = frozenset({JIMMY, ANN}),
    model: Model | None = None,
    loudness: Mapping[Topic, Loudness] | None = None,
    intake: Intake | None = None,
) -> Phone:
    """A phone on a house that is open already."""
    bot, wall = FakeBot(), SettableClock(datetime.now(UTC).replace(microsecond=0))
    books = Books(Inbox(rig.database), Chats(rig.database), rig.store)
    talk = Talk(rig.approvals, rig.grammar, model)
    application = cast("App", FakeApplication(bot))
    clocks = Clocks(wall, rig.clock)
    face = TelegramFace(application, intake or Intake(), talk, books, allowed, loudness or {}, clocks)
    face._connected = True
    return Phone(rig, face, bot, books.inbox, wall)
