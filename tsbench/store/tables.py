"""The tables, as this version expects them; `check` compares a database with this, migrations bring it here."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

metadata = sa.MetaData()
# Not alembic's default name: the database may be shared with another program that migrates by alembic.
VERSION_TABLE = "tsbench_version"
# Code point order, so that PostgreSQL and Python sort names alike whatever the locale of the cluster.
TEXT = sa.Text(collation="C")


def _moment(name: str, **settings: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **settings)  # type: ignore[arg-type]


def _now(name: str) -> sa.Column[object]:
    return _moment(name, nullable=False, server_default=sa.text("clock_timestamp()"))


# One document per company: {"metric|frequency|basis|source": {"time": [microseconds], "value": [number or null],
# "available_at": [microseconds or null] or null, "flags": [bits] or null}}.
company = sa.Table(
    "company",
    metadata,
    sa.Column("symbol", TEXT, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sector", TEXT, nullable=False),
    sa.Column("series", JSONB, nullable=False),
    _now("updated_at"),
)
load_file = sa.Table(
    "load_file",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("report", JSONB, nullable=False),
    _now("loaded_at"),
)
# The last number given to a pattern or model of a name. Its row is the lock under which the next is taken.
last_version = sa.Table(
    "last_version",
    metadata,
    sa.Column("kind", TEXT, primary_key=True),
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
pattern = sa.Table(
    "pattern",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("spec", JSONB, nullable=False),
    _now("created_at"),
)
model_version = sa.Table(
    "model_version",
    metadata,
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
    _now("created_at"),
)
scan = sa.Table(
    "scan",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("pattern", JSONB, nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("data_hash", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _now("started_at"),
    _moment("finished_at"),
    sa.CheckConstraint("status IN ('running', 'done')", name="scan_status"),
)
scan_chunk = sa.Table(
    "scan_chunk",
    metadata,
    sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("chunk", sa.Integer, primary_key=True),
    _now("finished_at"),
)
match = sa.Table(
    "match",
    metadata,
    sa.Column("scan_id", TEXT, sa.ForeignKey("scan.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("entity", TEXT, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("sector", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("metric", sa.Text),
    sa.Column("channels", ARRAY(sa.Text)),
    _moment("start_at"),
    _moment("end_at"),
    _moment("last_at"),
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
run = sa.Table(
    "run",
    metadata,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("record", JSONB, nullable=False),
    _now("created_at"),
)
