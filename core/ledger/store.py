"""Small things of the house that outlive the process: choices, instruments, conversation, and the alert outbox."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from core.domain.events import Event
from core.domain.instruments import Instrument
from core.ledger import rows
from storage.database import Database
from storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the outbox that waits for delivery."""

    id: int
    mode: str
    kind: str
    at: datetime
    text: str
    attempts: int
    symbol: str = ""


class Store:
    """Settings, instruments and outbox of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """A stored value, None when nobody stored it."""
        with self._database.transaction() as connection:
            row = connection.execute(select(rows.SETTINGS.c.value).where(rows.SETTINGS.c.key == key)).first()
        return str(row[0]) if row else None

    def put(self, key: str, value: str, *events: Event) -> None:
        """Store a value, with the alerts that tell of it, in one transaction."""
        with self._database.transaction() as connection:
            upsert(connection, rows.SETTINGS, [{"key": key, "value": value}])
            if events:
                connection.execute(insert(rows.ALERTS), [rows.event_to_row(event) for event in events])

    def increment(self, key: str) -> int:
        """Count one more under `key`, and how many there are now."""
        with self._database.transaction() as connection:
            row = connection.execute(select(rows.SETTINGS.c.value).where(rows.SETTINGS.c.key == key)).first()
            count = (int(row[0]) if row else 0) + 1
            upsert(connection, rows.SETTINGS, [{"key": key, "value": str(count)}])
        return count

    def latest_moment(self) -> datetime | None:
        """The newest time that any book of this database has written down."""
        columns = (
            rows.BRACKETS.c.created_at, rows.FILLS.c.at, rows.ALERTS.c.at, rows.PAPER_ORDERS.c.opened_at,
            rows.PAPER_CURSORS.c.until,
        )  # fmt: skip
        with self._database.transaction() as connection:
            found = [connection.execute(select(func.max(column))).scalar() for column in columns]
        return max((moment for moment in found if moment is not None), default=None)

    def instruments(self) -> dict[str, Instrument]:
        """The instruments as they were last read from the venue."""
        with self._database.transaction() as connection:
            found = [rows.instrument_from_row(row) for row in connection.execute(select(rows.INSTRUMENTS))]
        return {instrument.symbol: instrument for instrument in found}

    def put_instruments(self, instruments: Mapping[str, Instrument], read_at: datetime) -> None:
        """Replace the stored instruments, with the date of the reading."""
        values = [rows.instrument_to_row(instrument) | {"read_at": read_at} for instrument in instruments.values()]
        with self._database.transaction() as connection:
            connection.execute(delete(rows.INSTRUMENTS))
            upsert(connection, rows.INSTRUMENTS, values)

    # -- outbox ------------------------------------------------------------------------------------------------

    def waiting_alerts(self, limit: int = 50) -> list[Alert]:
        """The oldest alerts that nobody has delivered yet, in order."""
        table = rows.ALERTS
        query = select(table).where(table.c.state == "waiting").order_by(table.c.id).limit(limit)
        with self._database.transaction() as connection:
            return [_alert(row) for row in connection.execute(query)]

    def alerts_after(self, last: int, limit: int = 200) -> list[Alert]:
        """Alerts younger than `last`, in order, delivered to others or not."""
        table = rows.ALERTS
        query = select(table).where(table.c.id > last).order_by(table.c.id).limit(limit)
        with self._database.transaction() as connection:
            return [_alert(row) for row in connection.execute(query)]

    def mark_alerts_up_to(self, last: int) -> None:
        """Mark every waiting alert up to this one as delivered."""
        table = rows.ALERTS
        with self._database.transaction() as connection:
            waiting = update(table).where(table.c.state == "waiting", table.c.id <= last)
            connection.execute(waiting.values(state="delivered"))

    def has_alert(self, kind: str, mode: str, bracket_id: str) -> bool:
        """Whether such an alert was ever written, delivered or not."""
        table = rows.ALERTS
        where = (table.c.kind == str(kind), table.c.mode == str(mode), table.c.bracket_id == bracket_id)
        with self._database.transaction() as connection:
            return connection.execute(select(table.c.id).where(*where).limit(1)).first() is not None

    def waiting_count(self) -> int:
        """How many alerts wait."""
        with self._database.transaction() as connection:
            query = select(func.count()).select_from(rows.ALERTS).where(rows.ALERTS.c.state == "waiting")
            return int(connection.execute(query).scalar_one())

    def mark_alerts(self, ids: Iterable[int], state: str) -> None:
        """Set alerts to "delivered" or, where a face refused them for good, to "refused"."""
        table = rows.ALERTS
        with self._database.transaction() as connection:
            connection.execute(update(table).where(table.c.id.in_(list(ids))).values(state=state))

    # -- conversation ------------------------------------------------------------------------------------------

    def say(self, user: str, role: str, text: str, at: datetime) -> None:
        """Keep one utterance."""
        with self._database.transaction() as connection:
            connection.execute(insert(rows.CONVERSATION), [{"user": user, "role": role, "text": text, "at": at}])

    def said(self, user: str, limit: int) -> list[tuple[str, str]]:
        """The last utterances of a conversation as (role, text), oldest first."""
        table = rows.CONVERSATION
        query = select(table.c.role, table.c.text).where(table.c.user == user).order_by(table.c.id.desc()).limit(limit)
        with self._database.transaction() as connection:
            found = [(str(row.role), str(row.text)) for row in connection.execute(query)]
        return found[::-1]


def _alert(row: Row[Any]) -> Alert:
    return Alert(row.id, row.mode, row.kind, row.at, row.text, row.attempts, row.symbol)
