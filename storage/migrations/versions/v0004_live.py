"""Fees paid in coins, stops that trail, and the venue's own executions beside ours."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table. Nothing that is there changes its meaning."""
    op.add_column("orders", sa.Column("base_fee", sa.String(64), nullable=False, server_default="0"))
    op.add_column("bracket", sa.Column("trail_value", sa.String(64), nullable=True))
    op.add_column("bracket", sa.Column("trail_unit", sa.String(8), nullable=True))
    op.add_column("bracket", sa.Column("trail_high", sa.String(64), nullable=True))
    op.create_table(
        "venue_fill",
        sa.Column("id", sa.String(40), primary_key=True, nullable=False),
        sa.Column("mode", sa.String(8), primary_key=True, nullable=False),
        sa.Column("venue_id", sa.String(32), nullable=False),
        sa.Column("symbol", sa.String(24), nullable=False),
        sa.Column("price", sa.String(64), nullable=False),
        sa.Column("quantity", sa.String(64), nullable=False),
        sa.Column("cost", sa.String(64), nullable=False),
        sa.Column("fee", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_index("ix_venue_fill_venue_id", "venue_fill", ["venue_id"])
