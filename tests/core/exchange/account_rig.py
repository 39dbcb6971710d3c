"""One Kraken account on the stand-in with the wrapper that trades on it, for tests that need no house."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from core.domain.orders import Order, OrderState, OrderType, Role, Side
from core.domain.venue import Accepted, Submit
from core.exchange import budget
from core.exchange.holds import Evidence
from core.exchange.kraken import Access, AccountClient, new_account_client
from core.exchange.kraken_market import KrakenMarketData
from core.exchange.kraken_private import AccountOptions, KrakenExchangeWrapper
from core.exchange.kraken_wire import AccountWire
from core.exchange.pacing import TokenBucket
from tests.core.exchange.kraken_rig import no_wait, quick_client
from tests.rig import SettableClock
from tests.standins.kraken import KrakenStandIn

D = Decimal
ZEC = "ZEC/USD"


@dataclass
class Bench:
    """One account and the wrapper that trades on it, in one time that moves only when a test says so."""

    kraken: KrakenStandIn
    time: SettableClock
    market: KrakenMarketData
    wire: AccountWire
    exchange: KrakenExchangeWrapper
    learned: list[Evidence] = field(default_factory=list)

    def asked(self, endpoint: str) -> int:
        """How often this endpoint was asked."""
        return len(self.kraken.private.asked(endpoint))

    def order(self, name: str = "zyabcd123456-1", kind: str = "market", **given: Any) -> Order:
        """An order that is about to be sent."""
        price, side = given.pop("price", None), Side(given.pop("side", "buy"))
        values: dict[str, Any] = {
            "client_id": name, "bracket_id": "zyabcd123456", "role": Role.ENTRY, "side": side,
            "type": OrderType(kind), "quantity": D(given.pop("quantity", "1")), "state": OrderState.SUBMITTING,
            "created_at": self.time(), "deadline": self.time() + timedelta(seconds=10),
            "limit_price": D(price) if price and kind == "limit" else None,
            "trigger_price": D(price) if price and kind == "stop-loss" else None,
        }  # fmt: skip
        return Order(**values | given)

    def submit(self, name: str = "zyabcd123456-1", kind: str = "market", **given: Any) -> Submit:
        """The action that sends it."""
        attached = given.pop("attached_stop", None)
        return Submit(self.order(name, kind, **given), ZEC, attached_stop=D(attached) if attached else None)

    async def buy(self, name: str = "zyabcd123456-1", **given: Any) -> str:
        """Buy at market; Kraken's id."""
        outcome = await self.exchange.perform(self.submit(name, **given))
        assert isinstance(outcome, Accepted), outcome
        assert outcome.venue_id is not None
        return outcome.venue_id

    def by_hand(self, count: int) -> None:
        """So many orders of the owner's that are over."""
        for _ in range(count):
            self.time.pass_s(0.01)
            self.kraken.account.by_hand_place(ZEC, "buy", "market", "0.01")


@asynccontextmanager
async def bench(*, limits: bool = False, **options: Any) -> AsyncIterator[Bench]:
    """A stand-in with its wrapper; with `limits` it counts calls as Kraken does."""
    time = SettableClock()

    async def sleep(seconds: float) -> None:
        time.pass_s(seconds)
        await asyncio.sleep(0)

    def monotonic() -> float:
        return time.now.timestamp()

    async with KrakenStandIn(balances={"USD": D(1_000_000)}) as kraken:
        kraken.market.now = time
        kraken.account.monotonic = monotonic
        kraken.account.limits = limits
        kraken.account.trade(ZEC, "500.00")
        access = Access(
            SecretStr(kraken.key), SecretStr(kraken.secret), kraken.url, kraken.ws_url, kraken.ws_auth_url, 5.0
        )

        def client() -> AccountClient:
            made: Any = new_account_client(access)
            made.timeout_on_exit = 0
            return made  # type: ignore[no-any-return]

        pace = TokenBucket(1000.0, 1000, sleep=no_wait)
        market = KrakenMarketData(kraken.url, time, {}, 5.0, client_factory=quick_client, pace=pace, sleep=no_wait)
        wire = AccountWire(
            client, budget.RestBudget(budget.Tier.STARTER, monotonic=monotonic, sleep=sleep), sleep=sleep
        )
        exchange = KrakenExchangeWrapper(wire, market, time, AccountOptions(**options), monotonic=monotonic)
        made = Bench(kraken, time, market, wire, exchange)
        exchange.learn = made.learned.append
        try:
            yield made
        finally:
            await exchange.close()
            await market.close()
