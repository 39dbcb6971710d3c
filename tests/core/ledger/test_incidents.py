"""Broken promises are kept with their alert until somebody clears them, on each engine."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import SQLAlchemyError

from core.domain.events import Event, EventKind
from core.domain.modes import Mode
from core.ledger.incidents import Incident, Incidents
from core.ledger.store import Store
from storage.database import Database
from tests.core.ledger.samples import AT

INCIDENT = Incident(AT, "one_entry", "zy00000001", "2 entries", "Bracket(...)")
EVENT = Event(EventKind.STATE_CHANGED, Mode.PAPER, AT, "halted")


def test_an_incident_is_found_again_by_another_process_and_only_in_its_mode(database: Database) -> None:
    assert Incidents(database, Mode.PAPER).open() == []
    assert Incidents(database, Mode.PAPER).record(INCIDENT, EVENT)
    assert Incidents(database, Mode.PAPER).open() == [INCIDENT]
    assert Incidents(database, Mode.LIVE).open() == []
    assert [alert.text for alert in Store(database).waiting_alerts()] == ["halted"]


def test_the_same_broken_promise_is_recorded_and_told_once(database: Database) -> None:
    incidents = Incidents(database, Mode.PAPER)
    assert incidents.record(INCIDENT, EVENT)
    assert not incidents.record(replace(INCIDENT, at=AT + timedelta(seconds=5), detail="3 entries"), EVENT)
    assert incidents.record(replace(INCIDENT, bracket_id="zy00000002"), EVENT)
    assert len(incidents.open()) == 2
    assert Store(database).waiting_count() == 2


def test_clearing_tells_how_many_there_were_and_leaves_the_rows(database: Database) -> None:
    incidents = Incidents(database, Mode.PAPER)
    incidents.record(INCIDENT, EVENT)
    assert incidents.clear(AT, EVENT) == 1
    assert incidents.clear(AT, EVENT) == 0
    assert incidents.open() == []
    assert incidents.record(INCIDENT, EVENT)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM incident").scalar_one() == 2


def test_a_write_that_fails_leaves_nothing_remembered(database: Database) -> None:
    incidents = Incidents(database, Mode.PAPER)
    incidents.record(INCIDENT, EVENT)
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE alert")
    with pytest.raises(SQLAlchemyError):
        incidents.record(replace(INCIDENT, bracket_id="zy00000002"), EVENT)
    assert incidents.open() == [INCIDENT]
