"""Broken promises of one mode, kept until the owner clears them. While one is open, the desk takes no entries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from core.domain.events import Event
from core.domain.modes import Mode
from core.ledger import rows
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Incident:
    """What was broken, where, with everything that was known then."""

    at: datetime
    promise: str
    bracket_id: str
    detail: str
    state: str


class Incidents:
    """The open ones are remembered as they were last read or written; a failed write forgets them."""

    def __init__(self, database: Database, mode: Mode) -> None:
        self._database = database
        self._mode = mode
        self._open: list[Incident] | None = None

    def open(self) -> list[Incident]:
        """Those that nobody has cleared, oldest first."""
        if self._open is None:
            table = rows.INCIDENTS
            where = (table.c.mode == self._mode.value) & table.c.cleared_at.is_(None)
            with self._database.transaction() as connection:
                found = connection.execute(select(table).where(where).order_by(table.c.id)).all()
            self._open = [Incident(row.at, row.promise, row.bracket_id, row.detail, row.state) for row in found]
        return self._open

    def record(self, incident: Incident, event: Event) -> bool:
        """Write it with its alert in one transaction. False, with nothing written, where the same is open already."""
        known = self.open()
        if any((one.promise, one.bracket_id) == (incident.promise, incident.bracket_id) for one in known):
            return False
        values: dict[str, Any] = {
            "mode": self._mode.value, "at": incident.at, "promise": incident.promise,
            "bracket_id": incident.bracket_id, "detail": incident.detail, "state": incident.state, "cleared_at": None,
        }  # fmt: skip
        self._open = None
        with self._database.transaction() as connection:
            connection.execute(insert(rows.INCIDENTS), [values])
            connection.execute(insert(rows.ALERTS), [rows.event_to_row(event)])
        self._open = [*known, incident]
        return True

    def clear(self, now: datetime, event: Event) -> int:
        """Mark the open ones as seen, with an alert. Returns how many there were."""
        count = len(self.open())
        if count:
            table = rows.INCIDENTS
            where = (table.c.mode == self._mode.value) & table.c.cleared_at.is_(None)
            self._open = None
            with self._database.transaction() as connection:
                connection.execute(update(table).where(where).values(cleared_at=now))
                connection.execute(insert(rows.ALERTS), [rows.event_to_row(event)])
        return count
