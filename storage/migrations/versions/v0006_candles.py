"""Candles of the past, for indicators and for tests of a strategy. Floats: nothing of this is money."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table. Its key is how it is read, so on SQLite the key is the table."""
    op.create_table(
        "candle",
        sa.Column("symbol", sa.String(24), primary_key=True),
        sa.Column("interval_s", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("open", "high", "low", "close", "volume")),
        sa.Column("trades", sa.Integer, nullable=True),
        sqlite_with_rowid=False,
    )
