"""close: leave a symbol's positions, or all of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar

from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.commands.exiting import exit_reply
from core.commands.showing import show_exits
from core.domain.brackets import Bracket, ExitReason
from core.domain.errors import Code, Denied
from core.domain.money import ZERO
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
    brackets = await _chosen(desk, command)
    left = await leave(desk, [(bracket, None) for bracket in brackets], ExitReason.COMMAND)
    return await exit_reply(desk, left, took_all=True)


async def preview(desk: Desk, command: Close) -> Preview:
    """Every position that would be sold and every entry that would be canceled."""
    brackets = await _chosen(desk, command)
    shown = await show_exits(desk, *held_and_waiting(brackets))
    return Preview(shown.lines, command, shown.prices, shown.about)


def held_and_waiting(brackets: Sequence[Bracket]) -> tuple[list[tuple[Bracket, Decimal]], list[Bracket]]:
    """Positions with all that they hold, and brackets whose entry may still buy."""
    held = [(bracket, bracket.held) for bracket in brackets if bracket.held > ZERO]
    return held, [bracket for bracket in brackets if bracket.entry is None or not bracket.entry.is_terminal]


async def _chosen(desk: Desk, command: Close) -> Sequence[Bracket]:
    wanted = None if command.symbol == "all" else command.symbol
    brackets = await desk.unfinished_now(wanted)
    if not brackets:
        what = "nothing is open" if wanted is None else f"there is no open {wanted} position or entry"
        raise Denied(Code.NO_POSITION, f"{what} on the {desk.mode} desk, so nothing was closed")
    return brackets
