"""PURE. The paper venue's books: balances, open orders, fills. It knows nothing of brackets, as Kraken does not.

Every change is written into a journal, which the PaperLedger saves in one transaction. Refusals carry Kraken's own
words, so that what is learned on paper holds in life.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Book, Candle, Print, Quote
from core.domain.money import ZERO, floor_to, is_multiple, percent_of, times
from core.domain.orders import Fill, OrderType, Side, TimeInForce
from core.domain.venue import Balance, VenueOrder, VenueState
from core.exchange import matching
from core.exchange.matching import Friction, Match

FEE_STEP = Decimal("0.00000001")
"""Fees are rounded down to it, so that the fills of one order never cost more than was held for it."""


class PaperRefusalError(Exception):
    """The paper venue says no, in Kraken's words."""


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order in the paper venue's books. Orders of one `group` hold the balance once and cancel each other."""

    shown: VenueOrder
    time_in_force: TimeInForce = TimeInForce.GTC
    group: str | None = None
    triggered: bool = False

    @property
    def remaining(self) -> Decimal:
        """Base quantity still to trade."""
        return self.shown.quantity - self.shown.filled


@dataclass(slots=True)
class Journal:
    """What changed since the last save."""

    orders: dict[str, PaperOrder] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    balances: dict[str, Decimal] = field(default_factory=dict)
    cursors: dict[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.orders or self.fills or self.balances or self.cursors)


@dataclass(slots=True)
class PaperBooks:
    """Balances by asset and open orders by venue id. Mutable; one owner; no I/O."""

    friction: Friction
    balances: dict[str, Decimal]
    orders: dict[str, PaperOrder] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)

    # -- reading -----------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[PaperOrder]:
        """Open orders, oldest first."""
        return [order for order in self.orders.values() if symbol in {None, order.shown.symbol}]

    def by_client_id(self, client_id: str) -> PaperOrder | None:
        """The open order of this name."""
        return next((order for order in self.orders.values() if order.shown.client_id == client_id), None)

    def held(self) -> dict[str, Decimal]:
        """What waits in open orders, by asset. A group holds what its larger side needs, once."""
        total: dict[str, Decimal] = {}
        grouped: dict[tuple[str, str], dict[bool, Decimal]] = {}
        for order in self.orders.values():
            base, quote = order.shown.symbol.split("/")
            if order.shown.side is Side.BUY:
                total[quote] = total.get(quote, ZERO) + self._buy_hold(order)
            elif order.group is None:
                total[base] = total.get(base, ZERO) + order.remaining
            else:
                sides = grouped.setdefault((base, order.group), {True: ZERO, False: ZERO})
                sides[order.shown.type is OrderType.STOP_LOSS] += order.remaining
        for (base, _), sides in grouped.items():
            total[base] = total.get(base, ZERO) + max(sides.values())
        return total

    def _buy_hold(self, order: PaperOrder) -> Decimal:
        cost = times(order.remaining, order.shown.limit_price or ZERO)
        return cost + percent_of(cost, self.friction.taker_pct)

    def snapshot_balances(self) -> dict[str, Balance]:
        """Every asset that there is."""
        held = self.held()
        return {asset: Balance(asset, total, held.get(asset, ZERO)) for asset, total in self.balances.items() if total}

    # -- orders ------------------------------------------------------------------------------------------------

    def place(
        self, order: PaperOrder, instrument: Instrument, quote: Quote | None, book: Book | None, now: datetime
    ) -> PaperOrder:
        """Take an order into the books and trade what can trade at once. Raises PaperRefusalError, changing nothing."""
        self._check(order, instrument, quote)
        matches, wakes = self._at_once(order, instrument, quote, book)
        self._check_funds(order, matches)
        after = self._execute(order, matches, now, wakes=wakes)
        if after.shown.state is not VenueState.OPEN:
            return after
        if order.shown.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC:
            return self._end(
                after, VenueState.CANCELED, "Order could not be filled in full" if matches else "No liquidity"
            )
        return after

    def cancel(self, client_id: str) -> PaperOrder:
        """Take an order out. Raises PaperRefusalError for one that is not open."""
        order = self.by_client_id(client_id)
        if order is None:
            raise PaperRefusalError("EOrder:Unknown order")
        return self._end(order, VenueState.CANCELED, "User requested")

    def amend(
        self,
        client_id: str,
        instrument: Instrument,
        quantity: Decimal,
        limit_price: Decimal | None,
        trigger_price: Decimal | None,
        quote: Quote | None,
        book: Book | None,
        now: datetime,
    ) -> PaperOrder:
        """Change an open order in place, and let it trade if its new price does.

        Raises PaperRefusalError, changing nothing.
        """
        order = self.by_client_id(client_id)
        if order is None:
            raise PaperRefusalError("EOrder:Unknown order")
        shown = replace(order.shown, quantity=quantity, limit_price=limit_price, trigger_price=trigger_price)
        after = replace(order, shown=shown)
        if quantity <= shown.filled:
            raise PaperRefusalError("EGeneral:Invalid arguments:order_qty")
        self._check_grid(after, instrument)
        self._check_funds(after, [])
        if (limit_price, trigger_price) == (order.shown.limit_price, order.shown.trigger_price):
            self._put(after)
            return after
        matches, wakes = self._at_once(after, instrument, quote, book)
        return self._execute(after, matches, now, wakes=wakes)

    def _execute(self, order: PaperOrder, matches: list[Match], now: datetime, *, wakes: bool) -> PaperOrder:
        """Put the order into the books and let it trade what trades at once."""
        name = order.shown.venue_id
        self._put(replace(order, triggered=order.triggered or wakes))
        for match in matches:
            self._book(self.orders[name], match, now, caught_up=False)
        return self.orders.get(name) or self.journal.orders[name]

    def _check(self, order: PaperOrder, instrument: Instrument, quote: Quote | None) -> None:
        shown = order.shown
        if instrument.status != "online":
            raise PaperRefusalError(f"EService:Market in {instrument.status} mode")
        if shown.client_id is not None and self.by_client_id(shown.client_id) is not None:
            raise PaperRefusalError("EGeneral:Invalid arguments:cl_ord_id not unique")
        self._check_grid(order, instrument)
        if times(shown.quantity, self._reference(order, quote)) < instrument.cost_min:
            raise PaperRefusalError("EOrder:Cost minimum not met")

    @staticmethod
    def _check_grid(order: PaperOrder, instrument: Instrument) -> None:
        shown = order.shown
        if shown.quantity - shown.filled < instrument.order_min or not is_multiple(shown.quantity, instrument.lot_size):
            raise PaperRefusalError("EGeneral:Invalid arguments:volume minimum not met")
        for price in (shown.limit_price, shown.trigger_price):
            if price is not None and (price <= ZERO or not is_multiple(price, instrument.tick_size)):
                raise PaperRefusalError("EOrder:Tick size check failed")

    @staticmethod
    def _reference(order: PaperOrder, quote: Quote | None) -> Decimal:
        named = order.shown.limit_price or order.shown.trigger_price
        if named is None and quote is None:
            raise PaperRefusalError("EService:Unavailable")
        return named or (quote.last if quote else ZERO)

    def _check_funds(self, order: PaperOrder, matches: list[Match]) -> None:
        base, quote = order.shown.symbol.split("/")
        if order.shown.side is Side.SELL:
            trial = {**self.orders, order.shown.venue_id: order}
            need = PaperBooks(self.friction, {}, trial).held().get(base, ZERO)
            if need > self.balances.get(base, ZERO):
                raise PaperRefusalError("EOrder:Insufficient funds")
            return
        taken = sum((times(match.price, match.quantity) for match in matches), ZERO)
        spent = taken + percent_of(taken, self.friction.taker_pct)
        others = {name: other for name, other in self.orders.items() if name != order.shown.venue_id}
        waiting = PaperBooks(self.friction, {}, others).held().get(quote, ZERO)
        need = waiting + max(spent, self._buy_hold(order))
        if need > self.balances.get(quote, ZERO):
            raise PaperRefusalError("EOrder:Insufficient funds")

    def _at_once(
        self, order: PaperOrder, instrument: Instrument, quote: Quote | None, book: Book | None
    ) -> tuple[list[Match], bool]:
        """What trades on arrival, and whether a stop is triggered by arriving. Without a quote it can only rest."""
        shown = order.shown
        if quote is None:
            return [], False
        if shown.type is OrderType.STOP_LOSS:
            hit = shown.trigger_price is not None and quote.last <= shown.trigger_price
            return (self._take(order, instrument, quote, book), True) if hit else ([], False)
        return self._take(order, instrument, quote, book), False

    def _take(self, order: PaperOrder, instrument: Instrument, quote: Quote, book: Book | None) -> list[Match]:
        side, limit = order.shown.side, order.shown.limit_price
        if book is not None:
            return matching.walk(book.asks if side is Side.BUY else book.bids, order.remaining, side, limit)
        price = quote.ask if side is Side.BUY else quote.bid
        if limit is not None and (price > limit if side is Side.BUY else price < limit):
            return []
        return [Match(instrument.price(price), order.remaining, maker=False)]

    # -- the market moves --------------------------------------------------------------------------------------

    def on_print(self, event: Print, instrument: Instrument, *, caught_up: bool) -> None:
        """Trade resting orders against one trade of the market; they share its volume, stops first."""
        left = event.quantity
        for order in self._in_order(event.symbol):
            if left <= ZERO:
                break
            price = self._print_price(order, event, instrument)
            if price is not None and order.shown.venue_id in self.orders:
                left -= self._trade(order, price, left, event.at, instrument, caught_up=caught_up)

    def _print_price(self, order: PaperOrder, event: Print, instrument: Instrument) -> Decimal | None:
        shown = order.shown
        if event.at < shown.opened_at:
            return None
        if shown.type is not OrderType.STOP_LOSS:
            return matching.limit_on_print(shown.side, shown.limit_price or ZERO, event.price)
        if order.triggered or (shown.trigger_price is not None and event.price <= shown.trigger_price):
            return matching.worse_by_half_spread(event.price, shown.side, self.friction, instrument.tick_size)
        return None

    def on_candle(self, candle: Candle, instrument: Instrument, *, caught_up: bool) -> None:
        """Trade resting orders against one closed candle; they share a part of its volume, stops first."""
        left = matching.share_of_volume(candle.volume, self.friction, instrument.lot_size)
        for order in self._in_order(candle.symbol):
            if candle.at < order.shown.opened_at:
                continue
            price = self._candle_price(order, candle, instrument)
            if price is not None and order.shown.venue_id in self.orders:
                left -= self._trade(order, price, left, candle.ends_at, instrument, caught_up=caught_up)

    def _candle_price(self, order: PaperOrder, candle: Candle, instrument: Instrument) -> Decimal | None:
        shown, tick = order.shown, instrument.tick_size
        if shown.type is not OrderType.STOP_LOSS:
            return matching.limit_on_candle(shown.side, shown.limit_price or ZERO, candle)
        if order.triggered:
            return matching.market_on_candle(shown.side, candle, self.friction, tick)
        return matching.stop_on_candle(shown.trigger_price or ZERO, candle, self.friction, tick)

    def _in_order(self, symbol: str) -> list[PaperOrder]:
        orders = self.open_orders(symbol)
        return sorted(orders, key=lambda order: order.shown.type is not OrderType.STOP_LOSS)

    def _trade(
        self, stale: PaperOrder, price: Decimal, most: Decimal, at: datetime, instrument: Instrument, *, caught_up: bool
    ) -> Decimal:
        order = self.orders[stale.shown.venue_id]
        is_stop = order.shown.type is OrderType.STOP_LOSS
        if is_stop and not order.triggered:
            order = replace(order, triggered=True)
            self._put(order)
        quantity = min(order.remaining, instrument.quantity(most))
        if quantity > ZERO:
            self._book(order, Match(price, quantity, maker=not is_stop), at, caught_up=caught_up)
        return max(quantity, ZERO)

    # -- booking -----------------------------------------------------------------------------------------------

    def _book(self, order: PaperOrder, match: Match, at: datetime, *, caught_up: bool) -> None:
        """One execution: money, coins, the order, and its siblings, all in the same journal."""
        shown = order.shown
        base, quote = shown.symbol.split("/")
        cost = times(match.price, match.quantity)
        fee = floor_to(percent_of(cost, self.friction.maker_pct if match.maker else self.friction.taker_pct), FEE_STEP)
        sign = 1 if shown.side is Side.BUY else -1
        self._move(base, sign * match.quantity)
        self._move(quote, -sign * cost - fee)
        shown = replace(
            shown,
            filled=shown.filled + match.quantity,
            cost=shown.cost + cost,
            fee=shown.fee + fee,
            filled_at=at,
            caught_up=caught_up,
        )
        name = f"{shown.venue_id}:{shown.filled}"
        self.journal.fills.append(Fill(name, shown.venue_id, match.price, match.quantity, cost, fee, at, caught_up))
        after = replace(order, shown=shown)
        self._put(after)
        if shown.filled >= shown.quantity:
            self._end(after, VenueState.CLOSED, "")
        if order.group is not None:
            self._shrink_siblings(after, match.quantity)

    def _shrink_siblings(self, order: PaperOrder, quantity: Decimal) -> None:
        """The other kind of leg gives up what this one sold, newest first; what reaches zero is canceled."""
        is_stop = order.shown.type is OrderType.STOP_LOSS
        siblings = [
            sibling
            for sibling in self.orders.values()
            if sibling.group == order.group and (sibling.shown.type is OrderType.STOP_LOSS) is not is_stop
        ]
        for sibling in reversed(siblings):
            cut = min(quantity, sibling.remaining)
            quantity -= cut
            if cut == sibling.remaining:
                self._end(sibling, VenueState.CANCELED, "Linked order filled")
            elif cut > ZERO:
                self._put(replace(sibling, shown=replace(sibling.shown, quantity=sibling.shown.quantity - cut)))

    def _move(self, asset: str, amount: Decimal) -> None:
        self.balances[asset] = self.balances.get(asset, ZERO) + amount
        self.journal.balances[asset] = self.balances[asset]

    def _put(self, order: PaperOrder) -> None:
        self.orders[order.shown.venue_id] = order
        self.journal.orders[order.shown.venue_id] = order

    def _end(self, order: PaperOrder, state: VenueState, reason: str) -> PaperOrder:
        after = replace(order, shown=replace(order.shown, state=state, reason=reason))
        self.orders.pop(order.shown.venue_id, None)
        self.journal.orders[order.shown.venue_id] = after
        return after


def symbols_of(orders: Iterable[PaperOrder]) -> set[str]:
    """The symbols in which something rests."""
    return {order.shown.symbol for order in orders}
