"""The agent, made on the first message that needs it: the client's library takes 0.4 s and 40 MiB."""

import asyncio
import importlib
from typing import Any, cast

import httpx

from bot.grammar.parse import Grammar, NotParsed
from bot.llm.agent import CLAIMS_KEY, Agent
from bot.llm.trouble import trouble_of
from bot.settings import Settings
from core.ledger.store import Store
from core.trading.approvals import Approvals
from core.trading.house import Check
from core.trading.reply import Reply

CHECK_S = 5.0
_NO_KEY = "none"


class LazyAgent:
    """Stands where the agent will stand."""

    def __init__(self, settings: Settings, approvals: Approvals, grammar: Grammar, store: Store) -> None:
        self._settings = settings
        self._approvals = approvals
        self._grammar = grammar
        self._store = store
        self._agent: Agent | None = None

    async def _made(self) -> Agent:
        if self._agent is None:
            # In a thread: nobody else's message waits for the import.
            await asyncio.to_thread(importlib.import_module, "openai")
            self._agent = make_agent(self._settings, self._approvals, self._grammar, self._store)
        return self._agent

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        """Answer through the agent."""
        return await (await self._made()).answer(user, text, why_not)

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
