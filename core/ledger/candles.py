"""Candles of the past, by symbol, interval and open time, and what of them is missing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, tuple_
from sqlalchemy.exc import SQLAlchemyError

from core.history.rows import CandleRow
from core.ledger import rows
from core.market.recording import Series
from storage.database import Database, DatabaseError, cause_of
from storage.upsert import upsert

_AT_ONCE = 10_000
_TABLE = rows.CANDLES
_KEY = (_TABLE.c.symbol, _TABLE.c.interval_s)
_VALUES = (_TABLE.c.open, _TABLE.c.high, _TABLE.c.low, _TABLE.c.close, _TABLE.c.volume)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is stored of one symbol and interval, counted from the rows.

    `first` and `last` are open times. `missing` intervals lie between them without a candle: nothing traded, or nobody
    told us. `gap` is the longest run of those, and `gap_from` the open of its first one, None without a gap.
    """

    symbol: str
    interval_s: int
    first: datetime
    last: datetime
    count: int
    missing: int
    gap: int
    gap_from: datetime | None


class CandleStore:
    """The candles of one database. Failures of the database are DatabaseErrors in words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, symbol: str, interval_s: int, candles: Sequence[CandleRow], *, may_lack_trades: bool = False) -> None:
        """Store candles, in one transaction for every 10,000; those that are known already are replaced.

        A count of trades that is known stays where the new candle has none. With `may_lack_trades` (the edges of a
        file of trades) a known candle of more volume stays as it is.
        """
        for start in range(0, len(candles), _AT_ONCE):
            values = [
                {"symbol": symbol, "interval_s": interval_s, "at": at, "open": opening, "high": high, "low": low,
                 "close": close, "volume": volume, "trades": trades}
                for at, opening, high, low, close, volume, trades in candles[start : start + _AT_ONCE]
            ]  # fmt: skip
            with _in_words("store candles"), self._database.transaction() as connection:
                unless_less = "volume" if may_lack_trades else None
                upsert(connection, _TABLE, values, keep_known="trades", unless_less=unless_less)

    def read(
        self, symbol: str, interval_s: int, since: datetime | None = None, until: datetime | None = None
    ) -> Series:
        """The candles that opened at or after `since` and before `until`, oldest first; gaps stay gaps."""
        series = Series(symbol, interval_s)
        where = [_of(symbol, interval_s)]
        if since is not None:
            where.append(_TABLE.c.at >= since.timestamp())
        if until is not None:
            where.append(_TABLE.c.at < until.timestamp())
        query = select(_TABLE.c.at, *_VALUES).where(*where).order_by(_TABLE.c.at)
        with _in_words("read candles"), self._database.reading() as connection:
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(query):
                series.append(row[0], row[1:])
        return series

    def kinds(self) -> list[tuple[str, int]]:
        """Every symbol and interval (seconds) of which there are candles, in order."""
        found: list[tuple[str, int]] = []
        with _in_words("read candles"), self._database.reading() as connection:
            # One seek along the key for each kind, where DISTINCT would look at every candle.
            while (row := connection.execute(_next_kind(found[-1] if found else None)).first()) is not None:
                found.append((row.symbol, row.interval_s))
        # PostgreSQL orders letters in a way of its own.
        return sorted(found)

    def cover(self, symbol: str, interval_s: int) -> Coverage | None:
        """What is stored of one symbol and interval; None for nothing. Looks at each of its candles."""
        with _in_words("read candles"), self._database.reading() as connection:
            return _cover(connection, symbol, interval_s)

    def coverage(self) -> list[Coverage]:
        """What is stored, by symbol and interval."""
        covers = (self.cover(symbol, interval_s) for symbol, interval_s in self.kinds())
        return [one for one in covers if one is not None]


@contextmanager
def _in_words(doing: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise DatabaseError(f"cannot {doing}: {cause_of(error)}; check that the disk has room and try again") from error


def _of(symbol: str, interval_s: int) -> ColumnElement[bool]:
    return and_(_TABLE.c.symbol == symbol, _TABLE.c.interval_s == interval_s)


def _next_kind(after: tuple[str, int] | None) -> Select[Any]:
    query = select(*_KEY).order_by(*_KEY).limit(1)
    if after is not None:
        query = query.where(tuple_(*_KEY) > tuple_(*after))
    return query


def _cover(connection: Connection, symbol: str, interval_s: int) -> Coverage | None:
    at = _TABLE.c.at
    query = select(func.count(), func.min(at), func.max(at)).select_from(_TABLE).where(_of(symbol, interval_s))
    count, first, last = connection.execute(query).one()
    if not count:
        return None
    before = func.lag(at).over(order_by=at).label("before")
    pairs = select(at, before).where(_of(symbol, interval_s)).subquery()
    apart = pairs.c.at - pairs.c.before
    widest = select(pairs.c.before, apart.label("apart")).where(apart > interval_s)
    row = connection.execute(widest.order_by(apart.desc(), pairs.c.at).limit(1)).first()
    return Coverage(
        symbol,
        interval_s,
        _time(first),
        _time(last),
        count,
        (last - first) // interval_s + 1 - count,
        row.apart // interval_s - 1 if row else 0,
        _time(row.before + interval_s) if row else None,
    )


def _time(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
