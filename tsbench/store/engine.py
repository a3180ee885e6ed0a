"""One engine per store: pooled psycopg2 connections, and transactions on them in the words of tsbench's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import orjson
import psycopg2
import sqlalchemy as sa
from psycopg2 import errorcodes
from sqlalchemy.exc import ArgumentError, DBAPIError, TimeoutError

from tsbench.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

DRIVER = "postgresql+psycopg2"
# A server that is gone without a word is given up after some seconds (over TCP; a socket file tells at once).
PATIENT = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
AWAY = "the database does not answer; try again in a moment"
NO_SUCH_PART = {errorcodes.UNDEFINED_TABLE, errorcodes.UNDEFINED_COLUMN}


def address(url: str) -> sa.URL:
    """The URL with our driver; `postgres://` and `postgresql://` are the same database."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise BadInput("the database URL cannot be read; wanted e.g. postgresql+psycopg2://user@host/name") from error
    if parsed.drivername not in ("postgres", "postgresql", DRIVER):
        raise BadInput(f"tsbench speaks PostgreSQL only, got {parsed.drivername}://; wanted {DRIVER}://user@host/name")
    return parsed.set(drivername=DRIVER)


def open_engine(url: str, *, pool_size: int = 16, pool_timeout: float = 10.0) -> sa.Engine:
    """An engine whose connections read jsonb with orjson; nothing is registered outside of it.

    Parameters
        url : of the database. pool_size : most connections. pool_timeout : seconds to wait for a free one.
    """
    return sa.create_engine(
        address(url),
        json_deserializer=orjson.loads,
        use_native_hstore=False,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout,
        connect_args=PATIENT,
    )


def shown(url: sa.URL) -> str:
    """An address for people: without the password, which may also stand in the query."""
    where = {name: value for name, value in url.query.items() if name in ("host", "port")}
    return url.set(query=where).render_as_string(hide_password=True)


@contextmanager
def transaction(engine: sa.Engine) -> Iterator["Cursor"]:
    """A psycopg2 cursor in one transaction: committed on leaving, rolled back when anything was raised.

    Raises     Unavailable: the database does not answer, all connections are taken, or it lacks our tables.
    """
    where = shown(engine.url)
    try:
        connection = engine.raw_connection()
    except TimeoutError as error:
        told = "all connections to the database are in use; try again in a moment"
        raise Unavailable(f"all connections to {where} are in use; try again in a moment", told=told) from error
    except (DBAPIError, psycopg2.OperationalError) as error:
        # a raw connection raises the driver's own error
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise Unavailable(f"no database answers at {where}: {_first_line(cause)}", told=AWAY) from error
    try:
        with cast("Connection", connection.driver_connection).cursor() as cursor:
            yield cursor
        connection.commit()
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        connection.invalidate()
        raise Unavailable(f"the database at {where} stopped answering: {_first_line(error)}", told=AWAY) from error
    except psycopg2.ProgrammingError as error:
        connection.rollback()
        if error.pgcode in NO_SUCH_PART:
            raise Unavailable(
                f"{where} lacks tables of tsbench ({_first_line(error)}); run: tsbench db upgrade",
                told="the database lacks tables of tsbench; its keeper must run: tsbench db upgrade",
            ) from error
        raise
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def _first_line(error: object) -> str:
    return str(error).strip().split("\n")[0]
