"""Orders, books and candles of one made-up instrument, for tests of the paper venue."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Candle, Print, Quote
from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import VenueOrder, VenueState
from core.exchange.books import PaperBooks, PaperOrder
from core.exchange.matching import Friction

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SYMBOL = "ZEC/USD"
ZEC = Instrument(SYMBOL, Decimal("0.01"), Decimal("0.001"), Decimal("0.01"), Decimal("0.5"), "XZECZUSD")
FREE = Friction(Decimal(0), Decimal(0), Decimal(0), Decimal(100))
"""No fees, no spread, the whole volume: for tests about something else."""


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def books(friction: Friction = FREE, **balances: str) -> PaperBooks:
    """Books of an account with these balances; 1,000 USD and 10 ZEC when none are given."""
    given = balances or {"USD": "1000", "ZEC": "10"}
    return PaperBooks(friction, {asset: Decimal(total) for asset, total in given.items()})


def order(
    name: str,
    side: Side,
    quantity: str,
    *,
    limit: str | None = None,
    stop: str | None = None,
    group: str | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
) -> PaperOrder:
    """A market order, or a limit or stop where one is given; `name` is its client and venue id."""
    kind = OrderType.LIMIT if limit else OrderType.STOP_LOSS if stop else OrderType.MARKET
    shown = VenueOrder(
        venue_id=f"PX-{name}",
        client_id=name,
        symbol=SYMBOL,
        side=side,
        type=kind,
        quantity=Decimal(quantity),
        state=VenueState.OPEN,
        opened_at=AT,
        limit_price=Decimal(limit) if limit else None,
        trigger_price=Decimal(stop) if stop else None,
    )
    return PaperOrder(shown, time_in_force, group)


def quote(last: str, bid: str | None = None, ask: str | None = None) -> Quote:
    return Quote(SYMBOL, Decimal(bid or last), Decimal(ask or last), Decimal(last), AT, "sample")


def book(bids: dict[str, str], asks: dict[str, str]) -> Book:
    """Price: quantity, best first."""
    return Book(SYMBOL, _levels(bids), _levels(asks), AT)


def _levels(side: dict[str, str]) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(Decimal(price), Decimal(quantity)) for price, quantity in side.items())


def candle(prices: tuple[str, str, str, str], volume: str = "1000", seconds: float = 0) -> Candle:
    """Open, high, low, close of the five minutes that begin `seconds` after AT."""
    opening, high, low, close = (Decimal(price) for price in prices)
    return Candle(SYMBOL, later(seconds), 300, opening, high, low, close, Decimal(volume))


def trade(price: str, quantity: str = "1000", seconds: float = 1) -> Print:
    return Print(SYMBOL, Decimal(price), Decimal(quantity), later(seconds))


def place(into: PaperBooks, one: PaperOrder, last: str = "100", depth: Book | None = None) -> PaperOrder:
    """Take it at a market of `last`."""
    return into.place(one, ZEC, quote(last), depth, AT)


def on_print(into: PaperBooks, event: Print) -> None:
    into.on_print(event, ZEC, caught_up=False)


def on_candle(into: PaperBooks, event: Candle) -> None:
    into.on_candle(event, ZEC, caught_up=False)


def shown(into: PaperBooks, name: str) -> VenueOrder:
    """The order as the journal last had it: open, or with its end."""
    return into.journal.orders[f"PX-{name}"].shown


def prices(into: PaperBooks, name: str) -> list[tuple[Decimal, Decimal]]:
    """(price, quantity) of each fill of an order."""
    return [(fill.price, fill.quantity) for fill in into.journal.fills if fill.order_id == f"PX-{name}"]


def amend(
    into: PaperBooks,
    name: str,
    *,
    quantity: str,
    limit: str | None = None,
    stop: str | None = None,
    last: str = "100",
    depth: Book | None = None,
) -> PaperOrder:
    """Change it in a market of `last`."""
    return into.amend(
        name,
        ZEC,
        Decimal(quantity),
        Decimal(limit) if limit else None,
        Decimal(stop) if stop else None,
        quote(last),
        depth,
        later(5),
    )
