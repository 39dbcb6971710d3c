"""Leaving positions: turn a wish to sell into leaves on brackets, let the tick work, and tell what was sold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from core.domain.brackets import Bracket, BracketState, ExitReason, Leave
from core.domain.errors import ZynError
from core.domain.money import ZERO
from core.domain.orders import Order, Role
from core.lifecycle.decide import Decision
from core.trading.desk import Desk


@dataclass(frozen=True, slots=True)
class Left:
    """One bracket before and after: what it sold since, whichever of its orders did."""

    before: Bracket
    after: Bracket
    unpriced: bool = False
    """Nobody knew a price to sell at: its coins stay, and what still waited to be bought does not."""

    @property
    def orders(self) -> tuple[Order, ...]:
        """The exits that traded since, as they stand now."""
        known = {order.client_id: order.filled for order in self.before.orders}
        return tuple(
            order
            for order in self.after.orders
            if order.role is not Role.ENTRY and order.filled > known.get(order.client_id, ZERO)
        )

    @property
    def sales(self) -> tuple[Order, ...]:
        """The same exits with what they traded since alone: what a stop had sold before was not sold by this."""
        known = {order.client_id: order for order in self.before.orders}
        return tuple(_since(known.get(order.client_id), order) for order in self.orders)

    @property
    def sold(self) -> Decimal:
        """Base quantity sold since."""
        return self.after.sold - self.before.sold


def _since(before: Order | None, order: Order) -> Order:
    if before is None:
        return order
    return replace(
        order, filled=order.filled - before.filled, cost=order.cost - before.cost, fee=order.fee - before.fee
    )


async def leave(desk: Desk, wishes: Sequence[tuple[Bracket, Decimal | None]], reason: ExitReason) -> list[Left]:
    """Sell the given quantity of each bracket (None: all of it, and cancel what still waits to be bought).

    All wishes are saved first, so that a process that dies on the way leaves none behind; the ordinary tick shrinks the
    stops, sees that confirmed, sells, and covers what remains. What comes back is what the ledger shows after that.

    A coin without a price is not sold, since the stop that rests is better than none; it keeps neither the others from
    being sold nor any entry from being canceled. Raises where nothing at all can be done.
    """
    refusals = await _without_a_price(desk, wishes)
    if refusals and all(bracket.symbol in refusals and not _still_buys(bracket, part) for bracket, part in wishes):
        raise next(iter(refusals.values()))
    befores: list[Bracket] = []
    bases = sorted({bracket.base for bracket, _ in wishes})
    for base in bases:
        async with desk.lock(base):
            decisions = []
            for stale, quantity in wishes:
                bracket = desk.ledger.bracket(stale.id) if stale.base == base else None
                if bracket is None:
                    continue
                befores.append(bracket)
                if bracket.state is BracketState.CLOSED:
                    continue
                if bracket.symbol in refusals:
                    after = replace(bracket, cancel_entry=True) if _still_buys(bracket, quantity) else bracket
                else:
                    after = _wish(desk, bracket, quantity, reason)
                decisions.append(Decision(bracket, after, (), (), ()))
            desk.ledger.save(decisions)
            desk.note_change(base)
    for base in bases:
        await desk.settle(base)
    found = [(before, desk.ledger.bracket(before.id) or before) for before in befores]
    return [Left(before, after, before.symbol in refusals and after.held > ZERO) for before, after in found]


async def _without_a_price(desk: Desk, wishes: Sequence[tuple[Bracket, Decimal | None]]) -> dict[str, ZynError]:
    """Symbols of held coins that nobody knows a fresh price of, with why."""
    refusals: dict[str, ZynError] = {}
    for symbol in sorted({bracket.symbol for bracket, _ in wishes if bracket.held > ZERO}):
        try:
            await desk.fresh_quote(symbol)
        except ZynError as error:
            refusals[symbol] = error
    return refusals


def _still_buys(bracket: Bracket, part: Decimal | None) -> bool:
    """True where all of it is to go and its entry may still bring something."""
    return part is None and (bracket.entry is None or not bracket.entry.is_terminal)


def _wish(desk: Desk, bracket: Bracket, quantity: Decimal | None, reason: ExitReason) -> Bracket:
    # "All" is all that may ever be bought: a fill that crosses the cancel of its entry is sold as well.
    whole = bracket.quantity if quantity is None else min(bracket.held, quantity + bracket.to_leave)
    wish = Leave(whole, reason, bracket.sold_on_wish, desk.clock()) if whole > ZERO else None
    # What a target that failed has to wait for is not owed to a sale that somebody wants.
    retry_at = bracket.target_retry_at if bracket.leave is not None else None
    return replace(bracket, leave=wish, cancel_entry=bracket.cancel_entry or quantity is None, target_retry_at=retry_at)
