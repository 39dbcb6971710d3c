"""chart: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, Symbol
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Chart(Command):
    """Draw candles, entries, exits, stop and target of a symbol."""

    declaration: ClassVar[Declaration] = Declaration(
        name="chart",
        calls=("chart", "graph", "plot", "draw"),
        danger=Danger.QUERY,
        nouns=frozenset({"chart", "candles", "picture", "graph"}),
        examples=("chart ETH", "draw me a chart of bitcoin"),
        built=False,
    )
    symbol: Symbol


async def handle(desk: Desk, command: Chart) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
