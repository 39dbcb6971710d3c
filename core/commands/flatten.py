"""flatten: out of everything, now."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration, Preview
from core.commands.close import held_and_waiting
from core.commands.exiting import exit_reply
from core.commands.showing import show_exits
from core.domain.brackets import ExitReason
from core.trading import say
from core.trading.desk import Desk
from core.trading.foreign import untouched_lines
from core.trading.leaving import leave
from core.trading.reply import ExecFacts, Reply


class Flatten(Command):
    """Cancel every waiting entry and sell every position of this desk, then verify. Safe to repeat."""

    declaration: ClassVar[Declaration] = Declaration(
        name="flatten",
        calls=(
            "flatten",
            "flatten everything",
            "flatten all",
            "go flat",
            "liquidate everything",
            "liquidate all",
        ),
        danger=Danger.TRADE,
        nouns=frozenset({"position", "positions", "everything", "all", "book", "account"}),
        dangerous=({},),
        examples=("flatten", "flatten everything", "go flat"),
    )


async def handle(desk: Desk, command: Flatten) -> Reply:
    """Leave everything and show what the venue has afterwards."""
    del command
    desk.flattened += 1
    brackets = await desk.unfinished_now()
    if not brackets:
        facts = ExecFacts("all", "sell", "0", "market", "none", "none", "already flat")
        flat = ("Already flat: no positions and no waiting entries.", *await untouched_lines(desk))
        return Reply(flat, mode=desk.mode, facts=facts)
    left = await leave(desk, [(bracket, None) for bracket in brackets], ExitReason.FLATTEN)
    reply = await exit_reply(desk, left)
    lines = (
        *reply.lines,
        "",
        *await say.verified(desk),
        *await untouched_lines(desk),
        *_autopilot_lines(desk),
    )
    return Reply(lines, reply.mode, reply.ok, reply.code, reply.receipts, reply.facts, reply.data)


def _autopilot_lines(desk: Desk) -> list[str]:
    """That something else may buy again."""
    is_on = desk.mode is desk.house.active_mode and desk.house.pilot.choices.is_on(desk.mode)
    return ["The autopilot is on and may buy again; 'autopilot off' keeps this desk flat."] if is_on else []


async def preview(desk: Desk, command: Flatten) -> Preview:
    """Everything that would be sold and canceled. Bound to no price: who wants out wants out."""
    brackets = await desk.unfinished_now()
    if not brackets:
        return Preview(("Nothing is open: there is nothing to sell and nothing to cancel.",), command)
    shown = await show_exits(desk, *held_and_waiting(brackets))
    return Preview(shown.lines, command)
