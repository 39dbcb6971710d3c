"""When an order was last changed, and from what, so that a list that lags behind the change is not taken for another one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Orders of before were changed long ago."""
    op.add_column("orders", sa.Column("amended_at", sa.String(32), nullable=True))
    op.add_column("orders", sa.Column("former_quantity", sa.String(64), nullable=True))
    op.add_column("orders", sa.Column("former_price", sa.String(64), nullable=True))
