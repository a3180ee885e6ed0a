"""Versions of series: detectors fitted on them, each with the values it was fitted on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

TEXT = sa.Text(collation="C")
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "series_version",
        sa.Column("series_id", TEXT, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("meta", JSONB, nullable=False),
        sa.Column("arrays", sa.LargeBinary),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("times", sa.LargeBinary, nullable=False),
        sa.Column("vals", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )


def downgrade() -> None:
    op.drop_table("series_version")
