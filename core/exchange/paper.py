"""The paper venue as an exchange: Kraken's rules, simulated money, books that persist.

It is given public market data and nothing else, so it has no way to reach a private endpoint.
"""

import asyncio
import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Candle, Quote, Tape
from core.domain.modes import Mode
from core.domain.money import ZERO
from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import (
    EVERYTHING,
    LINKED_LEG_TRADED,
    Accepted,
    Action,
    Amend,
    Cancel,
    Fees,
    Outcome,
    Reach,
    Refused,
    Snapshot,
    Submit,
    VenueFill,
    VenueOrder,
    VenueState,
)
from core.exchange.books import PaperOrder, PaperRefusalError
from core.exchange.errors import MarketDownError
from core.exchange.port import Abilities, MarketData, Pulse, Readiness
from core.ledger.paper import PaperLedger
from core.market.clocks import Clock

_RECENT = 2_000
_REFILL_S = 5.0
"""How long what an order took out of the book is missing from it."""
_SAME_LOOK_S = 1.0
"""Within this time the market is not asked again what it did."""
_AWAY_S = 60.0
"""A gap longer than this between two matchings is downtime, and its fills say so."""


class PaperExchangeWrapper:
    """An `Exchange` whose venue is the PaperLedger."""

    mode = Mode.PAPER
    abilities = Abilities(links_legs=True)

    def __init__(self, ledger: PaperLedger, market: MarketData, clock: Clock, *, quote_age_max_s: float = 30.0) -> None:
        self._ledger = ledger
        self._market = market
        self._clock = clock
        self._quote_age_max_s = quote_age_max_s
        self._closed: dict[str, VenueOrder] = {}
        self._advancing = asyncio.Lock()
        self._taken: list[tuple[datetime, str, Side, Decimal]] = []
        self._looked_at: dict[str, datetime] = {}

    @property
    def name(self) -> str:
        """As logs and replies show it."""
        return type(self).__name__

    async def advance(self, base: str | None = None) -> None:
        """Match what rests against everything that the market did since the last time, in order; each event once."""
        async with self._advancing:
            symbols = sorted({order.shown.symbol for order in self._ledger.books.open_orders()})
            await self._advance([symbol for symbol in symbols if base in {None, symbol.partition("/")[0]}])

    async def _advance(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            since = self._ledger.cursors.get(symbol)
            if since is None:
                continue
            looked_at = self._looked_at.get(symbol)
            if looked_at is not None and (self._clock() - looked_at).total_seconds() < _SAME_LOOK_S:
                continue
            tape = await self._market.tape(symbol, since)
            if tape.events:
                self._match(tape, (await self._instrument(symbol)), self._looked_at.get(symbol, since))
            self._looked_at[symbol] = self._clock()

    def _match(self, tape: Tape, instrument: Instrument, looked_at: datetime) -> None:
        books = self._ledger.books
        away = (self._clock() - looked_at).total_seconds() > _AWAY_S and self._market.name != "replay"
        for event in tape.events:
            if isinstance(event, Candle):
                books.on_candle(event, instrument, caught_up=away)
            else:
                books.on_print(event, instrument, caught_up=away)
        self._ledger.move_cursor(tape.symbol, max(tape.until, self._ledger.cursors.get(tape.symbol, tape.until)))
        self._keep_closed()
        self._ledger.save()

    async def snapshot(self, wanted: Collection[str], reach: Reach = EVERYTHING) -> Snapshot:
        """The books as they are. Always complete: nothing here can fail halfway."""
        del reach  # Nothing here costs anything.
        now = self._clock()
        orders = {
            order.shown.client_id: order.shown for order in self._ledger.books.open_orders() if order.shown.client_id
        }
        unseen = []
        for client_id in wanted:
            if client_id in orders:
                continue
            closed = self._closed.get(client_id)
            if closed is None:
                unseen.append(client_id)
            else:
                orders[client_id] = closed
        for order in self._ledger.find(unseen):
            if order.shown.client_id:
                orders[order.shown.client_id] = order.shown
        return Snapshot(now, now, complete=True, orders=orders, balances=self._ledger.books.snapshot_balances())

    async def fetch_open_orders(self, symbol: str | None = None) -> Sequence[VenueOrder]:
        """The orders that rest in the paper venue's books."""
        return [order.shown for order in self._ledger.books.open_orders(symbol)]

    async def validate(self, action: Submit) -> Outcome:
        """Paper costs nothing: who wants to know places the order."""
        del action
        return Refused("EGeneral:Unknown method (a paper order needs no validation)")

    def is_look_due(self, last_look_at: datetime | None) -> bool:
        """Paper lives only while it is looked at."""
        del last_look_at
        return True

    def room(self, symbol: str) -> float:
        """The paper venue does not count."""
        del symbol
        return math.inf

    async def fees(self, symbol: str) -> Fees:
        """What paper orders pay."""
        del symbol
        friction = self._ledger.books.friction
        return Fees(friction.maker_pct, friction.taker_pct)

    async def fetch_fills(self, since: datetime, until: datetime | None = None) -> Sequence[VenueFill]:
        """The executions in the paper venue's books, oldest first."""
        return self._ledger.fills(since, until)

    async def readiness(self) -> Readiness:
        """Paper is always ready."""
        return Readiness()

    @property
    def pulse(self) -> Pulse | None:
        """Nobody is asked over a network."""
        return None

    async def measure(self) -> None:
        """Its clock is ours."""

    async def perform(self, action: Action) -> Outcome:
        """Do it, durably, before answering. Storage errors go up: then nothing was done."""
        try:
            if isinstance(action, Submit):
                return await self._submit(action)
            order = await self._change(action)
        except PaperRefusalError as refusal:
            return Refused(str(refusal))
        except MarketDownError as error:
            return Refused(f"EService:Unavailable ({error.message})")
        self._ledger.save()
        return Accepted(order.shown.venue_id)

    def _require_known(self, action: Submit | Amend) -> None:
        """Refuse a leg that was meant for coins which its group has sold meanwhile."""
        if action.group is not None and self._ledger.group_sold(action.group) > action.group_sold:
            raise PaperRefusalError(LINKED_LEG_TRADED)

    async def _change(self, action: Cancel | Amend) -> PaperOrder:
        books, name = self._ledger.books, action.order.client_id
        if isinstance(action, Cancel):
            order = books.cancel(name)
        else:
            instrument = await self._instrument(action.symbol)
            quote, book = await self._seen(action.symbol)
            self._require_known(action)
            order = books.amend(
                name,
                instrument,
                action.quantity,
                action.limit_price,
                action.trigger_price,
                quote,
                book,
                self._clock(),
            )
        self._keep_closed()
        return order

    async def _submit(self, action: Submit) -> Outcome:
        instrument = await self._instrument(action.symbol)
        order = action.order
        quote, book = await self._seen(action.symbol)
        if quote is None and (order.type is OrderType.MARKET or order.time_in_force is TimeInForce.IOC):
            return Refused("EService:Unavailable (no fresh price)")
        now = self._clock()
        shown = VenueOrder(
            venue_id="",
            client_id=order.client_id,
            symbol=action.symbol,
            side=order.side,
            type=order.type,
            quantity=order.quantity,
            state=VenueState.OPEN,
            opened_at=now,
            limit_price=order.limit_price if order.type is OrderType.LIMIT else None,
            trigger_price=order.trigger_price,
        )
        self._require_known(action)
        paper = PaperOrder(shown, order.time_in_force, action.group)
        placed = self._ledger.append_order_atomic(paper, instrument, quote, book, now)
        self._note_taken(placed.shown, now)
        self._remember(placed)
        return Accepted(placed.shown.venue_id)

    async def _seen(self, symbol: str) -> tuple[Quote | None, Book | None]:
        """The fresh quote and what is left of the book; neither where the market cannot be read or is old."""
        try:
            quote = (await self._market.quotes([symbol])).get(symbol)
            book = await self._market.book(symbol)
        except MarketDownError:
            return None, None
        if quote is None or quote.age_s(self._clock()) > self._quote_age_max_s:
            return None, None
        return quote, self._less_taken(book) if book is not None else None

    def _note_taken(self, shown: VenueOrder, now: datetime) -> None:
        """What an order has just taken out of the book is not there for the next one."""
        if shown.filled > ZERO and shown.filled_at == now:
            self._taken.append((now, shown.symbol, shown.side, shown.filled))

    def _less_taken(self, book: Book) -> Book:
        since = self._clock() - timedelta(seconds=_REFILL_S)
        self._taken = [taken for taken in self._taken if taken[0] > since]
        taken = {
            side: sum((q for _, symbol, way, q in self._taken if (symbol, way) == (book.symbol, side)), ZERO)
            for side in Side
        }
        return replace(book, asks=_without(book.asks, taken[Side.BUY]), bids=_without(book.bids, taken[Side.SELL]))

    async def _instrument(self, symbol: str) -> Instrument:
        instrument = (await self._market.instruments()).get(symbol)
        if instrument is None:
            raise PaperRefusalError("EQuery:Unknown asset pair")
        return instrument

    def _keep_closed(self) -> None:
        for order in self._ledger.books.journal.orders.values():
            self._remember(order)

    def _remember(self, order: PaperOrder) -> None:
        """Closed orders stay at hand for the next snapshots; the rest is in the database."""
        shown = order.shown
        if shown.state is VenueState.OPEN or shown.client_id is None:
            return
        self._closed[shown.client_id] = replace(shown)
        while len(self._closed) > _RECENT:
            del self._closed[next(iter(self._closed))]

    async def close(self) -> None:
        """Nothing to give back: the books are durable already."""


def _without(levels: tuple[BookLevel, ...], taken: Decimal) -> tuple[BookLevel, ...]:
    """The levels, best first, less what was taken from the best ones."""
    left = []
    for level in levels:
        gone = min(taken, level.quantity)
        taken -= gone
        if level.quantity > gone:
            left.append(BookLevel(level.price, level.quantity - gone))
    return tuple(left)
