"""The tables. Rows only: what they mean lives in core, and one corner of core turns rows into values."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, String, Text, text
from sqlmodel import Field, SQLModel

from storage.types import ExactDecimal, UtcTime


def _decimal(*, nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(ExactDecimal(), nullable=nullable))


def _time(*, nullable: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcTime(), nullable=nullable, index=index))


def _float() -> Any:
    return Field(default=None, sa_column=Column(Double(), nullable=False))


class SettingRow(SQLModel, table=True):
    """One stored choice or fact of the house: the active mode, the market stamp, the market clock."""

    __tablename__ = "setting"
    key: str = Field(primary_key=True, max_length=64)
    value: str = Field(sa_column=Column(Text, nullable=False))


class BracketRow(SQLModel, table=True):
    """One intent and how it went. Fields as in `core.domain.brackets.Bracket`."""

    __tablename__ = "bracket"
    __table_args__ = (
        Index("ix_bracket_mode_state", "mode", "state"),
        Index("ix_bracket_mode_closed_at", "mode", "closed_at"),
    )
    id: str = Field(primary_key=True, max_length=18)
    mode: str = Field(max_length=8)
    symbol: str = Field(max_length=24, index=True)
    source: str = Field(max_length=16)
    state: str = Field(max_length=16)
    created_at: datetime = _time(index=True)
    quantity: Decimal = _decimal()
    entry_type: str = Field(max_length=16)
    limit_price: Decimal | None = _decimal(nullable=True)
    stop_value: Decimal = _decimal()
    stop_unit: str = Field(max_length=8)
    stop_is_default: bool = False
    target_value: Decimal = _decimal()
    target_unit: str = Field(max_length=8)
    target_is_default: bool = False
    atr: Decimal | None = _decimal(nullable=True)
    stop_price: Decimal | None = _decimal(nullable=True)
    target_price: Decimal | None = _decimal(nullable=True)
    risk_per_unit: Decimal | None = _decimal(nullable=True)
    leave_quantity: Decimal | None = _decimal(nullable=True)
    leave_reason: str | None = Field(default=None, max_length=24)
    leave_sold_before: Decimal | None = _decimal(nullable=True)
    leave_asked_at: datetime | None = _time(nullable=True)
    cancel_entry: bool = False
    target_held: bool = False
    unprotected_since: datetime | None = _time(nullable=True)
    unprotected_s: float = 0.0
    protect_failures: int = 0
    protect_retry_at: datetime | None = _time(nullable=True)
    target_failures: int = 0
    target_retry_at: datetime | None = _time(nullable=True)
    closed_at: datetime | None = _time(nullable=True)
    close_reason: str | None = Field(default=None, max_length=24)
    result_quote: Decimal | None = _decimal(nullable=True)
    result_r: Decimal | None = _decimal(nullable=True)
    gone: Decimal = Field(default=None, sa_column=Column(ExactDecimal(), nullable=False, server_default="0"))
    trail_value: Decimal | None = _decimal(nullable=True)
    trail_unit: str | None = Field(default=None, max_length=8)
    trail_high: Decimal | None = _decimal(nullable=True)


class OrderRow(SQLModel, table=True):
    """One order of ours, from before it was sent. Fields as in `core.domain.orders.Order`."""

    __tablename__ = "orders"
    __table_args__ = (Index("ix_orders_mode_filled_at", "mode", "filled_at"),)
    client_id: str = Field(primary_key=True, max_length=24)
    bracket_id: str = Field(sa_column=Column(String(18), ForeignKey("bracket.id"), nullable=False, index=True))
    mode: str = Field(max_length=8)
    symbol: str = Field(max_length=24)
    role: str = Field(max_length=8)
    side: str = Field(max_length=4)
    type: str = Field(max_length=16)
    state: str = Field(max_length=16)
    time_in_force: str = Field(max_length=4)
    quantity: Decimal = _decimal()
    limit_price: Decimal | None = _decimal(nullable=True)
    trigger_price: Decimal | None = _decimal(nullable=True)
    venue_id: str | None = Field(default=None, max_length=32, index=True)
    created_at: datetime = _time()
    deadline: datetime = _time()
    filled: Decimal = _decimal()
    cost: Decimal = _decimal()
    fee: Decimal = _decimal()
    filled_at: datetime | None = _time(nullable=True)
    missing_since: datetime | None = _time(nullable=True)
    cancel_asked: bool = False
    spawned: Decimal = _decimal()
    base_fee: Decimal = Field(default=None, sa_column=Column(ExactDecimal(), nullable=False, server_default="0"))
    amended_at: datetime | None = _time(nullable=True)
    former_quantity: Decimal | None = _decimal(nullable=True)
    former_price: Decimal | None = _decimal(nullable=True)
    triggered_at: datetime | None = _time(nullable=True)
    reason: str = Field(default="", max_length=255)


class FillRow(SQLModel, table=True):
    """One execution of an order of ours, as the venue told it. The key makes booking it twice impossible."""

    __tablename__ = "fill"
    id: str = Field(primary_key=True, max_length=80)
    mode: str = Field(primary_key=True, max_length=8)
    order_id: str = Field(sa_column=Column(String(24), ForeignKey("orders.client_id"), nullable=False, index=True))
    price: Decimal = _decimal()
    quantity: Decimal = _decimal()
    cost: Decimal = _decimal()
    fee: Decimal = _decimal()
    at: datetime = _time(index=True)
    caught_up: bool = False


class VenueFillRow(SQLModel, table=True):
    """One execution as the venue's own books have it, kept beside ours so that the two can be compared."""

    __tablename__ = "venue_fill"
    id: str = Field(primary_key=True, max_length=40)
    mode: str = Field(primary_key=True, max_length=8)
    venue_id: str = Field(max_length=32, index=True)
    symbol: str = Field(max_length=24)
    price: Decimal = _decimal()
    quantity: Decimal = _decimal()
    cost: Decimal = _decimal()
    fee: Decimal = _decimal()
    at: datetime = _time()


class EvaluationRow(SQLModel, table=True):
    """One look of the autopilot at one candle. Fields as in `core.strategy.evaluation.Evaluation`; the key makes a
    second look at the same candle impossible.
    """

    __tablename__ = "evaluation"
    mode: str = Field(primary_key=True, max_length=8)
    symbol: str = Field(primary_key=True, max_length=24)
    interval_s: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_column=Column(UtcTime(), primary_key=True, nullable=False, index=True))
    evaluated_at: datetime = _time()
    decision: str = Field(max_length=12)
    reason: str = Field(max_length=24)
    came: str = Field(max_length=12)
    close: float | None = None
    regime: str = Field(max_length=12)
    figures: str = Field(sa_column=Column(Text, nullable=False))
    votes: str = Field(sa_column=Column(Text, nullable=False))
    holding: str = Field(max_length=64)
    gate: str | None = Field(default=None, max_length=16)
    text: str = Field(sa_column=Column(Text, nullable=False))
    bracket_id: str = Field(max_length=32, index=True)


class AlertRow(SQLModel, table=True):
    """The outbox: one piece of news, saved with the decision that made it, delivered in order."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_state_id", "state", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    mode: str = Field(max_length=8)
    kind: str = Field(max_length=24)
    at: datetime = _time()
    text: str = Field(sa_column=Column(Text, nullable=False))
    symbol: str = Field(default="", max_length=24)
    bracket_id: str = Field(default="", max_length=18)
    state: str = Field(default="waiting", max_length=12)
    attempts: int = 0


class IncidentRow(SQLModel, table=True):
    """A promise of our own that was broken, with everything known of the bracket. Until cleared, entries are halted."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_mode_cleared_at", "mode", "cleared_at"),)
    id: int | None = Field(default=None, primary_key=True)
    mode: str = Field(max_length=8)
    at: datetime = _time()
    promise: str = Field(max_length=32)
    bracket_id: str = Field(max_length=18)
    detail: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    cleared_at: datetime | None = _time(nullable=True)


class ConversationRow(SQLModel, table=True):
    """What was said, by whom, for the model's window."""

    __tablename__ = "conversation"
    id: int | None = Field(default=None, primary_key=True)
    user: str = Field(max_length=40, index=True)
    role: str = Field(max_length=12)
    text: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = _time()


class InboxRow(SQLModel, table=True):
    """A message that a face has taken, so that the same one is never executed twice, and the answer to it.

    `chat` is where the answer goes, `user` who asked, `text` what he said, `said_at` when; `reply` is the answer as
    JSON from the moment on that there is one.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_state_chat", "state", "chat"),)
    id: str = Field(primary_key=True, max_length=40)
    state: str = Field(max_length=12)
    at: datetime = _time()
    place: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    chat: str = Field(default="", sa_column=Column(String(40), nullable=False, server_default=text("''")))
    user: str = Field(default="", sa_column=Column(String(40), nullable=False, server_default=text("''")))
    text: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=text("''")))
    said_at: datetime | None = _time(nullable=True)
    reply: str | None = Field(default=None, sa_column=Column(Text, nullable=True))


class ChatRow(SQLModel, table=True):
    """A chat that gets alerts: up to which one it has them, and since when it takes none."""

    __tablename__ = "chat"
    id: str = Field(primary_key=True, max_length=40)
    told: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    blocked_at: datetime | None = _time(nullable=True)


class ProposalRow(SQLModel, table=True):
    """Something that waits for a person to confirm it: the exact command, for whom, and until when."""

    __tablename__ = "proposal"
    __table_args__ = (Index("ix_proposal_user_state", "user", "state"),)
    code: str = Field(primary_key=True, max_length=12)
    user: str = Field(max_length=40)
    mode: str = Field(max_length=8)
    command: str = Field(max_length=32)
    arguments: str = Field(sa_column=Column(Text, nullable=False))
    prices: str = Field(sa_column=Column(Text, nullable=False))
    about: str = Field(sa_column=Column(Text, nullable=False))
    author: str = Field(max_length=12)
    state: str = Field(max_length=12)
    asked_at: datetime = _time()
    expires_at: datetime = _time()


class InstrumentRow(SQLModel, table=True):
    """An instrument as the venue described it, with the date of that description."""

    __tablename__ = "instrument"
    symbol: str = Field(primary_key=True, max_length=24)
    venue_name: str = Field(max_length=32)
    tick_size: Decimal = _decimal()
    lot_size: Decimal = _decimal()
    order_min: Decimal = _decimal()
    cost_min: Decimal = _decimal()
    status: str = Field(max_length=24)
    read_at: datetime = _time()


class PaperOrderRow(SQLModel, table=True):
    """An order in the paper venue's own books."""

    __tablename__ = "paper_order"
    __table_args__ = (Index("ix_paper_order_state", "state"), Index("ix_paper_order_group_id", "group_id"))
    venue_id: str = Field(primary_key=True, max_length=32)
    client_id: str | None = Field(default=None, max_length=24, index=True)
    symbol: str = Field(max_length=24)
    side: str = Field(max_length=4)
    type: str = Field(max_length=16)
    time_in_force: str = Field(max_length=4)
    quantity: Decimal = _decimal()
    limit_price: Decimal | None = _decimal(nullable=True)
    trigger_price: Decimal | None = _decimal(nullable=True)
    filled: Decimal = _decimal()
    cost: Decimal = _decimal()
    fee: Decimal = _decimal()
    state: str = Field(max_length=12)
    reason: str = Field(default="", max_length=255)
    group: str | None = Field(default=None, sa_column=Column("group_id", String(24), nullable=True))
    triggered: bool = False
    caught_up: bool = False
    opened_at: datetime = _time()
    filled_at: datetime | None = _time(nullable=True)


class PaperFillRow(SQLModel, table=True):
    """An execution in the paper venue's own books."""

    __tablename__ = "paper_fill"
    id: str = Field(primary_key=True, max_length=80)
    venue_id: str = Field(sa_column=Column(String(32), ForeignKey("paper_order.venue_id"), nullable=False, index=True))
    price: Decimal = _decimal()
    quantity: Decimal = _decimal()
    cost: Decimal = _decimal()
    fee: Decimal = _decimal()
    at: datetime = _time()
    caught_up: bool = False


class PaperBalanceRow(SQLModel, table=True):
    """What the paper account has of one asset."""

    __tablename__ = "paper_balance"
    asset: str = Field(primary_key=True, max_length=16)
    total: Decimal = _decimal()


class PaperCursorRow(SQLModel, table=True):
    """Up to when the paper venue has seen one symbol's market."""

    __tablename__ = "paper_cursor"
    symbol: str = Field(primary_key=True, max_length=24)
    until: datetime = _time()


class CandleRow(SQLModel, table=True):
    """A closed candle of the past, for indicators: floats, never money. `at` is its open in unix seconds.

    A missing row is an interval without trades, or one that nobody has told us of.
    """

    __tablename__ = "candle"
    # Millions of rows that are only ever read along their key: the key is the table.
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}
    symbol: str = Field(primary_key=True, max_length=24)
    interval_s: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    open: float = _float()
    high: float = _float()
    low: float = _float()
    close: float = _float()
    volume: float = _float()
    trades: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))


metadata = SQLModel.metadata
