"""Insert or update by primary key, one prepared statement a table and engine."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite


@cache
def _statement(table: Table, backend: str) -> Executable:
    insert = postgresql.insert(table) if backend == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    rest = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows` (all columns of `table` each), replacing those whose key exists."""
    if rows:
        connection.execute(_statement(table, connection.dialect.name), list(rows))
