"""What the market shows: quotes, books, prints and candles, each with its time and source."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from core.domain.money import divide


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid, best ask and last trade of one symbol. `at` is when the source said so (aware UTC)."""

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    at: datetime
    source: str
    turnover: Decimal | None = field(default=None, compare=False)
    """What was traded in the last 24 hours, in quote currency; None where the source does not say."""

    @property
    def spread_pct(self) -> Decimal:
        """How far the ask is above the bid, in percent of the middle."""
        return divide((self.ask - self.bid) * 100, self.mid)

    @property
    def mid(self) -> Decimal:
        """Half way between bid and ask."""
        return divide(self.bid + self.ask, Decimal(2))

    def age_s(self, now: datetime) -> float:
        """Seconds since the source said so."""
        return (now - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class BookLevel:
    """One price of the book and the base quantity that waits there."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Book:
    """Bids from the highest down, asks from the lowest up."""

    symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Print:
    """One trade of the market (not ours): price and base volume."""

    symbol: str
    price: Decimal
    quantity: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Candle:
    """One interval of trading. `at` is its open time; `closed` is False while it is still running."""

    symbol: str
    at: datetime
    interval_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool = True

    @property
    def ends_at(self) -> datetime:
        """When the candle closes (its open time plus the interval)."""
        return self.at + timedelta(seconds=self.interval_s)


@dataclass(frozen=True, slots=True)
class Tape:
    """What happened after a moment, in order: prints or closed candles. `until` is how far it reaches."""

    symbol: str
    events: Sequence[Print | Candle]
    until: datetime
    caught_up: bool = False
    """True when these events were missed (downtime) and fetched afterwards."""
