"""One trading process per database, tried with a second process."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database, DatabaseError, open_database
from storage.lock import _ADVISORY_KEY, DatabaseBusyError, ProcessLock

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from storage.database import open_database
from storage.lock import ProcessLock
lock = ProcessLock(open_database(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock; a line to it makes it release, a second one makes it end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert heard(process) == "held"
            yield process
        finally:
            process.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def wait_for_the_server(database: Database) -> None:
    """Block until the server has given the dead session's lock back; its lock_timeout ends a wait in vain."""
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})


@pytest.fixture
def lock_on() -> Iterator[Callable[[str], ProcessLock]]:
    """Locks of this process, each with a database connection of its own, given back at the end."""
    made: list[tuple[ProcessLock, Database]] = []

    def make(url: str) -> ProcessLock:
        database = open_database(url)
        made.append((ProcessLock(database), database))
        return made[-1][0]

    yield make
    for lock, database in made:
        lock.release()
        database.close()


LockOn = Callable[[str], ProcessLock]


def test_a_second_process_is_refused_on_either_engine(database_url: str, lock_on: LockOn) -> None:
    with holder(database_url), pytest.raises(DatabaseBusyError, match=r"another Zyn.*'zyn shell'"):
        lock_on(database_url).acquire()


def test_the_refusal_on_sqlite_names_the_process_that_holds_the_lock(tmp_path: Path, lock_on: LockOn) -> None:
    url = f"sqlite:///{tmp_path / 'zyn.db'}"
    with holder(url) as process, pytest.raises(DatabaseBusyError, match=rf"\(process {process.pid}\)"):
        lock_on(url).acquire()


def test_a_killed_holder_leaves_no_lock_behind(empty_database: Database, database_url: str, lock_on: LockOn) -> None:
    with holder(database_url) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    if not empty_database.is_sqlite:
        wait_for_the_server(empty_database)
    lock_on(database_url).acquire()


def test_a_released_lock_can_be_taken_while_its_former_holder_lives(database_url: str, lock_on: LockOn) -> None:
    with holder(database_url) as process:
        tell(process)
        assert heard(process) == "released"
        lock_on(database_url).acquire()


def test_a_second_lock_in_the_same_process_is_refused_until_the_first_is_released(
    database_url: str, lock_on: LockOn
) -> None:
    first, second = lock_on(database_url), lock_on(database_url)
    first.acquire()
    with pytest.raises(DatabaseBusyError):
        second.acquire()
    first.release()
    second.acquire()


def test_a_database_under_two_names_has_one_lock(tmp_path: Path, lock_on: LockOn) -> None:
    (tmp_path / "zyn.db").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link.db").symlink_to(tmp_path / "zyn.db")
    with holder(f"sqlite:///{tmp_path / 'zyn.db'}"), pytest.raises(DatabaseBusyError):
        lock_on(f"sqlite:///{tmp_path / 'other' / 'link.db'}").acquire()


def test_a_lock_file_that_cannot_be_written_is_told_in_words(tmp_path: Path, lock_on: LockOn) -> None:
    (tmp_path / "zyn.db.lock").mkdir()
    with pytest.raises(DatabaseError, match=r"cannot write the lock file .*zyn\.db\.lock"):
        lock_on(f"sqlite:///{tmp_path / 'zyn.db'}").acquire()


def test_the_advisory_lock_survives_other_work_on_the_same_pool(postgres_url: str, lock_on: LockOn) -> None:
    database = open_database(postgres_url)
    lock = ProcessLock(database)
    lock.acquire()
    for _ in range(3):
        with database.transaction() as connection:
            connection.exec_driver_sql("SELECT 1")
    with pytest.raises(DatabaseBusyError):
        lock_on(postgres_url).acquire()
    lock.release()
    database.close()
