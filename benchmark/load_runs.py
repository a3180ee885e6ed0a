"""The parts of the stress bench without locust: rates up to saturation, a stall seen by both loops, sizes, cold."""

import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import numpy as np
from asking import Asked, Line, as_bytes, ask, asked
from open_loop import Answered, closed_loop, open_loop, percentiles

CONNECTIONS, SERIES, POINTS, COLD, SEED = 32, 32, 100, 200, 0
# Of the highest rate of the closed loop.
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.15)
SIZES = (1, 10, 100, 1_000, 10_000)
# A rate is kept up when so many are answered in time, and 99 % of them within so many milliseconds.
KEPT, IN_TIME = 0.99, 25.0
STALL, STALLED_AT, STALL_SECONDS, STALL_RATE = 0.3, 1.0, 3.0, 500.0
Row = dict[str, Any]


class Room:
    """Series of a service that this run alone uses, and requests about them whose answers were looked at.

    Parameters
        url : of the service. token : it wants, or None. name : that the names of the series begin with.
    """

    def __init__(self, url: str, token: str | None, name: str) -> None:
        self.url, self.token, self.name = url, token, name
        self.names = [f"{name}-{n}" for n in range(SERIES)]
        rng = np.random.default_rng(SEED)
        self.levels: list[tuple[float, float]] = []
        self.readings = [
            self._reading(name, rng.normal(10 + n, 1 + n / 10, POINTS)) for n, name in enumerate(self.names)
        ]

    def _reading(self, name: str, values: np.ndarray) -> Asked:
        """Fit a series; a prediction of it, checked by the arithmetic of the z-score."""
        self.fit(name, values)
        kept = values.round(3)
        value = float(kept.mean() + 4 * kept.std())
        self.levels.append((float(kept.mean()), float(kept.std())))
        sent = {"timestamp": "1705000010", "value": value}

        def right(said: Row) -> bool:
            return said["anomaly"] is True and abs(said["score"] - 4) < 1e-6

        return asked(self.url, f"/predict/{name}", sent, right, token=self.token)

    def fit(self, name: str, values: np.ndarray) -> None:
        sent = {"timestamps": list(range(values.size)), "values": values.round(3).tolist()}
        ask(self.url, f"/fit/{name}", sent, token=self.token)

    def leave(self) -> None:
        """Delete the series."""
        with suppress(OSError):  # a service that is gone keeps them
            for name in self.names:
                ask(self.url, f"/series/{name}", token=self.token, method="DELETE")


def peak(room: Room, seconds: float) -> Row:
    """The most that the closed loop gets: every connection asks again as soon as it is answered."""
    answered = closed_loop(room.url, room.readings, seconds=seconds, connections=CONNECTIONS)
    return {"connections": CONNECTIONS, "rate": answered.rate, **answered.from_send(), **wrongs(answered)}


def sweep(room: Room, highest: float, seconds: float) -> list[Row]:
    """Open loop at growing shares of the highest rate, beyond it too, until the service cannot keep up any more."""
    rows = []
    for share in SHARES:
        asked_for = float(f"{share * highest:.2g}")
        answered = open_loop(
            room.url, room.readings, rate=asked_for, seconds=seconds, connections=2 * CONNECTIONS, seed=SEED
        )
        due, sent = answered.from_due(), answered.from_send()
        kept = answered.rate >= KEPT * asked_for * (1 - 3 / np.sqrt(asked_for * seconds)) and due["p99"] <= IN_TIME
        row = {"asked": asked_for, "answered": answered.rate, "kept": bool(kept)}
        rows.append({**row, "from_due": due, "from_send": sent, **wrongs(answered)})
        print(f"{asked_for:8,.0f} asked {answered.rate:8,.0f} answered, p50 {due['p50']:.2f} p99 {due['p99']:.2f} ms "
              f"from when due, p99 {sent['p99']:.2f} ms from when sent", flush=True)  # fmt: skip
        if answered.rate < 0.9 * asked_for:
            break
    return rows


def capacity(rows: Sequence[Row]) -> float:
    """The highest rate that is kept up; 0 when none is."""
    return max((float(row["asked"]) for row in rows if row["kept"]), default=0.0)


def half_of_capacity(rows: Sequence[Row]) -> Row:
    """The row nearest to half of the capacity."""
    return min(rows, key=lambda row: abs(row["asked"] - capacity(rows) / 2))


def stall(room: Room, pid: int) -> Row:
    """The service's process is stopped for a moment while it is asked: by the closed loop, then by the open one."""
    given = {"seconds": STALL_SECONDS, "connections": 2, "rate": STALL_RATE}
    row: Row = {"seconds": STALL, "of": STALL_SECONDS, "rate": STALL_RATE}
    for name, loop, more in (("closed", closed_loop, {}), ("open", open_loop, {"seed": SEED})):
        timers = [threading.Timer(STALLED_AT, os.kill, (pid, signal.SIGSTOP)),
                  threading.Timer(STALLED_AT + STALL, os.kill, (pid, signal.SIGCONT))]  # fmt: skip
        try:
            for timer in timers:
                timer.start()
            answered = loop(room.url, room.readings, **given, **more)
        finally:
            for timer in timers:
                timer.cancel()
            os.kill(pid, signal.SIGCONT)
        times = answered.from_due()
        late = int((answered.done - answered.due > 0.01).sum())
        row[name] = {**times, "requests": answered.due.size, "late": late, **wrongs(answered)}
        print(f"a stall of {STALL:g} s in the {name} loop: {late} of {answered.due.size} requests late, "
              f"p99 {times['p99']:.1f} ms", flush=True)  # fmt: skip
    return row


def payload(room: Room, seconds: float) -> list[Row]:
    """Batches of growing size, with and without a timestamp per value, closed loop over 8 connections."""
    rng, rows = np.random.default_rng(SEED), []
    name, (level, spread) = room.names[0], room.levels[0]
    for n in SIZES:
        values = rng.normal(10, 1, n).round(3).tolist()
        for times in (False, True):
            sent = {"values": values} | ({"timestamps": list(range(n))} if times else {})

            def right(said: Row, values: list[float] = values) -> bool:
                scores = (np.array(values) - level) / spread
                return np.allclose(said["score"], scores) and said["anomaly"] == (scores > 3).tolist()

            request = asked(room.url, f"/predict/{name}/batch", sent, right, token=room.token)
            answered = closed_loop(room.url, [request], seconds=seconds, connections=8)
            row = {"values": n, "timestamps": times, "rate": answered.rate, "values_per_second": n * answered.rate}
            row |= {"sent_bytes": len(request.request), "answer_bytes": len(request.right)}
            rows.append({**row, **answered.from_send(), **wrongs(answered)})
    return rows


def cold_and_warm(room: Room) -> Row:
    """The first page with a figure; the first prediction of series in the database alone, and the next of each."""
    began = perf_counter()
    ask_page = ask(room.url, f"/plot?series_id={room.names[0]}", token=room.token)
    first_page, began = perf_counter() - began, perf_counter()
    same = ask(room.url, f"/plot?series_id={room.names[0]}", token=room.token) == ask_page
    row: Row = {"first_page_ms": 1000 * first_page, "page_ms": 1000 * (perf_counter() - began)}
    rng, names = np.random.default_rng(SEED), [f"{room.name}-cold-{n}" for n in range(COLD)]
    for name in names:
        room.fit(name, rng.normal(10, 1, 6))
    sent = {"timestamp": "1", "value": 13.0}
    requests = [as_bytes(room.url, f"/predict/{name}", sent, token=room.token) for name in names]
    line, bodies = Line(room.url), []
    for what in ("cold", "warm"):
        times = []
        for request in requests:
            bodies.append(line.ask(request))
            times.append(line.seconds)
        row[what] = percentiles(np.array(times))
    line.close()
    for name in names:
        ask(room.url, f"/series/{name}", token=room.token, method="DELETE")
    return row | {"wrong": sum(a != b for a, b in zip(bodies[:COLD], bodies[COLD:], strict=True)) + (not same)}


def wrongs(answered: Answered) -> Row:
    """What went wrong in a run."""
    counted = {"wrong": answered.wrong + answered.lost, "unanswered": answered.unanswered}
    return {**counted, "first_wrong": answered.first_wrong}
