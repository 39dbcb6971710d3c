"""Shared fixtures: a database on each engine, recorded data read in place, and one way for hypothesis to be random.

PostgreSQL tests run where TEST_POSTGRES_URL names a server on which databases may be created. Each test process gets
a database of its own there (advisory locks are per database), and each test finds it empty.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

from storage.database import Database, open_database
from storage.migrate import migrate
from tests.rig import START

POSTGRES_VARIABLE = "TEST_POSTGRES_URL"
RECORDINGS = Path(__file__).resolve().parents[1].parent / "shared" / "data"

# The same examples in every run; ZYN_EXPLORE=1 looks for new ones and prints what reproduces a failure.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True, max_examples=1000)
hypothesis.settings.load_profile("explore" if os.environ.get("ZYN_EXPLORE") else "fixed")


@pytest.fixture
def recording() -> Callable[[str], Path]:
    """Finds a file of recorded data below ../shared/data; the test is skipped, naming it, where it is absent."""

    def find(name: str) -> Path:
        path = RECORDINGS / name
        if not path.exists():
            pytest.skip(f"the recording {path} is absent")
        return path

    return find


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[URL]:
    """A database of this test process on the server of TEST_POSTGRES_URL, dropped at the end."""
    given = os.environ.get(POSTGRES_VARIABLE)
    if not given:
        pytest.skip(f"{POSTGRES_VARIABLE} is not set")
    server = make_url(given).set(drivername="postgresql+psycopg")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"{server.database}_{worker}_{os.getpid()}"
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield server.set(database=name)
    _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_url(postgres_database: URL) -> str:
    """The URL of an empty PostgreSQL database."""
    _administer(postgres_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return postgres_database.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: a SQLite file, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'zyn.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def empty_database(database_url: str) -> Iterator[Database]:
    """An open database without tables, on each engine."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """An open database with the present schema, on each engine."""
    migrate(empty_database, START)
    return empty_database


def _administer(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
