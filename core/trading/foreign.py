"""What is on the account and not ours: shown, never touched."""

from collections.abc import Sequence
from decimal import Decimal

from core.domain.modes import Mode
from core.domain.money import ZERO, plain
from core.domain.venue import Snapshot, VenueOrder, VenueState
from core.exchange.errors import VenueUnreadableError
from core.trading.desk import Desk

MONEY = frozenset({"USD", "EUR", "GBP", "CAD", "JPY", "AUD", "CHF", "USDT", "USDC"})
"""What pays for coins and is no position."""


def ours(desk: Desk, asset: str) -> Decimal:
    """How much of a coin our positions count on."""
    return sum((bracket.held for bracket in desk.positions() if bracket.base == asset), ZERO)


def foreign_coins(desk: Desk, snapshot: Snapshot) -> dict[str, Decimal]:
    """Coins beyond our positions, by name."""
    found = {asset: balance.total - ours(desk, asset) for asset, balance in snapshot.balances.items()}
    return {asset: left for asset, left in sorted(found.items()) if left > ZERO and asset not in MONEY}


def foreign_orders(desk: Desk, snapshot: Snapshot) -> list[VenueOrder]:
    """Open orders that no bracket of ours has."""
    brackets = desk.ledger.unfinished()
    names = {order.client_id for bracket in brackets for order in bracket.orders}
    venue_ids = {order.venue_id for bracket in brackets for order in bracket.orders if order.venue_id is not None}
    return [
        order
        for order in snapshot.open_orders
        if order.state is VenueState.OPEN
        and order.client_id not in names
        and order.venue_id not in venue_ids
        and order.parent_id not in venue_ids
    ]


def where(desk: Desk, order: VenueOrder) -> str:
    """Whose an order is that no bracket has: a stranger's, or one that this ledger has lost."""
    is_named = order.client_id is not None and order.client_id.startswith(desk.prefix)
    return "sent by this Zyn, but not in its ledger: a restored copy?" if is_named else "not ours"


async def untouched_lines(desk: Desk, symbol: str | None = None) -> Sequence[str]:
    """What a command that leaves everything has left alone, in LIVE; nothing where there is nothing, or on PAPER."""
    if desk.mode is not Mode.LIVE:
        return ()
    try:
        snapshot = await desk.snapshot()
    except VenueUnreadableError as error:
        return (f"What else is on the account cannot be read just now: {error.message}",)
    base = symbol.partition("/")[0] if symbol else None
    coins = [f"{plain(left)} {asset}" for asset, left in foreign_coins(desk, snapshot).items() if base in {None, asset}]
    orders = [order for order in foreign_orders(desk, snapshot) if symbol in {None, order.symbol}]
    lines = [f"Not Zyn's and not touched: {', '.join(coins)}."] if coins else []
    if orders:
        names = ", ".join(
            f"{one.side} {plain(one.quantity - one.filled)} {one.symbol} {one.venue_id}" for one in orders
        )
        lines.append(f"Orders that are not Zyn's and were not touched: {names}.")
    return lines
