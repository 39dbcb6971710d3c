"""explain: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Explain(Command):
    """Explain why Zyn did or did not trade a symbol."""

    declaration: ClassVar[Declaration] = Declaration(
        name="explain",
        calls=(
            "explain",
            "why",
            "why not",
            "why did you",
            "why didn't you",
            "why did not you",
            "why did you not",
            "why no trade",
            "why didn't you buy",
            "why did you buy",
            "why did you sell",
            "why didn't you trade",
            "what happened to",
            "what happened with",
            "reason",
            "reasons",
        ),
        danger=Danger.QUERY,
        nouns=frozenset(
            {"trade", "buy", "sell", "bought", "sold", "close", "closed", "not", "enter", "position", "last"}
        ),
        examples=("explain ETH", "why didn't you buy ETH?"),
        built=False,
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Explain) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
