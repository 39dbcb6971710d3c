"""The backup: one moment of the database, whole, on the disk, over nobody's file; or a reason and nothing else."""

import resource
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

import storage.backup
from storage.backup import back_up
from storage.database import Database, DatabaseError, open_database
from storage.lock import ProcessLock
from storage.migrate import HEAD, migrate

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DEFAULT_NAME = "zyn.db.20261120T120000Z.backup"
COPIES = 20


def put_pair(connection: Connection, name: str) -> None:
    """A bracket and its order, every other column that must have a value with the same one."""
    for table, given in (("bracket", {"id": name}), ("orders", {"client_id": name, "bracket_id": name})):
        columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
        row = {column[1]: "0" for column in columns if column[3]} | given
        marks = ", ".join("?" for _ in row)
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the copies go."""
    made = tmp_path / "copies"
    made.mkdir()
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of ours with one bracket and one order, which nobody has open."""
    path = tmp_path / "data" / "zyn.db"
    database = open_database(f"sqlite:///{path}")
    migrate(database, NOW)
    with database.transaction() as connection:
        put_pair(connection, "A")
    database.close()
    return path


@pytest.fixture
def url(path: Path) -> str:
    """Its URL."""
    return f"sqlite:///{path}"


@pytest.fixture
def running(url: str, path: Path) -> Iterator[Database]:
    """The same database, open and locked as a bot has it."""
    database = open_database(url)
    lock = ProcessLock(database)
    lock.acquire()
    yield database
    lock.release()
    database.close()


def test_a_copy_holds_every_row_and_says_what_it_holds(url: str, path: Path, folder: Path) -> None:
    made = back_up(url, folder / "copy.db", NOW)
    assert (made.path, made.revision, made.brackets, made.orders) == (folder / "copy.db", HEAD, 1, 1)
    assert made.size_bytes == (folder / "copy.db").stat().st_size > 0
    assert dump(folder / "copy.db") == dump(path)


def test_a_copy_is_a_database_that_zyn_starts_on_as_it_is(url: str, folder: Path) -> None:
    made = back_up(url, folder / "copy.db", NOW)
    database = open_database(f"sqlite:///{made.path}")
    assert migrate(database, NOW) is None
    database.close()


def test_without_a_name_the_copy_lies_beside_the_database_with_the_utc_time_in_its_name(url: str, path: Path) -> None:
    made = back_up(url, None, NOW.astimezone(timezone(timedelta(hours=5))))
    assert made.path == path.with_name(DEFAULT_NAME)
    assert made.path.is_file()


def test_nothing_but_the_copy_is_left_beside_a_database_at_rest(url: str, path: Path) -> None:
    before = path.read_bytes()
    back_up(url, None, NOW)
    assert names(path.parent) == ["zyn.db", DEFAULT_NAME]
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_copy_may_be_read_by_those_who_may_read_the_database(url: str, path: Path, mode: int) -> None:
    path.chmod(mode)
    made = back_up(url, None, NOW)
    assert stat.S_IMODE(made.path.stat().st_mode) == mode


def test_a_link_to_the_database_is_followed(url: str, path: Path, folder: Path) -> None:
    link = folder / "linked.db"
    link.symlink_to(path)
    made = back_up(f"sqlite:///{link}", None, NOW)
    assert made.path == folder / "linked.db.20261120T120000Z.backup"
    assert dump(made.path) == dump(path)


def test_signs_that_mean_something_in_a_url_are_only_letters_of_a_path(path: Path, folder: Path) -> None:
    odd = folder / "50%41 of #1"
    odd.mkdir()
    shutil.copy(path, odd / "zyn.db")
    assert back_up(f"sqlite:///{folder}/50%2541 of #1/zyn.db", odd / "file:a#b?c", NOW).orders == 1


# -- while somebody works on it ------------------------------------------------------------------------------------


def test_a_bot_that_holds_the_lock_is_no_hindrance_and_its_last_commit_is_in_the_copy(
    running: Database, url: str
) -> None:
    with running.transaction() as connection:
        put_pair(connection, "B")
    assert back_up(url, None, NOW).brackets == 2


def test_a_transaction_under_way_is_neither_waited_for_nor_copied(running: Database, url: str) -> None:
    with running.transaction() as connection:
        put_pair(connection, "B")
        made = back_up(url, None, NOW)
    assert (made.brackets, made.orders) == (1, 1)
    with running.transaction() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM orders").scalar_one() == 2


def test_what_is_written_meanwhile_is_copied_wholly_or_not_at_all(running: Database, url: str, folder: Path) -> None:
    enough, news = threading.Event(), threading.Semaphore(0)

    def write() -> None:
        for number in count():
            with running.transaction() as connection:
                put_pair(connection, f"B{number}")
            news.release()
            if enough.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    copies = []
    try:
        for number in range(COPIES):
            assert news.acquire(timeout=10)
            copies.append(back_up(url, folder / f"{number}.db", NOW))
    finally:
        enough.set()
        writer.join()
    counts = [copy.brackets for copy in copies]
    assert [copy.orders for copy in copies] == counts
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_what_a_killed_bot_left_in_its_write_ahead_log_is_in_the_copy(
    running: Database, path: Path, folder: Path
) -> None:
    with running.transaction() as connection:
        put_pair(connection, "B")
    for name in ("zyn.db", "zyn.db-wal"):
        shutil.copy(path.with_name(name), folder)
    assert back_up(f"sqlite:///{folder}/zyn.db", None, NOW).orders == 2


# -- what is refused -----------------------------------------------------------------------------------------------


@contextmanager
def refused(match: str, *folders: Path) -> Iterator[None]:
    """The work inside is refused in these words, and the folders have the names that they had."""
    before = [names(folder) for folder in folders]
    with pytest.raises(DatabaseError, match=match):
        yield
    assert [names(folder) for folder in folders] == before


def test_a_file_that_exists_is_not_written_over(url: str, folder: Path) -> None:
    (folder / "copy.db").write_text("dear diary")
    with refused(r"copy\.db exists already; name a file that does not", folder):
        back_up(url, folder / "copy.db", NOW)
    assert (folder / "copy.db").read_text() == "dear diary"


def test_a_folder_and_a_link_to_nowhere_exist_as_well(url: str, path: Path, folder: Path) -> None:
    (folder / "link").symlink_to(folder / "nowhere")
    for target in (folder, folder / "link", path):
        with refused("exists already", folder, path.parent):
            back_up(url, target, NOW)


def test_a_second_copy_of_the_same_second_is_refused(url: str, path: Path) -> None:
    back_up(url, None, NOW)
    with refused("exists already", path.parent):
        back_up(url, None, NOW)


def test_a_folder_that_is_not_there_is_named_and_not_made(url: str, folder: Path) -> None:
    with refused(r"there is no folder .*/copies/new; make it first", folder):
        back_up(url, folder / "new" / "copy.db", NOW)


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal", ".lock", ".sock"])
def test_a_name_that_the_running_bot_would_write_over_is_refused(url: str, path: Path, ending: str) -> None:
    with refused("is a name that Zyn and SQLite use themselves", path.parent):
        back_up(url, path.with_name(f"zyn.db{ending}"), NOW)


def test_a_database_that_does_not_exist_is_refused_and_not_made(folder: Path) -> None:
    with refused(r"there is no database .*zyn\.db; check DATABASE_URL", folder):
        back_up(f"sqlite:///{folder}/zyn.db", None, NOW)
    with refused("there is no database", folder):
        back_up(f"sqlite:///{folder}", folder / "copy.db", NOW)


def test_a_database_in_memory_is_refused(folder: Path) -> None:
    with refused("a database in memory cannot be copied", folder):
        back_up("sqlite://", folder / "copy.db", NOW)


def _holidays(path: Path) -> None:
    path.write_bytes(b"these are my holiday pictures " * 500)


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _recipes(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipe (title TEXT)")


def _without_revision(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in ("bracket", "orders", "alembic_version"):
            connection.execute(f"CREATE TABLE {table} (version_num TEXT)")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_holidays, r"cannot read the database .*strange\.db: file is not a database"),
        (_nothing, r"strange\.db is no database of Zyn's"),
        (_recipes, r"strange\.db is no database of Zyn's"),
        (_without_revision, r"strange\.db is no database of Zyn's"),
    ],
)
def test_a_file_that_is_no_database_of_ours_is_refused(folder: Path, harm: Callable[[Path], None], words: str) -> None:
    harm(folder / "strange.db")
    with refused(words, folder):
        back_up(f"sqlite:///{folder}/strange.db", None, NOW)


@pytest.mark.parametrize("whole", [0.3, 0.95], ids=["most of it", "its end"])
def test_a_damaged_database_is_said_to_be_damaged_and_no_copy_is_kept(url: str, path: Path, whole: float) -> None:
    content = path.read_bytes()
    kept = content[: int(len(content) * whole)]
    path.write_bytes(kept + b"\xa5" * (len(content) - len(kept)))
    with refused(r"zyn\.db(: database disk image is malformed| is damaged, no copy was kept: )", path.parent):
        back_up(url, None, NOW)


@pytest.mark.parametrize("part", [0, 64 * 1024], ids=["nothing fits", "half of it fits"])
def test_a_full_disk_leaves_no_half_file(running: Database, url: str, path: Path, folder: Path, part: int) -> None:
    assert path.stat().st_size > part
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (part, limits[1]))
    try:
        with refused(r"cannot copy .* disk .*check that the disk has room", folder, path.parent):
            back_up(url, folder / "copy.db", NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert back_up(url, folder / "copy.db", NOW).orders == 1


def test_a_folder_that_takes_no_file_is_refused_in_words(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"cannot copy the database .* to /proc/zyn\.backup: "):
        back_up(url, Path("/proc/zyn.backup"), NOW)


# -- places with fewer gifts ---------------------------------------------------------------------------------------


def _cannot(*_: object, **__: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_file_that_comes_meanwhile_is_not_written_over(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder / "copy.db"
    monkeypatch.setattr(storage.backup, "_sync", lambda _path: target.write_text("dear diary"))
    with pytest.raises(DatabaseError, match="exists already"):
        back_up(url, target, NOW)
    monkeypatch.setattr(Path, "hardlink_to", _cannot)
    target.unlink()
    with pytest.raises(DatabaseError, match="exists already"):
        back_up(url, target, NOW)
    assert names(folder) == ["copy.db"]
    assert target.read_text() == "dear diary"


def test_a_stick_that_knows_neither_modes_nor_second_names_takes_a_copy(
    url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", _cannot)
    monkeypatch.setattr(shutil, "copymode", _cannot)
    assert back_up(url, folder / "copy.db", NOW).orders == 1
    assert names(folder) == ["copy.db"]


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("postgresql://zyn:s3cret@db.example:6543/books", "--host=db.example --dbname=books"),
        ("postgres://zyn:s3cret@db.example/books?password=s3cret", "--host=db.example --dbname=books"),
        ("postgresql://zyn:not@s3cret@db.example/books", "--host=db.example --dbname=books"),
        ("postgresql://zyn:s3cret@/books", "--dbname=books"),
        ("postgresql://zyn:s3cret@db.example/my books", "--host=db.example --dbname='my books'"),
    ],
)
def test_a_postgresql_database_is_left_to_pg_dump_with_host_and_name_and_no_password(
    folder: Path, url: str, command: str
) -> None:
    with pytest.raises(DatabaseError) as refusal:
        back_up(url, folder / "copy.db", NOW)
    assert str(refusal.value).endswith(f": pg_dump --format=custom --file=zyn.backup {command}")
    assert "s3cret" not in str(refusal.value)
    assert names(folder) == []
