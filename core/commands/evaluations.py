"""evaluations: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Evaluations(Command):
    """Show the evaluation history: what the strategy saw and decided, candle by candle."""

    declaration: ClassVar[Declaration] = Declaration(
        name="evaluations",
        calls=(
            "evaluations",
            "evaluation history",
            "evaluation",
            "evaluation log",
            "decisions",
            "decision history",
            "decision log",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"history", "log", "recent", "last"}),
        examples=("evaluation history", "evaluations ETH"),
        built=False,
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Evaluations) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
