"""Speed of the service beside plain FastAPI, a bare ASGI callable and pgbench, in one run.

Every server has one worker on one core, the load generator has the other; 32 keep-alive connections by wrk, rounds in
alternation. wrk compares every answer with one that was looked at before. The embedded PostgreSQL of the service runs
on the service's core; pgbench asks that same server, from the generator's core. Needs wrk.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import bursts
import notices
import numpy as np
import pgbench
import psycopg2
import wrk
from asking import Asked, Line, as_bytes, ask, asked
from measure import bar, write
from open_loop import percentiles
from own_service import CLIENT_CORE, Running, free_port, own_service, pin, server, stop_on_sigterm

from tsbench.detect.anomaly import anomaly_detector
from tsbench.store import Store
from tsbench.store.series_versions import Fit

SEED, SERIES, BURST, COLD, NOTICES = 0, 1_000, 100, 300, 200
FOUR, SIX = [10.0, 11.2, 10.4, 10.8], [10.0, 11.2, 10.4, 10.8, 9.9, 10.7]
LEVEL, SPREAD = float(np.mean(FOUR)), float(np.std(FOUR))
PEER = "peer"  # the series that every server knows, fitted on FOUR
SIZES = (1, 10, 100, 1_000, 10_000)
OURS, PLAIN, BARE = "tsbench", "plain FastAPI", "raw ASGI + msgspec"
PACKAGES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "msgspec", "orjson", "psycopg2-binary", "httpx")
# The listener asks SELECT 1 each second, to know that its connection lives.
TOUCHED = """SELECT count(*), count(*) FILTER (WHERE query_start > %s AND query <> 'SELECT 1')
FROM pg_stat_activity WHERE datname = 'tsbench' AND backend_type = 'client backend'"""
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round each, to try it; writes nothing")
    quick = parser.parse_args().quick
    stop_on_sigterm()
    if not wrk.version():
        sys.exit(wrk.ABSENT)
    rounds, seconds = (1, 1) if quick else (5, 2)
    pin(CLIENT_CORE)
    with own_service() as ours, peer("plain") as plain, peer("bare") as bare:
        ask(ours.url, f"/fit/{PEER}", {"timestamps": [1, 2, 3, 4], "values": FOUR})
        servers = {OURS: ours, PLAIN: plain, BARE: bare}
        result: Row = {"wrk": wrk.version(), "start_seconds": ours.started_in, "postgres": postgres(ours)}
        result["single"] = in_turn({n: single(s, seconds) for n, s in servers.items()}, rounds)
        result["batch"] = in_turn({n: batch(s, seconds, 1_000, False) for n, s in servers.items()}, rounds)
        sizes = [(n, times) for n in SIZES for times in (False, True)]
        result["payload"] = in_turn({size: batch(ours, 1, *size) for size in sizes}, min(rounds, 3))
        result["payload"] = [{"values": n, "timestamps": t, **r} for (n, t), r in result["payload"].items()]
        result["fits"] = in_turn(fits(ours, seconds), rounds)
        result["bursts"] = all_bursts(servers, rounds)
        result["cold"] = cold_and_warm(ours)
        result["database"] = database_touches(ours, seconds)
    with own_service(workers=2) as two:
        result["notices"] = told(two, 20 if quick else NOTICES)
    result["bars"] = bars(result)
    if not quick:
        write("serving", result, PACKAGES, SEED)


@contextmanager
def peer(factory: str) -> Iterator[Running]:
    """One of serving_peers by uvicorn, set up as ours is."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"serving_peers:{factory}", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with server(command, port, ready="/openapi.json") as running:
        yield running


def in_turn(calls: dict[Any, Callable[[], Row]], rounds: int) -> dict[Any, Row]:
    """Medians of several rounds, one call after the other in each, so that outside load hits all alike."""
    rows: dict[Any, list[Row]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            rows[name].append(call())
    result = {}
    for name, got in rows.items():
        result[name] = {key: statistics.median(row[key] for row in got) for key in got[0]}
        result[name] |= {"rates": [row["rate"] for row in got]} if "rate" in got[0] else {}
        print(name, {key: round(value, 2) for key, value in result[name].items() if key != "rates"}, flush=True)
    return result


def by_wrk(target: Running, path: str, sent: Any, right: str, seconds: float, series: int = 0) -> Row:
    """One run of wrk. Raises SystemExit where an answer was wrong: such a figure is worth nothing."""
    before = target.cpu_seconds()
    got = wrk.run(target.url + path, json.dumps(sent), right, seconds=seconds, series=series)
    spent = target.cpu_seconds() - before
    if got.wrong or not got.right:
        sys.exit(f"{got.wrong} wrong answers and {got.right} right ones of {target.url}{path}; no figures are kept")
    return {"rate": got.rate, "p50": got.p50, "p99": got.p99, "cpu_us": 1e6 * spent / got.right}


def looked_at(target: Running, path: str, sent: Any, values: list[float]) -> Asked:
    """A prediction whose answer agrees with the arithmetic of the z-score."""
    scores = (np.array(values) - LEVEL) / SPREAD

    def right(answer: Row) -> bool:
        same = np.allclose(answer["score"], scores if "values" in sent else scores[0], rtol=1e-9)
        return bool(same) and np.array_equal(answer["anomaly"], scores > 3 if "values" in sent else scores[0] > 3)

    return asked(target.url, path, sent, right)


def single(target: Running, seconds: float) -> Callable[[], Row]:
    """Predictions of one value."""
    path, sent = f"/predict/{PEER}", {"timestamp": "1705000010", "value": 13.0}
    right = looked_at(target, path, sent, [13.0]).right.decode()
    return lambda: by_wrk(target, path, sent, right, seconds)


def batch(target: Running, seconds: float, n: int, times: bool) -> Callable[[], Row]:
    """Predictions of n values in one request, with or without a timestamp each."""
    values = np.random.default_rng(SEED).normal(LEVEL, 2 * SPREAD, n).round(3).tolist()
    sent = {"values": values} | ({"timestamps": list(range(1_705_000_000, 1_705_000_000 + n))} if times else {})
    path = f"/predict/{PEER}/batch"
    right = looked_at(target, path, sent, values).right.decode()

    def call() -> Row:
        row = by_wrk(target, path, sent, right, seconds)
        sizes = {"sent_bytes": len(json.dumps(sent)), "answer_bytes": len(right)}
        return row | {"values_per_second": n * row["rate"]} | sizes

    return call


def fits(target: Running, seconds: int) -> dict[str, Callable[[], Row]]:
    """Fits of six points into one of a thousand series, and pgbench with the statement that keeps them."""
    sent = {"timestamps": list(range(6)), "values": SIX}
    calls = {OURS: lambda: by_wrk(target, "/fit/fit_{n}", sent, '"points_used":6', seconds, SERIES)}
    if pgbench.program() is None:
        print(pgbench.ABSENT)
        return calls
    fit = Fit.of("x", anomaly_detector("zscore").fit(SIX), range(6), SIX)
    with Store(target.database_url) as store:
        text = pgbench.script(store, fit, SERIES)

    def peer_of(prepared: bool, clients: int) -> Callable[[], Row]:
        given = {"prepared": prepared, "clients": clients, "seconds": seconds}
        return lambda: {"rate": pgbench.run(text, str(target.database_url), **given)}

    for clients in (8, 32):
        for prepared in (False, True):
            name = f"pgbench, {'prepared' if prepared else 'simple'}, {clients} clients"
            calls[name] = peer_of(prepared, clients)
    return calls


def all_bursts(servers: dict[str, Running], rounds: int) -> dict[str, Row]:
    """A hundred fits, then a hundred predictions of one series, each on its own connection at the same instant."""
    ours, turn = servers[OURS], count()
    reading, training = {"timestamp": "1", "value": 13.0}, {"timestamps": list(range(6)), "values": SIX}

    def burst(client: Callable[..., Any], *given: Any, word: bytes) -> Row:
        times, bodies = client(*given)
        return times | {"wrong": sum(word not in body for body in bodies)}

    def fit() -> Row:
        names = [f"/fit/burst_{next(turn)}" for _ in range(BURST)]
        requests = [as_bytes(ours.url, name, training, close=True) for name in names]
        return burst(bursts.plainly, ours.url, requests, word=b'"points_used":6')

    def predict(of: Running) -> Row:
        requests = [as_bytes(of.url, f"/predict/{PEER}", reading, close=True)] * BURST
        return burst(bursts.plainly, of.url, requests, word=b'"anomaly":true')

    def by_httpx(of: Running, path: str, sent: Any, word: bytes) -> Row:
        return burst(bursts.by_httpx, of.url, path, [json.dumps(sent).encode()] * BURST, word=word)

    calls: dict[str, Callable[[], Row]] = {f"{OURS}, fits": fit}
    calls |= {f"{name}, predicts": lambda of=of: predict(of) for name, of in servers.items()}
    path, yes = f"/predict/{PEER}", b'"anomaly":true'
    calls[f"{OURS}, fits by httpx"] = lambda: by_httpx(ours, "/fit/httpx_{n}", training, b'"points_used":6')
    for name in (OURS, BARE):
        calls[f"{name}, predicts by httpx"] = lambda of=servers[name]: by_httpx(of, path, reading, yes)
    fit()  # the pool of connections to the database is filled by the first
    return in_turn(calls, max(rounds, 3))


def cold_and_warm(ours: Running) -> Row:
    """The first prediction of a series, whose model lies in the database alone, and the next: one connection."""
    line, rng = Line(ours.url), np.random.default_rng(SEED)
    requests, cold, warm, bodies = [], [], [], []
    for n in range(COLD):
        values = rng.normal(10, 1, 6).round(3).tolist()
        line.ask(as_bytes(ours.url, f"/fit/cold_{n}", {"timestamps": list(range(6)), "values": values}))
        requests.append(as_bytes(ours.url, f"/predict/cold_{n}", {"timestamp": "1", "value": 13.0}))
    for times in (cold, warm):
        bodies.append([])
        for request in requests:
            bodies[-1].append(line.ask(request))
            times.append(line.seconds)
    line.close()
    if bodies[0] != bodies[1]:
        sys.exit("a warm model answers otherwise than a cold one")
    return {"cold": percentiles(np.array(cold)), "warm": percentiles(np.array(warm))}


def database_touches(ours: Running, seconds: int) -> Row:
    """How many connections of the database ran anything while a warm model was asked, the heartbeat apart."""
    call = single(ours, seconds)
    (since,) = query(ours, "SELECT clock_timestamp()")
    row = call()
    connections, touched = query(ours, TOUCHED, since)
    print(f"{touched} of {connections} connections ran a statement", flush=True)
    return {"connections": connections, "touched": touched, "predictions": round(row["rate"] * seconds)}


def postgres(ours: Running) -> Row:
    """Version and what decides whether a commit is durable."""
    row = query(ours, "SELECT current_setting('server_version'), current_setting('fsync'), "
                "current_setting('synchronous_commit')")  # fmt: skip
    return dict(zip(("version", "fsync", "synchronous_commit"), row, strict=True))


def query(ours: Running, sql: str, *given: Any) -> tuple[Any, ...]:
    """One row, asked in the neighbouring database, so that asking does not count."""
    address = str(ours.database_url).replace("postgresql+psycopg2", "postgresql").replace("/tsbench?", "/postgres?")
    connection = psycopg2.connect(address)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, given)
            (row,) = cursor.fetchall()
    finally:
        connection.close()
    return tuple(row)


def told(two: Running, times: int) -> Row:
    """How soon both workers answer by a version written straight into the database, and by one fitted over HTTP."""
    training = {"timestamps": list(range(6)), "values": SIX}
    ask(two.url, f"/fit/{PEER}", training)
    lines = notices.line_to_each_worker(two.url, PEER, 2)
    fit = Fit.of(PEER, anomaly_detector("zscore").fit(SIX), range(6), SIX)
    by_http = as_bytes(two.url, f"/fit/{PEER}", training)
    with Store(two.database_url) as store:
        writers: dict[str, Callable[[], int]] = {
            "written by another process": lambda: store.series_versions.put_many([fit])[0].version,
            "fitted by one of the workers": lambda: int(json.loads(lines[0].ask(by_http))["version"]),
        }
        rows = {}
        for name, write_one in writers.items():
            delays = [notices.delay(lines, two.url, PEER, write_one) for _ in range(times)]
            rows[name] = percentiles(np.array(delays)) | {"n": times}
            print(name, rows[name], flush=True)
    return rows


def bars(result: Row) -> list[Row]:
    """What the service is held to."""
    ours, fitted = result["single"][OURS], dict(result["fits"])
    rate, p99, values = ours["rate"], ours["p99"], result["batch"][OURS]["values_per_second"]
    own, touched = fitted.pop(OURS)["rate"], result["database"]["touched"]
    seen = max(row["max"] for row in result["notices"].values())
    fit, predict = (result["bursts"][f"{OURS}, {what}"]["p95"] for what in ("fits", "predicts"))
    rows = [
        bar("single predictions per second", rate, ">= 20000", rate >= 20_000),
        bar("single predictions, 99th percentile, ms", p99, "<= 3", p99 <= 3),
        bar("values per second, 1,000 in a request", values, ">= 3e6", values >= 3e6),
        bar("connections to the database used while predicting warm", touched, "0", touched == 0),
        bar("a new version is seen by both workers, slowest, ms", seen, "<= 50", seen <= 50),
        bar("100 simultaneous fits of 6 points, 95th percentile, ms", fit, "<= 150", fit <= 150),
        bar("100 simultaneous predictions, 95th percentile, ms", predict, "<= 60", predict <= 60),
    ]
    if fitted:
        share = own / max(row["rate"] for row in fitted.values())
        what = "fits of 6 points per second over those of pgbench, the fastest of its ways"
        rows.insert(3, bar(what, share, ">= 0.5", share >= 0.5))
    return rows


if __name__ == "__main__":
    main()
