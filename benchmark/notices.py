"""How soon every worker of a service answers by a version that somebody else wrote (NOTIFY)."""

import json
from collections.abc import Callable
from time import perf_counter

from asking import Line, as_bytes

MOST_LINES, PATIENCE = 64, 10.0


def line_to_each_worker(url: str, series_id: str, workers: int) -> list[Line]:
    """A connection to each worker; the request id of an answer begins with what a worker calls itself."""
    lines: dict[bytes, Line] = {}
    request = as_bytes(url, f"/predict/{series_id}", {"timestamp": "1", "value": 1.0})
    for _ in range(MOST_LINES):
        line = Line(url)
        line.ask(request)
        worker = line.head.partition(b"x-request-id: ")[2].partition(b"-")[0]
        if worker in lines:
            line.close()
        lines.setdefault(worker, line)
        if len(lines) == workers:
            return list(lines.values())
    raise RuntimeError(f"{MOST_LINES} connections met {len(lines)} of {workers} workers")


def delay(lines: list[Line], url: str, series_id: str, write: Callable[[], int]) -> float:
    """Seconds from when a new version was committed until the last worker answered by it.

    Parameters
        lines : one to each worker. url, series_id : what is asked. write : commits a version and gives its number.
    """
    request = as_bytes(url, f"/predict/{series_id}", {"timestamp": "1", "value": 1.0})
    number = str(write())
    committed, waiting = perf_counter(), list(lines)
    while waiting:
        for line in list(waiting):
            if json.loads(line.ask(request))["model_version"] == number:
                waiting.remove(line)
        if perf_counter() > committed + PATIENCE:
            raise RuntimeError(f"version {number} of {series_id} was not seen within {PATIENCE:g} s")
    return perf_counter() - committed
