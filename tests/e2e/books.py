"""Both books of a PAPER bot, read from its database file, and every way in which they can disagree."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, func, select, update

from core.domain.money import ZERO, plain
from core.market.builtin import builtin_instruments
from storage.tables import metadata
from storage.types import UtcTime

Row = dict[str, Any]
START = Decimal(10000)
_CURRENCY = "USD"
_GONE = frozenset({"lost", "rejected", "held"})
"""States of an order of ours that the venue must not know."""
_VENUE_STATE = {"open": "open", "filled": "closed", "canceled": "canceled"}


@dataclass(frozen=True, slots=True)
class Books:
    """All rows of one moment."""

    brackets: list[Row]
    orders: list[Row]
    fills: list[Row]
    alerts: list[Row]
    paper_orders: list[Row]
    paper_fills: list[Row]
    balances: dict[str, Decimal]
    settings: dict[str, str]

    def of_bracket(self, bracket_id: str) -> list[Row]:
        """The orders of one bracket."""
        return [order for order in self.orders if order["bracket_id"] == bracket_id]

    def held(self, bracket_id: str) -> Decimal:
        """What a bracket holds, by its orders."""
        return _total(row["filled"] if row["side"] == "buy" else -row["filled"] for row in self.of_bracket(bracket_id))

    @property
    def unfinished(self) -> list[Row]:
        """Brackets that are not closed."""
        return [row for row in self.brackets if row["state"] != "closed"]

    def alert_texts(self) -> list[str]:
        """The outbox, oldest first."""
        return [str(row["text"]) for row in self.alerts]


def read_books(path: Path) -> Books:
    """One consistent look at the file."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection, connection.begin():
            return Books(
                brackets=_rows(connection, "bracket"),
                orders=_rows(connection, "orders"),
                fills=_rows(connection, "fill"),
                alerts=_rows(connection, "alert"),
                paper_orders=_rows(connection, "paper_order"),
                paper_fills=_rows(connection, "paper_fill"),
                balances={row["asset"]: row["total"] for row in _rows(connection, "paper_balance")},
                settings={row["key"]: row["value"] for row in _rows(connection, "setting")},
            )
    finally:
        engine.dispose()


def _rows(connection: Connection, table: str) -> list[Row]:
    return [dict(row._mapping) for row in connection.execute(select(metadata.tables[table]))]


def age(path: Path, by: timedelta) -> None:
    """Make everything in the file that much older, as if its bot had been away for so long."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                times = [column for column in table.columns if isinstance(column.type, UtcTime)]
                keys = list(table.primary_key.columns)
                for row in connection.execute(select(*keys, *times)).all() if times else ():
                    values = row._mapping
                    this = [key == values[key] for key in keys]
                    older = {column.name: values[column] - by for column in times if values[column] is not None}
                    if older:
                        connection.execute(update(table).where(*this).values(older))
    finally:
        engine.dispose()


def count(path: Path, table: str) -> int:
    """How many rows a table has."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())
    finally:
        engine.dispose()


# -- what must agree -----------------------------------------------------------------------------------------------


def disagreements(books: Books) -> list[str]:
    """Every promise of the two books that does not hold, in words; none when all is well."""
    return [
        *_orders_and_venue(books),
        *_fills_and_orders(books),
        *_balances(books),
        *_brackets(books),
        *_cover(books),
    ]


def _orders_and_venue(books: Books) -> list[str]:
    found = []
    at_venue = {row["client_id"]: row for row in books.paper_orders}
    ours = {row["client_id"]: row for row in books.orders}
    twice = [name for name, n in Counter(row["client_id"] for row in books.paper_orders).items() if n > 1]
    found += [f"the venue has {name} twice" for name in twice]
    found += [f"the venue has {name}, which the ledger never intended" for name in at_venue if name not in ours]
    for name, order in ours.items():
        shown = at_venue.get(name)
        if order["state"] == "submitting":
            found.append(f"{name} ({order['role']}) is still SUBMITTING, the venue has {shown and shown['state']}")
        elif shown is None:
            if order["state"] not in _GONE and not (order["state"] == "canceled" and order["venue_id"] is None):
                found.append(f"{name} ({order['role']}) is {order['state']} in the ledger and unknown to the venue")
        elif order["state"] in _GONE or shown["state"] != _VENUE_STATE[order["state"]]:
            found.append(f"{name} ({order['role']}) is {order['state']} here and {shown['state']} at the venue")
        else:
            same = ("venue_id", "symbol", "side", "type", "quantity", "filled", "cost", "fee")
            found += [
                f"{name}: {column} is {order[column]} here and {shown[column]} at the venue"
                for column in same
                if order[column] != shown[column] and not (column == "type" and order["role"] == "target")
            ]
    return found


def _fills_and_orders(books: Books) -> list[str]:
    found = []
    for orders, fills, key, whose in (
        (books.orders, books.fills, "client_id", "ledger"),
        (books.paper_orders, books.paper_fills, "venue_id", "venue"),
    ):
        foreign_key = "order_id" if whose == "ledger" else "venue_id"
        for order in orders:
            mine = [fill for fill in fills if fill[foreign_key] == order[key]]
            for total, part in (("filled", "quantity"), ("cost", "cost"), ("fee", "fee")):
                if (booked := _total(fill[part] for fill in mine)) != order[total]:
                    found.append(f"{whose}: {order[key]} says {total} {order[total]}, its fills add up to {booked}")
    return found


def _balances(books: Books) -> list[str]:
    expected = {_CURRENCY: START}
    for order in books.paper_orders:
        base, quote = order["symbol"].split("/")
        sign = 1 if order["side"] == "buy" else -1
        for fill in (row for row in books.paper_fills if row["venue_id"] == order["venue_id"]):
            expected[base] = expected.get(base, ZERO) + sign * fill["quantity"]
            expected[quote] = expected.get(quote, ZERO) - sign * fill["cost"] - fill["fee"]
    found = [
        f"balance of {asset} is {books.balances.get(asset, ZERO)}, start and fills make {total}"
        for asset, total in expected.items()
        if books.balances.get(asset, ZERO) != total
    ]
    found += [f"balance of {asset} below zero: {total}" for asset, total in books.balances.items() if total < ZERO]
    for asset, total in books.balances.items():
        held = _total(books.held(row["id"]) for row in books.brackets if row["symbol"].startswith(f"{asset}/"))
        if asset != _CURRENCY and held != total:
            found.append(f"the account has {total} {asset}, all brackets together hold {held}")
    return found


def _brackets(books: Books) -> list[str]:
    found = []
    for bracket in books.brackets:
        name, orders = bracket["id"], books.of_bracket(bracket["id"])
        entries = [order for order in orders if order["role"] == "entry"]
        if len(entries) != 1:
            found.append(f"bracket {name} has {len(entries)} entry orders")
        if books.held(name) < ZERO:
            found.append(f"bracket {name} sold {plain(-books.held(name))} more than it bought")
        live = [order["client_id"] for order in orders if order["state"] in {"open", "submitting", "held"}]
        if bracket["state"] == "closed" and live:
            found.append(f"bracket {name} is closed and {live} are not")
    return found


def _cover(books: Books) -> list[str]:
    """Whatever is held has stops of its own quantity resting at the venue; a closed bracket may hold dust."""
    found = []
    resting = {
        row["client_id"]: row["quantity"] - row["filled"] for row in books.paper_orders if row["state"] == "open"
    }
    for bracket in books.brackets:
        held, symbol = books.held(bracket["id"]), bracket["symbol"]
        orders = books.of_bracket(bracket["id"])
        stops = _total(resting.get(row["client_id"], ZERO) for row in orders if row["role"] == "stop")
        target = _total(_waits(row, resting) for row in orders if row["role"] == "target")
        bare, price = held - stops, bracket["stop_price"] or ZERO
        if stops > held:
            found.append(f"bracket {bracket['id']}: stops of {stops} rest for {held} {symbol}")
        if bare > ZERO and not builtin_instruments()[symbol].is_dust(bare, price):
            found.append(f"bracket {bracket['id']}: {bare} of {held} {symbol} has no stop at the venue")
        if bracket["state"] == "open" and held > ZERO and target != held and bare == ZERO:
            found.append(f"bracket {bracket['id']}: its target waits for {target} of {held} {symbol}")
    return found


def _waits(order: Row, resting: dict[str, Decimal]) -> Decimal:
    """What a target still waits to sell, held by Zyn or resting."""
    if order["state"] == "held":
        return Decimal(order["quantity"])
    return resting.get(order["client_id"], ZERO)


def _total(values: Iterable[Decimal]) -> Decimal:
    return sum(values, ZERO)
