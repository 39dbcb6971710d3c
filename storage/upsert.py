"""Insert or update by primary key, one prepared statement a table and engine."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table, func
from sqlalchemy.dialects import postgresql, sqlite


@cache
def _statement(table: Table, backend: str, keep_known: str | None, unless_less: str | None) -> Executable:
    insert = postgresql.insert(table) if backend == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    rest: dict[str, Any] = {
        column.name: insert.excluded[column.name] for column in table.columns if column.name not in keys
    }
    if keep_known is not None:
        rest[keep_known] = func.coalesce(insert.excluded[keep_known], table.c[keep_known])
    where = None if unless_less is None else insert.excluded[unless_less] >= table.c[unless_less]
    return insert.on_conflict_do_update(index_elements=keys, set_=rest, where=where)


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep_known: str | None = None,
    unless_less: str | None = None,
) -> None:
    """Write `rows` (all columns of `table` each), replacing those whose key exists.

    A NULL in the column `keep_known` leaves what is known there. A row whose number in the column `unless_less` is
    less than the one that is known replaces nothing.
    """
    if rows:
        connection.execute(_statement(table, connection.dialect.name, keep_known, unless_less), list(rows))
