"""The paper venue's books in the database: what memory shows is what is stored, whatever fails."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select

from core.domain.market import Print
from core.domain.orders import Side
from core.domain.venue import VenueState
from core.exchange.books import PaperOrder, PaperRefusalError
from core.exchange.matching import Friction
from core.ledger.paper import PaperLedger
from storage.database import Database
from storage.tables import metadata
from tests.core.exchange.paper_samples import AT, FREE, SYMBOL, ZEC, book, later, order, quote, trade

D = Decimal
TABLES = ("paper_order", "paper_fill", "paper_balance", "paper_cursor")
State = tuple[dict[str, Decimal], list[PaperOrder], dict[str, object]]


def opened(database: Database, friction: Friction = FREE) -> PaperLedger:
    ledger = PaperLedger(database, friction, start_asset="USD", start_balance=D(1000))
    ledger.load()
    return ledger


@pytest.fixture
def paper(database: Database) -> PaperLedger:
    return opened(database)


def state(ledger: PaperLedger) -> State:
    return dict(ledger.books.balances), ledger.books.open_orders(), dict(ledger.cursors)


def append(ledger: PaperLedger, one: PaperOrder, last: str = "100") -> PaperOrder:
    return ledger.append_order_atomic(one, ZEC, quote(last), None, AT)


def move_market(ledger: PaperLedger, one: Print) -> None:
    ledger.books.on_print(one, ZEC, caught_up=False)
    ledger.move_cursor(SYMBOL, one.at)


def count(database: Database, table: str) -> int:
    with database.transaction() as connection:
        chosen = metadata.tables[table]
        return int(connection.execute(select(func.count()).select_from(chosen)).scalar_one())


def failing(database: Database, statement_start: str) -> Callable[[], None]:
    """Let statements that begin like this fail; what is returned ends that."""

    def fail(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(statement_start):
            raise OSError("the database is gone")

    event.listen(database.engine, "before_cursor_execute", fail)
    return lambda: event.remove(database.engine, "before_cursor_execute", fail)


def test_a_new_account_starts_once_with_its_balance(paper: PaperLedger, database: Database) -> None:
    assert paper.books.balances == {"USD": D(1000)}
    again = PaperLedger(database, FREE, start_asset="EUR", start_balance=D(5))
    again.load()
    assert again.books.balances == {"USD": D(1000)}


def test_every_field_of_an_order_comes_back(paper: PaperLedger, database: Database) -> None:
    append(paper, order("1", Side.BUY, "5"))
    append(paper, replace(order("2", Side.SELL, "5", stop="90", group="zy00000001")))
    append(paper, order("3", Side.SELL, "5", limit="110", group="zy00000001"))
    append(paper, order("4", Side.BUY, "1", limit="80"))
    move_market(paper, trade("111", "2"))
    move_market(paper, trade("85", "1", seconds=2))
    paper.save()
    assert state(opened(database)) == state(paper)
    assert [one.triggered for one in paper.books.open_orders()] == [True, False, False]


def test_the_order_its_fills_and_the_balances_are_saved_together(paper: PaperLedger, database: Database) -> None:
    depth = book({}, {"100": "1", "101": "4"})
    placed = paper.append_order_atomic(order("1", Side.BUY, "2"), ZEC, quote("100"), depth, AT)
    assert (placed.shown.venue_id, placed.shown.state) == ("PX-000001", VenueState.CLOSED)
    assert [count(database, table) for table in TABLES] == [1, 2, 2, 1]
    assert opened(database).books.balances == {"USD": D(799), "ZEC": D(2)}


def test_the_journal_is_empty_after_a_save(paper: PaperLedger) -> None:
    append(paper, order("1", Side.BUY, "1", limit="80"))
    assert not paper.books.journal


def test_numbers_go_on_after_a_restart(paper: PaperLedger, database: Database) -> None:
    append(paper, order("1", Side.BUY, "1", limit="80"))
    append(paper, order("2", Side.BUY, "1"))
    assert append(opened(database), order("3", Side.BUY, "1")).shown.venue_id == "PX-000003"


def test_a_refused_order_leaves_no_trace_and_takes_no_number(paper: PaperLedger, database: Database) -> None:
    before = state(paper)
    with pytest.raises(PaperRefusalError):
        append(paper, order("1", Side.BUY, "1000"))
    assert state(paper) == before == state(opened(database))
    assert count(database, "paper_order") == 0
    assert append(paper, order("1", Side.BUY, "1")).shown.venue_id == "PX-000001"


@pytest.mark.parametrize("table", TABLES)
def test_an_order_whose_save_fails_anywhere_was_never_there(paper: PaperLedger, database: Database, table: str) -> None:
    before = state(paper)
    heal = failing(database, f"INSERT INTO {table} ")
    with pytest.raises(OSError, match="the database is gone"):
        append(paper, order("1", Side.BUY, "1"))
    heal()
    assert state(paper) == before == state(opened(database))
    assert [count(database, table) for table in ("paper_order", "paper_fill")] == [0, 0]
    assert append(paper, order("1", Side.BUY, "1")).shown.venue_id == "PX-000001"


def test_a_fill_whose_save_fails_did_not_happen(paper: PaperLedger, database: Database) -> None:
    append(paper, order("1", Side.BUY, "1", limit="80"))
    before = state(paper)
    move_market(paper, trade("70"))
    heal = failing(database, "INSERT INTO paper_fill ")
    with pytest.raises(OSError, match="the database is gone"):
        paper.save()
    heal()
    assert state(paper) == before == state(opened(database))


def test_an_order_is_not_remembered_when_even_the_reload_after_its_failed_save_fails(
    paper: PaperLedger, database: Database
) -> None:
    heal = failing(database, "")
    with pytest.raises(OSError, match="the database is gone"):
        append(paper, order("1", Side.BUY, "1", limit="80"))
    heal()
    paper.save()
    assert paper.books.open_orders() == []
    assert count(database, "paper_order") == 0


def test_orders_come_back_oldest_first_also_when_an_older_one_was_amended(
    paper: PaperLedger, database: Database
) -> None:
    for name in ("1", "2", "3"):
        append(paper, order(name, Side.BUY, "1", limit="80"))
    paper.books.amend("1", ZEC, D(2), D(80), None, quote("100"), None, later(1))
    paper.save()
    assert state(opened(database)) == state(paper)


def test_orders_are_found_by_their_names_open_or_not(paper: PaperLedger) -> None:
    append(paper, order("1", Side.BUY, "1"))
    append(paper, order("2", Side.BUY, "1", limit="80"))
    found = {one.shown.client_id: one.shown.state for one in paper.find(["1", "2", "9"])}
    assert found == {"1": VenueState.CLOSED, "2": VenueState.OPEN}
    assert paper.find([]) == []


def test_a_cursor_starts_where_a_symbols_first_order_was_placed_and_stays_for_the_next(paper: PaperLedger) -> None:
    append(paper, order("1", Side.BUY, "1", limit="80"))
    paper.append_order_atomic(order("2", Side.BUY, "1", limit="80"), ZEC, quote("100"), None, later(60))
    assert paper.cursors == {SYMBOL: AT}


def test_a_cursor_jumps_ahead_when_nothing_rests(paper: PaperLedger, database: Database) -> None:
    append(paper, order("1", Side.BUY, "1", limit="80"))
    paper.books.cancel("1")
    paper.save()
    paper.append_order_atomic(order("2", Side.BUY, "1", limit="80"), ZEC, quote("100"), None, later(3600))
    assert opened(database).cursors == {SYMBOL: later(3600)}
