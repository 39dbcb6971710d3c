"""Presses of buttons: each is answered, so that no phone shows a spinner, and each goes the way that words go."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from loguru import logger
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from bot.faces.telegram.buttons import Levels, Said, keyboard_of, levels_of, read_press
from bot.faces.telegram.incoming import Incoming
from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.render import render
from bot.talk import Talk
from core.domain.errors import Code
from core.trading.consent import Author
from core.trading.reply import Reply

PATIENCE_S = 0.8
"""A press is answered without words after this, when its answer takes longer."""
TOAST_MAX = 200
_UNKNOWN = "This button is of another time. Say 'open' for fresh ones."


class Presses:
    """The buttons of one bot."""

    def __init__(self, bot: Bot, talk: Talk) -> None:
        self._bot = bot
        self._talk = talk
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._late: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()

    def expect(self, press_id: str) -> None:
        """A press has come in; it is answered within a moment, whatever else waits before it."""
        if press_id in self._pending:
            return
        self._pending[press_id] = self._spawn(self._answer_later(press_id))

    async def answer(self, incoming: Incoming) -> Outgoing | None:
        """Do what the press means, or say why not. None where the toast said it all."""
        toast = ""
        try:
            meant = read_press(incoming.text or "")
            if meant is None:
                toast = _UNKNOWN
                return None
            if isinstance(meant, Levels):
                await self._choose_levels(incoming, meant)
                return None
            user = f"telegram:{incoming.user}"
            if isinstance(meant, Said):
                reply = await self._talk.answer(user, meant.words, Author.BUTTON, meant.mode)
                return _outgoing(reply, incoming.message_id if meant.in_place else None)
            reply = await self._talk.approvals.answer(user, meant.code, yes=meant.yes)
            if reply.code is not Code.CONFIRMATION:
                return _outgoing(reply, incoming.message_id)
            toast = reply.lines[0].removeprefix(f"[EXEC-ERR] {Code.CONFIRMATION}: ")
            # Where the press was answered without words before, the words come as a message.
            return _outgoing(reply, None) if incoming.press_id in self._late else None
        finally:
            self._settle(incoming.press_id, toast)

    async def _choose_levels(self, incoming: Incoming, meant: Levels) -> None:
        """Put the choice of levels in the place of the buttons."""
        if incoming.message_id is None:
            return
        rows = [
            [InlineKeyboardButton(label, callback_data=data) for label, data in row]
            for row in levels_of(meant.words, meant.mode)
        ]
        try:
            await self._bot.edit_message_reply_markup(
                incoming.chat, incoming.message_id, reply_markup=InlineKeyboardMarkup(rows)
            )
        except TelegramError as error:
            logger.debug("Telegram: the buttons could not be changed ({})", error)

    # -- the answer to the press itself ------------------------------------------------------------------------

    async def _answer_later(self, press_id: str) -> None:
        await asyncio.sleep(PATIENCE_S)
        self._pending.pop(press_id, None)
        self._late.add(press_id)
        await self._tell(press_id, "")

    def _settle(self, press_id: str, toast: str) -> None:
        """Answer the press now, unless its time was over before."""
        self._late.discard(press_id)
        waiting = self._pending.pop(press_id, None)
        if waiting is not None:
            waiting.cancel()
            self._spawn(self._tell(press_id, toast))

    async def _tell(self, press_id: str, toast: str) -> None:
        text = toast if len(toast) <= TOAST_MAX else toast[: TOAST_MAX - 1] + "…"
        try:
            await self._bot.answer_callback_query(press_id, text or None, show_alert=bool(text))
        except TelegramError as error:
            # Telegram forgets presses after a while; what they did stands all the same.
            logger.debug("Telegram: a press could not be answered ({})", error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return task


def _outgoing(reply: Reply, edit: int | None) -> Outgoing:
    return Outgoing(render(reply), keyboard_of(reply), edit)
