"""evaluations: the log of the autopilot, newest first."""

from typing import ClassVar

from core.autopilot.telling import row_line
from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.trading.desk import Desk
from core.trading.offers import refresh
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
    )
    symbol: OptionalSymbol = None


_MOST = 20


async def handle(desk: Desk, command: Evaluations) -> Reply:
    """The last rows of one symbol, or of all."""
    found = desk.house.pilot.evaluations.last(desk.mode, command.symbol, _MOST)
    if not found:
        what = command.symbol or "Nothing"
        return Reply((f"{what} was not evaluated on the {desk.mode} desk yet.",), mode=desk.mode)
    what = f" of {command.symbol}" if command.symbol else ""
    lines = [f"The last {len(found)} evaluations{what}, newest first (times in UTC):"]
    lines += [row_line(one, desk.ledger.bracket(one.bracket_id)) for one in found]
    data = {"evaluations": [[one.symbol, one.at.isoformat(), one.decision, one.reason, one.came] for one in found]}
    return Reply(tuple(lines), mode=desk.mode, data=data, offers=(refresh("evaluations", desk.mode),))
