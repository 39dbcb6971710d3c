"""The agent loop: a message, the registry's tools, and replies rendered by code.

The model chooses commands; it executes nothing and reports nothing. What happened is said by the replies of the
commands that ran; the model's own prose is a comment beside them, and dropped where it claims what only a receipt may.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loguru import logger

from bot.grammar.parse import NotParsed
from bot.llm.tools import ToolError, command_of, tools
from bot.llm.truth import TradeResultValidator
from core.commands.base import Danger
from core.domain.errors import Code
from core.ledger.store import Store
from core.trading.execute import execute_trading_command
from core.trading.reply import Reply
from core.trading.service import TradingService

if TYPE_CHECKING:
    from openai import AsyncOpenAI

ROUNDS = 4
CALLS_PER_ROUND = 4
WINDOW = 12
_ALL = frozenset(Danger)
_LOOK = frozenset({Danger.QUERY})
_PERSONA = (
    "You are Zyn, a Kraken spot trading assistant. You call your owner {owner}. Be short and factual, in the "
    "owner's language. Use the tools for everything about trades, orders, balances and prices; never invent numbers "
    "or ids. You cannot trade yourself: calling a tool asks the house to, and the house reports the result. "
    "Never say that something was bought, sold, placed, canceled or protected. Active mode: {mode}."
)


class Agent:
    """A model with the registry's tools. One conversation a user, kept in the store."""

    def __init__(
        self,
        client: "AsyncOpenAI",
        model: str,
        service: TradingService,
        store: Store,
        budget_s: float = 30.0,
    ) -> None:
        self.client = client
        self._model = model
        self._service = service
        self._store = store
        self._budget_s = budget_s

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        """Let the model answer, with trading tools only where the grammar found no reason against it."""
        allowed = _ALL if why_not.code is Code.NOT_A_COMMAND else _LOOK
        replies: list[Reply] = []
        failed = False
        try:
            prose = await self._converse(user, text, allowed, replies)
        except Exception as error:  # noqa: BLE001 - whatever a model or its server does, the user gets one honest sentence
            logger.warning("the model failed: {}: {}", type(error).__name__, str(error)[:200])
            failed = True
            prose = f"The model is not answering ({type(error).__name__}), and {why_not.message}."
        return _compose(replies, prose, why_not, failed=failed)

    async def _converse(self, user: str, text: str, allowed: Collection[Danger], replies: list[Reply]) -> str:
        self._store.say(user, "user", text, datetime.now(UTC))
        persona = _PERSONA.format(owner=self._service.owner, mode=self._service.active_mode)
        said = self._store.said(user, WINDOW)
        messages: list[dict[str, Any]] = [{"role": "system", "content": persona}]
        messages += [{"role": role, "content": content} for role, content in said]
        ends_at = asyncio.get_running_loop().time() + self._budget_s
        for _ in range(ROUNDS):
            message = await self._ask(messages, allowed, ends_at)
            calls = list(message.tool_calls or ())[:CALLS_PER_ROUND]
            if not calls:
                prose = (message.content or "").strip()
                self._store.say(user, "assistant", prose or "(nothing)", datetime.now(UTC))
                return prose
            messages.append(message.model_dump(exclude_none=True))
            for call in calls:
                messages.append(await self._run(call, allowed, replies))
            if any(reply.facts is not None for reply in replies):
                # One trade a message: what the model might add after it could only repeat or contradict the receipt.
                return ""
        return ""

    async def _ask(self, messages: Sequence[dict[str, Any]], allowed: Collection[Danger], ends_at: float) -> Any:
        request: dict[str, Any] = {"model": self._model, "messages": list(messages), "tools": tools(allowed)}
        # Only the model's time is limited: a command that has begun is never cut off in the middle.
        async with asyncio.timeout(max(0.0, ends_at - asyncio.get_running_loop().time())):
            answer = await self.client.chat.completions.create(**request)
        choices = getattr(answer, "choices", None)
        if not choices:
            raise ValueError("the model's server did not answer with a chat completion")
        return choices[0].message

    async def _run(self, call: Any, allowed: Collection[Danger], replies: list[Reply]) -> dict[str, Any]:
        function = getattr(call, "function", None)
        try:
            if function is None:
                raise ToolError("only function calls are understood")
            parsed = command_of(function.name, function.arguments, allowed)
            if parsed.command.declaration.danger is Danger.TRADE and any(reply.facts is not None for reply in replies):
                raise ToolError("one order a message; the owner must send the next one")
        except ToolError as error:
            content = f"error: {error}"
        else:
            reply = await execute_trading_command(self._service, parsed.command, parsed.mode)
            replies.append(reply)
            content = reply.text
        return {"role": "tool", "tool_call_id": call.id, "content": content}


_NOTHING = "Nothing was executed, canceled or protected by this message; 'open' shows what is."
_MODEL_SPEAKS = "(The model's words, not the ledger's. Nothing was executed by this message.)"


def _compose(replies: Sequence[Reply], prose: str, why_not: NotParsed, *, failed: bool) -> Reply:
    """Receipts first, rendered by code; the prose beside them only if it claims nothing."""
    if prose and TradeResultValidator.claims_execution(prose):
        logger.warning("the model's prose claimed an execution and was dropped")
        prose = "" if replies else _NOTHING
    if not replies:
        answered = bool(prose) and not failed
        words = (prose, _MODEL_SPEAKS) if answered and prose != _NOTHING else (prose or why_not.message,)
        return Reply(words, ok=answered, code=None if answered else why_not.code)
    last = replies[-1]
    lines = [line for reply in replies[:-1] for line in (*reply.text.splitlines(), "")]
    lines += [*last.lines, *([prose] if prose else [])]
    return Reply(
        tuple(lines), last.mode, all(reply.ok for reply in replies), last.code, last.receipts, last.facts, last.data
    )
