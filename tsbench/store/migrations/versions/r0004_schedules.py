"""Schedules of reports, and the runs they led to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

TEXT = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("notebook", sa.Text, nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("deadline", sa.Double),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "schedule_run",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("schedule", TEXT, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("error", sa.Text, nullable=False),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'failed', 'timeout', 'interrupted', 'lost')", name="schedule_run_status"
        ),
    )
    op.create_index("schedule_run_started", "schedule_run", ["schedule", "started_at"])


def downgrade() -> None:
    op.drop_table("schedule_run")
    op.drop_table("schedule")
