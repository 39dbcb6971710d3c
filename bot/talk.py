"""A message in, a reply out: the same for every face. Grammar first, the model only for what is no command."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.grammar.parse import Grammar, NotParsed, Parsed
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.approvals import Approvals, Wish
from core.trading.consent import Author
from core.trading.reply import Reply, refusal

_ANSWER = re.compile(r"\s*(confirm|reject)\s+([A-Z0-9]{6})\s*[.!]?\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question was answered: "confirm K7QPAB", or "reject" and its code."""

    code: str
    yes: bool


Heard = Answered | Parsed | NotParsed


class Model(Protocol):
    """The language model, as the talk needs it."""

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        """Answer a message that is no command. Once `is_wanted` is False, nothing of it is done without asking."""
        ...

    def note(self, user: str, text: str, reply: str) -> None:
        """Hear of a message that was answered without the model."""
        ...


class Talk:
    """The conversation with one house. `grammar` None sends every message to the model."""

    def __init__(self, approvals: Approvals, grammar: Grammar | None, model: Model | None = None) -> None:
        self.approvals = approvals
        self.grammar = grammar
        self._model = model
        self._acts: dict[str, int] = {}

    async def answer(self, user: str, text: str, author: Author = Author.SCRIPT, mode: Mode | None = None) -> Reply:
        """Understand, execute or ask, reply. What is not understood is answered with its reason.

        `mode` is the desk of a sentence that names none; None means the active one.
        """
        return await self.reply(user, text, self.read(text), author, mode)

    def read(self, text: str) -> Heard:
        """What a message is: an answer to a question, a command, or neither. Nothing is done."""
        answered = _ANSWER.fullmatch(text)
        if answered is not None:
            return Answered(answered[2].upper(), yes=answered[1].lower() == "confirm")
        if self.grammar is None:
            return NotParsed(Code.NOT_A_COMMAND, "the grammar is switched off")
        return self.grammar.parse(text)

    def needs_model(self, heard: Heard) -> bool:
        """True for what only the model can answer, which may take its time."""
        return self._model is not None and isinstance(heard, NotParsed)

    def acts(self, user: str) -> int:
        """How often this user has given an order or an answer so far."""
        return self._acts.get(user, 0)

    async def reply(
        self,
        user: str,
        text: str,
        heard: Heard,
        author: Author = Author.SCRIPT,
        mode: Mode | None = None,
        is_wanted: Callable[[], bool] | None = None,
    ) -> Reply:
        """The reply to a message that was read as `heard`.

        `is_wanted` tells a model that takes its time whether what was said may still be done without asking; where it
        is None, until the user acts again.
        """
        if isinstance(heard, Answered) or (isinstance(heard, Parsed) and not heard.command.only_shows):
            self._acts[user] = self.acts(user) + 1
        if isinstance(heard, Answered):
            reply = await self.approvals.answer(user, heard.code, yes=heard.yes)
        elif isinstance(heard, Parsed):
            reply = await self.approvals.submit(Wish(user, heard.command, heard.mode or mode, author))
        elif self._model is not None and author is not Author.BUTTON:
            before = self.acts(user)
            return await self._model.answer(user, text, heard, is_wanted or (lambda: self.acts(user) == before))
        else:
            reply = refusal(heard.code, heard.message)
        if self._model is not None:
            self._model.note(user, text, reply.text)
        return reply
