"""The evaluation log of the autopilot: one row for each symbol and candle."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "evaluation",
        sa.Column("mode", sa.String(8), primary_key=True, nullable=False),
        sa.Column("symbol", sa.String(24), primary_key=True, nullable=False),
        sa.Column("interval_s", sa.Integer(), primary_key=True, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(32), primary_key=True, nullable=False),
        sa.Column("evaluated_at", sa.String(32), nullable=False),
        sa.Column("decision", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("came", sa.String(12), nullable=False),
        sa.Column("close", sa.Float(), nullable=True),
        sa.Column("regime", sa.String(12), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("votes", sa.Text(), nullable=False),
        sa.Column("holding", sa.String(64), nullable=False),
        sa.Column("gate", sa.String(16), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("bracket_id", sa.String(32), nullable=False),
    )
    op.create_index("ix_evaluation_at", "evaluation", ["at"])
    op.create_index("ix_evaluation_bracket_id", "evaluation", ["bracket_id"])
