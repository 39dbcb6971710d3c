"""open: positions and orders, as the venue has them."""

from typing import ClassVar

from loguru import logger

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.domain.money import plain
from core.domain.orders import Role
from core.trading import say
from core.trading.desk import Desk
from core.trading.offers import open_offers
from core.trading.reply import Reply
from core.trading.view import OpenView, view_open


class Open(Command):
    """Show open positions and open orders, from the venue's own books."""

    declaration: ClassVar[Declaration] = Declaration(
        name="open",
        calls=(
            "open", "positions", "position", "orders", "open positions", "open orders", "open trades", "pending orders",
            "holdings", "exposure", "active orders", "active positions", "resting orders",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"open", "positions", "orders", "position", "order", "trades", "resting", "pending", "active"}),
        examples=("Show open positions and open orders.", "open", "any open paper orders?", "positions zec"),
    )  # fmt: skip
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Open) -> Reply:
    """Read the venue and list. What cannot be read is said to be unreadable."""
    view = await view_open(desk, command.symbol)
    logger.info("[OPEN] mode={}, ex={}, n={}", desk.mode, desk.exchange.name, len(view.orders))
    lines = [*say.open_lines(view), await say.other_desk_line(desk), *say.sources(view.quotes, desk.clock())]
    words = f"open {command.symbol}" if command.symbol else "open"
    held = (position.bracket.symbol for position in view.positions)
    waiting = (order.name for order in view.orders if order.role == Role.ENTRY)
    offers = open_offers(words, held, waiting, desk.mode)
    return Reply(tuple(lines), mode=desk.mode, data=_data(view), offers=offers)


def _data(view: OpenView) -> dict[str, object]:
    return {
        "positions": [
            {
                "symbol": position.bracket.symbol,
                "quantity": plain(position.bracket.held),
                "bracket": position.bracket.id,
            }
            for position in view.positions
        ],
        "orders": [
            {
                "id": order.name,
                "role": order.role,
                "symbol": order.symbol,
                "side": order.side,
                "quantity": plain(order.quantity),
                "price": None if order.price is None else plain(order.price),
                "where": order.where,
            }
            for order in view.orders
        ],
    }
