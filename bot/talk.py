"""A message in, a reply out: the same for every face. Grammar first, the model only for what is no command."""

from typing import Protocol

from bot.grammar.parse import Grammar, NotParsed, Parsed
from core.domain.errors import Code
from core.trading.execute import execute_trading_command
from core.trading.reply import Reply, refusal
from core.trading.service import TradingService


class Model(Protocol):
    """The language model, as the talk needs it."""

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        """Answer a message that is no command."""
        ...


class Talk:
    """The conversation with one house. `grammar` None sends every message to the model."""

    def __init__(self, service: TradingService, grammar: Grammar | None, model: Model | None = None) -> None:
        self.service = service
        self.grammar = grammar
        self._model = model

    async def answer(self, user: str, text: str) -> Reply:
        """Understand, execute, reply. What is not understood is answered with its reason."""
        understood = self._understand(text)
        if isinstance(understood, Parsed):
            return await execute_trading_command(self.service, understood.command, understood.mode)
        if self._model is not None:
            return await self._model.answer(user, text, understood)
        return refusal(understood.code, understood.message)

    def _understand(self, text: str) -> Parsed | NotParsed:
        if self.grammar is None:
            return NotParsed(Code.NOT_A_COMMAND, "the grammar is switched off")
        return self.grammar.parse(text)
