"""Telegram: free text and slash commands of the allowed users, replies and alerts back to them."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from loguru import logger
from telegram import BotCommand, Update
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bot.outbox import alert_text
from bot.talk import Talk
from core.commands.base import registry
from core.domain.errors import Code
from core.ledger.store import Alert, Store
from core.trading.house import Check
from core.trading.reply import refusal

TEXT_MAX = 4096
"""UTF-16 units that Telegram takes in one message."""
OLD_S = 60.0
_RETRY_MAX_S = 30.0
_SEND_TRIES = 6
_DESCRIPTION_MAX = 256


class TelegramFace:
    """One bot account. Speaks to `allowed` users only; for all others there is a log line and silence.

    Each user's messages are answered in order, users beside each other. An update that Telegram delivers again, after
    a kill that came before our acknowledgement, is not executed again.
    """

    def __init__(
        self,
        application: "Application[Any, Any, Any, Any, Any, Any]",
        talk: Talk,
        store: Store,
        allowed: frozenset[int],
    ) -> None:
        self._application = application
        self._talk = talk
        self._store = store
        self._allowed = allowed
        self._connected = False
        self._reachable = True
        self._connecting: asyncio.Task[None] | None = None
        self._locks: dict[int, asyncio.Lock] = {}
        self._told: dict[int, set[int]] = {}
        application.add_handler(MessageHandler(filters.TEXT & filters.UpdateType.MESSAGE, self._on_message))
        application.add_error_handler(self._on_error)

    async def start(self) -> None:
        """Connect in the background, again and again: Telegram being down stops nothing else."""
        if not self._allowed:
            logger.warning("Telegram: TELEGRAM_ALLOWED_USERS is empty, so nobody gets an answer or an alert")
        self._connecting = asyncio.create_task(self._connect(), name="telegram")

    async def _connect(self) -> None:
        pause = 1.0
        while not self._connected:
            try:
                await self._application.initialize()
                await self._application.bot.set_my_commands(_menu())
                await self._application.start()
                if self._application.updater is not None:
                    await self._application.updater.start_polling(
                        bootstrap_retries=-1, allowed_updates=["message"], error_callback=self._on_poll_error
                    )
                self._connected = True
            except InvalidToken:
                logger.error("Telegram refuses the token; check TELEGRAM_BOT_TOKEN. Trading goes on without Telegram.")
                return
            except TelegramError as error:
                logger.warning("Telegram cannot be reached ({}); next try in {:.0f} s", type(error).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(_RETRY_MAX_S, pause * 2)
        logger.info("Telegram: polling as @{}", self._application.bot.username)

    async def stop(self) -> None:
        """Stop polling and disconnect."""
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._connecting
        if self._connected:
            if self._application.updater is not None and self._application.updater.running:
                await self._application.updater.stop()
            await self._application.stop()
            await self._application.shutdown()

    def _on_poll_error(self, error: TelegramError) -> None:
        """An outage is told once; the library polls on by itself."""
        if self._reachable:
            logger.warning("Telegram: polling fails ({}), trying on", type(error).__name__)
        self._reachable = False

    async def _on_error(self, _update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        logger.opt(exception=context.error).error("Telegram: a message could not be handled")

    async def _on_message(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = update.message, update.effective_user
        if message is None or user is None or message.text is None:
            return
        if message.chat.type != "private" or message.forward_origin is not None or message.via_bot is not None:
            logger.warning("Telegram: a message of user {} is forwarded or not private, ignored", user.id)
            return
        self._reachable = True
        if user.id not in self._allowed:
            logger.warning("Telegram: message of user {} ignored, not in TELEGRAM_ALLOWED_USERS", user.id)
            return
        async with self._locks.setdefault(user.id, asyncio.Lock()):
            text = await self._answer(f"telegram:{update.update_id}", user.id, message.date, message.text)
            await self._send(message.chat_id, text)

    async def _answer(self, name: str, user: int, date: datetime, text: str) -> str:
        """The reply to a message, which is executed at most once, and never when it is old."""
        came = self._store.take_message(name, datetime.now(UTC))
        if came is not None:
            how = "and answered it" if came == "done" else "but was stopped in the middle of it"
            return f"I had received this already {how}; it was not executed again. 'open' shows what there is."
        age = (datetime.now(UTC) - date).total_seconds()
        if age > OLD_S:
            old = f"your message is {age:.0f} s old and was not executed; send it again if you still want it"
            reply = refusal(Code.DEFERRED, old)
        else:
            reply = await self._talk.answer(f"telegram:{user}", text)
        self._store.finish_message(name)
        return reply.text

    async def _send(self, chat: int, text: str) -> bool:
        """Send all parts of a text, waiting as Telegram asks. False when Telegram refused for good or too often."""
        for part in split(text):
            if not await self._send_part(chat, part):
                return False
        return True

    async def _send_part(self, chat: int, part: str) -> bool:
        for attempt in range(_SEND_TRIES):
            try:
                await self._application.bot.send_message(chat, part)
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error.retry_after))
            except (Forbidden, BadRequest) as error:
                logger.warning("Telegram: chat {} takes no messages ({})", chat, error.message)
                return False
            except TelegramError as error:
                logger.warning("Telegram: not sent ({}), try {}", type(error).__name__, attempt + 1)
                await asyncio.sleep(2.0**attempt)
            else:
                return True
        return False

    async def deliver(self, alert: Alert) -> bool:
        """Send an alert to every allowed user, once each. False while Telegram cannot take it."""
        if not self._connected or not self._allowed:
            return False
        told = self._told.setdefault(alert.id, set())
        for user in sorted(self._allowed - told):
            try:
                for part in split(alert_text(alert)):
                    await self._application.bot.send_message(user, part)
            except (Forbidden, BadRequest) as error:
                logger.warning("Telegram: alert {} not taken by user {} ({})", alert.id, user, error.message)
            except TelegramError as error:
                logger.warning("Telegram: alert {} not sent yet ({})", alert.id, type(error).__name__)
                return False
            told.add(user)
        del self._told[alert.id]
        return True

    async def check(self) -> Check:
        """For the diagnostic."""
        if not self._connected:
            return Check("Telegram", ok=False, text="not connected")
        return Check("Telegram", ok=True, text=f"polling as @{self._application.bot.username}")


def _seconds(wait: float | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _menu() -> list[BotCommand]:
    """The slash menu, from the registry."""
    return [
        BotCommand(name, entry.command.summary()[:_DESCRIPTION_MAX])
        for name, entry in registry().items()
        if entry.command.declaration.built
    ]


def split(text: str) -> Iterator[str]:
    """`text` in parts that Telegram takes, cut at line ends where there are any; never within a character."""
    part = ""
    for line in text.splitlines(keepends=True) or [text]:
        for piece in _pieces(line):
            if _units(part) + _units(piece) > TEXT_MAX:
                yield part
                part = ""
            part += piece
    if part.strip():
        yield part


def _pieces(line: str) -> Iterator[str]:
    while _units(line) > TEXT_MAX:
        cut = TEXT_MAX // 2
        yield line[:cut]
        line = line[cut:]
    yield line


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
