"""What each chat has been told."""

from core.domain.modes import Mode
from core.ledger.chats import Chats, Told
from core.ledger.ledger import Ledger
from core.ledger.store import Store
from storage.database import Database
from tests.core.ledger.samples import AT, news


def test_a_new_chat_begins_with_what_nobody_has_heard_yet(database: Database) -> None:
    chats, store = Chats(database), Store(database)
    assert chats.of("telegram:1") == Told(0)
    Ledger(database, Mode.PAPER).save((), [news(text) for text in ("one", "two", "three")])
    first, second, _ = store.waiting_alerts()
    store.mark_alerts_up_to(first.id)
    assert chats.of("telegram:1") == Told(first.id)
    assert [alert.text for alert in store.alerts_after(chats.of("telegram:1").told)] == ["two", "three"]
    store.mark_alerts_up_to(second.id + 1)
    assert store.alerts_after(chats.of("telegram:1").told) == [], "nothing waits, so nothing old is told"


def test_a_chat_keeps_its_place_and_its_block(database: Database) -> None:
    Chats(database).put("telegram:1", Told(17))
    assert Chats(database).of("telegram:1") == Told(17)
    Chats(database).put("telegram:1", Told(17, AT))
    assert Chats(database).of("telegram:1") == Told(17, AT)
    assert Chats(database).of("telegram:2") == Told(0)


def test_a_count_counts_and_an_alert_of_a_day_is_found_again(database: Database) -> None:
    store = Store(database)
    assert [store.increment("claims"), store.increment("claims")] == [1, 2]
    assert not store.has_alert("entry_filled", "PAPER", "zy0000001")
    Ledger(database, Mode.PAPER).save((), [news("one")])
    [alert] = store.waiting_alerts()
    assert store.has_alert(alert.kind, "PAPER", news("one").bracket_id)
    assert not store.has_alert(alert.kind, "LIVE", news("one").bracket_id)
