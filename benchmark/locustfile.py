"""What users of the service do, in the shares in which they do it; every answer is checked.

`python -m locust -f benchmark/locustfile.py --headless --host URL`, or `make stress`. Series that are made here have
names of their own and are deleted at the end. Locust changes Python's sockets (gevent): nothing else may import this.
A service that wants a token finds it in TSBENCH_API_TOKEN.
"""

import json
import math
import os
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import requests
from locust import FastHttpUser, between, events, task

ROOM = f"stress-{secrets.token_hex(3)}"
TOKEN = os.environ.get("TSBENCH_API_TOKEN")
HEADERS = {"authorization": f"Bearer {TOKEN}"} if TOKEN else {}
SERIES, POINTS, BATCH = 20, 100, 500
NUMBERS = count()
TIMES: dict[str, list[float]] = defaultdict(list)
FAILURES: Counter[tuple[str, str]] = Counter()
FIGURE = re.compile(r'<script type="application/json" id="figure">(.*?)</script>', re.S)


@cache
def values_of(number: int) -> list[float]:
    """The training values of a series: a wave and a drift, so that level and spread differ from series to series."""
    return [round(50 + number + 5 * math.sin(i / 7) + 0.01 * i, 3) for i in range(POINTS)]


@cache
def level_of(number: int) -> tuple[float, float]:
    """Level and spread of a series, by which an answer is checked."""
    values = values_of(number)
    level = math.fsum(values) / len(values)
    return level, math.sqrt(math.fsum((value - level) ** 2 for value in values) / len(values))


@events.test_start.add_listener
def make_series(environment: Any, **_: Any) -> None:
    """Fit the series that are asked about."""
    for number in range(SERIES):
        sent = {"timestamps": list(range(POINTS)), "values": values_of(number)}
        url = f"{environment.host}/fit/{ROOM}-{number}"
        requests.post(url, json=sent, headers=HEADERS, timeout=30).raise_for_status()


@events.test_stop.add_listener
def delete_series(environment: Any, **_: Any) -> None:
    """Leave nothing behind."""
    names = [f"{ROOM}-{number}" for number in range(SERIES)]
    for name in names + [f"{ROOM}-fit-{number}" for number in range(next(NUMBERS))]:
        requests.delete(f"{environment.host}/series/{name}", headers=HEADERS, timeout=30)


@events.request.add_listener
def note(name: str, response_time: float, exception: Exception | None, **_: Any) -> None:
    """Keep every time: what locust writes itself is rounded to milliseconds and may lack the last second."""
    TIMES[name].append(response_time)
    if exception is not None:
        FAILURES[name, str(exception)[:200]] += 1


@events.quitting.add_listener
def write_times(environment: Any, **_: Any) -> None:
    """Where STRESS_TIMES says: milliseconds by name, what failed, and for how long there were requests."""
    path = os.environ.get("STRESS_TIMES")
    if path:
        total = environment.stats.total
        failures = [{"name": name, "error": error, "times": times} for (name, error), times in FAILURES.most_common()]
        told = {"milliseconds": TIMES, "failures": failures, "lasted": total.last_request_timestamp - total.start_time}
        Path(path).write_text(json.dumps(told), "utf-8")


class Caller(FastHttpUser):
    """A user who waits a little between two requests."""

    abstract = True
    wait_time = between(0.01, 0.03)
    default_headers = HEADERS

    def on_start(self) -> None:
        self.turn = count()

    def call(
        self,
        name: str,
        path: str,
        wrong: Callable[[Any], str],
        sent: Any = None,
        read: Callable[[str], Any] = json.loads,
    ) -> None:
        """One request, a failure unless it is a 200 whose body is right.

        name : by which it is counted. wrong : told the body, says what is wrong with it. read : of the text.
        """
        method = "GET" if sent is None else "POST"
        with self.client.request(method, path, name=name, json=sent, catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"status {answer.status_code}: {(answer.text or '')[:200]}")
                return
            try:
                said = wrong(read(answer.text))
            except (ValueError, KeyError, TypeError) as error:
                said = f"{type(error).__name__}: {error}"
            if said:
                answer.failure(said)


class Predict(Caller):
    """Asks whether a new value is an anomaly: by far the most frequent request."""

    weight = 60

    @task
    def predict(self) -> None:
        turn = next(self.turn)
        level, spread = level_of(turn % SERIES)
        value = level + (4 if turn % 10 == 0 else 1) * spread

        def wrong(said: Any) -> str:
            score = (value - level) / spread
            well = said["anomaly"] is (turn % 10 == 0) and math.isclose(said["score"], score, rel_tol=1e-6)
            return "" if well else f"score {said['score']} and {said['anomaly']} for {value}, wanted {score}"

        path = f"/predict/{ROOM}-{turn % SERIES}"
        self.call("predict", path, wrong, {"timestamp": str(1_705_000_000 + turn), "value": value})


class Batch(Caller):
    """Asks about many values of a series at once."""

    weight = 15

    @task
    def batch(self) -> None:
        turn = next(self.turn)
        level, spread = level_of(turn % SERIES)
        values = [level + (5 if i % 50 == turn % 50 else 0.5) * spread for i in range(BATCH)]

        def wrong(said: Any) -> str:
            found = [i for i, anomaly in enumerate(said["anomaly"]) if anomaly]
            wanted = list(range(turn % 50, BATCH, 50))
            return (
                "" if found == wanted and said["points"] == BATCH else f"anomalies at {found[:5]}, wanted {wanted[:5]}"
            )

        self.call("batch of 500", f"/predict/{ROOM}-{turn % SERIES}/batch", wrong, {"values": values})


class Fit(Caller):
    """Fits a series of its own again and again."""

    weight = 15

    def on_start(self) -> None:
        super().on_start()
        self.number, self.versions = next(NUMBERS), count(1)

    @task
    def fit(self) -> None:
        wanted = next(self.versions)
        sent = {"timestamps": list(range(POINTS)), "values": values_of(self.number)}

        def wrong(said: Any) -> str:
            well = said["version"] == str(wanted) and said["points_used"] == POINTS
            return "" if well else f"version {said['version']} of {said['points_used']} points, wanted {wanted}"

        self.call("fit of 100", f"/fit/{ROOM}-fit-{self.number}", wrong, sent)


class Look(Caller):
    """Opens the page of a series, as a person does."""

    weight = 5
    wait_time = between(0.2, 0.6)

    @task
    def plot(self) -> None:
        name = f"{ROOM}-{next(self.turn) % SERIES}"

        def wrong(page: str) -> str:
            figure = FIGURE.search(page)
            well = figure is not None and json.loads(figure[1])["data"] and f"<title>{name}, version 1<" in page
            return "" if well else f"no figure of the series: {page[:60]}"

        self.call("plot", f"/plot?series_id={name}", wrong, read=str)


class Watch(Caller):
    """Asks how the service is, as monitors do."""

    weight = 5
    wait_time = between(0.1, 0.3)

    @task
    def watch(self) -> None:
        self.ready()
        self.healthcheck()

    def ready(self) -> None:
        def wrong(said: Any) -> str:
            return "" if said["status"] == "ready" else f"not ready: {said}"

        self.call("ready", "/health/ready", wrong)

    def healthcheck(self) -> None:
        def wrong(said: Any) -> str:
            asked = said["inference_latency_ms"]
            return "" if said["series_trained"] >= SERIES and asked["p50"] <= asked["p99"] else f"odd: {said}"

        self.call("healthcheck", "/healthcheck", wrong)
