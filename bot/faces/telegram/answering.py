"""What an update is answered with."""

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.faces.telegram.buttons import spoken
from bot.faces.telegram.incoming import Incoming, Kind
from bot.faces.telegram.outgoing import Outgoing
from bot.faces.telegram.presses import Presses, outgoing_reply, plain
from bot.talk import Heard, Talk
from core.ledger.inbox import Message, Progress
from core.trading.consent import Author

_QUOTED = 60
_LISTED = 20
_WITH_COMMON = frozenset({"/start", "/help", "help", "start", "menu"})


class Answering:
    """From an update to its answer: words go to the talk, presses to what they mean."""

    def __init__(self, talk: Talk, presses: Presses) -> None:
        self._talk = talk
        self._presses = presses

    def read(self, incoming: Incoming) -> Heard | None:
        """What a message is; None for what is no message of words."""
        said = _said(incoming)
        return self._talk.read(said) if said is not None else None

    def needs_model(self, heard: Heard | None) -> bool:
        """True for a message that only the model can answer."""
        return heard is not None and self._talk.needs_model(heard)

    def acts(self, incoming: Incoming) -> int:
        """How often this user has acted so far."""
        return self._talk.acts(incoming.name)

    async def answer(
        self, incoming: Incoming, heard: Heard | None, is_wanted: Callable[[], bool] | None = None
    ) -> Outgoing | None:
        """The answer, or None where a press wants no more than it got. `heard` is what `read` found, if it did."""
        if incoming.kind is Kind.PRESS:
            return await self._presses.answer(incoming)
        if incoming.kind is Kind.EDITED:
            edited = f"You edited a message to {_quoted(incoming.text)}. An edit is never executed"
            return plain(f"{edited}, and what was done about it before stands. To have it done, send it anew.")
        if incoming.text is None:
            return plain("I can only read text. Nothing was done.")
        said = _said(incoming)
        if said is None:
            why = "is forwarded or another bot's. Only what you write yourself is executed; nothing was done."
            return plain(f"{_quoted(incoming.text)} {why}")
        heard = heard or self._talk.read(said)
        reply = await self._talk.reply(incoming.name, said, heard, Author.PERSON, is_wanted=is_wanted)
        # In a group the keyboard would be put up for everybody.
        return outgoing_reply(reply, common=incoming.is_private and said.lower() in _WITH_COMMON)


def _said(incoming: Incoming) -> str | None:
    """What a person told us himself, None for everything else. A link to the bot adds its own words to /start."""
    if incoming.kind is not Kind.MESSAGE or incoming.text is None or incoming.not_his_own:
        return None
    head = incoming.text.strip().partition(" ")[0].partition("@")[0].lower()
    return "/start" if head == "/start" else incoming.text.strip()


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
        begun = message.progress is not Progress.RECEIVED
        what = "was begun; whether it was done, 'open' and 'trades' show" if begun else "was not executed"
        lines.append(f"• {_shown(message)} {what}.")
    if len(messages) > _LISTED:
        lines.append(f"… and {len(messages) - _LISTED} more")
    return plain(*lines)


def _shown(message: Message) -> str:
    return spoken(message.text) if message.said_at is None else _quoted(message.text)


def _quoted(text: str | None) -> str:
    if text is None:
        return "without text"
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= _QUOTED else flat[: _QUOTED - 1] + '…'}”"
