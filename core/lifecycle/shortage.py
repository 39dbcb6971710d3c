"""PURE. Coins that our brackets count on and that the account no longer has: sold or moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.events import Event, EventKind
from core.domain.money import ZERO, ceil_to, divide, plain
from core.domain.orders import OrderState, Side
from core.domain.venue import Snapshot
from core.lifecycle.absorb import absorb
from core.lifecycle.decide import Decision

SHORTAGE_PAUSE = timedelta(seconds=120)
"""Coins are gone when every complete reading over so long lacks them, with no sale of ours unaccounted for between."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """How much of a coin has been missing in every look since `since`."""

    quantity: Decimal
    since: datetime


def find_shortage(
    brackets: Sequence[Bracket], snapshot: Snapshot, known: Shortage | None, *, lot: Decimal
) -> Shortage | None:
    """What the account lacks of the one coin of `brackets`, if that is more than a thousandth of a `lot`.

    None while nothing is missing or a sale may explain it. A reading in part, or one without any balance at all, says
    nothing.
    """
    if not snapshot.complete or not snapshot.balances or not brackets:
        return known
    balance = snapshot.balances.get(brackets[0].base)
    total = balance.total if balance is not None else ZERO
    if sum((bracket.held for bracket in brackets), ZERO) <= total:
        return None
    now_known = [absorb(bracket, snapshot).bracket for bracket in brackets]
    missing = sum((bracket.held for bracket in now_known), ZERO) - total
    if missing <= divide(lot, Decimal(1000)) or any(_may_have_sold(bracket) for bracket in now_known):
        return None
    if known is None:
        return Shortage(missing, snapshot.began_at)
    return Shortage(min(missing, known.quantity), known.since)


def _may_have_sold(bracket: Bracket) -> bool:
    return any(order.side is Side.SELL and order.state is OrderState.SUBMITTING for order in bracket.orders)


def write_off(brackets: Sequence[Bracket], shortage: Shortage, now: datetime, *, lot: Decimal) -> list[Decision]:
    """Take the missing coins off the brackets, in whole lots, oldest first, as a sale by command would, and say so."""
    decisions, missing = [], ceil_to(shortage.quantity, lot)
    for bracket in brackets:
        part = min(missing, bracket.held)
        if part <= ZERO:
            continue
        missing -= part
        text = (
            f"{plain(part)} of {plain(bracket.held)} {bracket.base} are no longer on the account, and no order of this "
            "position sold them: sold or moved by hand, or by another position that sold too much. "
            f"{bracket.symbol} now counts {plain(bracket.held - part)}."
        )
        event = Event(EventKind.SOLD_ELSEWHERE, bracket.mode, now, text, bracket.symbol, bracket.id)
        decisions.append(Decision(bracket, replace(bracket, gone=bracket.gone + part), (), (), (event,)))
    return decisions


def missing_event(brackets: Sequence[Bracket], shortage: Shortage, now: datetime) -> Event:
    """The alert of the first look: nothing is done about it yet."""
    first = brackets[0]
    minutes = SHORTAGE_PAUSE.total_seconds() / 60
    text = (
        f"The account has {plain(shortage.quantity)} {first.base} less than Zyn's positions count on, and none of "
        f"their orders sold them. If that is still so in {minutes:.0f} minutes, Zyn stops counting on them."
    )
    return Event(EventKind.SOLD_ELSEWHERE, first.mode, now, text, first.symbol)


def is_over(shortage: Shortage | None, snapshot: Snapshot) -> bool:
    """True when the coins have been missing for long enough to count as gone."""
    looked = snapshot.complete and bool(snapshot.balances)
    return shortage is not None and looked and snapshot.began_at - shortage.since >= SHORTAGE_PAUSE
