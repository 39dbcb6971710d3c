"""PURE. The day's result of our own brackets, and the switch that ends a bad day.

Counted are results, realised and open, fees included, against what stood open at the day's start. Equity is only the
measure of the limit: a deposit is no profit, a withdrawal no loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core.domain.brackets import Bracket
from core.domain.money import ZERO, cents, divide, percent_of, plain, times
from core.domain.orders import Role


@dataclass(frozen=True, slots=True)
class Day:
    """How a UTC day began: `equity` in quote, and what each bracket that was open then had brought so far."""

    date: str
    equity: Decimal
    began_with: Mapping[str, Decimal] = field(default_factory=dict)
    forgiven: Decimal = ZERO
    """What had been lost when the owner took entries again: counted anew from there."""
    killed: str = ""
    """Why entries have ended for the day; empty while they have not."""


def worth(bracket: Bracket, bid: Decimal | None) -> Decimal | None:
    """What a bracket has brought so far, its coins counted at `bid`; None where it holds some and has no price.

    Coins that left the account by another way than our orders are neither a profit nor a loss: what they had cost is
    left out with them.
    """
    entry = bracket.entry
    if entry is None or bracket.bought <= ZERO:
        return ZERO
    exits = bracket.of_role(Role.STOP, Role.TARGET, Role.EXIT)
    proceeds = sum((order.cost - order.fee for order in exits), ZERO)
    if bracket.held <= ZERO:
        coins = ZERO
    elif bid is None:
        return None
    else:
        coins = times(bracket.held, bid)
    return proceeds + coins - divide(times(entry.cost + entry.fee, bracket.bought - bracket.gone), bracket.bought)


def result_of(day: Day, brackets: Sequence[Bracket], bids: Mapping[str, Decimal]) -> tuple[Decimal, bool]:
    """What the day has brought as far as that is known, and whether that is all: a price may be missing.

    `brackets` are those that are open and those closed today, all of one quote currency.
    """
    total, is_all = ZERO, True
    for bracket in brackets:
        value = worth(bracket, bids.get(bracket.symbol))
        if value is None:
            is_all = False
        else:
            total += value - day.began_with.get(bracket.id, ZERO)
    return total, is_all


def loss_limit(day: Day, limit_pct: Decimal) -> Decimal:
    """How much the day may lose, in quote."""
    return percent_of(day.equity, limit_pct)


def why_killed(day: Day, result: Decimal, limit_pct: Decimal) -> str:
    """Why the day is over for entries, empty while it is not."""
    limit = loss_limit(day, limit_pct)
    lost = -(result - day.forgiven)
    if lost < limit or limit <= ZERO:
        return ""
    share = divide(lost * 100, day.equity)
    since = " since it was resumed" if day.forgiven else ""
    return (
        f"the day has lost {cents(lost)}{since}, {plain(round(share, 2))}% of the {cents(day.equity)} that it began "
        f"with; the limit is {plain(limit_pct)}%"
    )
