"""How a venue's books are read: one order of reading, for every venue."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.venue import Balance, Snapshot, VenueOrder
from core.market.clocks import Clock


@dataclass(frozen=True, slots=True)
class Page:
    """One list of a venue's orders. `complete` is False where a part of it could not be read."""

    orders: Sequence[VenueOrder]
    complete: bool = True


async def read_books(
    clock: Clock,
    read_open: Callable[[], Awaitable[Page]],
    read_closed: Callable[[], Awaitable[Page]],
    read_balances: Callable[[], Awaitable[Mapping[str, Balance]]],
) -> Snapshot:
    """Open orders, then closed ones, then balances.

    An order that ends between the two lists is in both, and the later word counts. Read the other way round it would
    be in neither, and look as if it had never been placed.
    """
    began_at = clock()
    still_open = await read_open()
    closed = await read_closed()
    balances = await read_balances()
    orders: dict[str, VenueOrder] = {}
    nameless: dict[str, VenueOrder] = {}
    for order in (*still_open.orders, *closed.orders):
        if order.client_id is not None:
            orders[order.client_id] = order
        else:
            nameless[order.venue_id] = order
    return Snapshot(began_at, clock(), still_open.complete and closed.complete, orders, nameless, balances)
