"""The private REST API of the stand-in: keys, signatures, nonces, the call counter, faults, and what was asked."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web

from tests.standins import kraken_faults
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_faults import Policy, PrivateFault
from tests.standins.kraken_limits import REST_COSTS, REST_LIMITS, Counter
from tests.standins.kraken_public import ApiError
from tests.standins.kraken_reads import READS
from tests.standins.kraken_records import Json
from tests.standins.kraken_requests import INVALID

FORBIDDEN = ("CancelAll", "CancelAllOrdersAfter", "EditOrder", "AddOrderBatch", "CancelOrderBatch", "Withdraw")
"""What the bot never calls: each is written down and refused."""
NEEDS = {
    "Balance": {"query-funds"},
    "BalanceEx": {"query-funds"},
    "TradeVolume": {"query-funds"},
    "OpenOrders": {"query-open-trades"},
    "ClosedOrders": {"query-closed-trades"},
    "QueryOrders": {"query-open-trades", "query-closed-trades"},
    "TradesHistory": {"query-closed-trades"},
    "QueryTrades": {"query-closed-trades"},
    "AddOrder": {"modify-trades"},
    "AmendOrder": {"modify-trades"},
    "CancelOrder": {"modify-trades", "close-trades"},
    "GetWebSocketsToken": {"create-ws-token"},
}
"""By endpoint: one of these permissions is enough."""
HTML_PAGE = "<html><body>502 Bad Gateway</body></html>"


@dataclass(slots=True)
class Request:
    """One private call. `outcome` is "ok", an error string of Kraken's, or the fault; "" while it is under way."""

    at: float
    """On the monotonic clock."""
    endpoint: str
    params: dict[str, str]
    outcome: str = ""


class KrakenPrivate:
    """The endpoints under /0/private, for one account and one key."""

    def __init__(self, account: KrakenAccount, key: str, secret: str) -> None:
        self.account = account
        self.key, self.secret = key, secret
        self.requests: list[Request] = []
        self.fault: Policy | None = None
        """Asked about each call that no `fail` is meant for."""
        self.on_request: Callable[[Request], None] | None = None
        """Called when a call arrives, before anything is done."""
        self.tokens: list[str] = []
        self.counter = Counter(*REST_LIMITS[account.tier])
        self.closing = asyncio.Event()
        self._nonce = -1
        self._faults: dict[str, tuple[PrivateFault, int | None]] = {}

    @property
    def forbidden(self) -> list[str]:
        """Every call of an endpoint that nobody may call."""
        return self.account.forbidden

    @property
    def rest_peak(self) -> float:
        """The highest that the call counter ever stood."""
        return self.counter.peak

    @property
    def rest_refusals(self) -> int:
        """How often a call was one too many."""
        return self.counter.refusals

    def fail(self, fault: PrivateFault, times: int | None = None, endpoint: str = "") -> None:
        """Let the next `times` calls (all, when None) of `endpoint` (any, when empty) go wrong in this way."""
        self._faults[endpoint] = (fault, times)

    def recover(self) -> None:
        """Answer properly again."""
        self._faults.clear()
        self.fault = None

    def asked(self, endpoint: str) -> list[dict[str, str]]:
        """The parameters of every call of this endpoint, in order."""
        return [request.params for request in self.requests if request.endpoint == endpoint]

    # -- one call ----------------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or fail as the faults say."""
        body = await request.read()
        params = read_params(request.content_type, body)
        nonce = params.pop("nonce", "")
        call = Request(time.monotonic(), request.path.rpartition("/")[2], params)
        self.requests.append(call)
        if self.on_request is not None:
            self.on_request(call)
        fault = self._next_fault(call)
        if fault is not None and not fault.after and fault.kind != kraken_faults.SLOW:
            call.outcome = str(fault)
            return _spoilt(fault, request, {})
        refusal = self._key_refusal(request, body, nonce)
        if fault is not None and not fault.after:
            await self._wait(fault.wait_s)
        reply = self._answer(call, refusal)
        if fault is not None and fault.after:
            call.outcome = f"{call.outcome}, {fault}"
            if fault.kind != kraken_faults.SLOW:
                return _spoilt(fault, request, reply)
            await self._wait(fault.wait_s)
        return web.json_response(reply)

    def _answer(self, call: Request, refusal: str) -> Json:
        """Process the call, unless its key was refused when it arrived."""
        try:
            if refusal:
                raise ApiError(refusal)
            result = self._result(call)
        except (ApiError, ValueError) as error:
            call.outcome = str(error) if isinstance(error, ApiError) else INVALID
            return {"error": [call.outcome]}
        call.outcome = "ok"
        return {"error": [], "result": result}

    def _key_refusal(self, request: web.Request, body: bytes, nonce: str) -> str:
        if request.headers.get("API-Key") != self.key:
            return "EAPI:Invalid key"
        if not hmac.compare_digest(request.headers.get("API-Sign", ""), sign(self.secret, request.path, nonce, body)):
            return "EAPI:Invalid signature"
        if not nonce.isdecimal() or int(nonce) <= self._nonce:
            return "EAPI:Invalid nonce"
        self._nonce = int(nonce)
        return ""

    def _result(self, call: Request) -> Json:
        account, endpoint = self.account, call.endpoint
        if endpoint in FORBIDDEN:
            self.forbidden.append(endpoint)
            raise ApiError("EGeneral:Permission denied")
        self._count(endpoint)
        if endpoint in NEEDS and not NEEDS[endpoint] & set(account.permissions):
            raise ApiError("EGeneral:Permission denied")
        if endpoint in READS:
            return READS[endpoint](account, call.params)
        answers: dict[str, Callable[[], Json]] = {
            "AddOrder": lambda: account.add_order(call.params),
            "AmendOrder": lambda: account.amend_order(call.params),
            "CancelOrder": lambda: account.cancel_order(call.params),
            "GetApiKeyInfo": self._key_info,
            "GetWebSocketsToken": self._token,
        }
        if endpoint not in answers:
            raise ApiError("EGeneral:Unknown method")
        return answers[endpoint]()

    def _count(self, endpoint: str) -> None:
        self.counter.most, self.counter.drain_per_s = REST_LIMITS[self.account.tier]
        cost = REST_COSTS.get(endpoint, 1)
        if not self.counter.add(cost, self.account.monotonic(), limited=self.account.limits):
            raise ApiError("EAPI:Rate limit exceeded")

    def _key_info(self) -> Json:
        return {
            "apiKeyName": "zyn",
            "apiKey": self.key,
            "nonce": str(self._nonce),
            "nonceWindow": 0,
            "permissions": list(self.account.permissions),
            "iban": "AA00 N00N TEST 0000",
            "validUntil": "0",
            "queryFrom": "0",
            "queryTo": "0",
            "createdTime": "1700000000",
            "modifiedTime": "1700000000",
            "ipAllowlist": [],
            "lastUsed": str(int(self.account.now().timestamp())),
        }

    def _token(self) -> Json:
        number = len(self.tokens) + 1
        digest = hashlib.sha256(f"{self.key}{number}".encode()).digest()
        self.tokens.append(base64.b64encode(digest).decode())
        return {"token": self.tokens[-1], "expires": 900}

    def _next_fault(self, call: Request) -> PrivateFault | None:
        name = call.endpoint if call.endpoint in self._faults else ""
        if name not in self._faults:
            return None if self.fault is None else self.fault(call.endpoint, dict(call.params))
        fault, times = self._faults[name]
        if times is not None:
            self._faults[name] = (fault, times - 1)
            if times <= 1:
                del self._faults[name]
        return fault

    async def _wait(self, wait_s: float) -> None:
        waiting = asyncio.ensure_future(self.closing.wait())
        await asyncio.wait({waiting}, timeout=wait_s)
        waiting.cancel()


def sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """The signature that Kraken asks for."""
    inner = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(base64.b64decode(secret), path.encode() + inner, hashlib.sha512).digest()).decode()


def read_params(content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of a form or of a JSON object, as text; an object within is written `outer[inner]`."""
    if content_type != "application/json":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    found: dict[str, str] = {}
    for name, value in json.loads(body or b"{}").items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        found.update({f"{name}[{key}]" if key else name: _text(one) for key, one in inner})
    return found


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spoilt(fault: PrivateFault, request: web.Request, reply: Json) -> web.StreamResponse:
    if fault.kind == kraken_faults.ERROR:
        return web.json_response({"error": [fault.text]})
    if fault.kind == kraken_faults.WARNING:
        return web.json_response({**reply, "error": [fault.text]})
    if fault.kind == kraken_faults.BROKEN:
        return web.Response(text=json.dumps(reply)[:-6], content_type="application/json")
    if fault.kind == kraken_faults.DROPPED and request.transport is not None:
        request.transport.abort()
    return web.Response(text=HTML_PAGE, content_type="text/html", status=502)
