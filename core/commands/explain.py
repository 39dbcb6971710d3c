"""explain: why Zyn traded a symbol, or did not, from the row that it wrote then."""

from datetime import timedelta
from typing import ClassVar

from core.autopilot.telling import LEFT_OUT_WORDS, explain_lines, row_line
from core.commands.base import Command, Danger, Declaration, OptionalSymbol
from core.domain.brackets import Bracket
from core.domain.modes import Source
from core.domain.money import ZERO
from core.lifecycle.news import closed
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
        left_out = pilot.choices.left_out(desk.mode).get(command.symbol or "")
        why += f" It is not watched: {LEFT_OUT_WORDS[left_out[0]]} ({left_out[1]})." if left_out else ""
        return Reply((*position, f"{what} was not evaluated on the {desk.mode} desk yet.{why}"), mode=desk.mode)
    one = found[0]
    lines = [*position, *explain_lines(one, desk.ledger.bracket(one.bracket_id))]
    before = [row for row in pilot.evaluations.last(desk.mode, one.symbol, 2, acted=True) if row.at < one.at]
    ended = _last_ended(desk, one.symbol)
    if ended is not None and ended.id != one.bracket_id:
        when = f" at {ended.closed_at:%m-%d %H:%M} UTC" if ended.closed_at is not None else ""
        lines += ["", f"The last trade of it that ended{when}: {closed(ended)}"]
    if before:
        last = row_line(before[0], desk.ledger.bracket(before[0].bracket_id))
        lines += ["", "The last time that something came of it, or was stopped:", last]
    return Reply(tuple(lines), mode=desk.mode, data={"symbol": one.symbol, "at": one.at.isoformat()})


def _last_ended(desk: Desk, symbol: str) -> Bracket | None:
    """The newest bracket of the symbol that bought and is over: its own legs may have ended it, and no candle did."""
    now = desk.clock()
    found = desk.ledger.closed_between(now - _LOOK_BACK, now + timedelta(seconds=1))
    its = [one for one in found if one.symbol == symbol and one.bought > ZERO]
    return max(its, key=lambda one: one.closed_at or now, default=None)


_LOOK_BACK = timedelta(days=7)


def _by_hand(desk: Desk, symbol: str | None) -> list[str]:
    """What of this symbol was not the autopilot's doing."""
    found = [one for one in desk.positions(symbol) if one.source is not Source.AUTOPILOT] if symbol else []
    return [f"Bracket {one.id} of {one.symbol} was opened by {one.source}, not by the autopilot." for one in found]
