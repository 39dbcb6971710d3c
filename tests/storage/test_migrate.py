"""Migrations: to the present schema and no further, with a copy first, or not at all."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect

import storage.migrate
from storage.database import Database, DatabaseError, open_database
from storage.migrate import HEAD, current_revision, migrate
from storage.tables import metadata

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def run(database: Database, *statements: str) -> None:
    with database.transaction() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def tables(database: Database) -> list[str]:
    with database.transaction() as connection:
        return inspect(connection).get_table_names()


def test_head_is_what_alembic_says_it_is() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_empty_database_reaches_head_without_a_backup(empty_database: Database) -> None:
    assert migrate(empty_database, NOW) is None
    assert current_revision(empty_database) == HEAD


def test_the_migrated_schema_is_the_one_that_the_tables_declare(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_at_head_is_left_alone(database: Database) -> None:
    run(database, "INSERT INTO setting (key, value) VALUES ('mode', 'PAPER')")
    assert migrate(database, NOW) is None
    with database.transaction() as connection:
        assert connection.exec_driver_sql("SELECT value FROM setting").scalar_one() == "PAPER"


def test_an_older_sqlite_file_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'zyn.db'}")
    migrate(database, NOW)
    run(database, "INSERT INTO setting (key, value) VALUES ('mode', 'PAPER')")
    copied_first: list[bool] = []

    def upgrade(_database: Database) -> None:
        copied_first.append(any(tmp_path.glob("*.bak")))

    monkeypatch.setattr(storage.migrate, "HEAD", "9998")
    monkeypatch.setattr(storage.migrate, "_upgrade", upgrade)
    backup = migrate(database, NOW)
    database.close()
    assert copied_first == [True]
    assert backup == tmp_path / f"zyn.db.{HEAD}.20261120T120000.bak"
    with sqlite3.connect(backup) as copy:
        assert copy.execute("SELECT key, value FROM setting").fetchall() == [("mode", "PAPER")]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    copy.close()


def test_a_migration_that_fails_halfway_leaves_no_table_behind(empty_database: Database) -> None:
    def break_at_the_last_table(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE fill" in statement:
            raise OSError("the disk is full")

    event.listen(empty_database.engine, "before_cursor_execute", break_at_the_last_table)
    with pytest.raises(DatabaseError, match="cannot bring the database to its present form: the disk is full"):
        migrate(empty_database, NOW)
    event.remove(empty_database.engine, "before_cursor_execute", break_at_the_last_table)
    assert tables(empty_database) == []
    migrate(empty_database, NOW)
    assert current_revision(empty_database) == HEAD


def test_a_backup_that_cannot_be_written_stops_the_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'zyn.db'}")
    migrate(database, NOW)
    monkeypatch.setattr(storage.migrate, "HEAD", "9998")
    monkeypatch.setattr(storage.migrate, "_upgrade", lambda _database: pytest.fail("changed without a copy"))
    (tmp_path / f"zyn.db.{HEAD}.20261120T120000.bak").mkdir()
    with pytest.raises(DatabaseError, match="cannot bring the database to its present form"):
        migrate(database, NOW)
    database.close()


def test_a_newer_schema_is_refused_and_says_to_update(database: Database) -> None:
    run(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match=rf"newer Zyn \(schema 9999, this one knows {HEAD}\): update Zyn"):
        migrate(database, NOW)


def test_a_strangers_database_is_refused_and_left_as_it_is(empty_database: Database) -> None:
    run(empty_database, "CREATE TABLE customers (id INTEGER PRIMARY KEY)")
    with pytest.raises(DatabaseError, match=r"tables of something else \(customers\): use another"):
        migrate(empty_database, NOW)
    assert tables(empty_database) == ["customers"]


@pytest.mark.parametrize("revision", ["3f9ab1c2d4e5", "0001", "0000"])
def test_a_strangers_database_with_revisions_of_its_own_is_called_a_strangers(
    empty_database: Database, revision: str
) -> None:
    run(
        empty_database,
        "CREATE TABLE customers (id INTEGER PRIMARY KEY)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )
    with pytest.raises(DatabaseError, match="something else"):
        migrate(empty_database, NOW)


def test_a_revision_that_nobody_knows_is_refused_in_words(database: Database) -> None:
    run(database, "UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(DatabaseError, match="0000"):
        migrate(database, NOW)


def test_a_damaged_sqlite_file_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "zyn.db"
    database = open_database(f"sqlite:///{path}")
    migrate(database, NOW)
    database.close()
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 20_000)
    with pytest.raises(DatabaseError, match=r"cannot (use the database|bring the database to its present form)"):
        migrate(open_database(f"sqlite:///{path}"), NOW)
