"""Presses of buttons: each is answered, so that no phone shows a spinner, and each goes the way that words go."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

from loguru import logger
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import TelegramError

from bot.faces.telegram.buttons import Levels, Said, keyboard_of, levels_of, read_press
from bot.faces.telegram.incoming import Incoming
from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.render import render, render_lines
from bot.talk import Talk
from core.domain.errors import Code
from core.trading.consent import Author
from core.trading.reply import Reply

PATIENCE_S = 0.8
"""A press is answered without words after this, when its answer takes longer."""
TOAST_MAX = 200
_REMEMBERED = 500
_UNKNOWN = "This button is of another time. Say 'open' for fresh ones."


class Presses:
    """The buttons of one bot."""

    def __init__(self, bot: Bot, talk: Talk) -> None:
        self._bot = bot
        self._talk = talk
        self._pending: dict[str, asyncio.Task[object]] = {}
        self._settled: deque[str] = deque(maxlen=_REMEMBERED)
        self._sending: set[asyncio.Task[object]] = set()

    def expect(self, press_id: str) -> None:
        """A press has come in; it is answered within a moment, whatever else waits before it."""
        if press_id in self._pending or press_id in self._settled:
            return
        self._pending[press_id] = self._spawn(self._answer_later(press_id))

    async def answer(self, incoming: Incoming) -> Outgoing | None:
        """Do what the press means, or say why not. None where nothing is left to be said.

        A refusal is told in a toast; where that cannot be delivered any more, it comes as a message.
        """
        outgoing, toast = await self._act(incoming)
        told = await self._settle(incoming.press_id, toast)
        return plain(toast) if toast and not told else outgoing

    async def _act(self, incoming: Incoming) -> tuple[Outgoing | None, str]:
        """What the press brings as a message, and as a toast."""
        meant = read_press(incoming.text or "")
        if meant is None:
            return None, _UNKNOWN
        if isinstance(meant, Levels):
            await self._choose_levels(incoming, meant)
            return None, ""
        if isinstance(meant, Said):
            # What takes long shows that it was heard.
            reply = await self._talk.answer(incoming.name, meant.words, Author.BUTTON, meant.mode)
            return outgoing_reply(reply, edit=incoming.message_id if meant.in_place else None), ""
        words = f"{'confirm' if meant.yes else 'reject'} {meant.code}"
        reply = await self._talk.reply(incoming.name, words, meant)
        if reply.code is not Code.CONFIRMATION:
            return outgoing_reply(reply, edit=incoming.message_id), ""
        return None, reply.lines[0].removeprefix(f"[EXEC-ERR] {Code.CONFIRMATION}: ")

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
        await self._tell(press_id, "")

    async def _settle(self, press_id: str, toast: str) -> bool:
        """Answer the press now. False where the words of the toast could not be told by it."""
        waiting = self._pending.pop(press_id, None)
        if waiting is None:
            # The same press delivered twice was told the first time.
            return not toast or press_id in self._settled
        waiting.cancel()
        self._settled.append(press_id)
        if not toast:
            self._spawn(self._tell(press_id, ""))
            return True
        return await self._tell(press_id, toast)

    async def _tell(self, press_id: str, toast: str) -> bool:
        text = toast if len(toast) <= TOAST_MAX else toast[: TOAST_MAX - 1] + "…"
        try:
            await self._bot.answer_callback_query(press_id, text or None, show_alert=bool(text))
        except TelegramError as error:
            # Telegram forgets presses after a while; what they did stands all the same.
            logger.debug("Telegram: a press could not be answered ({})", error)
            return False
        return True

    def stop(self) -> None:
        """Forget the presses that were not answered yet."""
        for task in self._sending:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return task


def outgoing_reply(reply: Reply, *, edit: int | None = None, common: bool = False) -> Outgoing:
    """A reply with its buttons, and its picture where it has one."""
    return Outgoing(render(reply), keyboard_of(reply), edit, common, reply.picture)


def plain(*lines: str) -> Outgoing:
    """A few words of the face's own."""
    return Outgoing(render_lines(lines))
