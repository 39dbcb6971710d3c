"""Coins without a stop, by age: a stop covers those that have waited longest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.money import ZERO


@dataclass(frozen=True)
class Bare:
    """So many coins have had no stop since then, and so blind the desk had been by then."""

    quantity: Decimal
    since: datetime
    blind_s: float


def layers(before: Sequence[Bare], bare: Decimal, now: datetime, blind_s: float) -> list[Bare]:
    """The uncovered coins of a bracket, oldest first, now that `bare` of them have no stop."""
    total = sum((one.quantity for one in before), ZERO)
    if bare > total:
        return [*before, Bare(bare - total, now, blind_s)]
    covered, left = total - bare, []
    for one in before:
        taken = min(covered, one.quantity)
        covered -= taken
        if taken < one.quantity:
            left.append(Bare(one.quantity - taken, one.since, one.blind_s))
    return left


def oldest(found: Sequence[Bare], dust: Decimal) -> Bare:
    """The layer with which the uncovered coins come to more than dust, counted from the oldest. Needs one layer."""
    total = ZERO
    for one in found:
        total += one.quantity
        if total >= dust:
            return one
    return found[-1]
