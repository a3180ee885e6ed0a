"""Bringing a database to this version's tables, and telling what is wrong with one."""

from pathlib import Path

import sqlalchemy as sa

from tsbench.errors import Unavailable
from tsbench.store.engine import transaction
from tsbench.store.statements import statement

MIGRATIONS = Path(__file__).parent / "migrations"
# The newest migration; known here so that a database that is at it costs one SELECT and no import of alembic.
HEAD = "0006"


def upgrade(engine: sa.Engine) -> None:
    """Run every migration the database has not had, in one transaction; rows stay. Safe to run again.

    Raises     Unavailable: no database answers, or it is newer than this version of tsbench.
    """
    found = version(engine)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise Unavailable(f"the database is of version {found}, newer than this tsbench ({HEAD}); install a newer one")
    from alembic import command
    from alembic.config import Config

    config = Config()
    # ConfigParser reads % as the start of a placeholder.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        connection.exec_driver_sql(statement("migration_lock"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def version(engine: sa.Engine) -> str | None:
    """The migration the database is at; None when it holds no tables of tsbench."""
    with transaction(engine) as cursor:
        cursor.execute(statement("schema_columns"), {"tables": ["tsbench_version"]})
        if not cursor.fetchall():
            return None
        cursor.execute(statement("schema_version"))
        row = cursor.fetchone()
    return str(row[0]) if row else None


def problems(engine: sa.Engine) -> list[str]:
    """What keeps the database from being the one this version expects, one line each; empty when nothing does."""
    from tsbench.store.tables import metadata

    found = version(engine)
    if found is None:
        return ["it holds no tables of tsbench"]
    if found != HEAD:
        return [f"its tables are of version {found}, this tsbench wants {HEAD}"]
    with transaction(engine) as cursor:
        cursor.execute(statement("schema_columns"), {"tables": list(metadata.tables)})
        stored = {(table, column): (kind, not required) for table, column, kind, required in cursor.fetchall()}
    wrong = []
    for table in metadata.sorted_tables:
        for column in table.columns:
            wanted = str(column.type.compile(engine.dialect)).split(" COLLATE")[0].lower(), bool(column.nullable)
            there = stored.get((table.name, column.name))
            if there is None:
                wrong.append(f"column {table.name}.{column.name} is missing")
            elif there != wanted:
                wrong.append(f"column {table.name}.{column.name} is {_say(*there)}, wanted {_say(*wanted)}")
    return wrong


def _say(kind: str, nullable: bool) -> str:
    return kind if nullable else f"{kind} not null"
