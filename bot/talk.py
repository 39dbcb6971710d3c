"""A message in, a reply out: the same for every face. Grammar first, the model only for what is no command."""

import re
from typing import Protocol

from bot.grammar.parse import Grammar, NotParsed, Parsed
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.approvals import Approvals, Wish
from core.trading.consent import Author
from core.trading.reply import Reply, refusal

_ANSWER = re.compile(r"\s*(confirm|reject)\s+([A-Z0-9]{6})\s*[.!]?\s*", re.IGNORECASE | re.ASCII)


class Model(Protocol):
    """The language model, as the talk needs it."""

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        """Answer a message that is no command."""
        ...


class Talk:
    """The conversation with one house. `grammar` None sends every message to the model."""

    def __init__(self, approvals: Approvals, grammar: Grammar | None, model: Model | None = None) -> None:
        self.approvals = approvals
        self.grammar = grammar
        self._model = model

    async def answer(self, user: str, text: str, author: Author = Author.SCRIPT, mode: Mode | None = None) -> Reply:
        """Understand, execute or ask, reply. What is not understood is answered with its reason.

        `mode` is the desk of a sentence that names none; None means the active one.
        """
        answered = _ANSWER.fullmatch(text)
        if answered is not None:
            yes = answered[1].lower() == "confirm"
            return await self.approvals.answer(user, answered[2].upper(), yes=yes)
        understood = self._understand(text)
        if isinstance(understood, Parsed):
            wish = Wish(user, understood.command, understood.mode or mode, author)
            return await self.approvals.submit(wish)
        if self._model is not None and author is not Author.BUTTON:
            return await self._model.answer(user, text, understood)
        return refusal(understood.code, understood.message)

    def _understand(self, text: str) -> Parsed | NotParsed:
        if self.grammar is None:
            return NotParsed(Code.NOT_A_COMMAND, "the grammar is switched off")
        return self.grammar.parse(text)
