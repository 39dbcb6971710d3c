"""A stand-in for Kraken: one server on 127.0.0.1 with public REST, private REST and both WebSockets.

`async with KrakenStandIn() as kraken:` gives `kraken.url` for REST, `kraken.ws_url` and `kraken.ws_auth_url` for the
streams, and `kraken.options` for a ccxt client that talks to it unmodified.
"""

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from aiohttp import web

from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_audit import audit
from tests.standins.kraken_faults import PrivateFault
from tests.standins.kraken_limits import Tier
from tests.standins.kraken_private import KrakenPrivate, Request
from tests.standins.kraken_public import ANSWERS, KrakenPublic, Pair, PublicMarket, small_market
from tests.standins.kraken_streams import KrakenStreams

__all__ = ["KrakenStandIn", "audit", "trading_market"]

KEY = "stand-in-key"
SECRET = base64.b64encode(b"a secret that is made up, and 64 bytes long, as those of Kraken.").decode()


def trading_market() -> PublicMarket:
    """The small market and ETH/USD, SOL/USD beside it."""
    market = small_market()
    market.add(
        Pair("XETHZUSD", "ETHUSD", "ETH/USD", ordermin="0.001", bid="3000.00", ask="3000.01", last="3000.00"),
    )
    market.add(Pair("SOLUSD", "SOLUSD", "SOL/USD", ordermin="0.02", bid="150.00", ask="150.01", last="150.00"))
    return market


class KrakenStandIn:
    """The whole of Kraken. `stop` and `start` are an outage: the port and everything on it stay."""

    def __init__(
        self,
        market: PublicMarket | None = None,
        balances: Mapping[str, Decimal] | None = None,
        *,
        tier: Tier = Tier.STARTER,
        **settings: Any,
    ) -> None:
        self.market = market if market is not None else trading_market()
        funds = balances if balances is not None else {"USD": Decimal(10_000)}
        self.account = KrakenAccount(self.market, funds, tier=tier, **settings)
        self.key, self.secret = KEY, SECRET
        self.private = KrakenPrivate(self.account, self.key, self.secret)
        self.public = KrakenPublic(self.market)
        self.streams = KrakenStreams(self.account, self.private)
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where the public stream is."""
        return f"ws://127.0.0.1:{self.port}/v2"

    @property
    def ws_auth_url(self) -> str:
        """Where the private stream is."""
        return f"ws://127.0.0.1:{self.port}/auth/v2"

    @property
    def requests(self) -> list[Request]:
        """Every private call, in order."""
        return self.private.requests

    @property
    def tier(self) -> Tier:
        """How far the account is verified."""
        return self.account.tier

    @tier.setter
    def tier(self, tier: Tier) -> None:
        self.account.tier = tier

    @property
    def api_urls(self) -> dict[str, Any]:
        """What replaces `urls["api"]` of a ccxt client."""
        streams = {
            "public": self.ws_url,
            "publicV2": self.ws_url,
            "private": self.ws_auth_url.removesuffix("/v2"),
            "privateV2": self.ws_auth_url,
        }
        return {"public": self.url, "private": self.url, "zendesk": self.url, "ws": streams}

    @property
    def options(self) -> dict[str, Any]:
        """The configuration with which ccxt talks to this server."""
        return {"apiKey": self.key, "secret": self.secret, "urls": {"api": self.api_urls}, "enableRateLimit": False}

    def fail(self, fault: PrivateFault, times: int | None = None, endpoint: str = "") -> None:
        """Let private calls go wrong, see KrakenPrivate."""
        self.private.fail(fault, times, endpoint)

    def recover(self) -> None:
        """Answer properly again, everywhere."""
        self.private.recover()
        self.public.recover()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application()
        for endpoint in ANSWERS:
            app.router.add_get(f"/0/public/{endpoint}", self.public.handle)
        app.router.add_post("/0/private/{endpoint}", self.private.handle)
        app.router.add_get("/v2", self.streams.handle)
        app.router.add_get("/auth/v2", self.streams.handle)
        self.private.closing.clear()
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close the port and every connection."""
        self.private.closing.set()
        self.streams.cut()
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None
