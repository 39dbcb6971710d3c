"""market: declared, so that it is understood; its handler says that it is not built yet."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.commands.unbuilt import not_built_yet
from core.trading.desk import Desk
from core.trading.reply import Reply


class Market(Command):
    """Show regime, RSI, ATR and the last signal of a symbol or of all watched ones."""

    declaration: ClassVar[Declaration] = Declaration(
        name="market",
        calls=(
            "market",
            "market overview",
            "market regime",
            "regime",
            "markets",
            "market status",
            "market conditions",
            "how is the market",
            "how's the market",
            "rsi",
            "atr",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"overview", "conditions", "status", "state", "regime", "current", "doing", "looking"}),
        examples=("market ETH", "market overview"),
        built=False,
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Market) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
