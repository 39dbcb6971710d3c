"""performance: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Performance(Command):
    """Show win rate, expectancy, drawdown and other figures of past trades."""

    declaration: ClassVar[Declaration] = Declaration(
        name="performance",
        calls=(
            "performance",
            "stats",
            "statistics",
            "win rate",
            "pnl",
            "p&l",
            "profit and loss",
            "how are we doing",
            "results",
            "expectancy",
            "profit",
            "how much have we made",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"trading", "stats", "figures", "total", "today"}),
        examples=("performance", "how are we doing?"),
        built=False,
    )


async def handle(desk: Desk, command: Performance) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
