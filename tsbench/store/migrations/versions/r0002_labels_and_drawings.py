"""Labels of matches, and the drawings tried under a pattern's name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"

TEXT = sa.Text(collation="C")
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("pattern", TEXT, primary_key=True),
        sa.Column("entity", TEXT, primary_key=True),
        sa.Column("channels", ARRAY(sa.Text), primary_key=True),
        sa.Column("start_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("end_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="SET NULL")),
        sa.Column("score", sa.Double),
        sa.Column("rank", sa.Integer),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.CheckConstraint("verdict IN ('accept', 'reject', 'unsure')", name="label_verdict"),
    )
    op.create_table(
        "drawing",
        sa.Column("pattern", TEXT, primary_key=True),
        sa.Column("spec_hash", TEXT, primary_key=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("times", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("drawing")
    op.drop_table("label")
