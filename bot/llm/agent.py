"""The agent loop: a message, the registry's tools, and replies rendered by code.

The model chooses commands; it executes nothing and reports nothing. What it chooses goes to the approvals, which ask a
person wherever that is due. What happened is said by the replies of the commands that ran; the model's own prose is a
comment beside them, and dropped where it claims what only a receipt may.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from bot.grammar.parse import Grammar, NotParsed, Parsed
from bot.llm.tools import ToolError, command_of, tools
from bot.llm.trouble import is_passing, trouble_of
from bot.llm.truth import TradeResultValidator
from core.commands.base import Danger
from core.commands.open import Open
from core.domain.errors import DENIED, Code
from core.ledger.store import Store
from core.trading.approvals import Approvals, Wish
from core.trading.consent import Author
from core.trading.reply import Reply

if TYPE_CHECKING:
    from openai import AsyncOpenAI

ROUNDS = 4
CALLS_PER_ROUND = 4
WINDOW = 12
TRIES = 3
PROSE_MAX = 1500
"""Characters of the model's own words that are read at all."""
CLAIMS_KEY = "model_claims_dropped"
_KEPT_LENGTH = 600
_ALL = frozenset(Danger)
_LOOK = frozenset({Danger.QUERY})
_PERSONA = (
    "You are Zyn, a Kraken spot trading assistant. You call your owner {owner}. Be short and factual, in the "
    "owner's language. Use the tools for everything about trades, orders, balances and prices; never invent numbers "
    "or ids. You cannot trade yourself: calling a tool asks the house to, the house may ask the owner to confirm, and "
    "the house reports the result. Never say that something was bought, sold, placed, canceled or protected, and never "
    "confirm for the owner. Active mode: {mode}."
)


@dataclass(slots=True)
class _Turn:
    """One message on its way: what the model may call, and what the house has answered so far."""

    user: str
    text: str
    allowed: Collection[Danger]
    is_wanted: Callable[[], bool]
    replies: list[Reply] = field(default_factory=list)
    acted: bool = False


class Agent:
    """A model with the registry's tools. One conversation a user, kept in the store."""

    def __init__(
        self,
        client: "AsyncOpenAI",
        model: str,
        approvals: Approvals,
        grammar: Grammar,
        store: Store,
        budget_s: float = 30.0,
    ) -> None:
        self.client = client
        self._model = model
        self._approvals = approvals
        self._grammar = grammar
        self._store = store
        self._budget_s = budget_s

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        """Let the model answer, with trading tools only where the grammar found no reason against it.

        What was asked and what was delivered are kept; a claim that was dropped is not, so that the model does not
        learn from its own lies.
        """
        turn = _Turn(user, text, _ALL if why_not.code is Code.NOT_A_COMMAND else _LOOK, is_wanted)
        self._keep(user, "user", text)
        try:
            prose = await self._converse(turn)
        except Exception as error:  # noqa: BLE001 - whatever a model or its server does, the user gets one honest sentence
            logger.warning("the model failed: {}: {}", type(error).__name__, str(error)[:200])
            sentence = f"The model is not answering ({trouble_of(error, self._budget_s)}), and {why_not.message}."
            reply = _beside(turn.replies, (sentence,)) or Reply((sentence,), ok=False, code=why_not.code)
        else:
            reply = await self._compose(turn, prose, why_not)
        self._keep(user, "assistant", reply.text)
        return reply

    def note(self, user: str, text: str, reply: str) -> None:
        """Keep what was said and answered without the model, so that it knows what "the same again" means."""
        self._keep(user, "user", text)
        self._keep(user, "assistant", reply)

    def _keep(self, user: str, role: str, text: str) -> None:
        """Keep one utterance. A database that fails must not cost the user the receipt that comes with it."""
        try:
            self._store.say(user, role, text[:_KEPT_LENGTH], datetime.now(UTC))
        except SQLAlchemyError as error:
            logger.error("the conversation could not be kept: {}", error)

    def _count_claim(self) -> str:
        try:
            return str(self._store.increment(CLAIMS_KEY))
        except SQLAlchemyError as error:
            logger.error("a dropped claim could not be counted: {}", error)
            return "not counted"

    async def _converse(self, turn: _Turn) -> str:
        """Rounds of asking and running tools, within one budget of time. Returns the model's last words."""
        service = self._approvals.service
        persona = _PERSONA.format(owner=service.owner, mode=service.active_mode)
        messages: list[dict[str, Any]] = [{"role": "system", "content": persona}]
        said = self._store.said(turn.user, WINDOW)
        # Some servers refuse a conversation that the assistant begins.
        first = next((place for place, (role, _) in enumerate(said) if role == "user"), len(said))
        window = [{"role": role, "content": content} for role, content in said[first:]]
        messages += window or [{"role": "user", "content": turn.text}]
        ends_at = asyncio.get_running_loop().time() + self._budget_s
        for _ in range(ROUNDS):
            message = await self._ask(messages, turn.allowed, ends_at)
            calls = list(message.tool_calls or ())
            if not calls:
                return (message.content or "").strip()
            messages.append(message.model_dump(exclude_none=True))
            messages += await self._run_all(calls, turn)
            if turn.acted:
                # One order a message: what the model might add could only repeat or contradict the receipt.
                break
        return ""

    async def _ask(self, messages: Sequence[dict[str, Any]], allowed: Collection[Danger], ends_at: float) -> Any:
        request: dict[str, Any] = {"model": self._model, "messages": list(messages), "tools": tools(allowed)}
        tries = AsyncRetrying(
            retry=retry_if_exception(is_passing),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(multiplier=0.25, max=4),
            reraise=True,
        )
        # Only the model's time is limited: a command that has begun is never cut off in the middle.
        async with asyncio.timeout(max(0.0, ends_at - asyncio.get_running_loop().time())):
            async for one_try in tries:
                with one_try:
                    answer: Any = await self.client.chat.completions.create(**request)
        choices = getattr(answer, "choices", None)
        if not choices:
            raise ValueError("the model's server did not answer with a chat completion")
        return choices[0].message

    async def _run_all(self, calls: Sequence[Any], turn: _Turn) -> list[dict[str, Any]]:
        """The answers to the calls of one round, in their order. Those that only look run side by side."""
        parsed = [
            _parsed(call, turn.allowed) if number < CALLS_PER_ROUND else ToolError(f"{CALLS_PER_ROUND} calls at a time")
            for number, call in enumerate(calls)
        ]
        looks = {number: one for number, one in enumerate(parsed) if isinstance(one, Parsed) and one.command.only_shows}
        seen = await asyncio.gather(*(self._submit(one, turn) for one in looks.values()))
        answers = {number: reply.text for number, reply in zip(looks, seen, strict=True)}
        turn.replies += seen
        for number, one in enumerate(parsed):
            if number in answers:
                continue
            answers[number] = f"error: {one}" if isinstance(one, ToolError) else await self._act(one, turn)
        return [
            {"role": "tool", "tool_call_id": call.id, "content": answers[number]} for number, call in enumerate(calls)
        ]

    async def _act(self, parsed: Parsed, turn: _Turn) -> str:
        """Hand over the one command of this turn that would change something."""
        if turn.acted:
            return "error: one order a message; the owner must send the next one"
        reply = await self._submit(parsed, turn)
        # What was denied before anything was sent may be mended by another call. What was done, may have been done, or
        # was asked about, may not be repeated.
        turn.acted = reply.code not in DENIED
        turn.replies.append(reply)
        return reply.text

    async def _submit(self, parsed: Parsed, turn: _Turn) -> Reply:
        active = self._approvals.service.active_mode
        # An order that he has overtaken by another, or that is too old, is not what he wants now, whatever he said.
        named = turn.is_wanted() and self._grammar.names(turn.text, parsed.command, parsed.mode or active, active)
        return await self._approvals.submit(Wish(turn.user, parsed.command, parsed.mode, Author.MODEL, named))

    async def _compose(self, turn: _Turn, prose: str, why_not: NotParsed) -> Reply:
        """Receipts first, rendered by code; the prose beside them only if it claims nothing."""
        prose = prose if len(prose) <= PROSE_MAX else prose[:PROSE_MAX] + "…"
        told = "\n".join(reply.text for reply in turn.replies)
        if prose and TradeResultValidator.is_unproven(prose, told):
            count = self._count_claim()
            logger.warning("the model's prose claimed what no receipt of this turn shows and was dropped ({})", count)
            return _beside(turn.replies, ()) or await self._what_is(turn.user)
        # Quoted line by line, so that it cannot pass for the house's own words.
        quoted = tuple(f"› {line}" for line in prose.splitlines())
        if turn.replies:
            return _beside(turn.replies, (_BESIDE, *quoted) if quoted else ()) or turn.replies[-1]
        if not prose:
            return Reply((f"The model had nothing to say, and {why_not.message}.",), ok=False, code=why_not.code)
        return Reply((_MODEL_SPEAKS, *quoted))

    async def _what_is(self, user: str) -> Reply:
        """What the ledger says, in the place of what the model claimed."""
        shown = await self._approvals.submit(Wish(user, Open(), None, Author.MODEL))
        return Reply((_NOTHING, *shown.lines), shown.mode, shown.ok, shown.code, data=shown.data, offers=shown.offers)


_NOTHING = "Nothing was executed, canceled or protected by this message. This is what is:"
_MODEL_SPEAKS = "The model says (its words, not the ledger's; nothing was executed by this message):"
_BESIDE = "The model adds (its words, not the ledger's):"


def _parsed(call: Any, allowed: Collection[Danger]) -> Parsed | ToolError:
    function = getattr(call, "function", None)
    try:
        if function is None:
            raise ToolError("only function calls are understood")
        return command_of(function.name, function.arguments, allowed)
    except ToolError as error:
        return error


def _beside(replies: Sequence[Reply], comment: Sequence[str]) -> Reply | None:
    """The replies of the turn as one, with a comment at its end. None where there are none."""
    if not replies:
        return None
    last = replies[-1]
    is_one_desk = all(reply.mode is last.mode for reply in replies)
    lines: list[str] = []
    for reply in replies:
        head = [f"Mode: {reply.mode}."] if reply.mode is not None and not is_one_desk else []
        lines += [*([""] if lines else []), *head, *reply.lines]
    return replace(
        last,
        lines=(*lines, *([""] if comment else []), *comment),
        mode=last.mode if is_one_desk else None,
        ok=all(reply.ok for reply in replies),
        code=next((reply.code for reply in replies if reply.code is not None), None),
        receipts=tuple(receipt for reply in replies for receipt in reply.receipts),
        picture=next((reply.picture for reply in reversed(replies) if reply.picture is not None), None),
    )
