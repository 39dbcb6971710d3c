"""Telegram: free text and slash commands of the allowed users, replies and alerts back to them."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from loguru import logger
from telegram import BotCommand, Message, Update
from telegram.error import Forbidden, InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes, MessageHandler, filters

from bot.outbox import alert_text
from bot.talk import Talk
from core.commands.base import registry
from core.domain.errors import Code
from core.ledger.store import Alert
from core.trading.house import Check
from core.trading.reply import refusal

TEXT_MAX = 4096
"""UTF-16 units that Telegram takes in one message."""
OLD_S = 60.0
_RETRY_MAX_S = 30.0
_DESCRIPTION_MAX = 256


class TelegramFace:
    """One bot account. Speaks to `allowed` users only; for all others there is a log line and silence."""

    def __init__(
        self, application: "Application[Any, Any, Any, Any, Any, Any]", talk: Talk, allowed: frozenset[int]
    ) -> None:
        self._application = application
        self._talk = talk
        self._allowed = allowed
        self._connected = False
        self._connecting: asyncio.Task[None] | None = None
        application.add_handler(MessageHandler(filters.TEXT & filters.UpdateType.MESSAGE, self._on_message))

    async def start(self) -> None:
        """Connect in the background, again and again: Telegram being down stops nothing else."""
        self._connecting = asyncio.create_task(self._connect(), name="telegram")

    async def _connect(self) -> None:
        pause = 1.0
        while not self._connected:
            try:
                await self._application.initialize()
                await self._application.bot.set_my_commands(_menu())
                await self._application.start()
                if self._application.updater is not None:
                    await self._application.updater.start_polling(bootstrap_retries=-1, allowed_updates=["message"])
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

    async def _on_message(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = update.message, update.effective_user
        if message is None or user is None or message.text is None:
            return
        if user.id not in self._allowed:
            logger.warning("Telegram: message of user {} ignored, not in TELEGRAM_ALLOWED_USERS", user.id)
            return
        age = (datetime.now(UTC) - message.date).total_seconds()
        if age > OLD_S:
            reply = refusal(
                Code.DEFERRED,
                f"your message is {age:.0f} s old and was not executed; send it again if you still want it",
            )
        else:
            reply = await self._talk.answer(f"telegram:{user.id}", message.text)
        await _answer(message, reply.text)

    async def deliver(self, alert: Alert) -> bool:
        """Send an alert to every allowed user. False while Telegram cannot take it."""
        if not self._connected:
            return False
        taken = not self._allowed
        for user in sorted(self._allowed):
            try:
                for part in split(alert_text(alert)):
                    await self._application.bot.send_message(user, part)
            except Forbidden:
                logger.warning("Telegram: user {} has blocked the bot", user)
                taken = True
            except TelegramError as error:
                logger.warning("Telegram: alert {} not sent ({})", alert.id, type(error).__name__)
                return False
            else:
                taken = True
        return taken

    async def check(self) -> Check:
        """For the diagnostic."""
        if not self._connected:
            return Check("Telegram", ok=False, text="not connected")
        return Check("Telegram", ok=True, text=f"polling as @{self._application.bot.username}")


async def _answer(message: Message, text: str) -> None:
    for part in split(text):
        await message.reply_text(part)


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
