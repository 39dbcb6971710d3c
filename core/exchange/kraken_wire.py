"""The wire to a Kraken account: which calls there are, in what order they leave, and how their failures read.

The only endpoints are those of `Endpoint`: nothing here can cancel a whole account or move coins away from it.
"""

import asyncio
import contextlib
import heapq
import json
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from itertools import count
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, stop_before_delay, wait_exponential

from core.domain.errors import Code, ZynError
from core.exchange.budget import RestBudget
from core.exchange.kraken import AccountClient, failures_of_ccxt

ATTEMPTS = 3
READ_LIMIT_S = 20.0
"""How long one read may take with all of its attempts, the wait for our own budget not counted."""
TURN_S = 0.1
"""How long a signed request keeps the next one waiting. Kraken wants nonces in order, and two requests on two
connections may overtake each other; one that was sent so long ago has arrived."""


class Endpoint(Enum):
    """What we ask of an account: Kraken's name of the call, and what it costs of the REST counter."""

    KEY_INFO = ("GetApiKeyInfo", 1.0)
    BALANCE = ("BalanceEx", 1.0)
    OPEN_ORDERS = ("OpenOrders", 1.0)
    CLOSED_ORDERS = ("ClosedOrders", 1.0)
    TRADES = ("TradesHistory", 2.0)
    FEES = ("TradeVolume", 1.0)
    STREAM_TOKEN = ("GetWebSocketsToken", 1.0)
    ADD = ("AddOrder", 0.0)
    AMEND = ("AmendOrder", 0.0)
    CANCEL = ("CancelOrder", 0.0)

    @property
    def path(self) -> str:
        """Kraken's name."""
        return self.value[0]

    @property
    def cost(self) -> float:
        """What a call adds to the REST counter."""
        return self.value[1]


class CallFailedError(ZynError):
    """A call without a result. `strings` are Kraken's own words where its envelope came; empty proves nothing."""

    def __init__(self, message: str, strings: tuple[str, ...] = (), answer: object = None) -> None:
        super().__init__(Code.VENUE_UNREADABLE, message)
        self.strings = strings
        self.answer = answer

    def says(self, *starts: str) -> bool:
        """True when Kraken itself says one of these."""
        return any(one.startswith(starts) for one in self.strings)


class _PassingError(CallFailedError):
    """One that another attempt may not meet."""


_PASSING = (
    "EService:Unavailable", "EService:Busy", "EService:Timeout", "EService:Throttled", "EGeneral:Internal error",
    "EDatabase:Internal error", "EAPI:Invalid nonce",
)  # fmt: skip
RATE_LIMITS = ("EAPI:Rate limit", "EGeneral:Too many requests", "EGeneral:Temporary lockout")
NONCE = ("EAPI:Invalid nonce",)


class Turns:
    """Lets one request out at a time, urgent ones first, each kind in the order of its coming."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._numbers = count()

    async def take(self, *, urgent: bool) -> None:
        """Wait for our turn. A caller that is canceled meanwhile gives its place back."""
        if not self._taken:
            self._taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, next(self._numbers), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Let the next one out."""
        while self._waiting:
            _, _, following = heapq.heappop(self._waiting)
            if not following.done():
                following.set_result(None)
                return
        self._taken = False


class AccountWire:
    """One client, its turns and its budget. Reads are tried again; orders never."""

    def __init__(
        self,
        make_client: Callable[[], AccountClient],
        budget: RestBudget,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.budget = budget
        self._make_client = make_client
        self._sleep = sleep
        self._client: AccountClient | None = None
        self._turns = Turns()
        self._is_closed = False

    @property
    def client(self) -> AccountClient:
        """The one client of this account, made on first use. Raises CallFailedError once closed."""
        if self._is_closed:
            raise CallFailedError("the connection to Kraken is closed")
        if self._client is None:
            self._client = self._make_client()
        return self._client

    async def read(self, endpoint: Endpoint, form: Mapping[str, str], *, urgent: bool = False) -> object:
        """The result of a read. Raises CallFailedError when three attempts have brought none."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(READ_LIMIT_S),
            wait=wait_exponential(multiplier=0.2, min=0.2, max=2.0),
            retry=retry_if_exception_type(_PassingError),
            sleep=self._sleep,
            reraise=True,
        )
        return await retrying(self._read, endpoint, form, urgent=urgent)

    async def _read(self, endpoint: Endpoint, form: Mapping[str, str], *, urgent: bool) -> object:
        await self.budget.take(endpoint.cost, urgent=urgent)
        try:
            return await self._call(endpoint, form, urgent=False)
        except CallFailedError as error:
            if error.says(*RATE_LIMITS):
                self.budget.counter.fill()
            raise

    async def send(self, endpoint: Endpoint, form: Mapping[str, str]) -> object:
        """The result of an order, amend or cancel, sent once and before any read that waits. Raises CallFailedError."""
        return await self._call(endpoint, form, urgent=True)

    async def ask_public(self, name: str) -> object:
        """The result of a public call without parameters, which costs nothing of the account's counter."""
        ask = getattr(self.client, f"publicGet{name}")
        return _result(await _answered(lambda: ask({}), name), name)

    async def _call(self, endpoint: Endpoint, form: Mapping[str, str], *, urgent: bool) -> object:
        client = self.client
        await self._turns.take(urgent=urgent)
        name = endpoint.path
        ask = getattr(client, f"privatePost{name}")
        asked = asyncio.ensure_future(_answered(lambda: ask(dict(form)), name))
        try:
            try:
                await asyncio.wait({asked}, timeout=TURN_S)
            finally:
                self._turns.give()
            return _result(await asked, name)
        except asyncio.CancelledError:
            asked.cancel()
            with contextlib.suppress(asyncio.CancelledError, CallFailedError):
                await asked
            raise

    async def close(self) -> None:
        """Close the client; nothing can be sent any more."""
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.close()


async def _answered(call: Callable[[], Awaitable[Any]], name: str) -> object:
    try:
        return await call()
    except failures_of_ccxt() as error:
        # ccxt's own text holds addresses and whole bodies; the caller gets what can be told.
        raise failure_of(str(error), name, type(error).__name__) from None


def _result(reply: object, name: str) -> object:
    if not isinstance(reply, Mapping) or "result" not in reply:
        raise _PassingError(f"Kraken's server sent something else than an answer to {name}.")
    return reply["result"]


def failure_of(text: str, name: str, kind: str) -> CallFailedError:
    """A failure from ccxt's text. Kraken's words count only inside Kraken's own envelope."""
    strings, answer = envelope(text)
    if strings:
        said = "; ".join(strings)[:200]
        failed = _PassingError if strings[0].startswith(_PASSING) else CallFailedError
        return failed(f'Kraken answered "{said}" to {name}.', strings, answer)
    why = "did not answer in time" if kind in {"RequestTimeout", "TimeoutError"} else f"could not be asked ({kind})"
    return _PassingError(f"Kraken {why}: {name}.")


def envelope(text: str) -> tuple[tuple[str, ...], object]:
    """Kraken's error strings and the result beside them, if `text` is ccxt's name and a whole envelope."""
    _, _, body = text.partition(" ")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return (), None
    listed = found.get("error") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return (), None
    return tuple(listed), found.get("result")
