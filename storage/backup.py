"""A copy of the database that can be taken while Zyn trades on it."""

import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.engine import URL

from storage.database import DatabaseError, parse_url

_OUR_TABLES = frozenset({"alembic_version", "bracket", "orders"})
_TAKEN_NAMES = ("-wal", "-shm", "-journal", ".lock", ".sock", ".history")
"""Endings of the files that SQLite and Zyn keep beside a database and write over without asking."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that is whole and on the disk, and what it holds."""

    path: Path
    size_bytes: int
    revision: str
    brackets: int
    orders: int


def back_up(url: str, target: Path | None, now: datetime) -> Backup:
    """Copy the database to `target`, by default beside it with `now` in the name, and look through the copy.

    The copy is what one moment had; whoever trades on the database meanwhile is not disturbed. `target` appears whole
    or not at all, and never over another file. Raises DatabaseError in words.
    """
    source = _file(parse_url(url))
    goal = target or source.with_name(f"{source.name}.{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup")
    try:
        _require_ours(source)
        _require_free(goal, source)
        return _copy(source, goal)
    except FileExistsError as error:
        raise DatabaseError(f"{goal} exists already; name a file that does not") from error
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(
            f"cannot copy the database {source} to {goal}: {_cause(error)}; "
            "check that the disk has room and can be written. No copy was kept"
        ) from error


def copy_pages(source: Path, target: Path) -> None:
    """Fill `target` with all that one moment had in the SQLite file `source`. Raises sqlite3.Error."""
    with closing(_reader(source)) as reader, closing(sqlite3.connect(target)) as copy:
        reader.backup(copy)


def _copy(source: Path, goal: Path) -> Backup:
    with _scratch(goal) as part:
        copy_pages(source, part)
        revision, brackets, orders = _look_through(part, source)
        # What has no modes, a FAT stick, keeps what it has.
        with suppress(PermissionError):
            shutil.copymode(source, part)
        _sync(part)
        _put_in_place(part, goal)
    with suppress(OSError):  # not every file system syncs a folder
        _sync(goal.parent)
    return Backup(goal, goal.stat().st_size, revision, brackets, orders)


def _file(url: URL) -> Path:
    if url.get_backend_name() != "sqlite":
        raise DatabaseError(f"a PostgreSQL database is copied by its own tool, while it runs: {_pg_dump(url)}")
    if url.database in {None, "", ":memory:"}:
        raise DatabaseError("a database in memory cannot be copied to a file; set DATABASE_URL to a file's")
    return Path(str(url.database))


def _pg_dump(url: URL) -> str:
    """Host and name only. A password with an @ in it reads as part of the host: what stands before is cut off."""
    parts = {"host": (url.host or "").rpartition("@")[2], "dbname": url.database}
    options = " ".join(f"--{name}={shlex.quote(value)}" for name, value in parts.items() if value)
    return f"pg_dump --format=custom --file=zyn.backup {options}".rstrip()


def _require_ours(source: Path) -> None:
    if not source.is_file():
        raise DatabaseError(f"there is no database {source}; check DATABASE_URL")
    try:
        with closing(_reader(source)) as reader:
            ours = _revision(reader) is not None
    except sqlite3.Error as error:
        raise DatabaseError(
            f"cannot read the database {source}: {error}; check DATABASE_URL and that the file is a database"
        ) from error
    if not ours:
        raise DatabaseError(f"{source} is no database of Zyn's; check DATABASE_URL")


def _require_free(goal: Path, source: Path) -> None:
    if not goal.parent.is_dir():
        raise DatabaseError(f"there is no folder {goal.parent}; make it first")
    if os.path.lexists(goal):
        raise FileExistsError
    database = source.resolve()
    if goal.resolve() in {database.with_name(database.name + ending) for ending in _TAKEN_NAMES}:
        raise DatabaseError(f"{goal} is a name that Zyn and SQLite use themselves; name another file")


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing and creates nothing.

    Not mode=ro: the last one of those to leave cannot clear away the -wal and -shm that it needed.
    """
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _revision(connection: sqlite3.Connection) -> str | None:
    """The schema's revision; None where the tables are not ours."""
    tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables >= _OUR_TABLES:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _look_through(part: Path, source: Path) -> tuple[str, int, int]:
    """Revision, brackets and orders of a copy, checked page by page. Raises DatabaseError where it is not whole."""
    # Immutable, so that the check leaves no -wal and -shm of its own; nobody else knows this file.
    with closing(sqlite3.connect(f"{part.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        try:
            verdict = str(copy.execute("PRAGMA integrity_check(1)").fetchone()[0])
            revision = _revision(copy)
            brackets, orders = (
                int(copy.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608 - names of ours
                for table in ("bracket", "orders")
            )
        except sqlite3.DatabaseError as error:
            verdict, revision, brackets, orders = str(error), None, 0, 0
    if verdict != "ok" or revision is None:
        raise DatabaseError(f"the database {source} is damaged, no copy was kept: {' '.join(verdict.split())}")
    return revision, brackets, orders


@contextmanager
def _scratch(goal: Path) -> Iterator[Path]:
    """An empty file beside `goal` that only this user can read; gone at the end, whatever happened."""
    handle, name = tempfile.mkstemp(prefix=f"{goal.name}.", suffix=".part", dir=goal.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
    finally:
        for path in (part, part.with_name(part.name + "-journal")):
            path.unlink(missing_ok=True)


def _put_in_place(part: Path, goal: Path) -> None:
    """Give the file its name, at once and over nobody's. Raises FileExistsError."""
    try:
        # A rename would replace a file that came meanwhile; a second name does not.
        goal.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network drives know one name for a file.
        if os.path.lexists(goal):
            raise FileExistsError from None
        part.rename(goal)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cause(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
