"""The queue of jobs: procrastinate on the store's PostgreSQL, in a schema of its own.

Who asks for a job puts it into the queue within its own transaction, by psycopg2 like everything else. Only a worker
speaks psycopg 3.
"""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from procrastinate import App, PsycopgConnector
from procrastinate.contrib.psycopg2 import Psycopg2Connector

from tsbench.store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

SCHEMA = "tsbench_queue"


class _OpenTransaction(Psycopg2Connector):
    """Runs procrastinate's statements on a cursor whose transaction is the caller's; has no connection of its own."""

    def execute_query_all_with_connection(
        self, connection: "Cursor", query: str, **arguments: Any
    ) -> list[dict[str, Any]]:
        connection.execute(statement("use_queue"))
        connection.execute(query, self._wrap_json(arguments))
        names = [column.name for column in connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in connection.fetchall()]


_entrance = App(connector=_OpenTransaction())


def enqueue(cursor: "Cursor", kind: str, number: int) -> None:
    """Put a job into the queue; it is there when the transaction of `cursor` commits, and not otherwise.

    It stands in a line of its kind, so that no worker is handed what it does not know.

    Parameters
        cursor : open, of psycopg2. kind : what is to be done. number : of the request, all that the job carries.
    """
    _entrance.configure_task(kind, queue=kind, connection=cursor).defer(number=number)


def workers_app(engine: sa.Engine) -> App:
    """The queue from a worker's side, without tasks yet.

    Parameters
        engine : its address is connected to; psycopg 3 names its parts as psycopg2 does, for both are libpq's.
    """
    words, named = engine.dialect.create_connect_args(engine.url)
    named["options"] = f"{named.get('options', '')} -c search_path={SCHEMA}".strip()
    return App(connector=PsycopgConnector(conninfo="".join(words), kwargs=named, min_size=1, max_size=4))
