"""protect: set or move the stop and the target of a symbol's positions."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from core.commands.base import (
    Command,
    Danger,
    Declaration,
    Preview,
    Slot,
    SlotKind,
    StopArgument,
    Symbol,
    TargetArgument,
)
from core.commands.showing import level_line, levels_about
from core.domain.brackets import Bracket, Level
from core.domain.errors import Code, Denied
from core.domain.money import ZERO, plain
from core.trading import say
from core.trading.desk import Desk
from core.trading.levels import apply_levels, plan_levels
from core.trading.reply import ExecFacts, Reply, receipt_of


class Protect(Command):
    """Set or move stop and target; "break even" puts the stop at the entry, "trailing" lets it follow the price."""

    declaration: ClassVar[Declaration] = Declaration(
        name="protect",
        calls=(
            "protect",
            "move",
            "set",
            "adjust",
            "change",
            "raise",
            "lower",
            "tighten",
            "update",
            "modify",
            "put",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "positions", "level", "levels"}),
        any_of=("stop_loss", "take_profit"),
        goes_with={"trailing": "stop_loss"},
        examples=(
            "protect ZEC sl 1% tp 3%",
            "move the stop of ETH to break even",
            "set target on SOL at 160",
            "protect ZEC trailing stop 2%",
        ),
    )
    symbol: Symbol
    stop_loss: StopArgument = None
    take_profit: TargetArgument = None
    trail: Annotated[
        Literal["trailing"] | None,
        Slot(SlotKind.CHOICE, Code.STOP_LOSS, "trailing stop 2%", {"trailing": ("trailing", "trail", "trails")}),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """The fields; of a stop that trails only where it does."""
        given = super().arguments()
        return given if self.trail is not None else {name: value for name, value in given.items() if name != "trail"}


async def handle(desk: Desk, command: Protect) -> Reply:
    """Move the levels of every bracket of the symbol and show what rests afterwards."""
    moved = await apply_levels(desk, *await _wanted(desk, command), trails=command.trail is not None)
    shown = await say.open_now(desk, command.symbol)
    quotes = await desk.quotes([command.symbol])
    after = [desk.ledger.bracket(bracket.id) or bracket for bracket in moved]
    waits = [say.not_moved_line(bracket) for bracket in after if not bracket.stands_as_wished]
    lines = [*waits, *shown, *say.sources(quotes.values(), desk.clock())]
    receipts = [
        receipt_of(order, bracket, desk.exchange.name)
        for bracket in after
        for order in bracket.orders
        if not order.is_terminal
    ]
    code = Code.UNKNOWN if waits else None
    facts = _facts(command.symbol, after)
    return Reply(tuple(lines), desk.mode, ok=not waits, code=code, receipts=tuple(receipts), facts=facts)


async def preview(desk: Desk, command: Protect) -> Preview:
    """Where each level is now and where it would be."""
    moves = await plan_levels(desk, *await _wanted(desk, command), trails=command.trail is not None)
    quote = await desk.quote(command.symbol)
    lines = [*(level_line(before, after) for before, after in moves), *say.sources([quote], desk.clock())]
    return Preview(tuple(lines), command, {command.symbol: quote.bid}, levels_about(moves))


async def _wanted(desk: Desk, command: Protect) -> tuple[Sequence[Bracket], Level | None, Level | None]:
    """The brackets that are meant, and their new levels. Raises Denied where there is nothing to protect."""
    if command.stop_loss is None and command.take_profit is None:
        raise Denied(Code.STOP_LOSS, f"say where: 'protect {command.symbol} sl 1% tp 2%', or 'break even'")
    brackets = await desk.unfinished_now(command.symbol)
    if not brackets:
        raise Denied(Code.NO_POSITION, f"there is no open {command.symbol} on the {desk.mode} desk to protect")
    stop = command.stop_loss.level() if command.stop_loss else None
    return brackets, stop, command.take_profit.level() if command.take_profit else None


def _facts(symbol: str, brackets: Sequence[Bracket]) -> ExecFacts:
    first = brackets[0]
    held = sum((bracket.held for bracket in brackets), ZERO)
    return ExecFacts(
        symbol=symbol,
        side="sell",
        size=plain(held),
        entry=plain(first.entry_average) if first.entry_average else "waiting",
        stop=plain(first.stop_price) if first.stop_price else "-",
        target=plain(first.target_price) if first.target_price else "-",
        outcome="moved",
    )
