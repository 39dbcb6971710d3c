"""The first schema: ledger, paper books, outbox, conversation, settings, instruments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _alert()
    _bracket()
    _conversation()
    _inbox()
    _instrument()
    _paper_balance()
    _paper_cursor()
    _paper_order()
    _setting()
    _orders()
    _paper_fill()
    _fill()


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("bracket_id", sa.String(18), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_index("ix_alert_state_id", "alert", ["state", "id"])


def _bracket() -> None:
    op.create_table(
        "bracket",
        sa.Column("id", sa.String(18), primary_key=True, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("entry_type", sa.String(16), nullable=False),
        sa.Column("limit_price", sa.String(64), nullable=True),
        sa.Column("stop_value", sa.String(64), nullable=False),
        sa.Column("stop_unit", sa.String(8), nullable=False),
        sa.Column("stop_is_default", sa.Boolean(), nullable=False),
        sa.Column("target_value", sa.String(64), nullable=False),
        sa.Column("target_unit", sa.String(8), nullable=False),
        sa.Column("target_is_default", sa.Boolean(), nullable=False),
        sa.Column("atr", sa.String(64), nullable=True),
        sa.Column("stop_price", sa.String(64), nullable=True),
        sa.Column("target_price", sa.String(64), nullable=True),
        sa.Column("risk_per_unit", sa.String(64), nullable=True),
        sa.Column("leave_quantity", sa.String(64), nullable=True),
        sa.Column("leave_reason", sa.String(24), nullable=True),
        sa.Column("leave_sold_before", sa.String(64), nullable=True),
        sa.Column("leave_asked_at", sa.String(32), nullable=True),
        sa.Column("cancel_entry", sa.Boolean(), nullable=False),
        sa.Column("target_held", sa.Boolean(), nullable=False),
        sa.Column("unprotected_since", sa.String(32), nullable=True),
        sa.Column("unprotected_s", sa.Float(), nullable=False),
        sa.Column("protect_failures", sa.Integer(), nullable=False),
        sa.Column("protect_retry_at", sa.String(32), nullable=True),
        sa.Column("target_failures", sa.Integer(), nullable=False),
        sa.Column("target_retry_at", sa.String(32), nullable=True),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("close_reason", sa.String(24), nullable=True),
        sa.Column("result_quote", sa.String(64), nullable=True),
        sa.Column("result_r", sa.String(64), nullable=True),
    )
    op.create_index("ix_bracket_created_at", "bracket", ["created_at"])
    op.create_index("ix_bracket_mode_state", "bracket", ["mode", "state"])
    op.create_index("ix_bracket_symbol", "bracket", ["symbol"])


def _conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_conversation_user", "conversation", ["user"])


def _inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(40), primary_key=True, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )


def _instrument() -> None:
    op.create_table(
        "instrument",
        sa.Column("symbol", sa.String(24), primary_key=True, nullable=False),
        sa.Column("venue_name", sa.String(32), nullable=False),
        sa.Column("tick_size", sa.String(64), nullable=False),
        sa.Column("lot_size", sa.String(64), nullable=False),
        sa.Column("order_min", sa.String(64), nullable=False),
        sa.Column("cost_min", sa.String(64), nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("read_at", sa.String(32), nullable=False),
    )


def _paper_balance() -> None:
    op.create_table(
        "paper_balance",
        sa.Column("asset", sa.String(16), primary_key=True, nullable=False),
        sa.Column("total", sa.String(64), nullable=False),
    )


def _paper_cursor() -> None:
    op.create_table(
        "paper_cursor",
        sa.Column("symbol", sa.String(24), primary_key=True, nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
    )


def _paper_order() -> None:
    op.create_table(
        "paper_order",
        sa.Column("venue_id", sa.String(32), primary_key=True, nullable=False),
        sa.Column("client_id", sa.String(24), nullable=True),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("time_in_force", sa.String(4), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("limit_price", sa.String(64), nullable=True),
        sa.Column("trigger_price", sa.String(64), nullable=True),
        sa.Column("filled", sa.String(64), nullable=False),
        sa.Column("cost", sa.String(64), nullable=False),
        sa.Column("fee", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("group_id", sa.String(24), nullable=True),
        sa.Column("triggered", sa.Boolean(), nullable=False),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("filled_at", sa.String(32), nullable=True),
    )
    op.create_index("ix_paper_order_client_id", "paper_order", ["client_id"])
    op.create_index("ix_paper_order_state", "paper_order", ["state"])


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("key", sa.String(64), primary_key=True, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("client_id", sa.String(24), primary_key=True, nullable=False),
        sa.Column("bracket_id", sa.String(18), sa.ForeignKey("bracket.id"), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("side", sa.String(4), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("time_in_force", sa.String(4), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("limit_price", sa.String(64), nullable=True),
        sa.Column("trigger_price", sa.String(64), nullable=True),
        sa.Column("venue_id", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("deadline", sa.String(32), nullable=False),
        sa.Column("filled", sa.String(64), nullable=False),
        sa.Column("cost", sa.String(64), nullable=False),
        sa.Column("fee", sa.String(64), nullable=False),
        sa.Column("filled_at", sa.String(32), nullable=True),
        sa.Column("missing_since", sa.String(32), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("spawned", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
    )
    op.create_index("ix_orders_bracket_id", "orders", ["bracket_id"])
    op.create_index("ix_orders_mode_filled_at", "orders", ["mode", "filled_at"])
    op.create_index("ix_orders_venue_id", "orders", ["venue_id"])


def _paper_fill() -> None:
    op.create_table(
        "paper_fill",
        sa.Column("id", sa.String(80), primary_key=True, nullable=False),
        sa.Column("venue_id", sa.String(32), sa.ForeignKey("paper_order.venue_id"), nullable=False),
        sa.Column("price", sa.String(64), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("cost", sa.String(64), nullable=False),
        sa.Column("fee", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_paper_fill_venue_id", "paper_fill", ["venue_id"])


def _fill() -> None:
    op.create_table(
        "fill",
        sa.Column("id", sa.String(80), primary_key=True, nullable=False),
        sa.Column("mode", sa.String(8), primary_key=True, nullable=False),
        sa.Column("order_id", sa.String(24), sa.ForeignKey("orders.client_id"), nullable=False),
        sa.Column("price", sa.String(64), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("cost", sa.String(64), nullable=False),
        sa.Column("fee", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("caught_up", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_fill_at", "fill", ["at"])
    op.create_index("ix_fill_order_id", "fill", ["order_id"])
