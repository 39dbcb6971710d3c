"""A stand-in Kraken, a clock that stands still, and sources that read the one by the other: for two test files."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.instruments import Instrument
from core.exchange.kraken import PublicClient, new_client
from core.exchange.kraken_market import KrakenMarketData
from core.exchange.pacing import TokenBucket
from tests.standins.kraken_public import KrakenPublic, Pair

NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
ZEC = "ZEC/USD"
STORED = Instrument(ZEC, Decimal("0.01"), Decimal("1E-8"), Decimal("0.01"), Decimal("0.5"), "XZECZUSD")


async def no_wait(_seconds: float) -> None:
    """A sleep that lets the others run and nothing else."""
    await asyncio.sleep(0)


def quick_client(api_url: str | None, timeout_s: float) -> PublicClient:
    """The real client; only its quarter of a second of sleep after closing is left out, for the tests' sake."""
    client: Any = new_client(api_url, timeout_s)
    client.timeout_on_exit = 0
    return client  # type: ignore[no-any-return]


@dataclass
class Rig:
    """A stand-in venue, a clock that stands still, and sources that read the one by the other."""

    venue: KrakenPublic
    now: datetime = NOW
    sources: list[KrakenMarketData] = field(default_factory=list)

    def source(self, stored: dict[str, Instrument] | None = None, timeout_s: float = 5.0) -> KrakenMarketData:
        """A new source without pacing or waiting."""
        pace = TokenBucket(1000.0, 1000, sleep=no_wait)
        made = KrakenMarketData(
            self.venue.url,
            lambda: self.now,
            stored or {},
            timeout_s,
            client_factory=quick_client,
            pace=pace,
            sleep=no_wait,
        )
        self.sources.append(made)
        return made

    @property
    def zec(self) -> Pair:
        """The pair that most tests look at."""
        return self.venue.market.pairs["XZECZUSD"]


@asynccontextmanager
async def open_rig() -> AsyncIterator[Rig]:
    """One venue, and no connection left open at the end."""
    async with KrakenPublic() as venue:
        made = Rig(venue)
        yield made
        for source in made.sources:
            await source.close()


def ago(**how_long: float) -> datetime:
    """A time before the rig's present."""
    return NOW - timedelta(**how_long)
