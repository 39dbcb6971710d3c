"""risk: declared, so that it is understood; its handler says that it is not built yet."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, Slot, SlotKind
from core.commands.unbuilt import not_built_yet
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply


class Risk(Command):
    """Show every limit with its present use, or resume trading after a halt."""

    declaration: ClassVar[Declaration] = Declaration(
        name="risk",
        calls=("risk", "limits", "risk limits", "risk settings", "kill switch", "resume trading"),
        danger=Danger.CONTROL,
        presets={"resume trading": {"action": "resume"}},
        nouns=frozenset({"limits", "settings", "trading", "numbers", "limit"}),
        examples=("risk", "risk resume"),
        built=False,
    )
    action: Annotated[
        Literal["show", "resume"],
        Slot(
            SlotKind.CHOICE,
            Code.ACTION,
            "show or resume",
            {"show": ("show", "status"), "resume": ("resume", "reset", "unlock", "continue")},
        ),
    ] = "show"


async def handle(desk: Desk, command: Risk) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
