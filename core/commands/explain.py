"""explain: why Zyn traded a symbol, or did not, from the row that it wrote then."""

from typing import ClassVar

from core.autopilot.telling import explain_lines, row_line
from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.domain.modes import Source
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
    )
    symbol: OptionalSymbol = None


async def handle(desk: Desk, command: Explain) -> Reply:
    """The last candle of the symbol; without one, the last decision of which something came, or was stopped."""
    pilot = desk.house.pilot
    found = pilot.evaluations.last(desk.mode, command.symbol, 1, acted=command.symbol is None)
    found = found or pilot.evaluations.last(desk.mode, command.symbol, 1)
    position = _by_hand(desk, command.symbol)
    if not found:
        what = command.symbol or "Nothing"
        why = "" if pilot.choices.is_on(desk.mode) else f" The autopilot is off in {desk.mode}."
        return Reply((*position, f"{what} was not evaluated on the {desk.mode} desk yet.{why}"), mode=desk.mode)
    one = found[0]
    lines = [*position, *explain_lines(one, desk.ledger.bracket(one.bracket_id))]
    before = [row for row in pilot.evaluations.last(desk.mode, one.symbol, 2, acted=True) if row.at < one.at]
    if before:
        last = row_line(before[0], desk.ledger.bracket(before[0].bracket_id))
        lines += ["", "The last time that something came of it, or was stopped:", last]
    return Reply(tuple(lines), mode=desk.mode, data={"symbol": one.symbol, "at": one.at.isoformat()})


def _by_hand(desk: Desk, symbol: str | None) -> list[str]:
    """What of this symbol was not the autopilot's doing."""
    found = [one for one in desk.positions(symbol) if one.source is not Source.AUTOPILOT] if symbol else []
    return [f"Bracket {one.id} of {one.symbol} was opened by {one.source}, not by the autopilot." for one in found]
