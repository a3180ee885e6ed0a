"""Requests for jobs, each with what it works on, and the queue that brings them to workers: procrastinate's tables.

The queue lies in a schema of its own, where it meets no other procrastinate and nobody's names, and goes as one thing.
It is made from the text of the installed package; the comment of the schema says up to which of the package's own
migrations that text reaches. When a newer procrastinate brings more of them (a test tells), a revision of ours sets the
search path as below, runs the files of `procrastinate.schema.migrations_path` whose names sort after that comment, in
order, and writes the last name into it: a database made here by the newer package then skips what it has. Workers of
the old version are to be stopped first.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager, migrations_path

revision = "0006"
down_revision = "0005"

TEXT = sa.Text(collation="C")
NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    op.create_table(
        "job_request",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("series_id", TEXT, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("points", sa.Integer, nullable=False),
        sa.Column("times", sa.LargeBinary),
        sa.Column("vals", sa.LargeBinary),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="job_request_status"
        ),
    )
    # they live for moments; a million points are kept in a third of the time when nobody tries to compress them
    op.execute("ALTER TABLE job_request ALTER times SET STORAGE EXTERNAL, ALTER vals SET STORAGE EXTERNAL")
    connection = op.get_bind()
    path = connection.exec_driver_sql("SHOW search_path").scalar_one()
    op.execute("CREATE SCHEMA tsbench_queue")
    op.execute("SET LOCAL search_path TO tsbench_queue")
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    newest = max(file.stem for file in Path(migrations_path).glob("*.sql"))
    op.execute(f"COMMENT ON SCHEMA tsbench_queue IS '{newest}'")
    connection.execute(sa.select(sa.func.set_config("search_path", path, True)))


def downgrade() -> None:
    op.execute("DROP SCHEMA tsbench_queue CASCADE")
    op.drop_table("job_request")
