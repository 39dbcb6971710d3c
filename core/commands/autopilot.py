"""autopilot: declared, so that it is understood; its handler says that it is not built yet."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, Slot, SlotKind
from core.commands.unbuilt import not_built_yet
from core.domain.errors import Code
from core.trading.desk import Desk
from core.trading.reply import Reply


class Autopilot(Command):
    """Turn the autopilot on or off, or show how it stands."""

    declaration: ClassVar[Declaration] = Declaration(
        name="autopilot",
        calls=("autopilot", "auto pilot", "auto trading", "autotrading", "auto trade", "auto mode"),
        danger=Danger.CONTROL,
        nouns=frozenset({"trading", "turn", "switch"}),
        examples=("autopilot on", "turn off the autopilot", "autopilot"),
        built=False,
    )
    action: Annotated[
        Literal["on", "off", "status"],
        Slot(
            SlotKind.CHOICE,
            Code.ACTION,
            "on, off or status",
            {
                "on": ("on", "start", "enable", "activate", "resume", "turn on", "switch on"),
                "off": ("off", "stop", "disable", "deactivate", "pause", "halt", "turn off", "switch off"),
                "status": ("status", "state"),
            },
        ),
    ] = "status"


async def handle(desk: Desk, command: Autopilot) -> Reply:
    """Say so, without pretending."""
    del desk
    return not_built_yet(command)
