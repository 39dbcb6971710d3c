"""One database, one kind of transaction.

SQLite runs in WAL with synchronous=FULL; the driver's own transactions are off, because they read outside of the
transaction that writes. Every transaction begins with BEGIN IMMEDIATE, so two writers can never overlap; only a long
reading that writes nothing begins without.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

_READS_ONLY = "zyn_reads_only"


class DatabaseError(Exception):
    """The database cannot be used; the message says which one and what would help."""


class Database:
    """An engine and its transactions. Made by `open_database`."""

    def __init__(self, engine: Engine, url: URL) -> None:
        self.engine = engine
        self.url = url

    @property
    def is_sqlite(self) -> bool:
        """True for SQLite, False for PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database; None for one in memory or on a server."""
        if not self.is_sqlite or self.url.database in {None, "", ":memory:"}:
            return None
        return Path(str(self.url.database))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing. Commits at the end; any error rolls everything back and goes on up."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What one moment had, to be read at leisure: nobody who writes waits for it, as they do for `transaction`."""
        with self.engine.connect() as connection, connection.execution_options(**{_READS_ONLY: True}).begin():
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)})"


def parse_url(text: str) -> URL:
    """A database URL of a kind that we support. Raises DatabaseError otherwise, without repeating its password."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise DatabaseError(
            "DATABASE_URL is not a database URL; use sqlite:///data/zyn.db or postgresql://…"
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql" or url.drivername == "postgres":
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url
    raise DatabaseError(f"DATABASE_URL speaks of {backend}; use sqlite:///data/zyn.db or postgresql://…")


def open_database(text: str) -> Database:
    """Connect. Raises DatabaseError, in words, where that fails."""
    url = parse_url(text)
    database = Database(_engine(url), url)
    if database.path is not None:
        _make_folder(database.path)
    try:
        with database.transaction() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError as error:
        database.close()
        raise DatabaseError(_why(database, error)) from error
    return database


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 5}}
        if url.database in {None, "", ":memory:"}:
            options["poolclass"] = StaticPool
        engine = create_engine(url, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    limits = "-c statement_timeout=10000 -c lock_timeout=5000"
    given = url.query.get("options", "")
    chosen = f"{given if isinstance(given, str) else ' '.join(given)} {limits}".strip()
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 5, "options": chosen})


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get(_READS_ONLY, False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"cannot make the folder {path.parent} for the database: {error.strerror}") from error


def cause_of(error: Exception) -> str:
    """The driver's own first line, without the statement and the values that SQLAlchemy puts behind it."""
    lines = str(getattr(error, "orig", error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _why(database: Database, error: SQLAlchemyError) -> str:
    cause = cause_of(error)
    where = database.url.render_as_string(hide_password=True)
    return (
        f"cannot use the database {where}: {cause}. Check DATABASE_URL, that the file is a database and can be written."
    )
