"""Companies, patterns, model versions, scans with their matches, loads and report runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

revision = "0001"
down_revision = None

TEXT = sa.Text(collation="C")
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "company",
        sa.Column("symbol", TEXT, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sector", TEXT, nullable=False),
        sa.Column("series", JSONB, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "load_file",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("report", JSONB, nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "last_version",
        sa.Column("kind", TEXT, primary_key=True),
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "pattern",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("spec", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "model_version",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("layout", sa.Integer, nullable=False),
        sa.Column("meta", JSONB, nullable=False),
        sa.Column("arrays", BYTEA, nullable=False),
        sa.Column("metrics", JSONB, nullable=False),
        sa.Column("data_hash", sa.Text, nullable=False),
        sa.Column("library_versions", JSONB, nullable=False),
        sa.Column("seed", sa.BigInteger),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "scan",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("pattern", JSONB, nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("data_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('running', 'done')", name="scan_status"),
    )
    op.create_table(
        "scan_chunk",
        sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("chunk", sa.Integer, primary_key=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )
    op.create_table(
        "match",
        sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("entity", TEXT, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("sector", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("metric", sa.Text),
        sa.Column("channels", ARRAY(sa.Text)),
        sa.Column("start_at", sa.DateTime(timezone=True)),
        sa.Column("end_at", sa.DateTime(timezone=True)),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("length", sa.Integer),
        sa.Column("complete", sa.Double),
        sa.Column("score", sa.Double),
        sa.Column("p_value", sa.Double),
        sa.Column("q_value", sa.Double),
        sa.Column("null_name", sa.Text),
        sa.Column("p_by_null", JSONB, nullable=False),
        sa.Column("flagged", sa.Integer),
        sa.Column("evidence", JSONB, nullable=False),
    )
    op.create_table(
        "run",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("record", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )


def downgrade() -> None:
    for table in (
        "run",
        "match",
        "scan_chunk",
        "scan",
        "model_version",
        "pattern",
        "last_version",
        "load_file",
        "company",
    ):
        op.drop_table(table)
