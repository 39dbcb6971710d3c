"""The post: answers and alerts of each chat in order, kept until Telegram has taken them, however long that takes."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyKeyboardMarkup
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.faces.telegram.buttons import COMMON, Keyboard, keyboard_of_alert
from bot.faces.telegram.outgoing import Fate, Outgoing, Verdict, fate_of
from bot.faces.telegram.render import Part, render_alerts
from bot.loudness import Loudness, Topic, topic_of
from core.ledger.chats import Chats, Told
from core.ledger.inbox import Inbox
from core.ledger.store import Alert, Store
from core.trading.reply import Picture

PAUSES_S = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Between tries while Telegram cannot be reached; the last one again and again."""
LATE_S = 60.0
PICTURE_TRIES = 3
"""How often a picture may fail on its way before its text is tried alone."""
UPLOAD_S = 20.0
"""How long Telegram may take to answer to a picture."""
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Clocks:
    """The wall's time, by which people and Telegram live, and the market's, by which alerts are dated."""

    wall: Callable[[], datetime]
    market: Callable[[], datetime]


@dataclass(slots=True)
class _Answer:
    """One answer that is to be delivered; `sent` of its parts have been."""

    name: str
    outgoing: Outgoing
    at: datetime
    sent: int = 0
    parts: Sequence[Part] = ()
    """What is sent, fixed with the first of them."""
    lost: int = 0
    """How often in a row its picture failed on its way."""

    def picture_of(self, part: Part) -> Picture | None:
        """The picture that goes with a part: the answer's own, with the first part of its own."""
        own = self.outgoing.parts
        return self.outgoing.picture if own and part is own[0] else None


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to send a part. `parse`: its text is HTML; `buttons` are those of this answer."""

    text: str
    parse: bool
    buttons: Outgoing
    edit: int | None = None
    picture: Picture | None = None


@dataclass(slots=True)
class _Chat:
    """One chat's post. Nothing is sent before `not_before`, in the loop's time."""

    id: int
    answers: deque[_Answer] = field(default_factory=deque)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    not_before: float = 0.0
    failures: int = 0
    blocked: bool | None = None
    """None until the database was asked."""
    told: int | None = None
    """The last alert that was sent; None until the database was asked."""
    begun: tuple[int, int] = (0, 0)
    """Of alerts that take several messages: after which alert they begin, and how many of the messages were sent."""


class Post:
    """What goes out to every chat. An answer is kept in the inbox, an alert in the outbox, until it is delivered."""

    def __init__(
        self,
        bot: Bot,
        inbox: Inbox,
        chats: Chats,
        store: Store,
        loudness: Mapping[Topic, Loudness],
        clocks: Clocks,
    ) -> None:
        self._bot = bot
        self._inbox = inbox
        self._chats = chats
        self._store = store
        self._loudness = loudness
        self._clock = clocks.wall
        self._market_clock = clocks.market
        self._posts: dict[int, _Chat] = {}

    def add(self, chat: int, name: str, outgoing: Outgoing, at: datetime) -> None:
        """Put an answer at the end of the chat's post. `name` is the inbox's name of what it answers."""
        self._chat(chat).answers.append(_Answer(name, outgoing, at))

    def unblock(self, chat: int) -> None:
        """Somebody wrote from there, so it takes messages again."""
        if self.is_blocked(chat):
            self._chat(chat).blocked = False
            self._chats.put(_name(chat), Told(self._chats.of(_name(chat)).told))

    def is_blocked(self, chat: int) -> bool:
        """True for a chat that takes nothing, as far as it is known since whenever."""
        post = self._chat(chat)
        if post.blocked is None:
            post.blocked = self._chats.of(_name(chat)).blocked_at is not None
        return post.blocked

    async def flush(self, chat: int) -> bool:
        """Send the answers of a chat in order, as far as Telegram takes them. True when none waits."""
        post = self._chat(chat)
        async with post.lock:
            while post.answers and _now() >= post.not_before:
                if not await self._send_answer(post, post.answers[0]):
                    return False
            return not post.answers

    async def flush_all(self) -> None:
        """The same for every chat that something waits for."""
        waiting = [chat for chat, post in self._posts.items() if post.answers]
        await asyncio.gather(*(self.flush(chat) for chat in waiting))

    async def pump_alerts(self, chat: int) -> int | None:
        """Send what the chat has not been told yet, one message. Returns how far it is; None for a blocked chat."""
        post, name = self._chat(chat), _name(chat)
        if self.is_blocked(chat):
            return None
        if post.told is None:
            post.told = self._chats.of(name).told
        if await self.flush(chat):
            async with post.lock:
                if _now() >= post.not_before:
                    post.told = await self._send_alerts(post, name, post.told)
        return post.told

    # -- inside ------------------------------------------------------------------------------------------------

    def _chat(self, chat: int) -> _Chat:
        return self._posts.setdefault(chat, _Chat(chat))

    async def _send_answer(self, post: _Chat, answer: _Answer) -> bool:
        outgoing = answer.outgoing
        parts = answer.parts = answer.parts or self._dated(answer)
        while answer.sent < len(parts):
            is_last = answer.sent == len(parts) - 1
            markup = outgoing if is_last else Outgoing(())
            edit = outgoing.edit if answer.sent == 0 and parts is outgoing.parts else None
            verdict = await self._send_part(post, answer, parts[answer.sent], markup, edit)
            if verdict.fate in {Fate.WAIT, Fate.UNKNOWN}:
                return False
            if verdict.fate is Fate.BLOCKED:
                break
            answer.sent += 1
        post.answers.popleft()
        try:
            self._inbox.answered([answer.name])
        except SQLAlchemyError as error:
            # It was sent; the next process, which does not know that, will say so again.
            logger.error("Telegram: that {} was answered could not be stored: {}", answer.name, error)
        return True

    async def _send_part(
        self, post: _Chat, answer: _Answer, part: Part, outgoing: Outgoing, edit: int | None
    ) -> Verdict:
        """One part of an answer, with its picture where that belongs to it."""
        picture = answer.picture_of(part)
        if picture is None:
            return await self._send(post, _forms(part, outgoing, edit))
        tries_picture = answer.lost < PICTURE_TRIES
        forms = _pictured(part, picture, outgoing) if tries_picture else []
        verdict = await self._send(post, [*forms, *_bare(part, outgoing)])
        if verdict.fate in {Fate.WAIT, Fate.UNKNOWN} and verdict.wait_s is None:
            # A line that carries texts but no picture must not hold up all that waits behind it. One that carries
            # nothing at all is tried with the picture again.
            answer.lost = answer.lost + 1 if tries_picture else 0
        return verdict

    def _dated(self, answer: _Answer) -> Sequence[Part]:
        """An answer that comes late says so, and as a message of its own."""
        if (self._clock() - answer.at).total_seconds() <= LATE_S:
            return answer.outgoing.parts
        late = f"(This is late: it was the answer at {answer.at:%H:%M:%S} UTC on {answer.at:%Y-%m-%d}.)"
        return [Part(late, late), *answer.outgoing.parts]

    async def _send_alerts(self, post: _Chat, name: str, told: int) -> int:
        """Send one message of what waits. Returns up to which alert the chat has them now."""
        alerts = self._store.alerts_after(told, _BATCH)
        wanted = [alert for alert in alerts if self._how_loud(alert) is not Loudness.OFF]
        reached = alerts[-1].id if alerts else told
        if wanted:
            parts, count = render_alerts(wanted, self._market_clock())
            if not await self._send_parts(post, told, wanted[:count], parts):
                return told
            reached = wanted[count - 1].id if count < len(wanted) else reached
        if reached > told:
            try:
                self._chats.put(name, Told(reached))
            except SQLAlchemyError as error:
                # They were sent; only the next process, which does not know that, will say them again.
                logger.error("Telegram: what chat {} was told could not be stored: {}", post.id, error)
        return reached

    async def _send_parts(self, post: _Chat, told: int, alerts: Sequence[Alert], parts: Sequence[Part]) -> bool:
        """Send the messages of these alerts, each once, however often Telegram makes us wait between them."""
        keyboard = keyboard_of_alert(alerts[0]) if len(alerts) == 1 else ()
        silent = all(self._how_loud(alert) is Loudness.SILENT for alert in alerts)
        first = post.begun[1] if post.begun[0] == told else 0
        for number, part in enumerate(parts[first:], first):
            post.begun = (told, number)
            outgoing = Outgoing((), keyboard if number == len(parts) - 1 else ())
            verdict = await self._send(post, _forms(part, outgoing, None), silent=silent)
            if verdict.fate in {Fate.WAIT, Fate.UNKNOWN, Fate.BLOCKED}:
                return False
        return True

    def _how_loud(self, alert: Alert) -> Loudness:
        return self._loudness.get(topic_of(alert.kind), Loudness.ON)

    async def _send(self, post: _Chat, forms: Sequence[_Form], *, silent: bool = False) -> Verdict:
        """One message, in the first of these forms that Telegram takes."""
        verdict = Verdict(Fate.REFUSED)
        for form in forms:
            verdict = await self._try(post.id, form, silent=silent)
            if verdict.fate not in {Fate.NO_EDIT, Fate.BAD_MARKUP, Fate.REFUSED}:
                break
        if verdict.fate in {Fate.WAIT, Fate.UNKNOWN}:
            pause = PAUSES_S[min(post.failures, len(PAUSES_S) - 1)]
            post.failures += 1
            post.not_before = _now() + (pause if verdict.wait_s is None else verdict.wait_s)
        else:
            post.failures = 0
        if verdict.fate is Fate.BLOCKED:
            self._block(post)
        return verdict

    async def _try(self, chat: int, form: _Form, *, silent: bool) -> Verdict:
        try:
            await self._send_form(chat, form, silent=silent)
        except TelegramError as error:
            verdict = fate_of(error)
            if verdict.fate is not Fate.SENT:
                logger.warning("Telegram: chat {}: {} ({})", chat, verdict.fate, str(error)[:200])
            return verdict
        return Verdict(Fate.SENT)

    async def _send_form(self, chat: int, form: _Form, *, silent: bool) -> None:
        mode = ParseMode.HTML if form.parse else None
        inline = _inline(form.buttons.keyboard)
        if form.edit is not None:
            await self._bot.edit_message_text(
                form.text, chat, form.edit, parse_mode=mode, reply_markup=inline, link_preview_options=_NO_PREVIEW
            )
            return
        markup = _COMMON if form.buttons.common and inline is None else inline
        if form.picture is not None:
            await self._bot.send_photo(
                chat, form.picture.png, form.text or None, parse_mode=mode, reply_markup=markup,
                disable_notification=silent, filename=form.picture.name, read_timeout=UPLOAD_S,
            )  # fmt: skip
            return
        await self._bot.send_message(
            chat, form.text, mode, reply_markup=markup, disable_notification=silent, link_preview_options=_NO_PREVIEW
        )

    def _block(self, post: _Chat) -> None:
        post.blocked = True
        name = _name(post.id)
        self._chats.put(name, Told(self._chats.of(name).told, self._clock()))
        logger.warning("Telegram: chat {} takes no messages; it gets none until somebody writes from there", post.id)


_NO_PICTURE = "(The picture that belongs here could not be shown.)"
_NOT_SHOWN = "Something that I had to say could not be shown here. 'open' and 'trades' show what there is."
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_COMMON = ReplyKeyboardMarkup([list(row) for row in COMMON], resize_keyboard=True, is_persistent=True)


def _forms(part: Part, outgoing: Outgoing, edit: int | None) -> list[_Form]:
    """A part in ever plainer forms: in its place, else anew, else without markup, else without buttons.

    What Telegram takes in no form at all is named, so that nobody waits for an answer that cannot come.
    """
    bare = Outgoing(())
    return [
        _Form(part.html, True, outgoing, edit),
        _Form(part.html, True, outgoing),
        _Form(part.plain, False, outgoing),
        _Form(part.plain, False, bare),
        _Form(_NOT_SHOWN, False, bare),
    ]


def _pictured(part: Part, picture: Picture, outgoing: Outgoing) -> list[_Form]:
    """A picture with a part below it. It is always a new message: a text cannot become a picture."""
    return [
        _Form(part.html, True, outgoing, picture=picture),
        _Form(part.plain, False, outgoing, picture=picture),
    ]


def _bare(part: Part, outgoing: Outgoing) -> list[_Form]:
    """The part without its picture, which it says."""
    told = Part(f"{part.html}\n{_NO_PICTURE}".strip(), f"{part.plain}\n{_NO_PICTURE}".strip())
    return _forms(told, outgoing, None)[1:]


def _inline(keyboard: Keyboard) -> InlineKeyboardMarkup | None:
    if not keyboard:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in keyboard]
    )


def _name(chat: int) -> str:
    return f"telegram:{chat}"


def _now() -> float:
    return asyncio.get_running_loop().time()
