"""The LIVE ledger of a bot held against its account at the stand-in for Kraken: all ways in which they can disagree."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection, create_engine, select

from core.domain.money import ZERO, plain
from core.domain.orders import OrderType, Side
from core.domain.venue import VenueState
from storage.tables import metadata
from tests.e2e.books import Books, Row
from tests.standins.kraken import audit
from tests.standins.kraken_account import KrakenAccount
from tests.standins.kraken_audit import is_ours
from tests.standins.kraken_records import Record

_NEVER_THERE = frozenset({"lost", "rejected", "held"})
"""States of an order of ours that the account must not know."""
_AT_ACCOUNT = {"open": VenueState.OPEN, "filled": VenueState.CLOSED, "canceled": VenueState.CANCELED}
_AS_TOLD = Decimal("0.00000001")
"""Lists tell money to the tenth decimal; quantities have fewer."""
_LIVE = frozenset({"open", "submitting", "held"})
_AT_WORK = frozenset({"open", "submitting"})


@dataclass(frozen=True, slots=True)
class LiveBooks:
    """All LIVE rows of one moment. PAPER's are left out."""

    books: Books
    incidents: list[Row]

    def confessed(self, bracket_id: str) -> bool:
        """True when an incident tells that this bracket sold too much, and an alert has told the owner."""
        is_written = any(row["bracket_id"] == bracket_id and row["promise"] == "not_oversold" for row in self.incidents)
        return is_written and any(
            row["bracket_id"] == bracket_id and "not_oversold" in row["text"] for row in self.books.alerts
        )

    @property
    def has_confessions(self) -> bool:
        """True when any bracket sold too much and says so."""
        return any(self.confessed(row["bracket_id"]) for row in self.incidents)


def read_live_books(path: Path) -> LiveBooks:
    """One consistent look at the file."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection, connection.begin():
            books = Books(
                brackets=_rows(connection, "bracket"),
                orders=_rows(connection, "orders"),
                fills=_rows(connection, "fill"),
                alerts=_rows(connection, "alert"),
                paper_orders=[],
                paper_fills=[],
                balances={},
                settings={},
            )
            return LiveBooks(books, _rows(connection, "incident"))
    finally:
        engine.dispose()


def _rows(connection: Connection, name: str) -> list[Row]:
    table = metadata.tables[name]
    found = connection.execute(select(table).where(table.c.mode == "LIVE"))
    return [dict(row._mapping) for row in found]


# -- what must agree -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Comparison:
    """The ledger and the account, with what was there before the bot came. `may_oversell`: in a world where both legs
    may trade, a bracket that sold too much is a truth; then it must have been confessed.
    """

    live: LiveBooks
    account: KrakenAccount
    before: Mapping[str, Decimal] = field(default_factory=dict)
    may_oversell: bool = False

    def disagreements(self) -> list[str]:
        """Every promise that does not hold, in words; none when all is well."""
        return [
            *self._harm(),
            *self._account_in_ledger(),
            *self._ledger_at_account(),
            *self._fills(),
            *self._brackets(),
            *self._coins(),
            *self.bare(),
        ]

    def _harm(self) -> Iterator[str]:
        """What the stand-in itself has seen."""
        for sentence in audit(self.account):
            is_oversale = " sold of " in sentence
            if not (is_oversale and self.may_oversell and self.live.has_confessions):
                yield sentence

    def _ours(self) -> Iterator[Record]:
        return (record for record in self.account.records.values() if is_ours(self.account, record))

    def _account_in_ledger(self) -> Iterator[str]:
        """Whatever of ours the account has, named or spawned, the ledger has with the same numbers."""
        named = {row["client_id"]: row for row in self.live.books.orders}
        by_venue = {row["venue_id"]: row for row in self.live.books.orders if row["venue_id"] is not None}
        for record in self._ours():
            shown = record.order.shown
            name = shown.client_id or f"child {shown.venue_id} of {shown.parent_id}"
            row = named.get(shown.client_id) if shown.client_id else by_venue.get(shown.venue_id)
            if row is None:
                yield f"the account has {name} ({shown.side} {shown.quantity}, {shown.state}), the ledger has not"
            elif row["venue_id"] != shown.venue_id:
                yield f"{name} is {shown.venue_id} at the account and {row['venue_id']} in the ledger"
            else:
                yield from _differences(name, row, record)

    def _ledger_at_account(self) -> Iterator[str]:
        """What the ledger takes for being at the account is there; nothing hangs."""
        for row in self.live.books.orders:
            name, state = row["client_id"], row["state"]
            is_there = self.account.by_name(name) or row["venue_id"] in self.account.records
            if state == "submitting":
                yield f"{name} ({row['role']}) is still SUBMITTING, {'there' if is_there else 'not there'}"
            elif not is_there and state not in _NEVER_THERE and not (state == "canceled" and row["venue_id"] is None):
                yield f"{name} ({row['role']}) is {state} in the ledger and unknown to the account"

    def _fills(self) -> Iterator[str]:
        for row in self.live.books.orders:
            mine = [fill for fill in self.live.books.fills if fill["order_id"] == row["client_id"]]
            for total, part in (("filled", "quantity"), ("cost", "cost"), ("fee", "fee")):
                if (booked := _total(fill[part] for fill in mine)) != row[total]:
                    yield f"{row['client_id']} says {total} {row[total]}, its fills add up to {booked}"

    def _brackets(self) -> Iterator[str]:
        books = self.live.books
        accepted = Counter(
            name.rpartition("-")[0]
            for name, txid in self.account.accepted
            if self.account.records[txid].order.shown.side is Side.BUY
        )
        yield from (f"bracket {name} had {n} entries accepted" for name, n in accepted.items() if n > 1)
        for row in books.brackets:
            name, orders = row["id"], books.of_bracket(row["id"])
            entries = [order for order in orders if order["role"] == "entry"]
            if len(entries) != 1:
                yield f"bracket {name} has {len(entries)} entry orders"
            held = books.held(name) - row["gone"]
            if held < ZERO and not (self.may_oversell and self.live.confessed(name)):
                yield f"bracket {name} sold {plain(-held)} more than it bought, and no incident with an alert tells"
            if row["gone"] and not self.live.has_confessions:
                yield f"bracket {name} wrote off {plain(row['gone'])}, which nobody took"
            live = [order["client_id"] for order in orders if order["state"] in _LIVE]
            if row["state"] == "closed" and live:
                yield f"bracket {name} is closed and {live} are not"

    def _coins(self) -> Iterator[str]:
        """The account has what was there before and what our orders brought."""
        symbols = {row["symbol"] for row in self.live.books.brackets}
        for symbol in symbols:
            base = symbol.partition("/")[0]
            held = _total(self.live.books.held(row["id"]) for row in self._of(symbol))
            expected = self.before.get(base, ZERO) + held
            if (total := self.account.balances.get(base, ZERO)) != expected:
                yield f"the account has {total} {base}, before and fills make {expected}"

    def _of(self, symbol: str) -> list[Row]:
        return [row for row in self.live.books.brackets if row["symbol"] == symbol]

    def bare(self) -> Iterator[str]:
        """Whatever is held above dust has stops of its own quantity at the account, or is being sold."""
        rests = {record.id: record.order.remaining for record in self._ours() if _is_resting_stop(record)}
        for row in self.live.books.brackets:
            orders = self.live.books.of_bracket(row["id"])
            stops = _total(rests.get(order["venue_id"], ZERO) for order in orders)
            held = self.live.books.held(row["id"]) - row["gone"]
            selling = any(order["role"] == "exit" and order["state"] in _AT_WORK for order in orders)
            pair = self.account.pair(row["symbol"])
            bare, instrument = held - stops, self.account.instrument(pair)
            if stops > max(ZERO, held):
                yield f"bracket {row['id']}: stops of {plain(stops)} rest for {plain(held)} {row['symbol']}"
            if bare > ZERO and not selling and not instrument.is_dust(bare, Decimal(pair.last)):
                yield f"bracket {row['id']}: {plain(bare)} of {plain(held)} {row['symbol']} has no stop at the account"


def _differences(name: str, row: Row, record: Record) -> Iterator[str]:
    """Where the ledger's row and the account's record of one order differ."""
    shown = record.order.shown
    label = f"{name} ({row['role']})"
    if row["state"] != "submitting" and _AT_ACCOUNT.get(row["state"]) is not shown.state:
        yield f"{label} is {row['state']} in the ledger and {shown.state} at the account"
    booked = {"filled": shown.filled, "cost": shown.cost, "fee": shown.fee, "quantity": shown.quantity}
    for column, value in booked.items():
        if abs(row[column] - value) > _AS_TOLD:
            yield f"{label}: {column} is {row[column]} in the ledger and {value} at the account"


def _is_resting_stop(record: Record) -> bool:
    shown = record.order.shown
    return shown.type is OrderType.STOP_LOSS and shown.state is VenueState.OPEN


def _total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
