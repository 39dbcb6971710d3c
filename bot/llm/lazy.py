"""The agent, made on the first message that needs it: the client's library takes 0.4 s and 40 MiB."""

import asyncio
from typing import Any, cast

import httpx

from bot.grammar.parse import NotParsed
from bot.llm.agent import Agent
from bot.settings import Settings
from core.ledger.store import Store
from core.trading.house import Check
from core.trading.reply import Reply
from core.trading.service import TradingService

TIMEOUT_S = 20.0
CHECK_S = 5.0
_NO_KEY = "none"


class LazyAgent:
    """Stands where the agent will stand."""

    def __init__(self, settings: Settings, service: TradingService, store: Store) -> None:
        self._settings = settings
        self._service = service
        self._store = store
        self._agent: Agent | None = None

    async def answer(self, user: str, text: str, why_not: NotParsed) -> Reply:
        """Answer through the agent."""
        if self._agent is None:
            self._agent = make_agent(self._settings, self._service, self._store)
        return await self._agent.answer(user, text, why_not)

    async def check(self) -> Check:
        """For the diagnostic: whether the model's server answers. Asks for its list of models, which costs nothing."""
        name = self._settings.openai_model
        if self._agent is None:
            self._agent = make_agent(self._settings, self._service, self._store)
        try:
            async with asyncio.timeout(CHECK_S):
                await self._agent.client.models.list()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            return Check("Model", ok=False, text=f"{name} does not answer ({type(error).__name__})")
        return Check("Model", ok=True, text=f"{name} answers")


def make_agent(settings: Settings, service: TradingService, store: Store) -> Agent:
    """An agent on an OpenAI-compatible server, over an HTTP client of our own and without silent retries."""
    from openai import AsyncOpenAI  # noqa: PLC0415

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else _NO_KEY
    http = httpx.AsyncClient(timeout=TIMEOUT_S)
    client = AsyncOpenAI(api_key=key, base_url=settings.openai_base_url, max_retries=0, http_client=cast("Any", http))
    return Agent(client, settings.openai_model, service, store)
