"""`tsbench worker` as a process: killed in the middle, told to stop in the middle."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.jobs.test_fits import ask, in_queue, rows
from tsbench.jobs import working as working_room
from tsbench.jobs.working import work
from tsbench.store.embedded.daemon import wait_until
from tsbench.store.engine import transaction

pytestmark = pytest.mark.fault
PATIENCE = 30
# Whoever completes the fit of `within` waits at that very statement for a lock.
GATE = """
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NEW; END';
CREATE TRIGGER gate BEFORE UPDATE ON job_request FOR EACH ROW
    WHEN (NEW.status = 'completed' AND NEW.series_id = 'within') EXECUTE FUNCTION wait_at_gate();
"""


@contextmanager
def working(store, home, *words):
    """A worker process, ended with the block."""
    environment = os.environ | {"DATABASE_URL": store.url}
    command = [sys.executable, "-W", "error", "-m", "tsbench", "worker", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=home) as process:
        try:
            assert process.stderr.readline().startswith("working")
            yield process
        finally:
            process.kill()


def blocked(store):
    """How many wait for a lock in this database."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return rows(store, waiting)[0][0]


def lines_of(process):
    return [line.split(", fit of")[0] for line in process.stderr.read().splitlines()]


def test_a_worker_killed_at_any_moment_leaves_no_version_or_one_and_the_job_is_done(store, home):
    before, within, after = (ask(store, name) for name in ("before", "within", "after"))
    numbers = [request.id for request in (before, within, after)]
    rows(store, GATE)
    with transaction(store.engine) as held:
        # one stops before it has begun, one when its version is written and its end is not, and one when both are
        # committed and the queue does not know it yet
        held.execute("SELECT FROM job_request WHERE id = %s FOR UPDATE", (before.id,))
        held.execute("SELECT pg_advisory_xact_lock(42)")
        held.execute(
            "SELECT FROM tsbench_queue.procrastinate_events e JOIN tsbench_queue.procrastinate_jobs j ON j.id = job_id "
            "WHERE args ->> 'number' = %s FOR UPDATE OF e",
            (str(after.id),),
        )
        with working(store, home, "--jobs", "3") as first:
            assert wait_until(lambda: blocked(store) == 3, PATIENCE)
            first.send_signal(signal.SIGKILL)
            first.wait(PATIENCE)
    assert [store.job_requests.get(n).status for n in numbers] == ["pending", "running", "completed"]
    assert [store.job_requests.get(n).attempts for n in numbers] == [0, 1, 1]
    assert [v.series_id for v in store.series_versions.latest()] == ["after"]
    assert in_queue(store) == [(str(n), "doing") for n in numbers]
    # as if the time had passed after which a silent worker counts as dead
    rows(store, "UPDATE tsbench_queue.procrastinate_workers SET last_heartbeat = now() - interval '11 seconds'")
    with working(store, home) as second:
        assert wait_until(lambda: not in_queue(store), PATIENCE)
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE) == 0
        assert sorted(lines_of(second)) == [f"job {before.id}", f"job {within.id}", "stopped"]
    assert [store.job_requests.get(n).status for n in numbers] == ["completed"] * 3
    assert [store.job_requests.get(n).attempts for n in numbers] == [1, 2, 1]
    for name in ("before", "within", "after"):
        assert [v.version for v in store.series_versions.versions(name)] == [1]


def test_a_worker_told_to_stop_finishes_what_it_began_and_begins_nothing(store, home):
    begun, waiting = ask(store, "begun"), ask(store, "waiting")
    with working(store, home) as worker:
        with transaction(store.engine) as held:
            held.execute("INSERT INTO last_version (kind, name, version) VALUES ('series', 'begun', 0)")
            assert wait_until(lambda: blocked(store) == 1, PATIENCE)
            worker.send_signal(signal.SIGINT)
        assert worker.wait(PATIENCE) == 0
        assert lines_of(worker) == [f"job {begun.id}", "stopped"]
    assert store.job_requests.get(begun.id).version == 1
    assert store.job_requests.get(waiting.id).status == "pending"
    assert rows(store, "SELECT count(*) FROM tsbench_queue.procrastinate_workers") == [(0,)]


def test_a_worker_whose_connections_were_cut_goes_on(store, home):
    with working(store, home) as worker:
        listens = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^LISTEN'"
        assert wait_until(lambda: rows(store, listens), PATIENCE)
        with transaction(store.engine) as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        asked = ask(store)
        assert wait_until(lambda: store.job_requests.get(asked.id).version == 1, PATIENCE)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0


def test_a_worker_without_a_heartbeat_notices_and_begins_again(store, monkeypatch):
    monkeypatch.setattr(working_room, "HEARTBEAT", 0.05)
    monkeypatch.setattr(working_room, "AGAIN", 0.05)
    beats, stops = "procrastinate_update_heartbeat_v1(bigint)", "stopped_heart"
    rename = "ALTER FUNCTION tsbench_queue.{} RENAME TO {}"
    rows(store, rename.format(beats, stops))
    told = []

    def note(line):
        told.append(line)
        if len(told) == 1:
            rows(store, rename.format(f"{stops}(bigint)", beats.partition("(")[0]))
            ask(store)
        else:
            os.kill(os.getpid(), signal.SIGINT)

    rescue = threading.Timer(PATIENCE, os.kill, (os.getpid(), signal.SIGINT))
    rescue.start()
    work(store, note=note)
    rescue.cancel()
    assert told[0] == "the database went away, looking for it again in 0.05 s"
    assert ": version 1, " in told[1]
