"""Column types: what goes in comes out, and what would be a lie is refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from storage.database import Database
from storage.tables import metadata
from storage.types import UtcTime

BALANCES = metadata.tables["paper_balance"]
CURSORS = metadata.tables["paper_cursor"]
on_one_database = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def stored_decimal(database: Database, value: Any) -> Any:
    with database.transaction() as connection:
        connection.execute(BALANCES.delete())
        connection.execute(insert(BALANCES), [{"asset": "USD", "total": value}])
    with database.transaction() as connection:
        return connection.execute(select(BALANCES.c.total)).scalar_one()


def stored_time(database: Database, value: Any) -> Any:
    with database.transaction() as connection:
        connection.execute(CURSORS.delete())
        connection.execute(insert(CURSORS), [{"symbol": "ZEC/USD", "until": value}])
    with database.transaction() as connection:
        return connection.execute(select(CURSORS.c.until)).scalar_one()


@pytest.mark.parametrize(
    "text",
    ["0.1", "0", "-0.1", "1E-18", "123456789012345678901234567890", "0.1234567890123456789012345678", "1E+20", "0.10"],
)
def test_a_decimal_comes_back_exactly_as_it_was_stored(database: Database, text: str) -> None:
    back = stored_decimal(database, Decimal(text))
    assert isinstance(back, Decimal)
    assert back == Decimal(text)


def test_the_decimal_in_the_database_is_readable_text_without_an_exponent(database: Database) -> None:
    stored_decimal(database, Decimal("1E-18"))
    with database.transaction() as connection:
        raw = connection.exec_driver_sql("SELECT total FROM paper_balance").scalar_one()
    assert raw == "0.000000000000000001"


@on_one_database
@given(value=st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False, places=18))
def test_no_decimal_of_eighteen_places_changes_on_its_way_through(database: Database, value: Decimal) -> None:
    assert stored_decimal(database, value) == value


@pytest.mark.parametrize("value", [0.1, 1, "1.5", Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_what_is_not_a_finite_decimal_is_refused(database: Database, value: object) -> None:
    with pytest.raises(StatementError, match="expected a finite Decimal"):
        stored_decimal(database, value)


def test_text_that_is_no_decimal_is_named_when_it_is_read(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO paper_balance (asset, total) VALUES ('USD', 'ten')")
    with database.transaction() as connection, pytest.raises(ValueError, match="'ten' where a decimal should be"):
        connection.execute(select(BALANCES.c.total)).scalar_one()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 20, 23, 30, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_an_aware_time_comes_back_as_the_same_moment_in_utc(database: Database, moment: datetime) -> None:
    back = stored_time(database, moment)
    assert back == moment
    assert back.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="expected an aware time"):
        stored_time(database, datetime(2026, 11, 20, 12, 0))  # noqa: DTZ001 - that is what is refused


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(min_value=0, max_value=10**16).map(lambda micros: EPOCH + timedelta(microseconds=micros))


@given(left=moments, right=moments)
def test_the_order_of_stored_times_as_text_is_their_order_in_time(left: datetime, right: datetime) -> None:
    kind, dialect = UtcTime(), sqlite.dialect()
    texts = [str(kind.process_bind_param(moment, dialect)) for moment in (left, right)]
    assert (texts[0] < texts[1]) is (left < right)
