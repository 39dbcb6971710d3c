"""Proposals: what waits for a person to confirm it. Each is answered once, by its own user, before it expires."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update

from core.domain.modes import Mode
from core.domain.money import plain
from core.ledger import rows
from storage.database import Database


class Answer(StrEnum):
    """What became of a proposal."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    REPLACED = "replaced"


class Unclaimed(StrEnum):
    """Why an answer to a proposal does not count."""

    NOT_FOUND = "there is nothing to confirm under that code"
    FOREIGN = "only the one who was asked may answer that"
    USED = "that was answered already, and counts once; 'open' shows what there is"
    REPLACED = "that was asked again since; answer the newer question"
    EXPIRED = "that question is too old, and nothing was done; say it again if you still want it"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One exact command at one desk, for one user. `prices` are those that he was shown, `about` what it was about."""

    code: str
    user: str
    mode: Mode
    command: str
    arguments: Mapping[str, Any]
    prices: Mapping[str, Decimal]
    about: Mapping[str, str]
    author: str
    asked_at: datetime
    expires_at: datetime


class Proposals:
    """The proposals of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, proposal: Proposal) -> None:
        """Keep a question. The same question to the same user, still open, is replaced by it."""
        table = rows.PROPOSALS
        values = {
            "code": proposal.code,
            "user": proposal.user,
            "mode": proposal.mode.value,
            "command": proposal.command,
            "arguments": json.dumps(proposal.arguments, sort_keys=True),
            "prices": json.dumps({symbol: plain(price) for symbol, price in proposal.prices.items()}),
            "about": json.dumps(dict(proposal.about), sort_keys=True),
            "author": proposal.author,
            "state": Answer.ASKED.value,
            "asked_at": proposal.asked_at,
            "expires_at": proposal.expires_at,
        }
        same = [table.c[name] == values[name] for name in ("user", "mode", "command", "arguments", "state")]
        with self._database.transaction() as connection:
            connection.execute(update(table).where(*same).values(state=Answer.REPLACED.value))
            connection.execute(insert(table), [values])

    def answer(self, code: str, user: str, answer: Answer, now: datetime) -> Proposal | Unclaimed:
        """Give the one answer that counts, and get what was asked; or why it does not count."""
        table = rows.PROPOSALS
        with self._database.transaction() as connection:
            row = connection.execute(select(table).where(table.c.code == code)).first()
            if row is None:
                return Unclaimed.NOT_FOUND
            if row.user != user:
                return Unclaimed.FOREIGN
            if row.state != Answer.ASKED:
                return Unclaimed.REPLACED if row.state == Answer.REPLACED else Unclaimed.USED
            if not row.asked_at <= now < row.expires_at:
                return Unclaimed.EXPIRED
            taken = connection.execute(
                update(table)
                .where(table.c.code == code, table.c.state == Answer.ASKED.value)
                .values(state=answer.value)
            )
            if taken.rowcount != 1:
                return Unclaimed.USED
        return Proposal(
            code=row.code,
            user=row.user,
            mode=Mode(row.mode),
            command=row.command,
            arguments=json.loads(row.arguments),
            prices={symbol: Decimal(price) for symbol, price in json.loads(row.prices).items()},
            about=json.loads(row.about),
            author=row.author,
            asked_at=row.asked_at,
            expires_at=row.expires_at,
        )
