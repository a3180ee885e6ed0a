"""What the service survives: dead workers, dead databases, full pools, hostile bodies."""

import http.client
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import httpx2
import psycopg2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from tsbench.serve import create_app
from tsbench.settings import Settings
from tsbench.store import Store, embedded

pytestmark = pytest.mark.fault
FOUR = [10.0, 11.2, 10.4, 10.8]
PATIENCE = 30.0


@pytest.fixture
def project(tmp_path):
    """A project with services of its own, which a test may kill."""
    yield tmp_path
    status = embedded.stop(tmp_path, force=True)
    shutil.rmtree(status.folder, ignore_errors=True)
    shutil.rmtree(status.sockets, ignore_errors=True)


def fit(client, name, values=FOUR):
    return client.post(f"/fit/{name}", json={"timestamps": list(range(len(values))), "values": values})


def predict(client, name, **query):
    return client.post(f"/predict/{name}", json={"timestamp": 1, "value": 13.0}, params=query)


def until(question, wanted, tries=2_000):
    """Ask again until the answer is as wanted; each try is a request, which is waiting enough."""
    for _ in range(tries):
        found = question()
        if found == wanted:
            return found
    raise AssertionError(f"still {found}")


@pytest.fixture
def alone(project, listen):
    """(client, restart): a service on killable services, and what starts these again."""
    with ExitStack() as stack:
        services = stack.enter_context(embedded.acquire(project))
        with Store(services.database_url) as store:
            store.upgrade()
        given = {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url}
        given |= {"pool_timeout": 1.0, "request_timeout": 3.0}
        url = stack.enter_context(listen(create_app(Settings(_env_file=None, home=project, **given))))
        client = stack.enter_context(httpx2.Client(base_url=url, timeout=PATIENCE))
        yield client, lambda: stack.enter_context(embedded.acquire(project))


def test_a_dead_database_stops_cold_questions_only_and_is_found_again(alone, project):
    client, restart = alone
    for name in ("warm", "cold"):
        fit(client, name).raise_for_status()
    predict(client, "warm").raise_for_status()
    os.kill(embedded.status(project).pid, signal.SIGQUIT)
    until(lambda: client.get("/health/ready").status_code, 503)
    assert predict(client, "warm").json()["anomaly"] is True
    for refused in (predict(client, "cold"), fit(client, "warm"), client.get("/series")):
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert "postgres" not in refused.text
    assert client.get("/healthcheck").status_code == 503
    assert client.get("/health/live").status_code == 200
    restart()
    until(lambda: client.get("/health/ready").status_code, 200)
    assert predict(client, "cold").status_code == 200
    assert fit(client, "warm").json()["version"] == "2"
    until(lambda: predict(client, "warm").json()["model_version"], "2")


def test_a_frozen_database_is_told_and_not_waited_for(alone, project):
    client, _ = alone
    for name in ("warm", "cold"):
        fit(client, name).raise_for_status()
    predict(client, "warm").raise_for_status()
    family = [embedded.status(project).pid]
    family += _pids("-P", str(family[0]))
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "does not answer")
        assert predict(client, "warm").json()["anomaly"] is True
        assert client.get("/metrics").status_code == 200
        late = predict(client, "cold")
        assert (late.status_code, "TSBENCH_REQUEST_TIMEOUT" in late.text) == (503, True)
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    until(lambda: predict(client, "cold").status_code, 200)
    until(lambda: client.get("/health/ready").status_code, 200)


def test_a_dead_redis_stops_the_healthcheck_only(alone, project):
    client, restart = alone
    fit(client, "s").raise_for_status()
    client.get("/healthcheck").raise_for_status()
    pid = int(
        subprocess.run(["pgrep", "-f", f"valkey-server.*{_mark(project)}"], capture_output=True, text=True).stdout
    )
    os.kill(pid, signal.SIGKILL)
    assert fit(client, "s").json()["version"] == "2"
    assert predict(client, "s").json()["anomaly"] is True
    refused = client.get("/healthcheck")
    assert refused.status_code == 503
    assert client.get("/health/ready").json()["redis"] == "does not answer"
    restart()
    until(lambda: client.get("/healthcheck").status_code, 200)
    # what was noted while Redis was away is not lost
    assert client.get("/healthcheck").json()["training_latency_ms"]["count"] >= 1


def _metric(client, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, flags=re.M)[1])


def _pids(*words):
    """What pgrep finds."""
    return [int(pid) for pid in subprocess.run(["pgrep", *words], capture_output=True, text=True).stdout.split()]


def _mark(project):
    from tsbench.store.embedded.place import Place

    return re.escape(Place.of(project, None).mark("valkey"))


def test_a_full_pool_is_a_503(serve, empty_template):
    with serve(empty_template, pool_size=2, pool_timeout=0.2) as served:
        served.fit("s", FOUR).raise_for_status()
        url = served.store.url.replace("+psycopg2", "")
        with closing(psycopg2.connect(url)) as holder, closing(psycopg2.connect(url)) as watcher:
            watcher.autocommit = True
            holder.cursor().execute("LOCK TABLE series_version")
            waiting = [threading.Thread(target=served.client.get, args=("/series",)) for _ in range(2)]
            for one in waiting:
                one.start()
            until(lambda: _waiting_for_locks(watcher), 2, tries=100_000)
            refused = served.client.get("/series/s/versions")
            holder.rollback()
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        for one in waiting:
            one.join(PATIENCE)
        assert served.client.get("/series").status_code == 200


def _waiting_for_locks(connection):
    """How many connections to this database wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0]


def test_a_worker_killed_amid_fits_leaves_whole_versions_and_is_replaced(project):
    (project / "data").mkdir(exist_ok=True)
    environment = os.environ | {"TSBENCH_HOME": str(project)}
    command = [Path(sys.executable).with_name("tsbench"), "serve", "--port", "0", "--workers", "2"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            url = next(m[1] for line in server.stderr if (m := re.search(r"running on (http://[\d.:]+)", line)))
            drain = threading.Thread(target=server.stderr.read, daemon=True)
            drain.start()
            told, stop = queue.Queue(), threading.Event()

            def keep_fitting(number):
                body = json.dumps({"timestamps": [*range(6)], "values": [*FOUR, 11.5, float(number)]})
                while not stop.is_set():
                    # a connection each, so that both workers are asked
                    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
                    try:
                        connection.request("POST", "/fit/s", body, {"content-type": "application/json"})
                        answer = connection.getresponse()
                        if answer.status == 200:
                            told.put(int(json.loads(answer.read())["version"]))
                    except (OSError, http.client.HTTPException):
                        continue
                    finally:
                        connection.close()

            threads = [threading.Thread(target=keep_fitting, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            acknowledged = [told.get(timeout=PATIENCE) for _ in range(50)]
            for _ in range(2):
                children = _pids("-P", str(server.pid))
                victims = [pid for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
                os.kill(victims[0], signal.SIGKILL)
                acknowledged += [told.get(timeout=PATIENCE) for _ in range(100)]
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
            acknowledged += list(told.queue)
            with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
                # summed over the living and, where it was counted, the dead
                until(lambda: _metric(client, "tsbench_listening"), 2.0)
                assert _metric(client, 'tsbench_points_total{kind="fitted"}') >= 6 * len(acknowledged)
            with embedded.acquire(project, redis=False) as services, Store(services.database_url) as store:
                kept = [version.version for version in store.series_versions.versions("s")]
                assert sorted(kept) == list(range(1, len(kept) + 1))
                assert set(acknowledged) <= set(kept)
                assert len(set(acknowledged)) == len(acknowledged)
                for number in kept[:: max(1, len(kept) // 50)]:
                    version, times, values = store.series_versions.training("s", number)
                    assert (times.size, values.size, version.points) == (6, 6, 6)
        finally:
            server.terminate()
            server.wait(PATIENCE)


def test_whatever_the_description_allows_or_forbids_is_never_a_500(served):
    for name in ("sensor_01", "0"):
        served.fit(name, FOUR).raise_for_status()
    description = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations = [found.ok() for found in description.get_all_operations()]
    statuses = []
    for operation in operations:
        for mode in schemathesis.GenerationMode:

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            def ask(case):
                answer = case.call(timeout=PATIENCE)
                statuses.append(answer.status_code)
                assert answer.status_code < 500, case.as_curl_command()
                if answer.status_code >= 400 and case.method != "HEAD":
                    assert set(answer.json()) >= {"detail", "request_id"}, case.as_curl_command()

            # of a route that takes nothing, nothing can be wrong
            with suppress(Unsatisfiable):
                ask()
    assert len(statuses) >= 2_000
    assert {200, 404, 422} <= set(statuses)


DEEP = "[" * 100_000
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"x"',
    b"\xff\xfe",
    b"\x00" * 100,
    DEEP.encode(),
    b'{"value":' + DEEP.encode(),
]
BODIES += [
    b'{"timestamp":"1","value":' + number + b"}" for number in (b"1" * 5_000, b"1e" + b"9" * 400, b"NaN", b"-" * 9)
]
PATHS = ["/predict/s", "/predict/s/batch", "/fit/s", "/predict/..%2f..%2fetc%2fpasswd", "/fit/%2e%2e", "/predict/%00"]
PATHS += ["/predict/" + "x" * 5_000, "/fit/%ff%fe", "/predict/s?version=%00", "/predict/s?side=%ff", "//predict//s"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/json; charset=utf-16", "", "\x80"])
def test_bodies_and_paths_meant_to_hurt_are_refused(served, kind):
    served.fit("s", FOUR).raise_for_status()
    served.predict("s", 1.0).raise_for_status()
    for path in PATHS:
        for body in BODIES:
            answer = served.client.post(
                served.url + path, content=body, headers={"content-type": kind.encode("latin-1")}
            )
            assert 400 <= answer.status_code < 500, (path, body[:40], answer.text)
    assert served.predict("s", 13.0).json()["anomaly"] is True


def test_lines_that_are_no_http_do_no_harm(served):
    import socket

    address = served.client.base_url.host, served.client.base_url.port
    for line in (b"\x16\x03\x01\x02", b"GET /\r\n\r\n", b"POST /predict/s HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                 b"POST /fit/s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"):  # fmt: skip
        with socket.create_connection(address, PATIENCE) as raw:
            raw.sendall(line)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(4_096)
    assert served.client.get("/health/live").status_code == 200
