"""What a venue has to be asked about: orders that may be there, and entries whose spawned stops may be."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from core.domain.brackets import Bracket
from core.domain.money import ZERO
from core.domain.orders import Order, OrderState
from core.ledger.ledger import Ledger

WATCHED = timedelta(minutes=5)
"""How long after its end a bracket's orders are still looked at: a venue may tell of a fill after the cancel."""


def wanted_orders(ledger: Ledger, now: datetime) -> list[Order]:
    """Orders that the venue must be asked about: those that may be there, and those that may turn up again."""
    found = [
        order
        for bracket in ledger.unfinished()
        for order in bracket.orders
        if order.is_live or (order.is_in_doubt and not _is_gone_for_good(order, now))
    ]
    for ended in ledger.ended_since(now - WATCHED):
        found += ended.in_doubt
    return found


def parents_of(
    brackets: Iterable[Bracket], now: datetime, asked: Collection[str]
) -> dict[str, tuple[datetime, datetime]]:
    """Entries with more bought than their spawned stops account for, by venue id: made when, and last filled when.

    One that was `asked` about is asked about again only while its fills are young.
    """
    entries = ((bracket.entry, bracket.spawned) for bracket in brackets)
    return {
        entry.venue_id: (entry.created_at, now if entry.is_live else entry.filled_at or now)
        for entry, spawned in entries
        if entry is not None
        and entry.venue_id is not None
        and entry.filled > spawned
        and (entry.venue_id not in asked or entry.filled_at is None or entry.filled_at >= now - WATCHED)
    }


def _is_gone_for_good(order: Order, now: datetime) -> bool:
    """True for an order that nobody has seen at the venue, and whose deadline has passed long ago."""
    unseen = order.state in {OrderState.REJECTED, OrderState.LOST} and order.filled == ZERO
    return unseen and now - order.deadline > WATCHED
