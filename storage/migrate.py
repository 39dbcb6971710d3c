"""Bring a database to the present schema, with a copy of a SQLite file first."""

import re
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from storage.backup import copy_pages
from storage.database import Database, DatabaseError, cause_of, open_database, parse_url

OUR_TABLE = "bracket"
HEAD = "0008"
"""The newest revision in storage/migrations/versions; a test holds it against Alembic's own answer."""


def migrate(database: Database, now: datetime) -> Path | None:
    """Apply what is missing and return the backup's path, if one was made. Raises DatabaseError in words."""
    try:
        revision = current_revision(database)
        if revision == HEAD:
            return None
        backup = _backup(database, revision, now)
        _upgrade(database)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise DatabaseError(f"cannot bring the database to its present form: {cause_of(error)}") from error
    return backup


def open_present(url: str) -> Database:
    """Connect to a database as it stands; nothing is made and nothing is migrated.

    Raises DatabaseError where there is none or where its schema is not the present one, with what would help.
    """
    path = parse_url(url).database if url.startswith("sqlite") else None
    if path is not None and not Path(path).is_file():
        raise DatabaseError(f"there is no database {path} yet; start Zyn once, it makes one (or check DATABASE_URL)")
    database = open_database(url)
    try:
        revision = current_revision(database)
        if revision != HEAD:
            found = f"is of schema {revision}, this Zyn needs {HEAD}" if revision else "is empty"
            raise DatabaseError(f"the database {found}; start Zyn once, it brings it to its present form")
    except SQLAlchemyError as error:
        database.close()
        raise DatabaseError(f"cannot read the database's schema: {cause_of(error)}") from error
    except DatabaseError:
        database.close()
        raise
    return database


def current_revision(database: Database) -> str | None:
    """The revision that the database carries, None for an empty one. Raises DatabaseError for a stranger's."""
    with database.transaction() as connection:
        tables = inspect(connection).get_table_names()
        if "alembic_version" in tables:
            row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
            return _ours(str(row[0]), tables) if row else None
    if tables:
        raise _strangers(tables)
    return None


def _ours(revision: str, tables: list[str]) -> str:
    if not re.fullmatch(r"\d{4}", revision) or OUR_TABLE not in tables:
        raise _strangers(tables)
    if revision > HEAD:
        raise DatabaseError(
            f"the database was written by a newer Zyn (schema {revision}, this one knows {HEAD}): update Zyn"
        )
    return revision


def _strangers(tables: list[str]) -> DatabaseError:
    listed = ", ".join(sorted(tables)[:3])
    return DatabaseError(f"the database holds tables of something else ({listed}): use another")


def _backup(database: Database, revision: str | None, now: datetime) -> Path | None:
    path = database.path
    if path is None or revision is None or not path.exists():
        return None
    target = path.with_name(f"{path.name}.{revision}.{now:%Y%m%dT%H%M%S}.bak")
    copy_pages(path, target)
    shutil.copymode(path, target)
    return target


def _upgrade(database: Database) -> None:
    # Alembic takes a quarter of a second to import; most starts do not need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseError(f"the database's schema is one that this Zyn does not know: {error}") from error
        connection.commit()
