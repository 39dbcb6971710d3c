"""Small things that outlive the process: choices, instruments, the outbox, the conversation."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.domain.modes import Mode
from core.exchange.matching import Friction
from core.ledger.ledger import Ledger
from core.ledger.paper import PaperLedger
from core.ledger.store import Store
from core.market.builtin import builtin_instruments
from storage.database import Database
from tests.core.ledger.samples import AT, bracket, filled, later, news, order, saved_as


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


def test_a_setting_is_none_until_it_is_put_and_then_the_last_one_put(store: Store) -> None:
    assert store.get("mode") is None
    store.put("mode", "PAPER")
    store.put("mode", "LIVE")
    assert store.get("mode") == "LIVE"


def test_instruments_come_back_exactly_and_a_new_reading_replaces_all_of_them(store: Store) -> None:
    known = builtin_instruments()
    store.put_instruments(known, AT)
    assert store.instruments() == known
    fewer = {"ZEC/USD": replace(known["ZEC/USD"], order_min=Decimal("0.02"), status="post_only")}
    store.put_instruments(fewer, later(1))
    assert store.instruments() == fewer


def test_alerts_wait_in_order_until_they_are_marked(store: Store, database: Database) -> None:
    Ledger(database, Mode.PAPER).save((), [news(text) for text in ("one", "two", "three")])
    waiting = store.waiting_alerts()
    assert [alert.text for alert in waiting] == ["one", "two", "three"]
    assert (waiting[0].kind, waiting[0].mode, waiting[0].at) == ("entry_filled", "PAPER", AT)
    store.mark_alerts([waiting[0].id], "delivered")
    store.mark_alerts([waiting[1].id], "refused")
    assert [alert.text for alert in store.waiting_alerts()] == ["three"]
    assert store.waiting_count() == 1


def test_only_the_oldest_waiting_alerts_are_read_when_there_are_many(store: Store, database: Database) -> None:
    Ledger(database, Mode.PAPER).save((), [news(str(number)) for number in range(60)])
    assert [alert.text for alert in store.waiting_alerts(limit=3)] == ["0", "1", "2"]
    assert store.waiting_count() == 60


def test_marking_no_alert_marks_none(store: Store, database: Database) -> None:
    Ledger(database, Mode.PAPER).save((), [news("one")])
    store.mark_alerts([], "delivered")
    assert store.waiting_count() == 1


def test_a_conversation_is_kept_per_user_and_its_end_is_read_oldest_first(store: Store) -> None:
    for number in range(5):
        store.say("jimmy", "user", f"j{number}", AT)
        store.say("console", "assistant", f"c{number}", AT)
    assert store.said("jimmy", 2) == [("user", "j3"), ("user", "j4")]
    assert store.said("nobody", 2) == []


def test_text_of_any_script_and_length_is_kept(store: Store) -> None:
    text = "Zyn, köp 0,04 ZEC 🚀\n" * 2000
    store.say("jimmy", "user", text, AT)
    assert store.said("jimmy", 1) == [("user", text)]


def test_an_empty_database_knows_no_moment(store: Store) -> None:
    assert store.latest_moment() is None


def test_the_latest_moment_is_the_newest_of_all_books(store: Store, database: Database) -> None:
    ledger = Ledger(database, Mode.PAPER)
    one = bracket()
    ledger.save([saved_as(bracket(), replace(one, cancel_entry=True))])
    assert store.latest_moment() == one.created_at
    traded = replace(one, orders=(filled(order(one, 1), later(30)),))
    ledger.save([saved_as(one, traded)])
    assert store.latest_moment() == later(30)
    paper = PaperLedger(database, Friction(), start_asset="USD", start_balance=Decimal(10))
    paper.load()
    paper.move_cursor("ZEC/USD", AT + timedelta(hours=1))
    paper.save()
    assert store.latest_moment() == AT + timedelta(hours=1)
