"""The ledger of one mode: brackets, orders and fills, each decision in one transaction with its alerts.

Unfinished brackets are kept in memory as they were last saved. The process lock makes this process the only writer,
and every failed save throws the memory away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from core.domain.brackets import Bracket, BracketState
from core.domain.events import Event
from core.domain.modes import Mode
from core.domain.orders import Fill, Order
from core.ledger import rows
from core.ledger.incidents import Incidents
from core.ledger.venue_fills import VenueFills
from core.lifecycle.decide import Decision
from storage.database import Database
from storage.upsert import upsert

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Executed:
    """An order that traded, with the bracket that it belongs to."""

    order: Order
    bracket: Bracket


@dataclass(frozen=True, slots=True)
class Ended:
    """A bracket that is over, and those of its orders of which the venue may still show more."""

    bracket: Bracket
    in_doubt: tuple[Order, ...]

    @classmethod
    def of(cls, bracket: Bracket) -> "Ended":
        """The two together."""
        return cls(bracket, tuple(order for order in bracket.orders if order.is_in_doubt))


class Ledger:
    """One mode's rows. Reads return values; the only way to write is `save`."""

    def __init__(self, database: Database, mode: Mode) -> None:
        self.mode = mode
        self._database = database
        self.incidents = Incidents(database, mode)
        self.venue_fills = VenueFills(database, mode)
        self._unfinished: dict[str, Bracket] | None = None
        self._closed: dict[str, Ended] | None = None

    def unfinished(self, base: str | None = None) -> tuple[Bracket, ...]:
        """Brackets that are not closed, oldest first; of one coin where `base` is given."""
        if self._unfinished is None:
            self._unfinished = {bracket.id: bracket for bracket in self._load_unfinished()}
        return tuple(bracket for bracket in self._unfinished.values() if base in {None, bracket.base})

    def bracket(self, bracket_id: str) -> Bracket | None:
        """One bracket, closed or not; None for no name or an unknown one."""
        if not bracket_id:
            return None
        known = (self._unfinished or {}).get(bracket_id)
        if known is not None:
            return known
        with self._database.transaction() as connection:
            found = self._load(
                connection, (rows.BRACKETS.c.id == bracket_id) & (rows.BRACKETS.c.mode == self.mode.value)
            )
        return found[0] if found else None

    def has(self, bracket_id: str) -> bool:
        """True when this name is taken."""
        if bracket_id in (self._unfinished or {}):
            return True
        with self._database.transaction() as connection:
            query = select(rows.BRACKETS.c.id).where(rows.BRACKETS.c.id == bracket_id)
            return connection.execute(query).first() is not None

    def ended_since(self, moment: datetime) -> list[Ended]:
        """Brackets that were closed lately with orders in doubt: the venue may still tell of fills that they had."""
        if self._closed is None:
            table = rows.BRACKETS
            where = (table.c.mode == self.mode.value) & (table.c.closed_at >= moment)
            with self._database.transaction() as connection:
                found = self._load(connection, where & (table.c.state == BracketState.CLOSED.value))
            found.sort(key=lambda bracket: bracket.closed_at or moment)
            self._closed = {one.bracket.id: one for one in map(Ended.of, found) if one.in_doubt}
        while self._closed:
            oldest = next(iter(self._closed.values())).bracket
            if oldest.closed_at is not None and oldest.closed_at >= moment:
                break
            del self._closed[oldest.id]
        return list(self._closed.values())

    def newest(self, symbol: str | None = None) -> Bracket | None:
        """The bracket that was begun last, of one symbol where it is given."""
        table = rows.BRACKETS
        query = select(table.c.id).where(table.c.mode == self.mode.value)
        if symbol is not None:
            query = query.where(table.c.symbol == symbol)
        with self._database.transaction() as connection:
            row = connection.execute(query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)).first()
        return self.bracket(row.id) if row is not None else None

    def longest_unprotected(self, now: datetime) -> tuple[float, str]:
        """The longest time that one bracket had no stop, in seconds over its life up to now, and whose it was."""
        running = [
            (one.unprotected_s + max(0.0, (now - one.unprotected_since).total_seconds()), one.symbol)
            for one in self.unfinished()
            if one.unprotected_since is not None
        ]
        table = rows.BRACKETS
        query = select(table.c.unprotected_s, table.c.symbol).where(table.c.mode == self.mode.value)
        with self._database.transaction() as connection:
            row = connection.execute(query.order_by(table.c.unprotected_s.desc()).limit(1)).first()
        ended = (float(row.unprotected_s), str(row.symbol)) if row is not None else (0.0, "")
        return max([ended, *running], key=lambda one: one[0])

    def latest(self) -> datetime | None:
        """When this mode last sent an order, None where it never did."""
        query = select(func.max(rows.ORDERS.c.created_at)).where(rows.ORDERS.c.mode == self.mode.value)
        with self._database.transaction() as connection:
            return connection.execute(query).scalar_one_or_none()

    def take_up(self, bracket: Bracket) -> None:
        """Count a closed bracket among the unfinished again: the venue shows that it is not over."""
        self.unfinished()
        if self._unfinished is not None:
            self._unfinished[bracket.id] = bracket

    def let_go(self, base: str) -> None:
        """Forget brackets of a coin that were taken up and turned out to be over all the same."""
        if self._unfinished is not None:
            for bracket in self.unfinished(base):
                if bracket.state is BracketState.CLOSED:
                    del self._unfinished[bracket.id]

    def save(self, decisions: Iterable[Decision], events: Sequence[Event] = ()) -> None:
        """Write what changed, and the alerts, in one transaction. Raises and forgets what it remembered on failure."""
        changed = [decision for decision in decisions if decision.changed]
        if not changed and not events:
            return
        try:
            with self._database.transaction() as connection:
                self._write(connection, changed, events)
        except BaseException:
            self._unfinished = self._closed = None
            raise
        for decision in changed:
            self._remember(decision.after)

    def executed(self, symbol: str | None = None, since: datetime | None = None, limit: int = 200) -> list[Executed]:
        """Orders of this mode that traded, oldest first; nothing unfilled is among them."""
        orders = rows.ORDERS
        wanted = [orders.c.mode == self.mode.value, orders.c.filled_at.is_not(None)]
        if symbol is not None:
            wanted.append(orders.c.symbol == symbol)
        if since is not None:
            wanted.append(orders.c.filled_at >= since)
        query = select(orders.c.client_id, orders.c.bracket_id).where(*wanted)
        query = query.order_by(orders.c.filled_at.desc(), orders.c.client_id.desc()).limit(limit)
        with self._database.transaction() as connection:
            found = list(connection.execute(query))
            ids = {row.bracket_id for row in found}
            brackets = {bracket.id: bracket for bracket in self._load_by_id(connection, sorted(ids))}
        executed = [Executed(brackets[row.bracket_id].order(row.client_id), brackets[row.bracket_id]) for row in found]
        return sorted(executed, key=_when)

    def closed_between(self, start: datetime, end: datetime) -> list[Bracket]:
        """Brackets of this mode that were closed from `start` on and before `end`."""
        table = rows.BRACKETS
        where = (table.c.mode == self.mode.value) & (table.c.closed_at >= start) & (table.c.closed_at < end)
        with self._database.transaction() as connection:
            return self._load(connection, where)

    def begun_since(self, moment: datetime) -> list[Bracket]:
        """Brackets of this mode that were begun at `moment` or later, whatever became of them."""
        table = rows.BRACKETS
        where = (table.c.mode == self.mode.value) & (table.c.created_at >= moment)
        with self._database.transaction() as connection:
            return self._load(connection, where)

    def find_order(self, name: str) -> tuple[Bracket, Order] | None:
        """The order with this client or venue order id."""
        orders = rows.ORDERS
        query = select(orders.c.bracket_id, orders.c.client_id).where(
            orders.c.mode == self.mode.value, (orders.c.client_id == name) | (orders.c.venue_id == name)
        )
        with self._database.transaction() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        bracket = self.bracket(row.bracket_id)
        return (bracket, bracket.order(row.client_id)) if bracket else None

    # -- inside ------------------------------------------------------------------------------------------------

    def _remember(self, bracket: Bracket) -> None:
        if self._closed is not None:
            self._closed.pop(bracket.id, None)
            ended = Ended.of(bracket)
            if bracket.state is BracketState.CLOSED and ended.in_doubt:
                self._closed[bracket.id] = ended
        if self._unfinished is not None:
            if bracket.state is BracketState.CLOSED:
                self._unfinished.pop(bracket.id, None)
            else:
                self._unfinished[bracket.id] = bracket

    def _write(self, connection: Connection, decisions: Sequence[Decision], events: Sequence[Event]) -> None:
        brackets: list[rows.Values] = []
        orders: list[rows.Values] = []
        fills: list[rows.Values] = []
        news = list(events)
        for decision in decisions:
            known = {order.client_id: order for order in decision.before.orders}
            brackets.append(rows.bracket_to_row(decision.after))
            for order in decision.after.orders:
                before = known.get(order.client_id)
                if before is order:
                    continue
                orders.append(rows.order_to_row(order, decision.after))
                new_fills = order.fills[len(before.fills) if before else 0 :]
                fills.extend(rows.fill_to_row(fill) | {"mode": self.mode.value} for fill in new_fills)
            news.extend(decision.events)
        upsert(connection, rows.BRACKETS, brackets)
        upsert(connection, rows.ORDERS, orders)
        if fills:
            connection.execute(insert(rows.FILLS), fills)
        if news:
            connection.execute(insert(rows.ALERTS), [rows.event_to_row(event) for event in news])

    def _load_unfinished(self) -> list[Bracket]:
        table = rows.BRACKETS
        where = (table.c.mode == self.mode.value) & (table.c.state != BracketState.CLOSED.value)
        with self._database.transaction() as connection:
            return self._load(connection, where)

    def _load_by_id(self, connection: Connection, ids: Sequence[str]) -> list[Bracket]:
        found: list[Bracket] = []
        for start in range(0, len(ids), _CHUNK):
            found += self._load(connection, rows.BRACKETS.c.id.in_(ids[start : start + _CHUNK]))
        return found

    def _load(self, connection: Connection, where: ColumnElement[bool]) -> list[Bracket]:
        brackets, orders, fills = rows.BRACKETS, rows.ORDERS, rows.FILLS
        found_rows = connection.execute(
            select(brackets).where(where).order_by(brackets.c.created_at, brackets.c.id)
        ).all()
        if not found_rows:
            return []
        chosen = select(brackets.c.id).where(where)
        chosen_orders = select(orders.c.client_id).where(orders.c.bracket_id.in_(chosen))
        fills_of: dict[str, list[Fill]] = {}
        query: Any = select(fills).where(fills.c.order_id.in_(chosen_orders), fills.c.mode == self.mode.value)
        for row in connection.execute(query.order_by(fills.c.at)):
            fills_of.setdefault(row.order_id, []).append(rows.fill_from_row(row))
        orders_of: dict[str, list[Order]] = {}
        for row in connection.execute(select(orders).where(orders.c.bracket_id.in_(chosen))):
            order = rows.order_from_row(row, tuple(fills_of.get(row.client_id, ())))
            orders_of.setdefault(row.bracket_id, []).append(order)
        found = []
        for row in found_rows:
            mine = sorted(orders_of.get(row.id, ()), key=_number)
            found.append(rows.bracket_from_row(row, tuple(mine)))
        return found


def _when(item: Executed) -> tuple[datetime, datetime, str, int]:
    order, bracket = item.order, item.bracket
    return order.filled_at or order.created_at, bracket.created_at, bracket.id, _number(order)


def _number(order: Order) -> int:
    return int(order.client_id.rpartition("-")[2])
