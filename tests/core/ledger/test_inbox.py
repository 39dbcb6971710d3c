"""The inbox knows each message once, and how far it had come when the process died."""

from dataclasses import replace

from core.ledger.inbox import Inbox, Message, Progress
from storage.database import Database
from tests.core.ledger.samples import AT, later

HELLO = Message("telegram:7", 7, "telegram:42", "telegram:42", "buy 0.04 ZEC", AT, later(1))


def test_a_message_is_taken_once(database: Database) -> None:
    assert Inbox(database).take(HELLO)
    assert not Inbox(database).take(HELLO)
    assert not Inbox(database).take(replace(HELLO, text="another text, the same update"))
    assert Inbox(database).in_progress("telegram") == [HELLO]


def test_its_progress_outlives_the_process_until_it_is_answered(database: Database) -> None:
    inbox = Inbox(database)
    inbox.take(HELLO)
    inbox.begin("telegram:7")
    assert [one.progress for one in Inbox(database).in_progress("telegram")] == [Progress.BEGUN]
    inbox.finish("telegram:7", '{"parts": []}')
    [done] = Inbox(database).in_progress("telegram")
    assert (done.progress, done.reply) == (Progress.DONE, '{"parts": []}')
    inbox.answered(["telegram:7"])
    assert Inbox(database).in_progress("telegram") == []
    assert not inbox.take(HELLO), "answered is not forgotten"


def test_several_messages_may_share_one_answer(database: Database) -> None:
    inbox = Inbox(database)
    for number in (9, 7, 8):
        inbox.take(replace(HELLO, id=f"telegram:{number}", place=number))
    assert [one.place for one in inbox.in_progress("telegram")] == [7, 8, 9]
    inbox.finish("telegram:7", "{}", ["telegram:8", "telegram:9"])
    assert [one.id for one in inbox.in_progress("telegram")] == ["telegram:7"]


def test_each_face_sees_its_own_messages(database: Database) -> None:
    inbox = Inbox(database)
    inbox.take(HELLO)
    inbox.take(replace(HELLO, id="discord:1", chat="discord:1"))
    assert [one.id for one in inbox.in_progress("telegram")] == ["telegram:7"]
    assert inbox.in_progress("tele") == []


def test_only_what_is_answered_and_old_is_forgotten(database: Database) -> None:
    inbox = Inbox(database)
    for number, at in ((1, later(0)), (2, later(0)), (3, later(100))):
        inbox.take(replace(HELLO, id=f"telegram:{number}", place=number, taken_at=at))
    inbox.answered(["telegram:1", "telegram:3"])
    assert inbox.forget(later(50)) == 1
    assert [one.place for one in inbox.in_progress("telegram")] == [2]
    assert not inbox.take(replace(HELLO, id="telegram:3")), "young ones are known still"
