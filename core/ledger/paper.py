"""The PaperLedger: the paper venue's own books in the database, as Kraken's are Kraken's."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, insert, select

from core.domain.instruments import Instrument
from core.domain.market import Book, Quote
from core.domain.orders import OrderType, Side, TimeInForce
from core.domain.venue import VenueFill, VenueOrder, VenueState
from core.exchange.books import PaperBooks, PaperOrder
from core.exchange.matching import Friction
from core.ledger import rows
from storage.database import Database
from storage.upsert import upsert

_SAME = (
    "venue_id", "client_id", "symbol", "quantity", "limit_price", "trigger_price", "filled", "cost", "fee",
    "reason", "caught_up", "opened_at", "filled_at",
)  # fmt: skip


class PaperLedger:
    """Books in memory, each change of them saved in one transaction; after a failed save they are read anew."""

    def __init__(self, database: Database, friction: Friction, *, start_asset: str, start_balance: Decimal) -> None:
        self._database = database
        self._friction = friction
        self._start = (start_asset, start_balance)
        self._books: PaperBooks | None = None
        self.cursors: dict[str, datetime] = {}
        self._next_number = 1

    @property
    def books(self) -> PaperBooks:
        """The books as the database has them; read again when a failed save has left them in doubt."""
        return self._books if self._books is not None else self.load()

    def load(self) -> PaperBooks:
        """Read balances, open orders and cursors. A new account starts with its balance, saved at once."""
        with self._database.transaction() as connection:
            balances = {row.asset: row.total for row in connection.execute(select(rows.PAPER_BALANCES))}
            table = rows.PAPER_ORDERS
            query = select(table).where(table.c.state == VenueState.OPEN.value).order_by(table.c.venue_id)
            orders = [_from_row(row) for row in connection.execute(query)]
            self.cursors = {row.symbol: row.until for row in connection.execute(select(rows.PAPER_CURSORS))}
            self._next_number = int(connection.execute(select(func.count()).select_from(table)).scalar_one()) + 1
            if not balances:
                asset, amount = self._start
                balances = {asset: amount}
                upsert(connection, rows.PAPER_BALANCES, [{"asset": asset, "total": amount}])
        self._books = PaperBooks(self._friction, balances, {order.shown.venue_id: order for order in orders})
        return self._books

    def save(self) -> None:
        """Write the journal of the books in one transaction."""
        journal = self.books.journal
        if not journal:
            return
        try:
            with self._database.transaction() as connection:
                upsert(connection, rows.PAPER_ORDERS, [_to_row(order) for order in journal.orders.values()])
                if journal.fills:
                    fills = [rows.fill_to_row(fill) for fill in journal.fills]
                    connection.execute(
                        insert(rows.PAPER_FILLS), [fill | {"venue_id": fill.pop("order_id")} for fill in fills]
                    )
                balances = [{"asset": asset, "total": total} for asset, total in journal.balances.items()]
                upsert(connection, rows.PAPER_BALANCES, balances)
                cursors = [{"symbol": symbol, "until": until} for symbol, until in journal.cursors.items()]
                upsert(connection, rows.PAPER_CURSORS, cursors)
        except BaseException:
            self._books = None
            raise
        self.books.journal = type(journal)()

    def append_order_atomic(
        self, order: PaperOrder, instrument: Instrument, quote: Quote | None, book: Book | None, now: datetime
    ) -> PaperOrder:
        """Take a new order, trade what trades at once, and save all of it together. Raises PaperRefusalError."""
        name = f"PX-{self._next_number:06d}"
        order = replace(order, shown=replace(order.shown, venue_id=name))
        is_first = not self.books.open_orders(order.shown.symbol)
        placed = self.books.place(order, instrument, quote, book, now)
        if is_first:
            # Nothing rested here, so nothing of the past has to be matched.
            self.move_cursor(order.shown.symbol, now)
        self.save()
        self._next_number += 1
        return placed

    def move_cursor(self, symbol: str, until: datetime) -> None:
        """Remember, with the next save, up to when this symbol's market was matched."""
        self.cursors[symbol] = until
        self.books.journal.cursors[symbol] = until

    def fills(self, since: datetime, until: datetime | None = None) -> list[VenueFill]:
        """Executions from `since` on (and before `until`), oldest first."""
        fills, orders = rows.PAPER_FILLS, rows.PAPER_ORDERS
        query = select(fills, orders.c.symbol).join(orders, fills.c.venue_id == orders.c.venue_id)
        query = query.where(fills.c.at >= since).order_by(fills.c.at, fills.c.id)
        with self._database.transaction() as connection:
            found = connection.execute(query if until is None else query.where(fills.c.at < until)).all()
        return [
            VenueFill(row.id, row.venue_id, row.symbol, row.price, row.quantity, row.cost, row.fee, row.at)
            for row in found
        ]

    def group_sold(self, group: str) -> Decimal:
        """What the linked legs of `group` have sold so far, open and closed ones."""
        table = rows.PAPER_ORDERS
        with self._database.transaction() as connection:
            found = connection.execute(select(table.c.filled).where(table.c["group_id"] == group))
            return sum((row.filled for row in found), Decimal(0))

    def find(self, client_ids: Collection[str]) -> list[PaperOrder]:
        """Orders by the names that their owner gave them, open or not."""
        if not client_ids:
            return []
        table = rows.PAPER_ORDERS
        with self._database.transaction() as connection:
            query = select(table).where(table.c.client_id.in_(list(client_ids))).order_by(table.c.venue_id)
            return [_from_row(row) for row in connection.execute(query)]


def _to_row(order: PaperOrder) -> dict[str, Any]:
    shown = order.shown
    return {name: getattr(shown, name) for name in _SAME} | {
        "side": shown.side.value,
        "type": shown.type.value,
        "state": shown.state.value,
        "time_in_force": order.time_in_force.value,
        "group_id": order.group,
        "triggered": order.triggered,
    }


def _from_row(row: Row[Any]) -> PaperOrder:
    values = row._mapping
    shown = VenueOrder(
        **{name: values[name] for name in _SAME},
        side=Side(values["side"]),
        type=OrderType(values["type"]),
        state=VenueState(values["state"]),
    )
    return PaperOrder(shown, TimeInForce(values["time_in_force"]), values["group_id"], values["triggered"])
