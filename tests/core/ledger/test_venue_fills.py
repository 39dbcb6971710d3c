"""The venue's own executions, kept as they were told, on each engine."""

from dataclasses import replace
from decimal import Decimal

from core.domain.modes import Mode
from core.domain.venue import VenueFill
from core.ledger.ledger import Ledger
from core.ledger.venue_fills import VenueFills
from storage.database import Database
from tests.core.ledger.samples import AT, later

FILL = VenueFill(
    "TABC", "OABC", "ZEC/USD", Decimal("512.0100"), Decimal("0.04000001"), Decimal("20.480405120100000001"),
    Decimal("0.0819216"), AT,
)  # fmt: skip


def test_an_execution_comes_back_with_every_digit(database: Database) -> None:
    fills = VenueFills(database, Mode.LIVE)
    fills.keep([FILL])
    [found] = fills.of(["OABC"])
    assert found == FILL
    assert format(found.cost, "f") == "20.480405120100000001"


def test_what_the_venue_says_later_of_the_same_execution_wins(database: Database) -> None:
    fills = VenueFills(database, Mode.LIVE)
    fills.keep([FILL])
    fills.keep([replace(FILL, fee=Decimal("0.09")), replace(FILL, id="TDEF", at=later(5))])
    assert [(one.id, one.fee) for one in fills.of(["OABC"])] == [
        ("TABC", Decimal("0.09")), ("TDEF", Decimal("0.0819216")),
    ]  # fmt: skip


def test_they_come_oldest_first_and_only_those_of_the_orders_that_are_asked_for(database: Database) -> None:
    fills = VenueFills(database, Mode.LIVE)
    others = [replace(FILL, id=f"T{n}", venue_id=f"O{n % 2}", at=later(-n)) for n in range(6)]
    fills.keep(others)
    assert [one.id for one in fills.of(["O1", "O9"])] == ["T5", "T3", "T1"]
    assert len(fills.of(["O0", "O1"])) == 6
    assert fills.of([]) == []


def test_each_mode_has_its_own(database: Database) -> None:
    Ledger(database, Mode.LIVE).venue_fills.keep([FILL])
    assert Ledger(database, Mode.PAPER).venue_fills.of(["OABC"]) == []
    Ledger(database, Mode.PAPER).venue_fills.keep([replace(FILL, fee=Decimal(1))])
    assert Ledger(database, Mode.LIVE).venue_fills.of(["OABC"]) == [FILL]


def test_nothing_to_keep_touches_nothing(database: Database) -> None:
    VenueFills(database, Mode.LIVE).keep([])
    assert VenueFills(database, Mode.LIVE).of(["OABC"]) == []
