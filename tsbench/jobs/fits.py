"""Fits that somebody else does later: asked for here, done by a worker."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from tsbench.detect.anomaly import anomaly_detector
from tsbench.errors import TsbenchError, Unavailable
from tsbench.jobs.queue import enqueue
from tsbench.store.job_requests import Attempt, JobRequest, Superseded
from tsbench.store.series_versions import Fit, SeriesVersion

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from tsbench.store import Store

log = logging.getLogger(__name__)
FIT = "fit"
# Of the time of a fit, what is behind it when it comes to a stage. Measured on a million points.
READ, FITTED = 0.08, 0.1
# A job that takes its worker down with it is not given to workers for ever.
MOST_ATTEMPTS = 3


def ask_fit(store: "Store", series_id: str, model: str, times: ArrayLike, values: ArrayLike) -> JobRequest:
    """Ask for a fit; the request as it stands. It is safe on disk and in the queue, or neither.

    Parameters
        store : where the series waits and the version will lie.
        series_id, model, times, values : as of `SeriesVersions.put`; the model by its kind.
    """

    def put(cursor: "Cursor", number: int) -> None:
        enqueue(cursor, FIT, number)

    return store.job_requests.put(FIT, series_id, model, times, values, enqueue=put)


def fit(store: "Store", number: int, *, note: Callable[[str], None]) -> None:
    """Do one fit that was asked for; nothing when it is done or cancelled already.

    Parameters
        store : holds the request. number : of the request. note : told how it ended, in one line.
    Raises     Unavailable: the database is away; to be tried again.
    """
    began = time.perf_counter()
    attempt = store.job_requests.begin(number)
    if attempt is None:
        return
    name = f"job {number}, fit of {attempt.series_id}"
    try:
        if attempt.number > MOST_ATTEMPTS:
            raise TsbenchError(f"begun {MOST_ATTEMPTS} times, and each time its worker or the database went away")
        version = _fitted(store, attempt)
        note(f"{name}: version {version.version}, {version.points} points, {time.perf_counter() - began:.2f} s")
    except Superseded as error:
        note(f"{name}: {error}")
    except Unavailable:
        raise
    except Exception as error:
        ours = isinstance(error, TsbenchError)
        if not ours:
            log.exception("job %s failed", number)
        reason = str(error) if ours else f"internal error ({type(error).__name__}); see the log of the worker"
        with suppress(Superseded):
            store.job_requests.fail(attempt, reason)
        note(f"{name}: failed: {reason}")


def _fitted(store: "Store", attempt: Attempt) -> SeriesVersion:
    requests = store.job_requests
    times, values = requests.series(attempt)
    requests.advance(attempt, "fitting", READ)
    made = Fit.of(attempt.series_id, anomaly_detector(attempt.model).fit(values), times, values)
    requests.advance(attempt, "writing", FITTED)
    return requests.complete(attempt, made)
