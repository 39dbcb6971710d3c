"""Since when a stop has been reached, so that one that does not sell through is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Of stops that rest, none is known to be reached."""
    op.add_column("orders", sa.Column("triggered_at", sa.String(32), nullable=True))
