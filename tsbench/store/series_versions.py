"""Versions of series: a detector fitted on a series, with the very values it was fitted on, under the next number.

A version is one row, and one statement writes any number of them: all are there or none is, and simultaneous fits of
one series get consecutive numbers. Whoever listens on `CHANNEL` is told "name version" of a new one and "name" of
deleted ones.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray
from psycopg2 import Binary
from sqlalchemy.dialects.postgresql import JSONB

from tsbench import checks
from tsbench.errors import BadInput, NotFound
from tsbench.records import State
from tsbench.store.documents import to_json
from tsbench.store.engine import transaction
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata
from tsbench.store.versions import Stateful, pack, unpack

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

CHANNEL = "tsbench_series"
NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
# As they lie in the row, whatever the machine.
TIME, VALUE = np.dtype("<i8"), np.dtype("<f8")

series_version = sa.Table(
    "series_version",
    metadata,
    sa.Column("series_id", TEXT, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("layout", sa.Integer, nullable=False),
    sa.Column("meta", JSONB, nullable=False),
    sa.Column("arrays", sa.LargeBinary),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("times", sa.LargeBinary, nullable=False),
    sa.Column("vals", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
)


@dataclass(frozen=True, slots=True)
class SeriesVersion:
    """One version of a series: which model was fitted, on how many points, when."""

    series_id: str
    version: int
    model: str
    points: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model's state and the series it was fitted on, before it has a number."""

    series_id: str
    state: State
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, series_id: str, model: Stateful, times: ArrayLike, values: ArrayLike) -> "Fit":
        """As the arguments of `SeriesVersions.put`. Raises BadInput: a bad name, or times and values of two lengths.

        Parameters
            series_id, model, times, values : as there.
        """
        moments, known = np.asarray(times, TIME), np.asarray(values, VALUE)
        if moments.shape != known.shape:
            raise BadInput(f"{moments.size} times and {known.size} values; one time per value is wanted")
        return cls(series_name(series_id), model.to_state(), moments, known)


class SeriesVersions:
    """The versions of the series of a store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, series_id: str, model: Stateful, times: ArrayLike, values: ArrayLike) -> SeriesVersion:
        """Keep a fitted model and its training series as the next version.

        Parameters
            series_id : letters, digits and . _ - without "..".
            model : has `to_state()`.
            times : integers, shape (n,), as the caller counts time. values : shape (n,), what the model was fitted on.
        """
        (kept,) = self.put_many([Fit.of(series_id, model, times, values)])
        return kept

    def put_many(self, fits: Sequence[Fit]) -> list[SeriesVersion]:
        """Keep several fits in one transaction, all or none; the versions in their order.

        Parameters
            fits : of any series, one series also several times: its numbers then follow their order.
        """
        with transaction(self._engine) as cursor:
            return put_fits(cursor, fits)

    def get(self, series_id: str, version: int | None = None) -> tuple[SeriesVersion, State]:
        """A version and the state of its model, the latest by default. Raises NotFound."""
        row = self._row("get_series_version", series_id, version)
        record, (layout, meta, arrays) = SeriesVersion(*row[:5]), row[5:]
        held = {} if arrays is None else unpack(bytes(arrays))
        return record, State(record.model, layout, meta, held)

    def training(
        self, series_id: str, version: int | None = None
    ) -> tuple[SeriesVersion, NDArray[np.int64], NDArray[np.float64]]:
        """A version, and the times and values it was fitted on; the latest by default. Raises NotFound."""
        row = self._row("get_training_series", series_id, version)
        times, values = np.frombuffer(bytes(row[5]), TIME), np.frombuffer(bytes(row[6]), VALUE)
        return SeriesVersion(*row[:5]), times.astype(np.int64), values.astype(np.float64)

    def versions(self, series_id: str) -> list[SeriesVersion]:
        """Every version of a series, newest first. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("versions_of_series"), {"series_id": series_name(series_id)})
            found = [SeriesVersion(*row) for row in cursor.fetchall()]
        if not found:
            raise NotFound(f"no series {series_id!r} was fitted")
        return found

    def latest(self, *, after: str = "", limit: int = 100) -> list[SeriesVersion]:
        """The latest version of each series, by name, a page at a time.

        Parameters
            after : the last name of the page before; "" begins. limit : series on a page.
        """
        with transaction(self._engine) as cursor:
            wanted = {"after": after, "limit": checks.whole(limit, "limit", 1, 10_000)}
            cursor.execute(statement("latest_of_series"), wanted)
            return [SeriesVersion(*row) for row in cursor.fetchall()]

    def count(self) -> int:
        """How many series have a version."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("count_series"))
            ((number,),) = cursor.fetchall()
        return int(number)

    def delete(self, series_id: str, version: int | None = None) -> int:
        """Forget a version, or all of a series; how many went. Numbers are not given again. Raises NotFound."""
        wanted = {"series_id": series_name(series_id), "version": _number(version), "channel": CHANNEL}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("delete_series_versions"), wanted)
            ((gone,),) = cursor.fetchall()
            if not gone:
                raise self._absent(cursor, series_id, version)
        return int(gone)

    def _row(self, name: str, series_id: str, version: int | None) -> tuple[Any, ...]:
        wanted = {"series_id": series_name(series_id), "version": _number(version)}
        with transaction(self._engine) as cursor:
            cursor.execute(statement(name), wanted)
            row = cursor.fetchone()
            if row is None:
                raise self._absent(cursor, series_id, version)
        return tuple(row)

    def _absent(self, cursor: "Cursor", series_id: str, version: int | None) -> NotFound:
        cursor.execute(statement("versions_of_series"), {"series_id": series_name(series_id)})
        known = [str(row[1]) for row in cursor.fetchall()]
        if not known:
            return NotFound(f"no series {series_id!r} was fitted")
        shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
        return NotFound(f"series {series_id!r} has no version {version}; it has {shown}")


def put_fits(cursor: "Cursor", fits: Sequence[Fit]) -> list[SeriesVersion]:
    """The versions that `fits` become in the transaction of `cursor`, in their order."""
    columns = {
        "series_ids": [fit.series_id for fit in fits],
        "kinds": [fit.state.kind for fit in fits],
        "layouts": [fit.state.version for fit in fits],
        "metas": [to_json(fit.state.meta) for fit in fits],
        "arrays": [Binary(pack(fit.state.arrays)) if fit.state.arrays else None for fit in fits],
        "points": [fit.values.size for fit in fits],
        "times": [Binary(fit.times.tobytes()) for fit in fits],
        "vals": [Binary(fit.values.tobytes()) for fit in fits],
        "channel": CHANNEL,
    }
    cursor.execute(statement("put_series_versions"), columns)
    made: list[SeriesVersion | None] = [None] * len(fits)
    # rows come by name and number; a stable order by name is theirs
    by_name = sorted(range(len(fits)), key=lambda i: fits[i].series_id)
    for place, row in zip(by_name, cursor.fetchall(), strict=True):
        made[place] = SeriesVersion(row[0], row[1], fits[place].state.kind, fits[place].values.size, row[2])
    return [version for version in made if version is not None]


def series_name(series_id: str) -> str:
    """The name of a series without blanks around it. Raises BadInput where it is none."""
    name = series_id.strip()
    if not NAME.fullmatch(name) or ".." in name:
        raise BadInput(f"a series is named by 1 to 200 letters, digits and . _ - without '..', got {series_id[:80]!r}")
    return name


def _number(version: int | None) -> int | None:
    return None if version is None else checks.whole(version, "version", 1, 2**31 - 1)
