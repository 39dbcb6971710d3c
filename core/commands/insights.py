"""insights: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Insights(Command):
    """Show what Zyn has learned from its results."""

    declaration: ClassVar[Declaration] = Declaration(
        name="insights",
        calls=("insights", "lessons", "what have you learned", "learnings", "learned"),
        danger=Danger.QUERY,
        nouns=frozenset({"lessons", "insights", "from", "trades", "results"}),
        examples=("insights", "what have you learned?"),
        built=False,
    )


async def handle(desk: Desk, command: Insights) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
