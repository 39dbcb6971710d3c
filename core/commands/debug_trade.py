"""debug_trade: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class DebugTrade(Command):
    """Show one trade from evaluation to exit, with the venue's own fills beside ours."""

    declaration: ClassVar[Declaration] = Declaration(
        name="debug_trade",
        calls=("debug_trade", "debug trade", "debug", "trace"),
        danger=Danger.QUERY,
        nouns=frozenset({"trade", "last", "data"}),
        examples=("debug ZEC", "/debug_trade ETH"),
        built=False,
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: DebugTrade) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
