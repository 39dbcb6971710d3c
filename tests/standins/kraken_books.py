"""The books of the account's stand-in: the paper venue's own, and what a Kraken account has beside them.

Placing, amending and matching are the paper venue's. New here: whether a sleeping stop holds its coins, what becomes
of a sell whose coins are gone, and the executions one by one, because each of an entry's spawns a child.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Book, Quote
from core.domain.money import ZERO, divide, floor_to
from core.domain.orders import OrderType, Side
from core.domain.venue import VenueState
from core.exchange.books import PaperBooks, PaperOrder, PaperRefusalError
from core.exchange.matching import Match

BASE_FEE_STEP = Decimal("0.0000000001")
NO_FUNDS = "Insufficient funds"


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution as it was booked."""

    order_id: str
    price: Decimal
    quantity: Decimal
    maker: bool
    at: datetime
    base_fee: Decimal


@dataclass
class AccountBooks(PaperBooks):
    """Paper books without groups. An order is found by the venue's id as well as by the client's."""

    stop_holds: bool = True
    executions: list[Execution] = field(default_factory=list)
    """What was booked since it was last emptied."""
    pay_in_base: set[str] = field(default_factory=set)
    """Venue ids of purchases whose fee is taken out of the coins that they bring."""

    def by_client_id(self, client_id: str) -> PaperOrder | None:
        """The open order of this name, the client's or the venue's."""
        return self.orders.get(client_id) or super().by_client_id(client_id)

    def held(self) -> dict[str, Decimal]:
        """What waits in open orders, by asset."""
        if self.stop_holds:
            return super().held()
        awake = {name: order for name, order in self.orders.items() if not _sleeps(order)}
        return PaperBooks(self.friction, {}, awake).held()

    def end(self, name: str, reason: str) -> None:
        """Cancel the open order with this venue id."""
        self._end(self.orders[name], VenueState.CANCELED, reason)

    def move(self, asset: str, amount: Decimal) -> None:
        """Coins come, or leave."""
        self._move(asset, amount)

    def spawn(
        self, order: PaperOrder, instrument: Instrument, quote: Quote | None, book: Book | None, now: datetime
    ) -> PaperOrder:
        """Take an order that the venue itself makes, unchecked; it may trade at once."""
        matches, wakes = self._at_once(order, instrument, quote, book)
        return self._execute(order, matches, now, wakes=wakes)

    def _check_funds(self, order: PaperOrder, matches: list[Match]) -> None:
        if self.stop_holds or order.shown.side is Side.BUY:
            super()._check_funds(order, matches)
        elif (matches or not _sleeps(order)) and self._lacks_coins(order):
            raise PaperRefusalError("EOrder:Insufficient funds")

    def _execute(self, order: PaperOrder, matches: list[Match], now: datetime, *, wakes: bool) -> PaperOrder:
        if matches and self._lacks_coins(order):
            return self._end(replace(order, triggered=True), VenueState.CANCELED, NO_FUNDS)
        return super()._execute(order, matches, now, wakes=wakes)

    def _trade(
        self, stale: PaperOrder, price: Decimal, most: Decimal, at: datetime, instrument: Instrument, *, caught_up: bool
    ) -> Decimal:
        order = self.orders[stale.shown.venue_id]
        if self._lacks_coins(order):
            self._end(replace(order, triggered=True), VenueState.CANCELED, NO_FUNDS)
            return ZERO
        return super()._trade(order, price, most, at, instrument, caught_up=caught_up)

    def _lacks_coins(self, order: PaperOrder) -> bool:
        """True for a sell that would need coins that are gone, or that orders hold which are awake."""
        if order.shown.side is Side.BUY:
            return False
        base = order.shown.symbol.partition("/")[0]
        others = [
            other.remaining
            for name, other in self.orders.items()
            if name != order.shown.venue_id and other.shown.side is Side.SELL and not _sleeps(other)
            if other.shown.symbol.startswith(f"{base}/")
        ]
        return order.remaining > self.balances.get(base, ZERO) - sum(others, ZERO)

    def _book(self, order: PaperOrder, match: Match, at: datetime, *, caught_up: bool) -> None:
        super()._book(order, match, at, caught_up=caught_up)
        name, base_fee = order.shown.venue_id, ZERO
        if name in self.pay_in_base:
            base, quote = order.shown.symbol.split("/")
            fee = self.journal.fills[-1].fee
            base_fee = floor_to(divide(fee, match.price), BASE_FEE_STEP)
            self._move(quote, fee)
            self._move(base, -base_fee)
        self.executions.append(Execution(name, match.price, match.quantity, match.maker, at, base_fee))


def _sleeps(order: PaperOrder) -> bool:
    return order.shown.type is OrderType.STOP_LOSS and not order.triggered
