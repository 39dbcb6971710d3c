"""autopilot: its switch in each mode, and how it stands."""

from typing import Annotated, ClassVar, Literal

from core.autopilot.entering import gate_limits
from core.autopilot.telling import config_lines
from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.domain.errors import Code
from core.domain.modes import Mode, Source
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
        dangerous_live=({"action": "on"},),
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
    """Store the choice for this desk's mode, or show it for both."""
    choices = desk.house.pilot.choices
    if command.action == "status":
        return Reply(tuple(_status_lines(desk)), mode=desk.mode, data={"on": choices.is_on(desk.mode)})
    on = command.action == "on"
    if choices.is_on(desk.mode) is on:
        return Reply((f"The autopilot is {command.action} in {desk.mode} already.",), mode=desk.mode)
    choices.switch(desk.mode, on=on)
    if on:
        what = f"from the next closed candle on it trades {', '.join(choices.watched(desk.mode))}"
    else:
        held = sorted({one.symbol for one in desk.ledger.unfinished() if one.source is Source.AUTOPILOT})
        what = "it begins nothing new and leaves nothing early"
        what += f"; {', '.join(held)} keep their stops and targets" if held else ""
    return Reply((f"The autopilot is {command.action} in {desk.mode}: {what}.",), mode=desk.mode, data={"on": on})


async def preview(desk: Desk, command: Autopilot) -> Preview:
    """What it would trade with, and how much it may lose."""
    config = desk.house.pilot.config
    watched = ", ".join(desk.house.pilot.choices.watched(desk.mode))
    first = f"Let the autopilot trade in {desk.mode} by itself: {watched}."
    return Preview(
        (first, *config_lines(config, gate_limits(desk, config))),
        command,
        about={"watched": watched, "profile": config.profile},
    )


def _status_lines(desk: Desk) -> list[str]:
    pilot = desk.house.pilot
    lines = []
    for mode in Mode:
        active = " (active mode)" if mode is desk.house.active_mode else ""
        lines.append(f"Autopilot in {mode}: {'on' if pilot.choices.is_on(mode) else 'off'}{active}.")
    lines.append("It runs on the desk of the active mode; candles are evaluated and written down even while it is off.")
    lines.append(f"Watched: {', '.join(pilot.choices.watched(desk.mode)) or 'nothing'}.")
    held = [one for one in desk.ledger.unfinished() if one.source is Source.AUTOPILOT]
    lines += [f"It holds {one.symbol}, bracket {one.id}." for one in held] or ["It holds nothing here."]
    return [*lines, *config_lines(pilot.config, gate_limits(desk, pilot.config))]
