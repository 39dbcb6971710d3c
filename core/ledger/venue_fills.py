"""The venue's own executions, kept beside ours: what was read is kept, so that a difference can be shown later."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from core.domain.modes import Mode
from core.domain.venue import VenueFill
from core.ledger import rows
from storage.database import Database
from storage.upsert import upsert

_SAME = ("id", "venue_id", "symbol", "price", "quantity", "cost", "fee", "at")


class VenueFills:
    """One mode's rows."""

    def __init__(self, database: Database, mode: Mode) -> None:
        self._database = database
        self._mode = mode

    def keep(self, fills: Sequence[VenueFill]) -> None:
        """Keep these; one that is known is written over with what the venue says now."""
        values = [{name: getattr(fill, name) for name in _SAME} | {"mode": self._mode.value} for fill in fills]
        if values:
            with self._database.transaction() as connection:
                upsert(connection, rows.VENUE_FILLS, values)

    def of(self, venue_ids: Collection[str]) -> list[VenueFill]:
        """Those of these orders, oldest first."""
        table = rows.VENUE_FILLS
        query = select(table).where(table.c.mode == self._mode.value, table.c.venue_id.in_(list(venue_ids)))
        with self._database.transaction() as connection:
            found = connection.execute(query.order_by(table.c.at, table.c.id)).all()
        return [VenueFill(**{name: row._mapping[name] for name in _SAME}) for row in found]
