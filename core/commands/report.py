"""report: declared, so that it is understood; its handler says that it is not built yet."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, Slot, SlotKind
from core.commands.unbuilt import not_built_yet
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply


class Report(Command):
    """Report on the day or the week."""

    declaration: ClassVar[Declaration] = Declaration(
        name="report",
        calls=("report", "summary", "recap", "daily report", "weekly report"),
        danger=Danger.QUERY,
        presets={"daily report": {"period": "day"}, "weekly report": {"period": "week"}},
        nouns=frozenset({"report", "summary", "trading"}),
        examples=("report", "weekly report"),
        built=False,
    )
    period: Annotated[
        Literal["day", "week"],
        Slot(
            SlotKind.CHOICE,
            Code.PERIOD,
            "day or week",
            {"day": ("day", "daily", "today", "today's"), "week": ("week", "weekly", "this week", "7 days")},
        ),
    ] = "day"


async def handle(desk: Desk, command: Report) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
