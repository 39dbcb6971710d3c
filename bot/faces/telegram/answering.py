"""What an update is answered with."""

from collections.abc import Sequence
from datetime import datetime

from bot.faces.telegram.buttons import keyboard_of
from bot.faces.telegram.incoming import Incoming, Kind
from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.presses import Presses
from bot.faces.telegram.render import render, render_lines
from bot.talk import Talk
from core.ledger.inbox import Message, Progress
from core.trading.consent import Author
from core.trading.reply import Reply

_QUOTED = 60
_LISTED = 20
_WITH_COMMON = frozenset({"/start", "/help", "help", "start", "menu"})


class Answering:
    """From an update to its answer: words go to the talk, presses to what they mean."""

    def __init__(self, talk: Talk, presses: Presses) -> None:
        self._talk = talk
        self._presses = presses

    async def answer(self, incoming: Incoming) -> Outgoing | None:
        """The answer, or None where a press wants no more than it got."""
        if incoming.kind is Kind.PRESS:
            return await self._presses.answer(incoming)
        said = incoming.text
        if incoming.kind is Kind.EDITED:
            return plain(
                f"You edited a message to {_quoted(said)}. An edit is never executed; send it as a new message."
            )
        if said is None:
            return plain("I can only read text. Nothing was done.")
        if incoming.not_his_own:
            why = "is forwarded or another bot's. Only what you write yourself is executed; nothing was done."
            return plain(f"{_quoted(said)} {why}")
        reply = await self._talk.answer(user_of(incoming), said, Author.PERSON)
        return outgoing_reply(reply, common=said.strip().lower().partition("@")[0] in _WITH_COMMON)


def user_of(incoming: Incoming) -> str:
    """The name of a user towards the talk and the approvals."""
    return f"telegram:{incoming.user}"


def outgoing_reply(reply: Reply, *, edit: int | None = None, common: bool = False) -> Outgoing:
    """A reply with its buttons."""
    return Outgoing(render(reply), keyboard_of(reply), edit, common)


def plain(*lines: str) -> Outgoing:
    """A few words of the face's own."""
    return Outgoing(render_lines(lines))


def refuse_old(old: Sequence[Incoming], now: datetime) -> Outgoing:
    """That these came too late to be executed."""
    if len(old) == 1:
        age = old[0].age_s(now)
        return plain(
            f"[EXEC-ERR] DEFERRED: your message {_quoted(old[0].text)} is {age:.0f} s old and was not executed; "
            "send it again if you still want it."
        )
    lines = [f"• {one.said_at:%H:%M:%S} {_quoted(one.text)}" for one in old[:_LISTED]]
    if len(old) > _LISTED:
        lines.append(f"… and {len(old) - _LISTED} more")
    head = f"[EXEC-ERR] DEFERRED: {len(old)} messages came to me too late and were not executed:"
    return plain(head, *lines, "Send again what you still want.")


def say_unfinished(messages: Sequence[Message]) -> Outgoing:
    """What a crash left unanswered. One that had begun may have been done; the ledger knows."""
    lines = ["I was stopped before I had answered. Nothing of this will be executed now:"]
    for message in messages[:_LISTED]:
        begun = message.progress is Progress.BEGUN
        what = "was begun; whether it was done, 'open' and 'trades' show" if begun else "was not executed"
        lines.append(f"• {_quoted(message.text)} {what}.")
    if len(messages) > _LISTED:
        lines.append(f"… and {len(messages) - _LISTED} more")
    return plain(*lines)


def _quoted(text: str | None) -> str:
    if text is None:
        return "without text"
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= _QUOTED else flat[: _QUOTED - 1] + '…'}”"
