"""The ledger of one mode: what is saved comes back, and what fails is forgotten."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from core.domain.brackets import Bracket
from core.domain.modes import Mode
from core.domain.orders import Fill, Order, OrderState, Role
from core.ledger.ledger import Ledger
from core.ledger.store import Store
from storage.database import Database
from tests.core.ledger.samples import (
    AT,
    bracket,
    closed,
    filled,
    full_bracket,
    later,
    news,
    order,
    saved_as,
)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Mode.PAPER)


def save(ledger: Ledger, *brackets: Bracket) -> None:
    ledger.save([saved_as(replace(one, orders=(), state=one.state), one, news("x")) for one in brackets])


def test_a_sample_bracket_has_no_field_left_at_its_default() -> None:
    empty, full = bracket(), closed(full_bracket())
    same = [one.name for one in fields(empty) if getattr(empty, one.name) == getattr(full, one.name)]
    assert set(same) <= {"id", "mode", "symbol", "source", "created_at", "quantity", "stop", "target", "leave"}


def test_an_unfinished_bracket_comes_back_whole(ledger: Ledger, database: Database) -> None:
    one = full_bracket()
    save(ledger, one)
    assert Ledger(database, Mode.PAPER).unfinished() == (one,)


def test_a_closed_bracket_comes_back_by_its_id_and_not_among_the_unfinished(ledger: Ledger, database: Database) -> None:
    one = closed(full_bracket())
    save(ledger, one)
    again = Ledger(database, Mode.PAPER)
    assert (again.bracket(one.id), again.unfinished()) == (one, ())


def test_a_bracket_that_nobody_saved_is_none(ledger: Ledger) -> None:
    assert ledger.bracket("zy99999999") is None


def test_memory_and_database_agree_after_every_step_of_a_life(ledger: Ledger, database: Database) -> None:
    ledger.unfinished()
    steps = [bracket()]
    entry = order(steps[0], 1)
    steps.append(replace(steps[-1], orders=(entry,)))
    entry = filled(entry, later(1), quantity="0.015")
    steps.append(replace(steps[-1], orders=(entry,)))
    stop = replace(order(steps[0], 2, Role.STOP), trigger_price=Decimal("506.88"))
    steps.append(replace(steps[-1], orders=(filled(entry, later(2)), stop)))
    steps.append(closed(replace(steps[-1], orders=(steps[-1].orders[0], filled(stop, later(3), "506.70")))))
    for before, after in pairwise(steps):
        ledger.save([saved_as(before, after)])
        again = Ledger(database, Mode.PAPER)
        assert ledger.unfinished() == again.unfinished()
        assert again.bracket(after.id) == after


def test_a_bracket_with_more_than_nine_orders_keeps_their_order(ledger: Ledger, database: Database) -> None:
    one = bracket()
    one = replace(one, orders=tuple(order(one, number, Role.STOP) for number in range(1, 13)))
    save(ledger, one)
    assert Ledger(database, Mode.PAPER).unfinished() == (one,)


def test_fills_of_one_moment_keep_their_order(ledger: Ledger, database: Database) -> None:
    one = bracket()
    entry = order(one, 1)
    for _ in range(12):
        entry = filled(entry, AT, quantity="0.003")
    one = replace(one, orders=(entry,))
    save(ledger, one)
    assert Ledger(database, Mode.PAPER).unfinished() == (one,)


def test_unfinished_brackets_come_oldest_first_and_of_one_coin_when_asked(ledger: Ledger, database: Database) -> None:
    save(ledger, bracket(3), bracket(1), bracket(2, "ETH/USD"))
    again = Ledger(database, Mode.PAPER)
    assert [one.id[-1] for one in again.unfinished()] == ["1", "2", "3"]
    assert [one.id[-1] for one in again.unfinished("ZEC")] == ["1", "3"]


def test_a_ledger_shows_nothing_of_the_other_mode(ledger: Ledger, database: Database) -> None:
    one = bracket(mode=Mode.LIVE)
    one = replace(one, orders=(filled(order(one, 1), AT),))
    save(Ledger(database, Mode.LIVE), one)
    assert ledger.unfinished() == ()
    assert ledger.executed() == []
    assert ledger.find_order(one.orders[0].client_id) is None
    assert ledger.bracket(one.id) is None


def test_both_modes_may_book_a_fill_of_the_same_name(ledger: Ledger, database: Database) -> None:
    live = Ledger(database, Mode.LIVE)
    for number, (books, mode) in enumerate(((ledger, Mode.PAPER), (live, Mode.LIVE)), 1):
        one = bracket(number, mode=mode)
        entry = order(one, 1)
        fill = Fill("OABC-1:0.04", entry.client_id, Decimal(5), Decimal("0.04"), Decimal("0.2"), Decimal(0), AT)
        save(books, replace(one, orders=(replace(entry, filled=fill.quantity, fills=(fill,)),)))
    assert [len(one.orders[0].fills) for one in (*ledger.unfinished(), *live.unfinished())] == [1, 1]


def test_only_orders_that_traded_are_executed_in_the_order_of_their_fills(ledger: Ledger) -> None:
    one, other = bracket(1), bracket(2, "ETH/USD")
    waiting = order(one, 2, Role.STOP, OrderState.OPEN)
    held = order(one, 3, Role.TARGET, OrderState.HELD)
    refused = order(other, 2, Role.STOP, OrderState.REJECTED)
    partly = replace(filled(order(other, 3, Role.EXIT), later(4), quantity="0.01"), state=OrderState.CANCELED)
    one = replace(one, orders=(filled(order(one, 1), later(9)), waiting, held))
    other = replace(other, orders=(filled(order(other, 1), later(2)), refused, partly))
    save(ledger, one, other)
    executed = ledger.executed()
    assert [found.order for found in executed] == [other.orders[0], partly, one.orders[0]]
    assert [found.bracket for found in executed] == [other, other, one]
    assert [found.order for found in ledger.executed(symbol="ETH/USD")] == [other.orders[0], partly]
    assert [found.order for found in ledger.executed(since=later(4))] == [partly, one.orders[0]]
    assert [found.order for found in ledger.executed(limit=1)] == [one.orders[0]]


def test_orders_that_traded_in_one_moment_are_shown_in_the_order_they_were_made(ledger: Ledger) -> None:
    one = bracket()
    one = replace(one, orders=tuple(filled(order(one, number, Role.EXIT), AT) for number in range(1, 12)))
    save(ledger, one)
    assert [found.order.client_id for found in ledger.executed()] == [made.client_id for made in one.orders]


def test_an_order_is_found_by_either_of_its_names(ledger: Ledger) -> None:
    one = full_bracket()
    save(ledger, one)
    assert ledger.find_order("PX-000002") == (one, one.orders[1])
    assert ledger.find_order(one.orders[2].client_id) == (one, one.orders[2])
    assert ledger.find_order("PX-999999") is None


def test_alerts_are_saved_with_the_decision_that_made_them(ledger: Ledger, database: Database) -> None:
    ledger.save([saved_as(bracket(), bracket(), news("first"))], [news("before it")])
    ledger.save((), [news("alone")])
    assert [alert.text for alert in Store(database).waiting_alerts()] == ["before it", "first", "alone"]


def failing(database: Database, table: str) -> Callable[[], None]:
    """Let every insert into `table` fail; what is returned ends that."""

    def fail(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(f"INSERT INTO {table} "):
            raise OSError("no space left on device")

    event.listen(database.engine, "before_cursor_execute", fail)
    return lambda: event.remove(database.engine, "before_cursor_execute", fail)


@pytest.mark.parametrize("table", ["bracket", "orders", "fill", "alert"])
def test_a_save_that_fails_anywhere_leaves_nothing_and_is_forgotten(
    ledger: Ledger, database: Database, table: str
) -> None:
    save(ledger, bracket(1))
    known = ledger.unfinished()
    one = full_bracket(2)
    heal = failing(database, table)
    with pytest.raises(OSError, match="no space left"):
        save(ledger, one)
    heal()
    assert ledger.unfinished() == known
    assert Ledger(database, Mode.PAPER).bracket(one.id) is None
    assert Store(database).waiting_count() == 1


def test_a_fill_cannot_be_booked_twice(ledger: Ledger) -> None:
    one = bracket()
    bare, traded = order(one, 1), filled(order(one, 1), AT)
    before, after = replace(one, orders=(bare,)), replace(one, orders=(traded,))
    ledger.save([saved_as(before, after)])
    with pytest.raises(IntegrityError):
        ledger.save([saved_as(before, after)])
    assert ledger.unfinished() == (after,)


def test_saving_what_did_not_change_writes_nothing(ledger: Ledger, database: Database) -> None:
    one = full_bracket()
    save(ledger, one)
    statements: list[str] = []

    def listen(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    ledger.save([saved_as(one, one)])
    event.remove(database.engine, "before_cursor_execute", listen)
    assert statements == []


def test_a_reason_longer_than_its_column_is_cut_and_saved(ledger: Ledger, database: Database) -> None:
    one = bracket()
    wordy: Order = replace(order(one, 1), reason="E" * 4000)
    save(ledger, replace(one, orders=(wordy,)))
    assert Ledger(database, Mode.PAPER).unfinished()[0].orders[0].reason == "E" * 255
