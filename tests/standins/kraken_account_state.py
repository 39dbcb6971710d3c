"""What the account's stand-in is and remembers: settings, records, executions, children, and who is told of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Quote
from core.domain.money import ZERO
from core.domain.orders import OrderType, Side
from core.domain.venue import VenueOrder, VenueState
from core.exchange import translate_public
from core.exchange.books import Journal, PaperOrder
from core.exchange.matching import Friction
from tests.standins.kraken_books import AccountBooks, Execution
from tests.standins.kraken_limits import Counter, Tier
from tests.standins.kraken_public import Pair, PublicMarket, asset_code, pair_row
from tests.standins.kraken_records import Close, Record, Spelling, Trade, identifier

BEYOND = Decimal(1_000_000_000)
"""How much waits behind the quote where a test has not said how much."""
OUR_NAMES = {"XBT": "BTC", "XDG": "DOGE"}
PERMISSIONS = (
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "create-ws-token",
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to an order: new, trade, filled, canceled, amended."""

    kind: str
    record: Record
    order: VenueOrder
    trade: Trade | None = None


class AccountState:
    """The account's memory. Settings are attributes and may be changed while it runs.

    `stop_holds`: an untriggered stop holds its coins, or holds nothing and is canceled when it triggers without them.
    `dust_children`: a child below the pair's minimum is placed, or dropped. `amend_below_filled`: amending a quantity
    to what is filled, or less, is refused, or cancels the rest. The lags are seconds of real time after which the
    lists show a new order, a child, an execution or an ending; balances and streams are never late.
    """

    def __init__(
        self,
        market: PublicMarket,
        balances: Mapping[str, Decimal],
        *,
        stop_holds: bool = True,
        dust_children: Literal["place", "drop"] = "place",
        amend_below_filled: Literal["refuse", "cancel"] = "refuse",
        child_lag_s: float = 0,
        order_lag_s: float = 0,
        fill_lag_s: float = 0,
        maker_pct: Decimal = Decimal("0.25"),
        taker_pct: Decimal = Decimal("0.40"),
        tier: Tier = Tier.STARTER,
    ) -> None:
        self.market = market
        friction = Friction(maker_pct=maker_pct, taker_pct=taker_pct)
        self.books = AccountBooks(friction, {plain_name(name): value for name, value in balances.items()})
        self.books.stop_holds = stop_holds
        self.dust_children: Literal["place", "drop"] = dust_children
        self.amend_below_filled: Literal["refuse", "cancel"] = amend_below_filled
        self.child_lag_s, self.order_lag_s, self.fill_lag_s = child_lag_s, order_lag_s, fill_lag_s
        self.amend_lag_s = 0.0
        """How long the lists show an order as it was before an amend."""
        self.fees_in_base = False
        """Take the fee of every purchase out of its coins, whatever the order asked for."""
        self.tier = tier
        self.limits = True
        self.permissions: list[str] = list(PERMISSIONS)
        self.spelling = Spelling()
        self.monotonic: Callable[[], float] = time.monotonic
        self.records: dict[str, Record] = {}
        """By the venue's id, oldest first."""
        self.trades: list[Trade] = []
        self.accepted: list[tuple[str, str]] = []
        """(cl_ord_id, venue id) of every order that was taken under a name."""
        self.forbidden: list[str] = []
        """Every call of an endpoint that nobody may call."""
        self.counters: dict[str, Counter] = {}
        self.listeners: list[Callable[[Event], None]] = []
        self.quote_listeners: list[Callable[[Pair], None]] = []
        self._number = 0

    # -- looking -----------------------------------------------------------------------------------------------------

    @property
    def stop_holds(self) -> bool:
        """Which of the two worlds this is."""
        return self.books.stop_holds

    @stop_holds.setter
    def stop_holds(self, holds: bool) -> None:
        self.books.stop_holds = holds

    @property
    def balances(self) -> dict[str, Decimal]:
        """What there is, by our names of the assets."""
        return self.books.balances

    @property
    def trading_peak(self) -> float:
        """The highest that any pair's counter ever stood."""
        return max((counter.peak for counter in self.counters.values()), default=0.0)

    def now(self) -> datetime:
        """The venue's clock."""
        return self.market.now()

    def pair(self, symbol: str) -> Pair:
        """The pair of our symbol, or of one of Kraken's names for it. Raises ApiError."""
        for pair in self.market.pairs.values():
            if symbol == plain_symbol(pair):
                return pair
        return self.market.named(symbol)

    def instrument(self, pair: Pair) -> Instrument:
        """The pair as the bot reads it."""
        (found,) = translate_public.instruments({pair.key: pair_row(pair)}).values()
        return found

    def by_name(self, client_id: str) -> list[Record]:
        """Every order ever taken under this cl_ord_id, oldest first."""
        return [self.records[txid] for name, txid in self.accepted if name == client_id]

    def children(self, txid: str) -> list[Record]:
        """What the fills of this order have spawned, oldest first."""
        return [record for record in self.records.values() if record.order.shown.parent_id == txid]

    def open_records(self) -> list[Record]:
        """What rests, oldest first, without any lag."""
        return [self.records[name] for name in self.books.orders]

    def quote(self, pair: Pair) -> Quote:
        """The pair's prices as they are now."""
        bid, ask, last = Decimal(pair.bid), Decimal(pair.ask), Decimal(pair.last)
        return Quote(plain_symbol(pair), bid, ask, last, self.now(), translate_public.SOURCE)

    def book(self, pair: Pair) -> Book | None:
        """The pair's book where a test has filled one; a side it left empty is deep at the quote."""
        if not pair.bids and not pair.asks:
            return None
        bids = [BookLevel(Decimal(price), Decimal(size)) for price, size in pair.bids]
        asks = [BookLevel(Decimal(price), Decimal(size)) for price, size in pair.asks]
        return Book(
            plain_symbol(pair),
            tuple(bids or [BookLevel(Decimal(pair.bid), BEYOND)]),
            tuple(asks or [BookLevel(Decimal(pair.ask), BEYOND)]),
            self.now(),
        )

    # -- what follows from a change of the books -----------------------------------------------------------------

    def next_id(self, prefix: str) -> str:
        """A new id in Kraken's form."""
        self._number += 1
        return identifier(prefix, self._number)

    def tell(self, kind: str, record: Record, order: VenueOrder, trade: Trade | None = None) -> None:
        """Tell whoever listens."""
        for listener in list(self.listeners):
            listener(Event(kind, record, order, trade))

    def settle(self) -> None:
        """Write down what the books have done since the last time, and let fills spawn what they spawn."""
        while self.books.journal or self.books.executions:
            journal, self.books.journal = self.books.journal, Journal()
            executions, self.books.executions = self.books.executions, []
            for execution, fill in zip(executions, journal.fills, strict=True):
                self._write_trade(execution, fill.cost, fill.fee)
            for name, order in journal.orders.items():
                self._write_order(self.records[name], order)
            for execution in executions:
                self._spawn(self.records[execution.order_id], execution)

    def _write_trade(self, execution: Execution, cost: Decimal, fee: Decimal) -> None:
        record = self.records[execution.order_id]
        number = len(self.trades) + 1
        trade = Trade(
            identifier("T", number * 1_000_003),
            number,
            record.id,
            execution.price,
            execution.quantity,
            cost,
            fee,
            execution.maker,
            self.now(),
            self.monotonic() + self.fill_lag_s,
            execution.base_fee,
        )
        self.trades.append(trade)
        record.trades.append(trade)
        filled = sum((one.quantity for one in record.trades), ZERO)
        spent = sum((one.cost for one in record.trades), ZERO)
        paid = sum((one.fee for one in record.trades), ZERO)
        self.tell("trade", record, replace(record.order.shown, filled=filled, cost=spent, fee=paid), trade)

    def _write_order(self, record: Record, order: PaperOrder) -> None:
        if record.order == order:
            return
        is_over = order.shown.state is not VenueState.OPEN
        record.show(order, self.monotonic() + self.fill_lag_s, self.now() if is_over else None)
        if is_over:
            self.tell("filled" if order.shown.state is VenueState.CLOSED else "canceled", record, order.shown)

    def _spawn(self, parent: Record, execution: Execution) -> None:
        """The child of one execution: its size, the close's price, the other side. Independent from now on."""
        close, instrument = parent.close, self.instrument(parent.pair)
        if close is None:
            return
        if self.dust_children == "drop" and instrument.is_dust(execution.quantity, close.price):
            return
        order = PaperOrder(self._child(parent, close, execution.quantity))
        record = Record(order, parent.pair, self.monotonic())
        self.records[record.id] = record
        record.show(order, self.monotonic() + max(self.child_lag_s, self.order_lag_s), None)
        self.tell("new", record, order.shown)
        self.books.spawn(order, instrument, self.quote(parent.pair), self.book(parent.pair), self.now())

    def _child(self, parent: Record, close: Close, quantity: Decimal) -> VenueOrder:
        is_stop = close.type is OrderType.STOP_LOSS
        return VenueOrder(
            venue_id=self.next_id("O"),
            client_id=None,
            symbol=parent.order.shown.symbol,
            side=Side.SELL if parent.order.shown.side is Side.BUY else Side.BUY,
            type=close.type,
            quantity=quantity,
            state=VenueState.OPEN,
            opened_at=self.now(),
            limit_price=None if is_stop else close.price,
            trigger_price=close.price if is_stop else None,
            parent_id=parent.id,
        )


def plain_name(asset: str) -> str:
    """Our name of an asset, whether it came as ours, as Kraken's altname or as its code."""
    bare = asset[1:] if len(asset) == 4 and asset[0] in "XZ" and asset_code(asset[1:]) == asset else asset
    return OUR_NAMES.get(bare, bare)


def kraken_code(asset: str) -> str:
    """Kraken's code of an asset that has our name."""
    theirs = {ours: theirs for theirs, ours in OUR_NAMES.items()}
    return asset_code(theirs.get(asset, asset))


def plain_symbol(pair: Pair) -> str:
    """Our symbol of a pair."""
    base, _, quote = pair.wsname.partition("/")
    return f"{plain_name(base)}/{plain_name(quote)}"
