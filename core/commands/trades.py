"""trades: what traded in the last 24 hours."""

from datetime import timedelta
from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.trading import say
from core.trading.desk import Desk
from core.trading.reply import Reply
from core.trading.view import looked

_HOURS = 24
_MOST = 1000


class Trades(Command):
    """Show every order that traded in the last 24 hours, with its result where it closed something."""

    declaration: ClassVar[Declaration] = Declaration(
        name="trades",
        calls=(
            "trades",
            "trade history",
            "recent trades",
            "closed trades",
            "trades in the last 24 hours",
            "last 24 hours",
            "today's trades",
            "trades today",
            "todays trades",
            "trade log",
            "what trades did we make",
            "what did you trade",
            "what did we trade",
            "what have you traded",
            "what did you buy",
            "what did you sell",
            "what trades did you make",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"trades", "history", "recent", "last", "today", "24", "24h", "hours"}),
        examples=("trades", "show my trades in the last 24 hours", "/trades"),
    )


async def handle(desk: Desk, command: Trades) -> Reply:
    """Query the ledger; what did not fill is not in it."""
    del command
    as_of = [line] if (line := await looked(desk)) else []
    now = desk.clock()
    found = desk.ledger.executed(since=now - timedelta(hours=_HOURS), limit=_MOST)
    if not found:
        return Reply((f"No trades in the last {_HOURS} hours.", *as_of), mode=desk.mode, data={"orders": []})
    lines = [f"Executed in the last {_HOURS} hours ({len(found)} orders):"]
    lines += [say.executed_line(item, now) for item in found]
    return Reply((*lines, *as_of), mode=desk.mode, data={"orders": [item.order.client_id for item in found]})
