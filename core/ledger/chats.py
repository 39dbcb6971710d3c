"""Chats that get alerts: up to which alert each has been told, and which of them takes none."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.ledger import rows
from storage.database import Database
from storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class Told:
    """`told` is the id of the last alert that the chat has; `blocked_at` since when it takes nothing."""

    told: int
    blocked_at: datetime | None = None


class Chats:
    """The chats of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, chat: str) -> Told:
        """What this chat has. A new one begins with the alerts that nobody has yet."""
        table, alerts = rows.CHATS, rows.ALERTS
        with self._database.transaction() as connection:
            row = connection.execute(select(table).where(table.c.id == chat)).first()
            if row is not None:
                return Told(row.told, row.blocked_at)
            first = connection.execute(select(func.min(alerts.c.id)).where(alerts.c.state == "waiting")).scalar()
            last = connection.execute(select(func.max(alerts.c.id))).scalar()
        return Told((first - 1) if first is not None else (last or 0))

    def put(self, chat: str, told: Told) -> None:
        """Remember it."""
        with self._database.transaction() as connection:
            upsert(connection, rows.CHATS, [{"id": chat, "told": told.told, "blocked_at": told.blocked_at}])
