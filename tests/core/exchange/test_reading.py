"""Books are read so that no order can hide between two lists."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.orders import OrderType, Side
from core.domain.venue import Balance, VenueOrder, VenueState
from core.exchange.reading import Page, read_books

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _order(state: VenueState, *, client_id: str | None = "zy1-1", venue_id: str = "V1") -> VenueOrder:
    return VenueOrder(
        venue_id, client_id, "ZEC/USD", Side.BUY, OrderType.LIMIT, Decimal(1), state, NOW, limit_price=Decimal(500)
    )


class _Venue:
    """Its one order ends right after the first list was read, whichever that is."""

    def __init__(self) -> None:
        self.state = VenueState.OPEN
        self.read: list[str] = []
        self.now = NOW
        self.whole = {"open": True, "closed": True}

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    async def still_open(self) -> Page:
        return self._list("open", VenueState.OPEN)

    async def closed(self) -> Page:
        return self._list("closed", VenueState.CLOSED)

    async def balances(self) -> dict[str, Balance]:
        self.read.append("balances")
        return {"ZEC": Balance("ZEC", Decimal(1))}

    def _list(self, name: str, of: VenueState) -> Page:
        self.read.append(name)
        found = [_order(self.state)] if self.state is of else []
        self.state = VenueState.CLOSED
        return Page(found, self.whole[name])


async def test_an_order_that_ends_between_the_lists_is_in_the_snapshot_as_ended() -> None:
    venue = _Venue()
    snapshot = await read_books(venue.clock, venue.still_open, venue.closed, venue.balances)
    assert venue.read == ["open", "closed", "balances"]
    assert snapshot.orders["zy1-1"].state is VenueState.CLOSED
    assert (snapshot.began_at, snapshot.at) == (NOW + timedelta(seconds=1), NOW + timedelta(seconds=2))
    assert snapshot.balances["ZEC"].total == Decimal(1)


async def test_a_part_that_is_missing_makes_the_whole_incomplete() -> None:
    for part in ("open", "closed"):
        venue = _Venue()
        venue.whole[part] = False
        snapshot = await read_books(venue.clock, venue.still_open, venue.closed, venue.balances)
        assert not snapshot.complete
    venue = _Venue()
    assert (await read_books(venue.clock, venue.still_open, venue.closed, venue.balances)).complete


async def test_orders_without_a_name_of_ours_are_kept_by_the_venues() -> None:
    async def still_open() -> Page:
        return Page([_order(VenueState.OPEN, client_id=None, venue_id="V7")])

    async def closed() -> Page:
        return Page([])

    async def balances() -> dict[str, Balance]:
        return {}

    snapshot = await read_books(lambda: NOW, still_open, closed, balances)
    assert snapshot.orders == {}
    assert list(snapshot.nameless) == ["V7"]
