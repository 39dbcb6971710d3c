"""One trading process per database.

SQLite: an flock on a file beside the database, which the kernel gives back however the process dies. PostgreSQL: a
session-level advisory lock on a connection that is kept for as long as the house stands.
"""

import fcntl
import os
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text

from storage.database import Database, DatabaseError

_ADVISORY_KEY = 0x5A594E


class DatabaseBusyError(DatabaseError):
    """Another trading process has this database."""


class ProcessLock:
    """Held from `acquire` to `release`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None
        self._connection: Connection | None = None

    def acquire(self) -> None:
        """Take the lock. Raises DatabaseBusyError, naming the holder where it can."""
        path = self._database.path
        if path is not None:
            # Two names of one file are one database.
            path = path.resolve()
            self._lock_file(path.with_name(path.name + ".lock"))
        elif not self._database.is_sqlite:
            self._lock_server()

    def release(self) -> None:
        """Give it back."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            # Closing would only lend the session, and the lock with it, to the pool.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _lock_file(self, path: Path) -> None:
        try:
            file = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise DatabaseError(f"cannot write the lock file {path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise DatabaseBusyError(
                f"another Zyn (process {holder}) trades on this database; talk to it with 'zyn shell' or stop it first"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def _lock_server(self) -> None:
        connection = self._database.engine.connect()
        taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}).scalar()
        connection.commit()
        if not taken:
            connection.close()
            raise DatabaseBusyError(
                "another Zyn trades on this PostgreSQL database; talk to it with 'zyn shell' or stop it first"
            )
        self._connection = connection
