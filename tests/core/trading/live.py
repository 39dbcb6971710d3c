"""A LIVE desk for tests: another house's paper exchange under the name of LIVE."""

from collections.abc import Collection, Sequence

from core.domain.modes import Mode
from core.domain.venue import EVERYTHING, Action, Outcome, Reach, Snapshot, VenueOrder
from core.exchange.port import Abilities, Exchange
from tests.plain_venue import PlainVenue
from tests.rig import Rig


class AsLive(PlainVenue):
    """Passes everything on, and says that it is LIVE."""

    mode = Mode.LIVE
    name = "KrakenExchangeWrapper"

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def abilities(self) -> Abilities:
        return self._exchange.abilities

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        return await self._exchange.snapshot(wanted, reach)

    async def perform(self, action: Action) -> Outcome:
        return await self._exchange.perform(action)

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        return await self._exchange.fetch_open_orders(symbol)

    async def advance(self, base: str | None = None) -> None:
        await self._exchange.advance(base)

    async def close(self) -> None:
        """The other house closes it."""


def live_exchange(rig: Rig) -> AsLive:
    """The exchange of `rig`, to be traded on as LIVE by another house."""
    return AsLive(rig.exchange)
