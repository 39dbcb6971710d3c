"""A file of candles into the store: looked through to its end first, written only where nothing is wrong with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from core.history.rows import CandleRow
from core.history.sources import Source, rows_of

BATCH = 10_000
"""Candles to a transaction: the bot beside us writes in between, and never waits for more than one of them."""

Put = Callable[[str, int, Sequence[CandleRow]], None]
"""Stores candles of a symbol and an interval in one transaction."""

Advance = Callable[[int], None]
"""Told how many more bytes have been worked off, of twice the size of a file."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: candles with trades, all of them stored now, and rows without, which are none."""

    source: Source
    count: int
    untraded: int
    first: int | None
    last: int | None


def import_source(source: Source, put: Put, advance: Advance) -> Imported:
    """Check the whole file, then store its candles, some at a time. Raises HistoryError where a row is wrong.

    A file with something wrong in it stores nothing. Work that is interrupted leaves the candles of whole
    transactions; importing the file again completes it.
    """
    count, untraded, first, last = 0, 0, None, None
    for batch in _batches(source, advance):
        traded = [row for row in batch if row.is_traded]
        untraded += len(batch) - len(traded)
        count += len(traded)
        if traded:
            first = traded[0].at if first is None else first
            last = traded[-1].at
    for batch in _batches(source, advance):
        put(source.symbol, source.interval_s, [row for row in batch if row.is_traded])
    return Imported(source, count, untraded, first, last)


def _batches(source: Source, advance: Advance) -> Iterator[list[CandleRow]]:
    done = 0
    with rows_of(source) as (rows, position):
        while batch := list(islice(rows, BATCH)):
            yield batch
            advance(position() - done)
            done = position()
    # What reads ahead or ends early has read it all the same.
    advance(source.size_bytes - done)
