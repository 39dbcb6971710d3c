"""PURE. Whether a resting stop keeps its coins from other orders: learned from what the venue shows, never tried."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.domain.money import ZERO
from core.domain.orders import OrderType, Side
from core.domain.venue import Snapshot


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen, when, and how. `holds` is True where a second order for the same coins has no room."""

    holds: bool
    at: datetime
    how: str
    is_proof: bool = False
    """True for something that an order of ours met with; what balances look like does not outweigh it."""

    @property
    def text(self) -> str:
        """One line for `status`."""
        what = "a resting stop holds its coins" if self.holds else "a resting stop leaves its coins free"
        return f"{what} (seen {self.at:%Y-%m-%d %H:%M} UTC: {self.how})"


def outweighs(new: Evidence, known: Evidence | None) -> bool:
    """True where `new` is to be believed instead of what is known."""
    return known is None or new.is_proof or not known.is_proof


def evidence_of(snapshot: Snapshot) -> Evidence | None:
    """What the balances say of a coin for which stops rest and no other sale does; None where they say nothing clear.

    Anything between all and nothing says nothing: another order may have come or gone between the two lists.
    """
    if not snapshot.complete or not snapshot.balances:
        return None
    stopped: dict[str, Decimal] = {}
    others: set[str] = set()
    for order in snapshot.open_orders:
        base, _, quote = order.symbol.partition("/")
        if order.side is Side.BUY:
            others.add(quote)
        elif order.type is OrderType.STOP_LOSS and not order.triggered:
            stopped[base] = stopped.get(base, ZERO) + order.quantity - order.filled
        else:
            others.add(base)
    for base, quantity in sorted(stopped.items()):
        balance = snapshot.balances.get(base)
        if base in others or balance is None or quantity <= ZERO or balance.total < quantity:
            continue
        if balance.held >= quantity:
            return Evidence(True, snapshot.at, f"{balance.held} {base} held for stops of {quantity}")
        if balance.held == ZERO:
            return Evidence(False, snapshot.at, f"nothing held for stops of {quantity} {base}")
    return None
