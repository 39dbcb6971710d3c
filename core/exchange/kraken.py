"""The one corner of the house that imports ccxt: what makes its clients and knows their failures.

ccxt is used for its wire (addresses, signatures, encoding, sockets). Its unified methods round through floats, drop
fields silently and load every market; its retries and its limiter decide what is ours to decide. There are two kinds
of client: one without keys, for market data of every mode, and one with them, which only the LIVE exchange gets.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from pydantic import SecretStr


class PublicClient(Protocol):
    """What we use of a ccxt client; its raw endpoints are looked up by name ("publicGetTicker")."""

    urls: dict[str, Any]

    async def close(self) -> None:
        """Give back its connections."""
        ...


class AccountClient(PublicClient, Protocol):
    """The same with keys ("privatePostOpenOrders"), and with streams.

    `tap` gets every message with the stream that it came on, `token_source` makes the token of the private one.
    """

    tap: Callable[[str, dict[str, Any]], None] | None
    token_source: Callable[[], Awaitable[str]] | None

    def know(self, symbol: str, venue_name: str) -> None:
        """Let the streams know a pair."""
        ...

    def drop(self, stream: str) -> None:
        """Break the connection of a stream ("publicV2", "privateV2"): who watches it gets an error."""
        ...

    async def watch_orders(
        self, symbol: str | None, since: int | None, limit: int | None, params: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """The next news of orders. The parameters are a dictionary, always: None breaks the client."""
        ...

    async def watch_bids_asks(self, symbols: list[str], params: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The next best prices."""
        ...


ClientFactory = Callable[[str | None, float], PublicClient]


@dataclass(frozen=True, slots=True)
class Access:
    """Where Kraken is and who asks. None for an address means Kraken's own."""

    key: SecretStr
    secret: SecretStr = field(repr=False)
    api_url: str | None = None
    ws_url: str | None = None
    ws_auth_url: str | None = None
    timeout_s: float = 10.0


def new_client(api_url: str | None, timeout_s: float) -> PublicClient:
    """A ccxt client without limiter, retries and memory of old replies. `api_url` replaces https://api.kraken.com."""
    import ccxt.async_support as ccxt  # noqa: PLC0415 - importing it takes 0.4 s

    client = ccxt.kraken(_options(timeout_s))
    _point(client, api_url)
    return cast("PublicClient", client)


def new_account_client(access: Access) -> AccountClient:
    """A client with keys and streams. One to a key: two would use each other's nonces."""
    keys = {"apiKey": access.key.get_secret_value(), "secret": access.secret.get_secret_value()}
    client = _tapped_class()(_options(access.timeout_s) | keys)
    _point(client, access.api_url)
    streams = dict(client.urls["api"]["ws"])
    if access.ws_url is not None:
        streams["publicV2"] = access.ws_url
    if access.ws_auth_url is not None:
        streams["private"] = streams["privateV2"] = access.ws_auth_url
    client.urls["api"] = client.urls["api"] | {"ws": streams}
    return cast("AccountClient", client)


def _tapped_class() -> Any:
    """Ccxt's client with streams, which lets us hear every message: its own handlers hide heartbeats and refusals."""
    import ccxt.pro as ccxt  # noqa: PLC0415 - importing it takes half a second

    class TappedKraken(ccxt.kraken):  # type: ignore[misc]  # ccxt is not typed here
        tap: Callable[[str, dict[str, Any]], None] | None = None
        token_source: Callable[[], Awaitable[str]] | None = None

        def handle_message(self, client: Any, message: Any) -> None:
            if self.tap is not None and isinstance(message, dict):
                is_private = client.url == self.urls["api"]["ws"]["privateV2"]
                self.tap("privateV2" if is_private else "publicV2", message)
            super().handle_message(client, message)

        async def load_markets(self, reload: bool = False, params: dict[str, Any] | None = None) -> Any:  # noqa: FBT001, FBT002 - as ccxt has it
            """Nothing: of all markets (50 MiB) the streams need those that are watched, and `know` names them."""
            del reload, params
            return self.markets

        def know(self, symbol: str, venue_name: str) -> None:
            known = dict(self.markets or {})
            if symbol not in known:
                base, _, quote = symbol.partition("/")
                ids = {"id": venue_name, "base": base, "quote": quote, "baseId": base, "quoteId": quote}
                one = self.safe_market_structure({**ids, "symbol": symbol, "type": "spot", "spot": True})
                self.set_markets([*known.values(), one])

        async def authenticate(self, params: dict[str, Any] | None = None) -> str:
            if self.token_source is not None:
                return await self.token_source()
            return str(await super().authenticate(params or {}))

        def drop(self, stream: str) -> None:
            found = self.clients.get(self.urls["api"]["ws"][stream])
            if found is not None:
                found.on_error(ccxt.NetworkError("the stream was silent"))

    return TappedKraken


def _options(timeout_s: float) -> dict[str, Any]:
    return {
        "enableRateLimit": False,
        "timeout": int(timeout_s * 1000),
        "enableLastHttpResponse": False,
        "enableLastJsonResponse": False,
        "options": {"maxRetriesOnFailure": 0},
    }


def _point(client: Any, api_url: str | None) -> None:
    if api_url is not None:
        root = api_url.rstrip("/")
        client.urls["api"] = client.urls["api"] | {"public": root, "private": root}


def failures_of_ccxt() -> tuple[type[Exception], ...]:
    """What a call through ccxt may raise: its own errors, and what its parsing and aiohttp let through."""
    known = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
    return (ccxt_errors().BaseError, *known)


def ccxt_errors() -> Any:
    """Ccxt's classes of errors; asked for only when a call failed, so ccxt is loaded already."""
    from ccxt.base import errors  # noqa: PLC0415

    return errors
