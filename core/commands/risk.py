"""risk: the limits, the trading state, and the way back after a halt."""

from typing import Annotated, ClassVar, Literal

from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.domain.errors import Code
from core.domain.events import Event, EventKind
from core.domain.money import plain
from core.trading.desk import Desk
from core.trading.reply import Reply


class Risk(Command):
    """Show the limits and the trading state, or take entries again after a halt."""

    declaration: ClassVar[Declaration] = Declaration(
        name="risk",
        calls=("risk", "limits", "risk limits", "risk settings", "kill switch", "resume trading"),
        danger=Danger.CONTROL,
        presets={"resume trading": {"action": "resume"}},
        nouns=frozenset({"limits", "settings", "trading", "numbers", "limit"}),
        dangerous=({"action": "resume"},),
        examples=("risk", "risk resume"),
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
    """Show, or clear what halted the desk."""
    if command.action == "show":
        return Reply((*_state_lines(desk), *_limit_lines(desk)), mode=desk.mode, data={"state": desk.state.value})
    why = desk.halted_because
    if not why:
        return Reply((f"The {desk.mode} desk is not halted; it is {desk.state}.",), mode=desk.mode)
    now = desk.clock()
    bare = sorted({bracket.symbol for bracket in desk.ledger.unfinished() if bracket.lacks_cover(now)})
    then = f"is reducing, since {', '.join(bare)} lacks its stop" if bare else "takes entries again"
    text = f"The halt of the {desk.mode} desk is lifted, it {then}. It was halted by: {why}."
    count = desk.ledger.incidents.clear(now, Event(EventKind.STATE_CHANGED, desk.mode, now, text))
    desk.told.state = desk.state
    line = f"{count} broken promise(s) marked as seen ({why}). The {desk.mode} desk is {desk.state}."
    return Reply((line,), mode=desk.mode, data={"state": desk.state.value})


async def preview(desk: Desk, command: Risk) -> Preview:
    """What halted the desk, and that entries are taken again."""
    why = desk.halted_because
    now = f"It is halted by: {why}." if why else f"It is not halted; it is {desk.state}."
    return Preview((f"Let the {desk.mode} desk take entries again.", now), command, about={"halt": why})


def _state_lines(desk: Desk) -> list[str]:
    lines = [f"Trading state: {desk.state}.", *(f"• {why}" for why in desk.health.because)]
    lines += [
        f"• {one.at:%Y-%m-%d %H:%M:%S} UTC {one.promise}, bracket {one.bracket_id}: {one.detail}"
        for one in desk.ledger.incidents.open()
    ]
    return [*lines, "'risk resume' takes entries again."] if desk.halted_because else lines


def _limit_lines(desk: Desk) -> list[str]:
    limits, currency = desk.settings.limits, desk.settings.quote_currency
    return [
        f"Most that a stop may lose: {plain(limits.risk_pct_max)} % of equity (RISK_PCT_MAX).",
        f"Most that positions may be worth: {plain(limits.exposure_pct_max)} % of equity (EXPOSURE_PCT_MAX).",
        f"Most that one order may cost: {plain(limits.max_order_quote)} {currency} (MAX_ORDER_QUOTE).",
        f"How far above the ask a limit may be: {plain(limits.price_collar_pct)} % (PRICE_COLLAR_PCT).",
        f"An order that is too large is {'reduced' if limits.reduce_to_fit else 'denied'} (RISK_REDUCE).",
    ]
