"""Coins that left by another way than our orders, and broken promises with the state that they were found in."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, with nothing gone so far, and the table."""
    op.add_column("bracket", sa.Column("gone", sa.String(64), nullable=False, server_default="0"))
    op.create_index("ix_bracket_mode_closed_at", "bracket", ["mode", "closed_at"])
    op.create_index("ix_paper_order_group_id", "paper_order", ["group_id"])
    op.create_table(
        "incident",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("promise", sa.String(32), nullable=False),
        sa.Column("bracket_id", sa.String(18), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cleared_at", sa.String(32), nullable=True),
    )
    op.create_index("ix_incident_mode_cleared_at", "incident", ["mode", "cleared_at"])
