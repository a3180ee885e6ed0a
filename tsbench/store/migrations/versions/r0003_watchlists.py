"""Watchlists: companies under a name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0003"
down_revision = "0002"

TEXT = sa.Text(collation="C")
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "watchlist",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("symbols", ARRAY(sa.Text), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )


def downgrade() -> None:
    op.drop_table("watchlist")
