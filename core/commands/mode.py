"""mode: which desk commands use when they name none."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.domain.errors import Code
from core.domain.modes import Mode
from core.trading.desk import Desk
from core.trading.reply import Reply


class SwitchMode(Command):
    """Switch the active mode to PAPER or LIVE; both desks keep their brackets alive."""

    declaration: ClassVar[Declaration] = Declaration(
        name="mode",
        calls=(
            "mode",
            "switch",
            "switch to",
            "go",
            "change mode to",
            "set mode to",
            "change mode",
            "set mode",
            "switch mode",
            "use",
        ),
        danger=Danger.CONTROL,
        nouns=frozenset({"mode", "trading", "to"}),
        bare="status",
        dangerous=({"target": "LIVE"},),
        examples=("mode paper", "switch to live", "/mode paper"),
    )
    target: Annotated[Literal["PAPER", "LIVE"], Slot(SlotKind.MODE, Code.TARGET, "'mode paper' or 'mode live'")]


async def handle(desk: Desk, command: SwitchMode) -> Reply:
    """Store the new mode, unless its desk is not set up."""
    wanted = Mode(command.target)
    before = await desk.house.switch(wanted)
    if before is wanted:
        return Reply((f"Already in {wanted} mode.",), mode=wanted)
    return Reply(
        (
            f"Switched from {before} to {wanted}. The {before} desk keeps protecting what it holds.",
            f"The autopilot is {'on' if desk.house.pilot.choices.is_on(wanted) else 'off'} in {wanted}.",
        ),
        mode=wanted,
    )


async def preview(desk: Desk, command: SwitchMode) -> Preview:
    """From which mode to which, and what that means. Raises Denied where the other desk is not set up."""
    house, wanted = desk.house, Mode(command.target)
    there = house.desk(wanted)
    means = "real orders, with real money" if wanted is Mode.LIVE else "simulated orders"
    line = f"Switch from {house.active_mode} to {wanted}: from then on orders are {means} ({there.exchange.name})."
    is_on = house.pilot.choices.is_on(wanted)
    trades = f"The autopilot is {'on' if is_on else 'off'} in {wanted}."
    return Preview((line, trades), command, about={"from": house.active_mode.value, "autopilot": str(is_on)})
