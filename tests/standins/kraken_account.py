"""A stand-in for a Kraken account: balances, orders, executions, in memory and without HTTP.

Matching is the paper venue's. What the two differ in is here: ids, conditional closes, lists that lag behind, two
worlds for whatever Kraken does not document, and an owner who trades by hand.
"""

from dataclasses import replace
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Print, Quote
from core.domain.money import ZERO, is_multiple
from core.domain.orders import OrderType, Side
from core.domain.venue import VenueOrder, VenueState
from core.exchange.books import PaperOrder, PaperRefusalError
from tests.standins.kraken_account_state import AccountState, plain_name, plain_symbol
from tests.standins.kraken_books import AccountBooks
from tests.standins.kraken_limits import (
    ADD_COST,
    AMEND_COSTS,
    AMEND_FIXED,
    CANCEL_COSTS,
    TRADING_LIMITS,
    Counter,
    cost_at,
)
from tests.standins.kraken_public import ApiError, Pair
from tests.standins.kraken_records import Close, Json, Record, described
from tests.standins.kraken_requests import INVALID, OrderRequest, Params, deadline_of, decimal, order_request

UNKNOWN_ORDER = "EOrder:Unknown order"


class KrakenAccount(AccountState):
    """The account, as its key's requests, the market and its owner's hand change it."""

    # -- requests ----------------------------------------------------------------------------------------------------

    def add_order(self, params: Params) -> Json:
        """AddOrder. Raises ApiError."""
        request = order_request(params, self.now())
        pair = self.market.named(request.pair)
        self._count(pair, ADD_COST)
        record = self._place(request, pair)
        shown = record.order.shown
        words = described(shown, pair, request.close)
        reply: Json = {"descr": {name: words[name] for name in ("order", "close") if words[name]}}
        return reply if request.validate else reply | {"txid": [record.id]}

    def amend_order(self, params: Params) -> Json:
        """AmendOrder: quantity and prices in place. Raises ApiError."""
        deadline_of(params, self.now())
        record = self._open_order(params)
        age_s = self.monotonic() - record.touched_at
        self._count(record.pair, AMEND_FIXED + cost_at(AMEND_COSTS, age_s))
        if record.pair.status not in {"online", "post_only", "limit_only"}:
            raise ApiError(f"EService:Market in {record.pair.status} mode")
        shown = record.order.shown
        self._amend(
            record,
            decimal(params, "order_qty") or shown.quantity,
            decimal(params, "limit_price") or shown.limit_price,
            decimal(params, "trigger_price") or shown.trigger_price,
        )
        return {"amend_id": self.next_id("TA")}

    def cancel_order(self, params: Params) -> Json:
        """CancelOrder. Raises ApiError."""
        record = self._open_order(params)
        self._count(record.pair, cost_at(CANCEL_COSTS, self.monotonic() - record.touched_at))
        self._cancel(record, "User requested")
        return {"count": 1}

    def _open_order(self, params: Params) -> Record:
        name = params.get("txid") or params.get("cl_ord_id") or ""
        order = self.books.by_client_id(name)
        if order is None:
            raise ApiError(UNKNOWN_ORDER)
        return self.records[order.shown.venue_id]

    def _count(self, pair: Pair, cost: float) -> None:
        counter = self.counters.setdefault(pair.key, Counter(0, 0))
        counter.most, counter.drain_per_s = TRADING_LIMITS[self.tier]
        if not counter.add(cost, self.monotonic(), limited=self.limits):
            raise ApiError("EOrder:Rate limit exceeded")

    # -- the books ---------------------------------------------------------------------------------------------------

    def _place(self, request: OrderRequest, pair: Pair) -> Record:
        instrument = self._tradable(pair, request)
        is_stop = request.type is OrderType.STOP_LOSS
        shown = VenueOrder(
            venue_id=self.next_id("O"),
            client_id=request.client_id,
            symbol=instrument.symbol,
            side=request.side,
            type=request.type,
            quantity=request.quantity,
            state=VenueState.OPEN,
            opened_at=self.now(),
            limit_price=None if is_stop else request.price,
            trigger_price=request.price if is_stop else None,
        )
        record = Record(PaperOrder(shown, request.time_in_force), pair, self.monotonic())
        record.oflags, record.userref = request.oflags, request.userref
        record.close, record.deadline = request.close, request.deadline
        if request.side is Side.BUY and (self.fees_in_base or "fcib" in request.oflags):
            record.oflags = record.oflags.replace("fciq", "fcib")
            self.books.pay_in_base.add(record.id)
        self._take(record, request, instrument)
        return record

    def _take(self, record: Record, request: OrderRequest, instrument: Instrument) -> None:
        """Put it into the books, or into a copy of them when it is only to be checked."""
        books = self.books
        if request.validate:
            books = AccountBooks(books.friction, dict(books.balances), dict(books.orders), stop_holds=books.stop_holds)
        quote, book = self.quote(record.pair), self.book(record.pair)
        try:
            books.place(record.order, instrument, quote, book, self.now())
        except PaperRefusalError as refusal:
            raise ApiError(str(refusal)) from None
        if request.validate:
            return
        self.records[record.id] = record
        if request.client_id is not None:
            self.accepted.append((request.client_id, record.id))
        record.show(record.order, self.monotonic() + self.order_lag_s, None)
        self.tell("new", record, record.order.shown)
        self.settle()

    def _tradable(self, pair: Pair, request: OrderRequest) -> Instrument:
        """The instrument, when its pair takes this kind of order now."""
        instrument = self.instrument(pair)
        close = request.close
        if close is not None and not is_multiple(close.price, instrument.tick_size):
            raise ApiError("EOrder:Tick size check failed")
        if request.post_only:
            if request.type is not OrderType.LIMIT:
                raise ApiError(f"{INVALID}:oflags")
            self._check_rests(request, self.quote(pair))
        allowed = (pair.status == "post_only" and request.post_only) or (
            pair.status == "limit_only" and request.type is OrderType.LIMIT
        )
        return replace(instrument, status="online") if allowed else instrument

    @staticmethod
    def _check_rests(request: OrderRequest, quote: Quote) -> None:
        price = request.price or ZERO
        if price >= quote.ask if request.side is Side.BUY else price <= quote.bid:
            raise ApiError("EOrder:Post only order")

    def _amend(self, record: Record, quantity: Decimal, limit: Decimal | None, trigger: Decimal | None) -> None:
        shown, instrument = record.order.shown, self.instrument(record.pair)
        if (limit is None) is not (shown.limit_price is None) or (trigger is None) is not (shown.trigger_price is None):
            raise ApiError(f"{INVALID}:price")
        if quantity <= shown.filled and self.amend_below_filled == "cancel":
            self._cancel(record, "Order amended below its filled quantity")
            return
        quote, book = self.quote(record.pair), self.book(record.pair)
        try:
            self.books.amend(record.id, instrument, quantity, limit, trigger, quote, book, self.now())
        except PaperRefusalError as refusal:
            raise ApiError(str(refusal)) from None
        record.touched_at = self.monotonic()
        amended = replace(shown, quantity=quantity, limit_price=limit, trigger_price=trigger)
        record.show(replace(record.order, shown=amended), self.monotonic() + self.amend_lag_s, None)
        self.tell("amended", record, amended)
        self.settle()

    def _cancel(self, record: Record, reason: str) -> None:
        self.books.end(record.id, reason)
        self.settle()

    # -- the market ------------------------------------------------------------------------------------------------

    def trade(self, symbol: str, price: str, volume: str = "1000000", ask: str | None = None) -> None:
        """One trade of the market: the quote moves to it (the ask one tick above), resting orders match against it.

        A limit order has to be traded through, not touched; a stop is triggered by a touch. A book that a test has
        filled is emptied, because it stood around another price.
        """
        pair = self.pair(symbol)
        above = ask if ask is not None else format(Decimal(price) + Decimal(pair.tick_size), "f")
        pair.bids.clear()
        pair.asks.clear()
        pair.trade(self.now(), price, volume)
        self.set_quote(symbol, price, above, price)
        shown = [record.order.shown for record in self.open_records()]
        at = max([self.now(), *(order.opened_at for order in shown)])
        event = Print(plain_symbol(pair), Decimal(price), Decimal(volume), at)
        self.books.on_print(event, self.instrument(pair), caught_up=False)
        self.settle()

    def set_quote(self, symbol: str, bid: str, ask: str, last: str) -> None:
        """Move the quote without a trade."""
        pair = self.pair(symbol)
        pair.quote(bid, ask, last)
        for listener in list(self.quote_listeners):
            listener(pair)

    # -- the owner, by hand ------------------------------------------------------------------------------------------

    def by_hand_place(
        self, symbol: str, side: str, kind: str, volume: str, price: str | None = None, close: str | None = None
    ) -> Record:
        """An order without a cl_ord_id, `close` being a stop for its fills. Raises ApiError."""
        request = OrderRequest(
            pair=symbol,
            side=Side(side),
            type=OrderType(kind),
            quantity=Decimal(volume),
            price=None if price is None else Decimal(price),
            close=None if close is None else Close(OrderType.STOP_LOSS, Decimal(close)),
        )
        return self._place(request, self.pair(symbol))

    def by_hand_sell(self, asset: str, quantity: str, quote: str = "USD") -> Record:
        """Sell coins at the market. Raises ApiError for coins that orders hold."""
        return self.by_hand_place(f"{plain_name(asset)}/{quote}", "sell", "market", quantity)

    def by_hand_cancel(self, txid: str) -> None:
        """Cancel any open order. Raises ApiError."""
        self._cancel(self._open_order({"txid": txid}), "User requested")

    def by_hand_amend(
        self, txid: str, *, volume: str | None = None, limit: str | None = None, trigger: str | None = None
    ) -> None:
        """Amend any open order. Raises ApiError."""
        record = self._open_order({"txid": txid})
        shown = record.order.shown
        self._amend(
            record,
            shown.quantity if volume is None else Decimal(volume),
            shown.limit_price if limit is None else Decimal(limit),
            shown.trigger_price if trigger is None else Decimal(trigger),
        )

    def deposit(self, asset: str, quantity: str) -> None:
        """Coins come from outside."""
        self.books.move(plain_name(asset), Decimal(quantity))
        self.settle()

    def withdraw(self, asset: str, quantity: str) -> None:
        """Coins leave, whatever orders hold of them."""
        self.books.move(plain_name(asset), -Decimal(quantity))
        self.settle()
