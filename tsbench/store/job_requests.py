"""Requests for jobs: what is to be done, how far it is, and how it ended.

Such a row is the only word on a job; the queue beside it brings it to a worker at least once. Every attempt has a
number, and what it writes is written only while it is the last one and the request runs. So a worker that was taken for
dead, or whose request was cancelled meanwhile, can finish nothing, and a job has its effect once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import sqlalchemy as sa
from numpy.typing import ArrayLike, NDArray
from psycopg2 import Binary

from tsbench import checks
from tsbench.errors import NotFound, TsbenchError
from tsbench.store.engine import transaction
from tsbench.store.series_versions import TIME, VALUE, Fit, SeriesVersion, put_fits, series_name
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

Status = Literal["pending", "running", "completed", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = get_args(Status)
# Seconds without a heartbeat after which a worker counts as dead.
DEAD_AFTER = 10.0

job_request = sa.Table(
    "job_request",
    metadata,
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
    sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.CheckConstraint(
        "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="job_request_status"
    ),
)


class Superseded(TsbenchError):
    """The request was cancelled, or another attempt at it began; what this one does is no longer wanted."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job as it stands.

    kind : what is to be done. series_id, model, points : with what. stage, progress : how far it is, or was when it
        ended; 0 to 1.
    attempts : how often a worker began it. started_at : when the last one did.
    version : what it made, once it is completed. reason : why it failed.
    served : whether a worker lives that may take it.
    """

    id: int
    kind: str
    series_id: str
    model: str
    points: int
    status: Status
    stage: str
    progress: float
    attempts: int
    version: int | None
    reason: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    served: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A worker's hold on a request: its number among the attempts is what it must show to write anything."""

    id: int
    number: int
    kind: str
    series_id: str
    model: str
    points: int


class JobRequests:
    """The requests of a store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(
        self,
        kind: str,
        series_id: str,
        model: str,
        times: ArrayLike,
        values: ArrayLike,
        *,
        enqueue: Callable[["Cursor", int], object],
    ) -> JobRequest:
        """Keep a request and bring it into the queue, both or neither.

        Parameters
            kind : what is to be done. series_id, model : with which series and model.
            times, values : what the model is to be fitted on, shape (n,).
            enqueue : called within the transaction with its cursor and the number of the request.
        """
        moments, known = np.asarray(times, TIME), np.asarray(values, VALUE)
        row = {
            "kind": kind,
            "series_id": series_name(series_id),
            "model": model,
            "points": known.size,
            "times": Binary(moments.tobytes()),
            "vals": Binary(known.tobytes()),
        }
        with transaction(self._engine) as cursor:
            cursor.execute(statement("put_job_request"), row)
            ((number,),) = cursor.fetchall()
            enqueue(cursor, number)
        return self.get(number)

    def get(self, number: int) -> JobRequest:
        """The request of that number. Raises NotFound."""
        found = self._found(number=number)
        if not found:
            raise NotFound(f"no job {number}; what ended is forgotten after a week")
        return found[0]

    def newest(self, *, status: Status | None = None, after: int | None = None, limit: int = 100) -> list[JobRequest]:
        """The requests, newest first, a page at a time.

        Parameters
            status : only such. after : the last number of the page before; None begins. limit : requests on a page.
        """
        if status is not None:
            checks.choice(status, "status", STATUSES)
        return self._found(status=status, after=after, limit=checks.whole(limit, "limit", 1, 10_000))

    def cancel(self, number: int) -> JobRequest:
        """The request, cancelled unless it had ended; nothing comes of a cancelled one. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("cancel_job_request"), {"id": number})
        return self.get(number)

    def forget(self, *, days: int = 7) -> int:
        """Remove the requests that ended more than so many days ago; how many went."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("forget_job_requests"), {"days": days})
            return cursor.rowcount

    # ---- what a worker does -----------------------------------------------------------------------------

    def begin(self, number: int) -> Attempt | None:
        """The next attempt at a request; None when it has ended or is gone, so that nothing is to be done."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("begin_job_request"), {"id": number})
            row = cursor.fetchone()
        return None if row is None else Attempt(*row)

    def series(self, attempt: Attempt) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and values to work on. Raises Superseded."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("read_job_request"), _held(attempt))
            row = cursor.fetchone()
        if row is None:
            raise _superseded(attempt)
        times, values = np.frombuffer(bytes(row[0]), TIME), np.frombuffer(bytes(row[1]), VALUE)
        return times.astype(np.int64), values.astype(np.float64)

    def advance(self, attempt: Attempt, stage: str, progress: float) -> None:
        """Tell how far an attempt is.

        Parameters
            attempt : the worker's hold. stage : in a word or two. progress : done so far, 0 to 1.
        Raises     Superseded.
        """
        self._write("advance_job_request", attempt, stage=stage, progress=progress)

    def complete(self, attempt: Attempt, fit: Fit) -> SeriesVersion:
        """Keep a fit as the next version and the request as completed, both or neither.

        Parameters
            attempt : the worker's hold. fit : what it made.
        Raises     Superseded: nothing is kept.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("lock_job_request"), _held(attempt))
            if cursor.fetchone() is None:
                raise _superseded(attempt)
            (version,) = put_fits(cursor, [fit])
            cursor.execute(statement("complete_job_request"), {"id": attempt.id, "version": version.version})
        return version

    def fail(self, attempt: Attempt, reason: str) -> None:
        """End a request without a result.

        Parameters
            attempt : the worker's hold. reason : for whoever asked, in one line.
        Raises     Superseded.
        """
        self._write("fail_job_request", attempt, reason=reason)

    def _write(self, name: str, attempt: Attempt, **columns: Any) -> None:
        with transaction(self._engine) as cursor:
            cursor.execute(statement(name), _held(attempt) | columns)
            if not cursor.rowcount:
                raise _superseded(attempt)

    def _found(
        self, *, number: int | None = None, status: Status | None = None, after: int | None = None, limit: int = 1
    ) -> list[JobRequest]:
        wanted = {"id": number, "status": status, "after": after, "limit": limit, "dead_after": DEAD_AFTER}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("job_requests"), wanted)
            return [JobRequest(*row) for row in cursor.fetchall()]


def _held(attempt: Attempt) -> dict[str, Any]:
    return {"id": attempt.id, "attempt": attempt.number}


def _superseded(attempt: Attempt) -> Superseded:
    return Superseded(f"job {attempt.id} was cancelled, or attempt {attempt.number} is not the last one")
