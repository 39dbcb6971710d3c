"""PURE. What the owner is told beyond single events: a stop, a restart, a day."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.brackets import Bracket, BracketState
from core.domain.modes import Mode
from core.domain.money import ZERO, cents, plain
from core.domain.orders import Order, OrderState
from core.lifecycle.news import closed, resting_stop, signed

_LISTED = 20
_ENTRIES = {OrderState.OPEN: "still waits", OrderState.SUBMITTING: "is sent, unanswered"}


def stopped(mode: Mode, exchange: str, brackets: Sequence[Bracket], at: datetime) -> str:
    """What rests at the venue while Zyn is away, and what sleeps."""
    if not brackets:
        return f"Zyn stops, {at:%Y-%m-%d %H:%M} UTC. {mode}: nothing is open."
    resting = _in_state(brackets, OrderState.OPEN)
    unanswered = _in_state(brackets, OrderState.SUBMITTING)
    asleep = _in_state(brackets, OrderState.HELD)
    lines = [f"Zyn stops, {at:%Y-%m-%d %H:%M} UTC. {mode}: {len(brackets)} open."]
    where = f"{exchange}, which stands still too and catches up later" if mode is Mode.PAPER else exchange
    if resting:
        lines.append(f"Resting at {where}: {_listed(resting)}.")
    if unanswered:
        lines.append(f"Sent, unanswered: {_listed(unanswered)}.")
    if asleep:
        lines.append(f"Asleep until Zyn is back: {_listed(asleep)}.")
    bare = [bracket.symbol for bracket in brackets if bracket.unprotected_since is not None]
    if bare:
        lines.append(f"WITHOUT A STOP meanwhile: {', '.join(bare)}.")
    return "\n".join(lines)


def _in_state(brackets: Sequence[Bracket], state: OrderState) -> list[str]:
    return [_order(one, bracket) for bracket in brackets for one in bracket.orders if one.state is state]


def _order(order: Order, bracket: Bracket) -> str:
    at = f" at {plain(order.price)}" if order.price is not None else ""
    return f"{order.role} {plain(order.remaining)} {bracket.symbol}{at} ({order.venue_id or order.client_id})"


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return ", ".join(parts[:_LISTED]) + more


def restarted(mode: Mode, brackets: Sequence[Bracket]) -> str:
    """What was open when Zyn stopped, and what has become of it."""
    left = [bracket for bracket in brackets if bracket.state is not BracketState.CLOSED]
    lines = [f"Zyn is back. {mode}: {len(brackets)} open when it stopped, {len(left)} open now."]
    lines += [f"• {_became(bracket)}" for bracket in brackets[:_LISTED]]
    if len(brackets) > _LISTED:
        lines.append(f"… and {len(brackets) - _LISTED} more; 'open' lists them.")
    return "\n".join(lines)


def _became(bracket: Bracket) -> str:
    if bracket.state is BracketState.CLOSED:
        return closed(bracket)
    if bracket.held <= ZERO:
        state = bracket.entry.state if bracket.entry is not None else None
        how = _ENTRIES.get(state) if state is not None else None
        what = (
            f"the entry for {plain(bracket.quantity)} {how}" if how else "nothing is held, its orders are not over yet"
        )
        return f"{bracket.symbol}: {what}."
    target = f"target {plain(bracket.target_price)}" if bracket.target_price is not None else "no target yet"
    return f"{bracket.symbol} {plain(bracket.held)} held: {resting_stop(bracket)}, {target}."


def summary(day: str, over: Sequence[Bracket], unfinished: Sequence[Bracket]) -> str:
    """One UTC day: trades that ended in it, their result, and what is open now."""
    trades = [bracket for bracket in over if bracket.result_quote is not None]
    held = sum(1 for bracket in unfinished if bracket.held > ZERO)
    waiting = len(unfinished) - held
    lines = [f"Summary of {day} (UTC): {len(trades)} trade(s) closed{_score(trades)}."]
    for currency in sorted({bracket.symbol.partition("/")[2] for bracket in trades}):
        mine = [bracket for bracket in trades if bracket.symbol.endswith(f"/{currency}")]
        result = sum((bracket.result_quote or ZERO for bracket in mine), ZERO)
        in_r = [bracket.result_r for bracket in mine if bracket.result_r is not None]
        fees = sum((order.fee for bracket in mine for order in bracket.orders), ZERO)
        total_r = f" ({signed(sum(in_r, ZERO))} R)" if in_r else ""
        lines.append(f"Result {signed(result)} {currency}{total_r}, fees {cents(fees)} {currency} in it.")
    if len(trades) > 1:
        best, worst = max(trades, key=_result), min(trades, key=_result)
        lines.append(f"Best {_named(best)}, worst {_named(worst)}.")
    lines.append(f"Open now: {held} position(s), {waiting} waiting entr{'y' if waiting == 1 else 'ies'}.")
    return "\n".join(lines)


def _score(trades: Sequence[Bracket]) -> str:
    won = sum(1 for bracket in trades if _result(bracket) > ZERO)
    return f", {won} won, {len(trades) - won} not" if trades else ""


def _result(bracket: Bracket) -> Decimal:
    return bracket.result_quote or ZERO


def _named(bracket: Bracket) -> str:
    return f"{bracket.symbol} {signed(bracket.result_quote)}"
