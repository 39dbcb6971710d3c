"""PURE. Kraken's public replies as our values: pairs, tickers, books, trades, candles.

Each function takes the `result` object of one reply and raises MarketDownError when it is not what Kraken documents.
Prices and quantities are read from Kraken's strings only, so that no digit is lost on the way.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeGuard

from core.domain.instruments import Instrument
from core.domain.market import Book, BookLevel, Candle, Print, Quote
from core.domain.money import ZERO, times
from core.exchange.errors import MarketDownError

SOURCE = "kraken"
"""The name of this source, as quotes carry it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS = Decimal(1_000_000)
_OUR_SPELLING = {"XBT": "BTC", "XDG": "DOGE"}
_DECIMALS_MAX = 18


def instruments(result: object) -> dict[str, Instrument]:
    """AssetPairs as instruments by our symbol.

    A row without a usable name, grid or minimum is left out: one broken row must not hide the others, and a pair
    whose limits are unknown cannot be traded safely. Raises MarketDownError when `result` is no object at all.
    """
    found = (_instrument(key, row) for key, row in _mapping(result, "list of pairs").items())
    return {instrument.symbol: instrument for instrument in found if instrument is not None}


def quotes(result: object, symbols: Mapping[str, str], at: datetime) -> dict[str, Quote]:
    """Ticker as quotes by our symbol, stamped `at`; `symbols` maps Kraken's keys to ours, other keys are ignored.

    A pair that has no bid, no ask or no trade yet (zero) has no quote. Raises MarketDownError for a malformed row.
    """
    found: dict[str, Quote] = {}
    for key, row in _mapping(result, "ticker").items():
        if key in symbols:
            bid, ask, last = _ticker_prices(row, key)
            if min(bid, ask, last) > ZERO:
                found[symbols[key]] = Quote(symbols[key], bid, ask, last, at, SOURCE, _turnover(row))
    return found


def book(result: object, symbol: str, at: datetime) -> Book:
    """Depth as a book stamped `at`: bids from the highest down, asks from the lowest up. Raises MarketDownError."""
    sides = _mapping(_of_the_pair(result, "order book"), "order book")
    bids = sorted(_levels(sides.get("bids")), key=_price_of, reverse=True)
    asks = sorted(_levels(sides.get("asks")), key=_price_of)
    return Book(symbol, tuple(bids), tuple(asks), at)


def prints(result: object, symbol: str) -> tuple[list[Print], str]:
    """Trades as prints in Kraken's order, and the cursor that continues after them (Kraken's `last`).

    A print's time is Kraken's, cut to the microsecond. Raises MarketDownError.
    """
    last = _mapping(result, "trades").get("last")
    if not isinstance(last, str | int) or not str(last).isdecimal():
        raise _unreadable("trades", "there is no cursor to go on from")
    return [_print(row, symbol) for row in _sequence(_of_the_pair(result, "trades"), "trades")], str(last)


def candles(result: object, symbol: str, interval_s: int) -> list[Candle]:
    """OHLC as candles, oldest first; the last row still runs (`closed` is False). Raises MarketDownError."""
    rows = _sequence(_of_the_pair(result, "candles"), "candles")
    return [_candle(row, symbol, interval_s, closed=number < len(rows)) for number, row in enumerate(rows, start=1)]


def trades_cursor(since: datetime) -> str:
    """The cursor that asks for trades after `since`: nanoseconds since 1970, exact."""
    return str((since - _EPOCH) // _MICROSECOND * 1000)


# -- one row -----------------------------------------------------------------------------------------------------


def _instrument(key: str, row: object) -> Instrument | None:
    try:
        fields = _mapping(row, "pair")
        symbol = _symbol(fields.get("wsname"))
        return Instrument(
            symbol=symbol,
            tick_size=_tick_size(fields),
            lot_size=_step(fields.get("lot_decimals")),
            order_min=_decimal(fields.get("ordermin"), "pair"),
            cost_min=_decimal(fields.get("costmin"), "pair"),
            venue_name=key,
            status=str(fields.get("status", "online")),
        )
    except MarketDownError:
        return None


def _symbol(name: object) -> str:
    base, slash, quote = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not (base and slash and quote) or "/" in quote:
        raise _unreadable("pair", "it has no name")
    return f"{_OUR_SPELLING.get(base, base)}/{_OUR_SPELLING.get(quote, quote)}"


def _tick_size(fields: Mapping[str, object]) -> Decimal:
    """The tick that Kraken names; pair_decimals is coarser knowledge, for replies that do not name one."""
    if "tick_size" not in fields:
        return _step(fields.get("pair_decimals"))
    tick = _decimal(fields["tick_size"], "pair")
    if tick <= ZERO:
        raise _unreadable("pair", "its tick is not above zero")
    return tick


def _step(decimals: object) -> Decimal:
    # Built from its digits: scaleb and ** would round in whatever decimal context the process happens to have.
    if type(decimals) is not int or not 0 <= decimals <= _DECIMALS_MAX:
        raise _unreadable("pair", "its grid is not a number of decimals")
    return Decimal((0, (1,), -decimals))


def _ticker_prices(row: object, key: str) -> tuple[Decimal, Decimal, Decimal]:
    fields = _mapping(row, f"ticker of {key}")
    bid, ask, last = (_first(fields.get(name), f"ticker of {key}") for name in ("b", "a", "c"))
    return bid, ask, last


def _turnover(row: object) -> Decimal | None:
    """Volume of 24 hours times its mean price, in quote; None where either is missing: no price depends on it."""
    fields = _mapping(row, "ticker")
    found = []
    for name in ("v", "p"):
        values = fields.get(name)
        if not isinstance(values, list) or len(values) < 2:  # noqa: PLR2004 - today, and the last 24 hours
            return None
        found.append(_decimal(values[1], "ticker"))
    return times(*found)


def _first(values: object, what: str) -> Decimal:
    return _decimal(_row(values, 1, what)[0], what)


def _levels(side: object) -> list[BookLevel]:
    rows = (_row(level, 2, "order book") for level in _sequence(side, "order book"))
    return [BookLevel(_decimal(row[0], "order book"), _decimal(row[1], "order book")) for row in rows]


def _price_of(level: BookLevel) -> Decimal:
    return level.price


def _print(values: object, symbol: str) -> Print:
    row = _row(values, 3, "trades")
    return Print(symbol, _decimal(row[0], "trades"), _decimal(row[1], "trades"), _moment(row[2], "trades"))


def _candle(values: object, symbol: str, interval_s: int, *, closed: bool) -> Candle:
    row = _row(values, 7, "candles")
    opened, high, low, last, volume = (_decimal(row[place], "candles") for place in (1, 2, 3, 4, 6))
    return Candle(symbol, _moment(row[0], "candles"), interval_s, opened, high, low, last, volume, closed)


# -- shapes and numbers --------------------------------------------------------------------------------------------


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _unreadable(what, "it is not an object")
    return value


def _sequence(value: object, what: str) -> Sequence[object]:
    if not _is_list(value):
        raise _unreadable(what, "it is not a list")
    return value


def _row(value: object, length: int, what: str) -> Sequence[object]:
    if not _is_list(value) or len(value) < length:
        raise _unreadable(what, "a row is too short or not a row")
    return value


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _of_the_pair(result: object, what: str) -> object:
    """The part that belongs to the pair. Its key is Kraken's choice, so it is found as the one that is not `last`."""
    parts = [part for key, part in _mapping(result, what).items() if key != "last"]
    if len(parts) != 1:
        raise _unreadable(what, f"it speaks of {len(parts)} pairs instead of one")
    return parts[0]


def _decimal(text: object, what: str) -> Decimal:
    """A number that Kraken sends as a string. A JSON float is refused: it has lost digits already."""
    try:
        value = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _unreadable(what, f"{str(text)[:40]!r} is not a number")
    return value


def _moment(seconds: object, what: str) -> datetime:
    """Seconds since 1970, cut to the microsecond. They come as a float, whose shortest text is what Kraken wrote."""
    try:
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise _unreadable(what, f"{str(seconds)[:40]!r} is not a time")
        return _EPOCH + int(times(Decimal(str(seconds)), _MICROSECONDS)) * _MICROSECOND
    except (OverflowError, ValueError, InvalidOperation):
        raise _unreadable(what, f"{str(seconds)[:40]!r} is not a time") from None


def _unreadable(what: str, why: str) -> MarketDownError:
    return MarketDownError(f"Kraken's reply cannot be read ({what}): {why}.")
