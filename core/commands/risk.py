"""risk: the limits, the trading state, and the way back after a halt."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from core.autopilot.entering import gate_limits, losses_in_row, worth_of_ours
from core.autopilot.telling import config_lines
from core.commands.base import Command, Danger, Declaration, Preview, Slot, SlotKind
from core.domain.brackets import BracketState
from core.domain.errors import Code, ZynError
from core.domain.events import Event, EventKind
from core.domain.modes import Source
from core.domain.money import ZERO, cents, percent_of, plain
from core.risk.day import loss_limit
from core.trading.desk import Desk
from core.trading.door import account_now
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
        lines = (*_state_lines(desk), *await _day_lines(desk), *await _use_lines(desk), *_limit_lines(desk))
        return Reply((*lines, *_resting_lines(desk), *_config(desk)), mode=desk.mode, data={"state": desk.state.value})
    why = desk.halted_because
    if not why:
        return Reply((f"The {desk.mode} desk is not halted; it is {desk.state}.",), mode=desk.mode)
    now = desk.clock()
    bare = sorted({bracket.symbol for bracket in desk.ledger.unfinished() if bracket.lacks_cover(now)})
    then = f"is reducing, since {', '.join(bare)} lacks its stop" if bare else "takes entries again"
    text = f"The halt of the {desk.mode} desk is lifted, it {then}. It was halted by: {why}."
    event = Event(EventKind.STATE_CHANGED, desk.mode, now, text)
    killed = await desk.house.pilot.keepers[desk.mode].resume()
    count = desk.ledger.incidents.clear(now, event)
    if killed and not count:
        desk.ledger.save((), [event])
    desk.told.state = desk.state
    parts = [f"{count} broken promise(s) marked as seen"] if count else []
    parts += ["the kill switch is off, losses are counted anew from here"] if killed else []
    line = f"{'; '.join(parts)} ({why}). The {desk.mode} desk is {desk.state}."
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


async def _day_lines(desk: Desk) -> list[str]:
    keeper = desk.house.pilot.keepers[desk.mode]
    await desk.house.pilot.watch_day(desk)
    day = keeper.day
    if day is None:
        return [keeper.line()]
    limit, state = loss_limit(day, keeper.limit_pct), "ON" if day.killed else "off"
    left = f"{cents(max(ZERO, limit + keeper.result - day.forgiven))} left" if keeper.result is not None else "unknown"
    return [
        keeper.line(),
        f"Kill switch: {state}, at a loss of {cents(limit)} ({plain(keeper.limit_pct)}%), {left}.",
    ]


async def _use_lines(desk: Desk) -> list[str]:
    """Each limit of the autopilot with how much of it is used now."""
    config, currency = desk.house.pilot.config, desk.settings.quote_currency
    start = desk.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    today = [
        one
        for one in desk.ledger.begun_since(start)
        if one.source is Source.AUTOPILOT and (one.bought > ZERO or one.state is not BracketState.CLOSED)
    ]
    counted = Counter(one.symbol for one in today)
    per_symbol = ", ".join(f"{symbol} {count}" for symbol, count in sorted(counted.items())) or "none"
    limits = config.limits
    lines = [
        (
            f"Autopilot trades today: {len(today)} of {limits.trades_per_day}; of {limits.trades_per_symbol} each: "
            f"{per_symbol}."
        ),
    ]
    try:
        account = await account_now(desk)
    except ZynError as error:
        return [*lines, f"The use of the other limits cannot be told just now: {error.message}"]
    own, gates = desk.settings.limits, gate_limits(desk, config)
    ours = await worth_of_ours(desk, currency)
    most_risk = percent_of(account.equity, own.total_risk_pct_max)
    most_worth = percent_of(account.equity, own.exposure_pct_max)
    return [
        *lines,
        (
            f"All stops together risk {cents(account.active_risk)} of {cents(most_risk)} {currency} "
            f"({plain(own.total_risk_pct_max)}%); the autopilot up to "
            f"{cents(percent_of(account.equity, gates.total_risk_pct))} ({plain(gates.total_risk_pct)}%)."
        ),
        (
            f"Positions are worth {cents(account.exposure)} of {cents(most_worth)} {currency} "
            f"({plain(own.exposure_pct_max)}%); equity {cents(account.equity)}, available {cents(account.available)}."
        ),
        (
            f"Zyn's own are worth {cents(ours)} of the {cents(percent_of(account.equity, gates.exposure_pct))} "
            f"{currency} ({plain(gates.exposure_pct)}%) up to which the autopilot buys, each up to "
            f"{cents(percent_of(account.equity, gates.position_pct))}; {len({one.symbol for one in desk.positions()})} "
            f"symbols are held, {gates.correlated_positions} may move together."
        ),
    ]


def _config(desk: Desk) -> Sequence[str]:
    config = desk.house.pilot.config
    return config_lines(config, gate_limits(desk, config))


def _resting_lines(desk: Desk) -> list[str]:
    """Which symbols rest after losses, and until when."""
    config, now, found = desk.house.pilot.config, desk.clock(), []
    for symbol in desk.house.pilot.choices.watched(desk.mode):
        count, last_at = losses_in_row(desk, symbol, config)
        until = last_at + timedelta(minutes=config.limits.cooldown_minutes) if last_at is not None else now
        if count >= config.limits.cooldown_losses and until > now:
            found.append(f"{symbol} until {until:%H:%M} UTC ({count} losses)")
    return [f"Resting: {', '.join(found) or 'none'}."]


def _limit_lines(desk: Desk) -> list[str]:
    limits, currency = desk.settings.limits, desk.settings.quote_currency
    return [
        f"Most that a stop may lose: {plain(limits.risk_pct_max)} % of equity (RISK_PCT_MAX).",
        f"Most that positions may be worth: {plain(limits.exposure_pct_max)} % of equity (EXPOSURE_PCT_MAX).",
        f"Most that one order may cost: {plain(limits.max_order_quote)} {currency} (MAX_ORDER_QUOTE).",
        f"How far above the ask a limit may be: {plain(limits.price_collar_pct)} % (PRICE_COLLAR_PCT).",
        f"An order that is too large is {'reduced' if limits.reduce_to_fit else 'denied'} (RISK_REDUCE).",
    ]
