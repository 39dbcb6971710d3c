"""A house that trades LIVE on the stand-in for Kraken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.settings import Settings, load_settings
from bot.talk import Talk
from bot.wiring import House, open_house
from core.domain.brackets import Bracket
from core.domain.modes import Mode
from core.domain.venue import VenueOrder
from core.exchange.kraken_private import KrakenExchangeWrapper
from core.trading.desk import Desk
from core.trading.reply import Reply
from core.trading.tick import TickReport
from tests.standins.kraken import KrakenStandIn


def live_settings(folder: Path, kraken: KrakenStandIn, **overrides: object) -> Settings:
    """Settings of a bot whose Kraken is the stand-in, in LIVE mode."""
    given = {
        "mode": "LIVE",
        "market": "kraken",
        "database_url": f"sqlite:///{folder}/zyn.db",
        "kraken_api_key": kraken.key,
        "kraken_api_secret": kraken.secret,
        "kraken_api_url": kraken.url,
        "kraken_ws_url": kraken.ws_url,
        "kraken_ws_auth_url": kraken.ws_auth_url,
        "risk_pct_max": "100",
        "exposure_pct_max": "100",
        "max_order_quote": "1000000",
    }
    return load_settings({}, folder / "no.env", given | overrides)


@dataclass
class LiveHouse:
    """A LIVE house in this process, without jobs: a test ticks it."""

    kraken: KrakenStandIn
    house: House
    talk: Talk

    @property
    def desk(self) -> Desk:
        """The LIVE desk."""
        return self.house.service.desk(Mode.LIVE)

    async def tell(self, text: str) -> Reply:
        """What Zyn answers to a line of the console."""
        return await self.talk.answer("console", text)

    async def tick(self, times: int = 1) -> list[TickReport]:
        """Look, as if woken."""
        return [await self.house.service.tick(self.desk, urgent=True) for _ in range(times)]

    async def trade(self, price: str, symbol: str = "ZEC/USD", ticks: int = 2) -> None:
        """The market trades at `price`, and Zyn looks."""
        self.kraken.account.trade(symbol, price)
        await self.prices_pass()
        await self.tick(ticks)

    async def prices_pass(self) -> None:
        """Forget the prices of the last second, as if it were over."""
        self.desk.market._recent.clear()  # type: ignore[attr-defined]  # the cache of one second

    def bracket(self) -> Bracket:
        """The newest bracket, as the ledger has it."""
        found = self.desk.ledger.newest()
        assert found is not None
        return found

    def resting(self) -> list[VenueOrder]:
        """What is open at Kraken."""
        return [record.order.shown for record in self.kraken.account.open_records()]

    def alerts(self) -> str:
        """Everything that would be told by alert, in one text."""
        return "\n".join(alert.text for alert in self.house.store.waiting_alerts(limit=1000))


@asynccontextmanager
async def live_house(folder: Path, kraken: KrakenStandIn, **overrides: object) -> AsyncIterator[LiveHouse]:
    """A LIVE house after its recovery, with as many calls as it likes."""
    house = await open_house(live_settings(folder, kraken, **overrides))
    try:
        for desk in house.service.desks:
            if isinstance(desk.exchange, KrakenExchangeWrapper):
                desk.exchange.wire.budget.counter.maximum = 1_000_000
        await house.service.start()
        yield LiveHouse(kraken, house, Talk(house.approvals, house.grammar))
    finally:
        await house.close()
