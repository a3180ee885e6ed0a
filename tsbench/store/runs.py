"""Records of report runs."""

import uuid
from typing import Any

import sqlalchemy as sa

from tsbench.store.documents import to_json
from tsbench.store.engine import transaction
from tsbench.store.statements import statement


class Runs:
    """The run records of a store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, record: dict[str, Any]) -> str:
        """Keep a record under its "id" (a new one when it has none), replacing an earlier one; the id."""
        name = str(record.get("id") or uuid.uuid4())
        with transaction(self._engine) as cursor:
            cursor.execute(statement("put_run"), {"id": name, "record": to_json({**record, "id": name})})
        return name

    def list(self) -> list[dict[str, Any]]:
        """All records, newest first."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("list_runs"))
            return [record for (record,) in cursor.fetchall()]
