"""The Telegram face: one bot account, its allowed users, and what the house says to them."""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from telegram import BotCommand, Update
from telegram.constants import ChatAction
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application

from bot.faces.telegram.answering import Answering, refuse_old, say_unfinished
from bot.faces.telegram.incoming import Incoming, Kind, Verdict, incoming_of, judge
from bot.faces.telegram.intake import Intake
from bot.faces.telegram.lanes import Lanes
from bot.faces.telegram.outgoing import Outgoing, outgoing_of
from bot.faces.telegram.post import Clocks, Post
from bot.faces.telegram.presses import Presses, plain
from bot.loudness import Loudness, Topic
from bot.outbox import Channel
from bot.talk import Heard, Talk
from core.commands.base import registry
from core.ledger.chats import Chats
from core.ledger.inbox import Inbox, Message, Progress
from core.ledger.store import Store
from core.trading.house import Check

FACE = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query")
STOP_PATIENCE_S = 4.0
CHECK_S = 5.0
KEPT = timedelta(days=30)
"""How long answered messages stay in the inbox."""
TYPING_EVERY_S = 4.0
TYPING_AFTER_S = 0.4
_RETRY_MAX_S = 30.0
_DESCRIPTION_MAX = 256

App = Application[Any, Any, Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Books:
    """What the face remembers in the database."""

    inbox: Inbox
    chats: Chats
    store: Store


@dataclass(frozen=True, slots=True)
class _Taken:
    """An update in a lane. `is_begun`: the inbox already says that it may have been executed."""

    incoming: Incoming
    is_begun: bool
    heard: Heard | None = None
    acts: int = 0
    """How often the user had acted when this was taken up."""


class TelegramFace:
    """Speaks to `allowed` users only; for all others there is a log line and silence.

    Each user's messages are answered in order, users beside each other. What Telegram delivers is committed before it
    is acknowledged and acted on at most once; what goes out is kept until Telegram has taken it.
    """

    def __init__(
        self,
        application: App,
        intake: Intake,
        talk: Talk,
        books: Books,
        allowed: frozenset[int],
        loudness: Mapping[Topic, Loudness],
        clocks: Clocks,
    ) -> None:
        clock = clocks.wall
        self._application = application
        self._inbox = books.inbox
        self._allowed = allowed
        self._clock = clock
        self._owner = talk.approvals.service.owner
        self.post = Post(application.bot, books.inbox, books.chats, books.store, loudness, clocks)
        self._presses = Presses(application.bot, talk)
        self._answering = Answering(talk, self._presses)
        self._lanes: Lanes[_Taken] = Lanes(self._work)
        # A model may take half a minute over a message; the commands that follow do not wait for it.
        self._thinking: Lanes[_Taken] = Lanes(self._think)
        self._connected = False
        self._reachable = True
        self._connecting: asyncio.Task[None] | None = None
        self._told_id: set[int] = set()
        self._beside: set[asyncio.Task[None]] = set()
        intake.take = self.take
        intake.unreadable = self.tell_unreadable

    # -- connection --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Say what a crash left unsaid, then connect in the background, again and again: it stops nothing else."""
        if not self._allowed:
            logger.warning(
                "Telegram: TELEGRAM_ALLOWED_USERS is empty; whoever writes is told his own id and nothing else"
            )
        self._recover()
        self._connecting = asyncio.create_task(self._connect(), name="telegram")

    async def _connect(self) -> None:
        pause = 1.0
        while not self._connected:
            try:
                await self._application.initialize()
                await self._application.bot.set_my_commands(menu())
                await self._application.start()
                self._connected = True
                if self._application.updater is not None:
                    await self._application.updater.start_polling(
                        bootstrap_retries=-1, allowed_updates=ALLOWED_UPDATES, error_callback=self._on_poll_error
                    )
            except InvalidToken:
                logger.error("Telegram refuses the token; check TELEGRAM_BOT_TOKEN. Trading goes on without Telegram.")
                return
            except TelegramError as error:
                logger.warning("Telegram cannot be reached ({}); next try in {:.0f} s", type(error).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(_RETRY_MAX_S, pause * 2)
        logger.info("Telegram: polling as @{}", self._application.bot.username)

    async def stop(self) -> None:
        """Stop polling, let what is being answered end, send what can be sent, disconnect."""
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._connected and self._application.updater is not None and self._application.updater.running:
            await self._application.updater.stop()
        await self._lanes.stop(STOP_PATIENCE_S)
        await self._thinking.stop(STOP_PATIENCE_S / 2)
        self._presses.stop()
        for task in self._beside:
            task.cancel()
        if self._connected:
            await self._application.stop()
            await self._application.shutdown()

    def _on_poll_error(self, error: TelegramError) -> None:
        """An outage is told once; the library polls on by itself."""
        if self._reachable:
            logger.warning("Telegram: polling fails ({}: {}), trying on", type(error).__name__, str(error)[:200])
        self._reachable = False

    async def check(self) -> Check:
        """For the diagnostic: asks Telegram who we are, since a token may have been revoked."""
        if not self._connected:
            return Check("Telegram", ok=False, text="not connected")
        try:
            async with asyncio.timeout(CHECK_S):
                me = await self._application.bot.get_me()
        except (TelegramError, TimeoutError) as error:
            return Check("Telegram", ok=False, text=f"does not answer ({type(error).__name__})")
        blocked = sum(1 for user in self._allowed if self.post.is_blocked(user))
        note = f", {blocked} chat(s) take no messages" if blocked else ""
        return Check("Telegram", ok=True, text=f"polling as @{me.username}{note}")

    def channels(self) -> list[Channel]:
        """For the outbox: one for each allowed user, so that none waits for another, and one for answers anywhere."""
        return [self._answers, *(partial(self._alerts_to, user) for user in sorted(self._allowed))]

    async def _answers(self) -> None:
        if self._connected:
            await self.post.flush_all()

    async def _alerts_to(self, user: int) -> int | None:
        return await self.post.pump_alerts(user) if self._connected else 0

    # -- in ----------------------------------------------------------------------------------------------------

    def take(self, update: Update) -> bool:
        """Judge an update and commit it. True for one that is being answered already.

        Raises SQLAlchemyError where it cannot be kept.
        """
        self._reachable = True
        incoming = incoming_of(update, self._application.bot.username)
        if incoming is None:
            return False
        verdict = judge(incoming, self._allowed)
        if verdict is Verdict.HEARD:
            return self._keep(incoming)
        if verdict is Verdict.STRANGER:
            logger.warning(
                "Telegram: {} of user {} ignored, not in TELEGRAM_ALLOWED_USERS", incoming.kind, incoming.user
            )
        elif verdict is Verdict.NOBODY_YET:
            self._tell_id(incoming)
        return False

    def _keep(self, incoming: Incoming) -> bool:
        now = self._clock()
        # One that is worked on at once may have been executed when the process dies; one that waits in line was not.
        at_once = self._lanes.is_idle(incoming.user) and not incoming.is_late(now)
        message = Message(
            id=_name(incoming),
            place=incoming.update_id,
            chat=f"{FACE}:{incoming.chat}",
            user=incoming.name,
            text=incoming.text or "",
            said_at=incoming.said_at,
            taken_at=now,
            progress=Progress.BEGUN if at_once else Progress.RECEIVED,
        )
        self.post.unblock(incoming.chat)
        if not self._inbox.take(message):
            logger.info("Telegram: update {} was delivered again and is not acted on again", incoming.update_id)
            return False
        if incoming.kind is Kind.PRESS:
            self._presses.expect(incoming.press_id)
        self._lanes.add(incoming.user, _Taken(incoming, at_once))
        return at_once

    def _tell_id(self, incoming: Incoming) -> None:
        """Without any allowed user: his own number, once, in private, and nothing else."""
        logger.warning("Telegram: {} of user {} ignored, nobody is allowed yet", incoming.kind, incoming.user)
        if not incoming.is_private or incoming.kind is not Kind.MESSAGE or incoming.user in self._told_id:
            return
        self._told_id.add(incoming.user)
        self._spawn(self._send_id(incoming.chat, incoming.user))

    async def _send_id(self, chat: int, user: int) -> None:
        try:
            await self._application.bot.send_message(chat, f"Your Telegram id is {user}.")
        except TelegramError as error:
            logger.warning("Telegram: user {} could not be told his id ({})", user, type(error).__name__)
            self._told_id.discard(user)

    def tell_unreadable(self, update: Update) -> None:
        """Something came that broke our reading of it. It is not executed, and whoever may speak to us is told."""
        user, chat = update.effective_user, update.effective_chat
        if user is None or chat is None or user.id not in self._allowed:
            return
        outgoing = plain(f"Something of yours (update {update.update_id}) could not be read. It was not executed.")
        self.post.add(chat.id, f"{FACE}:{update.update_id}", outgoing, self._clock())

    # -- answering ---------------------------------------------------------------------------------------------

    async def _work(self, user: int, queue: deque[_Taken]) -> None:
        """Take the next message of a user; late ones that follow each other are refused together."""
        first = queue.popleft()
        now, chat = self._clock(), first.incoming.chat
        if first.incoming.is_late(now):
            late = [first.incoming]
            while queue and queue[0].incoming.is_late(now) and queue[0].incoming.chat == chat:
                late.append(queue.popleft().incoming)
            await self._send(chat, [_name(one) for one in late], refuse_old(late, now))
        elif self._answering.needs_model(heard := self._heard(first.incoming)):
            self._thinking.add(user, replace(first, heard=heard, acts=self._answering.acts(first.incoming)))
        else:
            await self._finish(replace(first, heard=heard))

    def _heard(self, incoming: Incoming) -> Heard | None:
        """What a message is. Where even that breaks, the answer breaks over it again, and says so."""
        try:
            return self._answering.read(incoming)
        except Exception as error:  # noqa: BLE001 - told and logged in full where the answer is made
            logger.debug("Telegram: update {} cannot be understood: {}", incoming.update_id, error)
            return None

    async def _think(self, user: int, queue: deque[_Taken]) -> None:
        """Let the model answer the next message that needs it, unless it has become too old meanwhile."""
        del user
        taken, now = queue.popleft(), self._clock()
        if taken.incoming.is_late(now):
            await self._send(taken.incoming.chat, [_name(taken.incoming)], refuse_old([taken.incoming], now))
        else:
            await self._finish(taken)

    async def _finish(self, taken: _Taken) -> None:
        name = _name(taken.incoming)
        outgoing = await self._answer(taken)
        if outgoing is None:
            self._inbox.answered([name])
        else:
            await self._send(taken.incoming.chat, [name], outgoing)

    async def _send(self, chat: int, names: list[str], outgoing: Outgoing) -> None:
        """Keep the answer to what these names are, then send it as far as Telegram takes it."""
        try:
            self._inbox.finish(names[0], outgoing.as_json(), names[1:])
        except SQLAlchemyError as error:
            # Said all the same: a database that fails is no reason to leave somebody without an answer.
            logger.error("Telegram: the answer to {} could not be stored: {}", names[0], error)
        self.post.add(chat, names[0], outgoing, self._clock())
        await self.post.flush(chat)

    async def _answer(self, taken: _Taken) -> Outgoing | None:
        """The answer. Whatever breaks, the user gets an apology with a code and the log the rest."""
        incoming = taken.incoming
        try:
            if not taken.is_begun:
                self._inbox.begin(_name(incoming))
        except SQLAlchemyError as error:
            logger.error(
                "Telegram: update {} is not executed, since it cannot be stored: {}", incoming.update_id, error
            )
            return plain("[EXEC-ERR] STORAGE: the database failed, so your message was not executed; send it again.")
        typing = self._spawn(self._type(incoming.chat)) if incoming.kind is Kind.MESSAGE else None
        try:
            return await self._answering.answer(incoming, taken.heard, partial(self._is_wanted, taken))
        except Exception as error:  # noqa: BLE001 - one broken answer must not end the lane, nor be silent
            code = f"E-{secrets.token_hex(3)}"
            logger.opt(exception=error).error("Telegram: update {} broke ({})", incoming.update_id, code)
            return plain(
                f"Sorry, {self._owner}: something of ours broke while I answered (code {code}). Whether anything was "
                "done is UNKNOWN; 'open' shows what there is."
            )
        finally:
            if typing is not None:
                typing.cancel()

    def _is_wanted(self, taken: _Taken) -> bool:
        """True while a message is young, and the user has not acted since he said it."""
        incoming = taken.incoming
        return not incoming.is_late(self._clock()) and self._answering.acts(incoming) == taken.acts

    async def _type(self, chat: int) -> None:
        """Show that an answer is being made, while it takes long."""
        await asyncio.sleep(TYPING_AFTER_S)
        with contextlib.suppress(TelegramError):
            while True:
                await self._application.bot.send_chat_action(chat, ChatAction.TYPING)
                await asyncio.sleep(TYPING_EVERY_S)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    # -- after a crash -----------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Answers that were not delivered go out; what was never answered is named, and not executed."""
        self._inbox.forget(self._clock() - KEPT)
        unanswered: dict[str, list[Message]] = {}
        for message in self._inbox.in_progress(FACE):
            chat = int(message.chat.partition(":")[2])
            ready = _ready(message)
            if ready is not None:
                self.post.add(chat, message.id, ready, message.taken_at)
            else:
                unanswered.setdefault(message.chat, []).append(message)
        for name, messages in unanswered.items():
            chat, outgoing = int(name.partition(":")[2]), say_unfinished(messages)
            self._inbox.finish(messages[0].id, outgoing.as_json(), [one.id for one in messages[1:]])
            self.post.add(chat, messages[0].id, outgoing, self._clock())


def _ready(message: Message) -> Outgoing | None:
    """The answer that only has to be delivered; None where there is none, or one that nobody can read any more."""
    if message.progress is not Progress.DONE or message.reply is None:
        return None
    try:
        # Without its edit: what it would replace may have been replaced by another since.
        return replace(outgoing_of(message.reply), edit=None)
    except (ValueError, KeyError, TypeError) as error:
        logger.error("Telegram: the answer to {} cannot be read: {!r}", message.id, error)
        return None


def _name(incoming: Incoming) -> str:
    return f"{FACE}:{incoming.update_id}"


def menu() -> list[BotCommand]:
    """The slash menu, from the registry."""
    return [
        BotCommand(name, entry.command.summary()[:_DESCRIPTION_MAX])
        for name, entry in registry().items()
        if entry.command.declaration.built
    ]
