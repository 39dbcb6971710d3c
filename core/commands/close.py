"""close: leave a symbol's positions, or all of them."""

from typing import Annotated, ClassVar

from core.commands.base import Command, Danger, Declaration, Slot, SlotKind
from core.commands.exiting import exit_reply
from core.domain.brackets import ExitReason
from core.domain.errors import Code, Denied
from core.trading.desk import Desk
from core.trading.leaving import leave
from core.trading.reply import Reply


class Close(Command):
    """Sell the whole position of a symbol, or every position, and cancel what still waits to be bought."""

    declaration: ClassVar[Declaration] = Declaration(
        name="close",
        calls=(
            "close",
            "exit",
            "close out",
            "get out of",
            "get me out of",
            "bail out of",
            "liquidate",
            "sell everything",
            "dump everything",
        ),
        presets={"sell everything": {"symbol": "all"}, "dump everything": {"symbol": "all"}},
        danger=Danger.TRADE,
        nouns=frozenset({"position", "trade", "bracket", "open", "market", "at"}),
        plurals=frozenset({"longs", "positions", "trades", "brackets", "holdings"}),
        examples=("close ZEC", "close all positions", "exit eth", "/close all"),
    )
    symbol: Annotated[str, Slot(SlotKind.SYMBOL_OR_ALL, Code.SYMBOL, "a symbol, or 'all'")]


async def handle(desk: Desk, command: Close) -> Reply:
    """Leave, and answer with what was really sold."""
    wanted = None if command.symbol == "all" else command.symbol
    brackets = await desk.unfinished_now(wanted)
    if not brackets:
        what = "nothing is open" if wanted is None else f"there is no open {wanted} position or entry"
        raise Denied(Code.NO_POSITION, f"{what} on the {desk.mode} desk, so nothing was closed")
    left = await leave(desk, [(bracket, None) for bracket in brackets], ExitReason.COMMAND)
    return await exit_reply(desk, left)
