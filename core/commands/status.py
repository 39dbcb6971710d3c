"""status: how the house stands."""

from typing import ClassVar

from core.commands.base import Command, Danger, Declaration
from core.domain.modes import Mode, TargetMode
from core.domain.money import ZERO
from core.domain.orders import OrderState
from core.trading.desk import Desk
from core.trading.offers import refresh, show_open
from core.trading.reply import Reply


class Status(Command):
    """Show mode, trading state, market data, target mode and what is open."""

    declaration: ClassVar[Declaration] = Declaration(
        name="status",
        calls=(
            "status",
            "are we in paper or live",
            "paper or live",
            "what mode",
            "which mode",
            "what mode are we in",
            "which mode are we in",
            "how are you",
            "health",
            "uptime",
            "current mode",
            "are you alive",
            "are you there",
            "state",
        ),
        danger=Danger.QUERY,
        nouns=frozenset({"mode", "status", "trading", "bot", "system", "current", "state", "running"}),
        examples=("status", "what mode are we in?", "/status"),
    )


async def handle(desk: Desk, command: Status) -> Reply:
    """Tell what is known without asking the venue."""
    del command
    house = desk.house
    lines = [f"Active mode: {house.active_mode}.", *_desk_lines(desk)]
    other = house.other_desk(desk)
    lines += _desk_lines(other) if other is not None else [_not_set_up(desk)]
    lines.append(f"Market data: {desk.market.name}. {_targets(desk)}")
    data = {"active_mode": house.active_mode.value, "state": desk.state.value}
    return Reply(tuple(lines), mode=desk.mode, data=data, offers=(refresh("status", desk.mode), show_open(desk.mode)))


def _not_set_up(desk: Desk) -> str:
    how = f" ({desk.house.lacks})" if desk.house.lacks else ""
    return f"{desk.mode.other} desk: not set up{how}."


def _targets(desk: Desk) -> str:
    """Where targets wait at this desk, and why not where the setting says."""
    wanted, able = desk.settings.rules.target_mode, desk.exchange.abilities
    if wanted is TargetMode.AUTO and able.rests_unlinked:
        learned = desk.learned.text if desk.learned is not None else "nothing learned of the account yet"
        where = "at the venue" if desk.target_mode is TargetMode.RESTING else "held by Zyn"
        return f"Targets: auto, {where}: {learned}."
    linked = able.links_legs and not able.attaches_stops
    if wanted is TargetMode.RESTING and not linked and not able.rests_unlinked:
        return f"Targets: held by Zyn, since {desk.exchange.name} does not link two legs (TARGET_MODE={wanted})."
    return f"Targets: {wanted}."


def _desk_lines(desk: Desk) -> list[str]:
    unfinished = desk.ledger.unfinished()
    held = sum(1 for bracket in unfinished if bracket.held > ZERO)
    waiting = sum(
        1 for bracket in unfinished for order in bracket.orders if order.is_live or order.state is OrderState.HELD
    )
    ticked = (
        f"last tick {(desk.clock() - desk.last_tick_at).total_seconds():.0f} s ago"
        if desk.last_tick_at
        else "no tick yet"
    )
    why = desk.halted_because or desk.health.text
    state = f"{desk.state}{f' ({why})' if why else ''}"
    ready = "" if desk.ready else f", NOT READY ({desk.not_ready_because or 'still comparing books'})"
    lines = [
        f"{desk.mode} desk: {state}{ready}, {desk.exchange.name}, {held} positions, {waiting} open orders, {ticked}."
    ]
    if desk.mode is desk.house.active_mode:
        pilot = desk.house.pilot
        switch = "on" if pilot.choices.is_on(desk.mode) else "off"
        lines.append(
            f"Autopilot: {switch} ({pilot.config.profile}), {len(pilot.choices.watched(desk.mode))} symbols watched."
        )
    if desk.settings.validate_only:
        lines.append("VALIDATE_ONLY: entries are checked and never placed.")
    if desk.mode is Mode.LIVE:
        longest_s, symbol = desk.ledger.longest_unprotected(desk.clock())
        whose = f" ({symbol})" if symbol else ""
        lines.append(f"Longest that one trade was without a stop, all in all: {longest_s:.1f} s{whose}.")
        if desk.learned is not None:
            lines.append(f"Learned: {desk.learned.text}.")
    return lines
