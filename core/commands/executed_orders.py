"""executed_orders: every order that ever traded."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.trading import say
from core.trading.desk import Desk
from core.trading.reply import Reply
from core.trading.view import looked

_MOST = 50


class ExecutedOrders(Command):
    """Show the orders that traded, newest last: id, fill price, quantity, time, source, stop and target."""

    declaration: ClassVar[Declaration] = Declaration(
        name="executed_orders",
        calls=(
            "executed_orders",
            "executed orders",
            "filled orders",
            "fills",
            "executions",
            "order history",
            "executed",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"orders", "executed", "filled", "order", "history", "recent"}),
        examples=("executed_orders", "show executed orders ZEC", "fills"),
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: ExecutedOrders) -> Reply:
    """Query the ledger; what did not fill is not in it."""
    as_of = [line] if (line := await looked(desk, command.symbol)) else []
    found = desk.ledger.executed(command.symbol, limit=_MOST)
    of_symbol = f" of {command.symbol}" if command.symbol else ""
    if not found:
        return Reply((f"No executed orders{of_symbol}.", *as_of), mode=desk.mode, data={"orders": []})
    most = f"the last {_MOST}" if len(found) == _MOST else str(len(found))
    lines = [f"Executed orders{of_symbol} ({most}):", *(say.executed_line(item, desk.clock()) for item in found)]
    return Reply((*lines, *as_of), mode=desk.mode, data={"orders": [item.order.client_id for item in found]})
