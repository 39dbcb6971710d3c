"""Opening a database and its one kind of transaction."""

import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from storage.database import Database, DatabaseError, open_database, parse_url

THREADS = 3
ROUNDS = 100
ROOT = Path(__file__).resolve().parents[2]


def put(connection: Connection, value: int) -> None:
    connection.exec_driver_sql(f"UPDATE setting SET value = '{value}' WHERE key = 'n'")


def get(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT value FROM setting WHERE key = 'n'").scalar_one())


@pytest.fixture
def counter(database: Database) -> Database:
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO setting (key, value) VALUES ('n', '0')")
    return database


def test_an_error_in_a_transaction_takes_back_all_of_it(counter: Database) -> None:
    def work() -> None:
        with counter.transaction() as connection:
            put(connection, 7)
            connection.exec_driver_sql("INSERT INTO setting (key, value) VALUES ('other', 'x')")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        work()
    with counter.transaction() as connection:
        assert get(connection) == 0
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM setting").scalar_one() == 1


def test_a_refused_statement_takes_back_the_ones_before_it(counter: Database) -> None:
    def work() -> None:
        with counter.transaction() as connection:
            put(connection, 7)
            connection.exec_driver_sql("INSERT INTO setting (key, value) VALUES ('n', 'twice')")

    with pytest.raises(IntegrityError):
        work()
    with counter.transaction() as connection:
        assert get(connection) == 0


def test_three_threads_that_read_and_write_lose_no_increment_on_sqlite(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'zyn.db'}")
    with database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT)")
        connection.exec_driver_sql("INSERT INTO setting (key, value) VALUES ('n', '0')")
    together = threading.Barrier(THREADS)
    troubles: list[Exception] = []

    def count_up() -> None:
        together.wait()
        try:
            for _ in range(ROUNDS):
                with database.transaction() as connection:
                    put(connection, get(connection) + 1)
        except Exception as error:  # noqa: BLE001 - a thread's failure is the test's
            troubles.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as connection:
        assert (troubles, get(connection)) == ([], THREADS * ROUNDS)
    database.close()


def test_sqlite_keeps_a_write_ahead_log_syncs_fully_and_checks_foreign_keys(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'zyn.db'}")
    with database.transaction() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert found == ["wal", 2, 1]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'new' / 'deep' / 'zyn.db'}").close()
    assert (tmp_path / "new" / "deep" / "zyn.db").exists()


def test_a_file_that_is_no_database_is_refused_in_words_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "zyn.db"
    path.write_bytes(b"these are my holiday pictures " * 500)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match=r"cannot use the database .*zyn\.db.*file is not a database"):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_folder_below_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(DatabaseError, match=r"cannot (make the folder|use the database) .*data"):
        open_database(f"sqlite:///{tmp_path / 'data' / 'zyn.db'}")


def test_a_database_path_that_is_a_folder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="unable to open database file"):
        open_database(f"sqlite:///{tmp_path}")


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that a user without rights can read and not write, with a database of ours in it."""
    folder = Path(tempfile.mkdtemp(prefix="zyn-"))
    open_database(f"sqlite:///{folder / 'zyn.db'}").close()
    (folder / "zyn.db").chmod(0o444)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


WITHOUT_RIGHTS = """
import os, sys
from storage.database import DatabaseError, open_database
open_database("sqlite://").close()  # imports what it needs while it may
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    open_database(sys.argv[1])
except DatabaseError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["zyn.db", "new.db", "below/new.db"])
def test_a_folder_that_cannot_be_written_is_refused_in_words(read_only_folder: Path, name: str) -> None:
    path = read_only_folder / name
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RIGHTS, f"sqlite:///{path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot" in done.stdout, done
    assert str(path.parent) in done.stdout


@pytest.mark.parametrize(
    "url",
    [
        "mysql://zyn:s3cret@host/zyn",
        "postgresql://zyn:s3cret@127.0.0.1:1/zyn",
        "postgresql://zyn:s3cret@[::1/zyn",
        "postgresql://zyn:s3cret@host:port/zyn",
        "zyn:s3cret@host",
        "://zyn:s3cret@host/zyn",
    ],
)
def test_no_refusal_of_a_url_repeats_its_password(url: str) -> None:
    with pytest.raises(DatabaseError) as refusal:
        open_database(url)
    assert "s3cret" not in str(refusal.value)
    assert "DATABASE_URL" in str(refusal.value)


def test_a_database_does_not_print_its_password() -> None:
    database = Database.__new__(Database)
    database.url = parse_url("postgresql://zyn:s3cret@host/zyn")
    assert repr(database) == "Database(postgresql+psycopg://zyn:***@host/zyn)"


@pytest.mark.parametrize("name", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_uses_the_driver_that_is_installed(name: str) -> None:
    assert parse_url(f"{name}://zyn@host/zyn").drivername == "postgresql+psycopg"


def test_options_in_a_postgresql_url_count_beside_our_own(postgres_url: str) -> None:
    database = open_database(f"{postgres_url}?options=-csearch_path%3Delsewhere")
    with database.transaction() as connection:
        path = connection.exec_driver_sql("SHOW search_path").scalar_one()
        timeout = connection.exec_driver_sql("SHOW statement_timeout").scalar_one()
    database.close()
    assert (path, timeout) == ("elsewhere", "10s")


def test_a_postgresql_statement_that_hangs_ends_by_itself(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with database.transaction() as connection:
        limits = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in ("statement_timeout", "lock_timeout")
        ]
    database.close()
    assert limits == ["10s", "5s"]
