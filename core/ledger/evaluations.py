"""The evaluation log: what the autopilot saw and decided, one row for each mode, symbol and candle."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from core.domain.modes import Mode
from core.ledger import rows
from core.risk.gates import Gate
from core.strategy.evaluation import Came, Evaluation
from core.strategy.words import Decision, Filter, Reason, Regime, Vote
from storage.database import Database

_KEY = ("mode", "symbol", "interval_s", "at")


class Evaluations:
    """All modes' rows of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, found: Sequence[Evaluation]) -> list[Evaluation]:
        """Write these, in one transaction. What comes back are those that nobody had written before: ours to act on."""
        if not found:
            return []
        table = rows.EVALUATIONS
        with self._database.transaction() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
            claim = insert.on_conflict_do_nothing(index_elements=list(_KEY)).returning(table.c.symbol, table.c.at)
            return [one for one in found if connection.execute(claim, _values(one)).first() is not None]

    def settle(self, ended: Evaluation) -> None:
        """Write what came of one that was claimed."""
        table = rows.EVALUATIONS
        values = _values(ended)
        where = [table.c[name] == values[name] for name in _KEY]
        with self._database.transaction() as connection:
            connection.execute(
                update(table)
                .where(*where)
                .values({name: values[name] for name in ("came", "gate", "text", "bracket_id")})
            )

    def newest(self, mode: Mode, interval_s: int, symbols: Collection[str]) -> dict[str, datetime]:
        """The open time of the last candle that each of these symbols was evaluated for."""
        table = rows.EVALUATIONS
        where = (table.c.mode == mode.value, table.c.interval_s == interval_s, table.c.symbol.in_(list(symbols)))
        query = select(table.c.symbol, func.max(table.c.at).label("at")).where(*where).group_by(table.c.symbol)
        with self._database.transaction() as connection:
            return {str(row.symbol): row.at for row in connection.execute(query)}

    def last(self, mode: Mode, symbol: str | None = None, limit: int = 20, *, acted: bool = False) -> list[Evaluation]:
        """The latest rows, newest first; `acted`: only those of which something came, or was stopped."""
        table = rows.EVALUATIONS
        query = select(table).where(table.c.mode == mode.value)
        if symbol is not None:
            query = query.where(table.c.symbol == symbol)
        if acted:
            query = query.where(table.c.came.not_in([Came.NOTHING.value, Came.MISSED.value]))
        with self._database.transaction() as connection:
            found = connection.execute(query.order_by(table.c.at.desc(), table.c.symbol).limit(limit)).all()
        return [_evaluation(row) for row in found]

    def of_bracket(self, mode: Mode, bracket_id: str) -> list[Evaluation]:
        """Those that a bracket came from, or was ended by, oldest first."""
        table = rows.EVALUATIONS
        query = select(table).where(table.c.mode == mode.value, table.c.bracket_id == bracket_id).order_by(table.c.at)
        with self._database.transaction() as connection:
            return [_evaluation(row) for row in connection.execute(query)]

    def begun(self, mode: Mode) -> list[Evaluation]:
        """Those of which nobody wrote what came of them: a process ended in between."""
        table = rows.EVALUATIONS
        query = select(table).where(table.c.mode == mode.value, table.c.came == Came.BEGUN.value).order_by(table.c.at)
        with self._database.transaction() as connection:
            return [_evaluation(row) for row in connection.execute(query)]

    def prune(self, before: datetime) -> int:
        """Delete what is older and led to no trade. Returns how many rows went."""
        table = rows.EVALUATIONS
        with self._database.transaction() as connection:
            gone = connection.execute(delete(table).where(table.c.at < before, table.c.bracket_id == ""))
        return int(gone.rowcount)


def _values(one: Evaluation) -> dict[str, Any]:
    return {
        "mode": one.mode.value, "symbol": one.symbol, "interval_s": one.interval_s, "at": one.at,
        "evaluated_at": one.evaluated_at, "decision": one.decision.value, "reason": one.reason.value,
        "came": one.came.value, "close": one.close, "regime": one.regime.value,
        "figures": json.dumps(dict(one.figures or {})),
        "votes": json.dumps(
            {name.value: [vote.value, (one.said or {}).get(name, "")] for name, vote in (one.votes or {}).items()}
        ),
        "holding": one.holding, "gate": one.gate.value if one.gate else None, "text": one.text,
        "bracket_id": one.bracket_id,
    }  # fmt: skip


def _evaluation(row: Row[Any]) -> Evaluation:
    votes = json.loads(row.votes)
    return Evaluation(
        mode=Mode(row.mode),
        symbol=row.symbol,
        interval_s=row.interval_s,
        at=row.at,
        evaluated_at=row.evaluated_at,
        decision=Decision(row.decision),
        reason=Reason(row.reason),
        came=Came(row.came),
        close=row.close,
        regime=Regime(row.regime),
        figures=json.loads(row.figures),
        votes={Filter(name): Vote(vote) for name, (vote, _) in votes.items()},
        said={Filter(name): said for name, (_, said) in votes.items()},
        holding=row.holding,
        gate=Gate(row.gate) if row.gate else None,
        text=row.text,
        bracket_id=row.bracket_id,
    )
