"""The inbox of the faces: what was said, taken down before it is acknowledged, and the answer until it is delivered.

A message is *received* when it waits, *begun* when it is being answered, *done* when its answer waits for delivery,
and *answered* in the end. After a crash the state says how far it had come; nothing is ever executed from here.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.ledger import rows
from storage.database import Database


class Progress(StrEnum):
    """How far a message has come."""

    RECEIVED = "received"
    BEGUN = "begun"
    DONE = "done"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `place` orders those of a face; `reply` is the answer as the face wrote it down."""

    id: str
    place: int
    chat: str
    user: str
    text: str
    said_at: datetime | None
    taken_at: datetime
    progress: Progress = Progress.RECEIVED
    reply: str | None = None


class Inbox:
    """The inbox of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, message: Message) -> bool:
        """Take a message down for good. False for one that was taken before."""
        values = {
            "id": message.id,
            "place": message.place,
            "chat": message.chat,
            "user": message.user,
            "text": message.text,
            "said_at": message.said_at,
            "at": message.taken_at,
            "state": message.progress.value,
            "reply": message.reply,
        }
        try:
            with self._database.transaction() as connection:
                connection.execute(insert(rows.INBOX), [values])
        except IntegrityError:
            return False
        return True

    def begin(self, name: str) -> None:
        """From here on it may have been executed."""
        self._set([name], state=Progress.BEGUN.value)

    def finish(self, name: str, reply: str, others: Collection[str] = ()) -> None:
        """Its answer is `reply`, and waits for delivery. `others` are answered with it."""
        with self._database.transaction() as connection:
            table = rows.INBOX
            done = {"state": Progress.DONE.value, "reply": reply}
            connection.execute(update(table).where(table.c.id == name).values(**done))
            if others:
                later = update(table).where(table.c.id.in_(list(others)))
                connection.execute(later.values(state=Progress.ANSWERED.value))

    def answered(self, names: Iterable[str]) -> None:
        """Their answers were delivered, or can never be; they are kept no longer, since some carry a picture."""
        self._set(list(names), state=Progress.ANSWERED.value, reply=None)

    def in_progress(self, face: str) -> list[Message]:
        """Messages of one face that are not answered yet, in the order in which they came."""
        table = rows.INBOX
        unanswered = [state.value for state in Progress if state is not Progress.ANSWERED]
        query = select(table).where(table.c.state.in_(unanswered), table.c.chat.startswith(face + ":", autoescape=True))
        with self._database.transaction() as connection:
            found = connection.execute(query.order_by(table.c.place)).all()
        return [
            Message(
                row.id, row.place, row.chat, row.user, row.text, row.said_at, row.at, Progress(row.state), row.reply
            )
            for row in found
        ]

    def forget(self, before: datetime) -> int:
        """Drop answered messages taken before this moment. Returns how many. Telegram repeats nothing after a day."""
        table = rows.INBOX
        old = delete(table).where(table.c.state == Progress.ANSWERED.value, table.c.at < before)
        with self._database.transaction() as connection:
            return int(connection.execute(old).rowcount)

    def _set(self, names: list[str], **values: str | None) -> None:
        table = rows.INBOX
        with self._database.transaction() as connection:
            connection.execute(update(table).where(table.c.id.in_(names)).values(**values))
