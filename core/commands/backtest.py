"""backtest: declared, so that it is understood; its handler says that it is not built yet."""

from typing import Annotated, ClassVar

from core.commands.base import Command, Danger, Declaration, Slot, SlotKind, Symbol
from core.commands.unbuilt import not_built_yet
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply


class Backtest(Command):
    """Run the strategy over past candles of a symbol."""

    declaration: ClassVar[Declaration] = Declaration(
        name="backtest",
        calls=("backtest", "back test", "backtests", "simulate"),
        danger=Danger.QUERY,
        nouns=frozenset({"days", "day", "last", "over", "strategy"}),
        examples=("backtest ETH 30 days", "/backtest SOL 7"),
        built=False,
    )
    symbol: Symbol
    days: Annotated[int, Slot(SlotKind.DAYS, Code.DAYS, "30 days")] = 30


async def handle(desk: Desk, command: Backtest) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
