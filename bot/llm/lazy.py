"""The agent, made after the start or by the first message that needs it: the client takes half a second, 27 MiB."""

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httpx
from loguru import logger

from bot.grammar.parse import Grammar, NotParsed
from bot.llm.agent import CLAIMS_KEY, Agent
from bot.llm.tools import tools
from bot.llm.trouble import trouble_of
from bot.settings import Settings
from core.commands.base import Danger
from core.ledger.store import Store
from core.trading.approvals import Approvals
from core.trading.house import Check
from core.trading.reply import Reply

CHECK_S = 5.0
PREPARE_AFTER_S = 2.0
_SWITCH_S = 0.0005
_NO_KEY = "none"
_HEARD_MAX = 4


class LazyAgent:
    """Stands where the agent will stand."""

    def __init__(self, settings: Settings, approvals: Approvals, grammar: Grammar, store: Store) -> None:
        self._settings = settings
        self._approvals = approvals
        self._grammar = grammar
        self._store = store
        self._agent: Agent | None = None
        self._making = asyncio.Lock()
        self._heard: dict[str, deque[tuple[str, str]]] = {}

    async def _made(self) -> Agent:
        async with self._making:
            if self._agent is None:
                self._agent = await asyncio.to_thread(self._make)
        return self._agent

    def _make(self) -> Agent:
        """Made in a thread that gives way to the loop often: nobody else's message waits for half a second."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            agent = make_agent(self._settings, self._approvals, self._grammar, self._store)
            # The client imports its parts when they are first used.
            for part in (agent.client.chat.completions, agent.client.models):
                logger.debug("the model's client has {}", type(part).__name__)
            tools(frozenset(Danger))
        finally:
            sys.setswitchinterval(before)
        return agent

    async def prepare(self) -> None:
        """Make the agent while nobody waits for it. What is wrong with it is said to the first who asks."""
        await asyncio.sleep(PREPARE_AFTER_S)
        try:
            await self._made()
        except Exception as error:  # noqa: BLE001 - a model that cannot be made must not end the bot
            logger.warning("the model's client cannot be made: {}: {}", type(error).__name__, str(error)[:200])

    async def answer(
        self, user: str, text: str, why_not: NotParsed, is_wanted: Callable[[], bool] = lambda: True
    ) -> Reply:
        """Answer through the agent."""
        try:
            agent = await self._made()
        except Exception as error:  # noqa: BLE001 - as above
            sentence = f"The model is not answering ({trouble_of(error, self._settings.model_budget_s)})"
            return Reply((f"{sentence}, and {why_not.message}.",), ok=False, code=why_not.code)
        for said, told in self._heard.pop(user, ()):
            agent.note(user, said, told)
        return await agent.answer(user, text, why_not, is_wanted)

    def note(self, user: str, text: str, reply: str) -> None:
        """Remember the latest; they are stored when the model is asked next, and nobody waits for that before."""
        self._heard.setdefault(user, deque(maxlen=_HEARD_MAX)).append((text, reply))

    async def check(self) -> Check:
        """For the diagnostic: whether the model's server answers. Asks for its list of models, which costs nothing."""
        name = self._settings.openai_model
        dropped = self._store.get(CLAIMS_KEY)
        so_far = f"; {dropped} untrue claim(s) of it dropped so far" if dropped else ""
        try:
            agent = await self._made()
            async with asyncio.timeout(CHECK_S):
                await agent.client.models.list()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            return Check("Model", ok=False, text=f"{name}: {trouble_of(error, CHECK_S)}{so_far}")
        return Check("Model", ok=True, text=f"{name} answers{so_far}")


def make_agent(settings: Settings, approvals: Approvals, grammar: Grammar, store: Store) -> Agent:
    """An agent on an OpenAI-compatible server, over an HTTP client of our own and without silent retries."""
    from openai import AsyncOpenAI  # noqa: PLC0415

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else _NO_KEY
    http = httpx.AsyncClient(timeout=settings.model_budget_s)
    client = AsyncOpenAI(api_key=key, base_url=settings.openai_base_url, max_retries=0, http_client=cast("Any", http))
    return Agent(client, settings.openai_model, approvals, grammar, store, settings.model_budget_s)
