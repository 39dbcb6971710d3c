"""Messages with their answers, chats with what they have been told, and proposals that wait for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen the inbox and add the two tables. Messages that are there already were answered by an earlier Zyn."""
    op.add_column("inbox", sa.Column("place", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("inbox", sa.Column("chat", sa.String(40), nullable=False, server_default=sa.text("''")))
    op.add_column("inbox", sa.Column("user", sa.String(40), nullable=False, server_default=sa.text("''")))
    op.add_column("inbox", sa.Column("text", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("inbox", sa.Column("said_at", sa.String(32), nullable=True))
    op.add_column("inbox", sa.Column("reply", sa.Text(), nullable=True))
    op.execute("UPDATE inbox SET state = 'answered'")
    op.create_index("ix_inbox_state_chat", "inbox", ["state", "chat"])
    op.create_table(
        "chat",
        sa.Column("id", sa.String(40), primary_key=True, nullable=False),
        sa.Column("told", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("blocked_at", sa.String(32), nullable=True),
    )
    op.create_table(
        "proposal",
        sa.Column("code", sa.String(12), primary_key=True, nullable=False),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("command", sa.String(32), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("prices", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("author", sa.String(12), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_proposal_user_state", "proposal", ["user", "state"])
