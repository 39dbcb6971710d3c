"""PURE. What the messages of Kraken's streams tell us: prices, and that orders have moved."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from core.domain.market import Quote
from core.domain.money import ZERO
from core.domain.venue import OrderNews
from core.exchange.translate import Pairs


def streamed_quotes(message: Mapping[str, object], pairs: Pairs, at: datetime) -> list[Quote]:
    """The prices of one message of the ticker stream, stamped `at`; rows without all three are left out."""
    rows = message.get("data")
    found = []
    for row in rows if isinstance(rows, list) else []:
        prices = [_streamed(row.get(name)) for name in ("bid", "ask", "last")] if isinstance(row, Mapping) else []
        if len(prices) == len([one for one in prices if one > ZERO]) > 0:
            bid, ask, last = prices
            found.append(Quote(pairs.symbol(str(row.get("symbol"))), bid, ask, last, at, "kraken"))
    return found


def _streamed(value: object) -> Decimal:
    """A number of a stream. Streams carry JSON numbers; their shortest text is what Kraken wrote."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return ZERO
    return found if found.is_finite() else ZERO


_NO_NEWS = frozenset({"pending_new", "new", "amended", "restated", "iceberg_refill", "status"})
_OVER = frozenset({"filled", "canceled", "expired"})


def streamed_news(message: Mapping[str, object], pairs: Pairs) -> list[OrderNews]:
    """What a message of the executions stream tells beyond the echo of what was sent: trades and ends."""
    rows = message.get("data")
    found = []
    for row in rows if isinstance(rows, list) else []:
        kind = str(row.get("exec_type")) if isinstance(row, Mapping) else ""
        if not isinstance(row, Mapping) or kind in _NO_NEWS:
            continue
        symbol = row.get("symbol")
        name = str(row.get("order_id"))
        ours = pairs.symbol(str(symbol)) if symbol else None
        found.append(OrderNews(name, ours, _streamed(row.get("cum_qty", 0)), kind in _OVER))
    return found
