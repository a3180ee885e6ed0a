"""Fits done later: asked for once, done once, whatever happens to who does them."""

import threading
from pathlib import Path

import numpy as np
import pytest
from procrastinate.schema import migrations_path

from tsbench.detect.anomaly import ZScore, restored
from tsbench.errors import BadInput, NotFound
from tsbench.jobs.fits import FIT, FITTED, READ, ask_fit
from tsbench.jobs.queue import enqueue
from tsbench.jobs.working import work
from tsbench.store import Store
from tsbench.store.embedded.daemon import wait_until
from tsbench.store.engine import transaction
from tsbench.store.job_requests import DEAD_AFTER, Superseded
from tsbench.store.series_versions import Fit

TIMES, VALUES = [10, 20, 30, 40], [10.0, 11.2, 10.4, 10.8]
# The last of procrastinate's own migrations that revision 0006 was written for.
KNOWN = "03.04.00_50_post_add_retry_failed_job_procedure"


def ask(store, series_id="s", model="zscore"):
    return ask_fit(store, series_id, model, TIMES, VALUES)


def done(store, jobs=1):
    """What a worker tells that does what is there and goes."""
    told = []
    work(store, jobs=jobs, note=told.append, wait=False)
    return told


def rows(store, text, *values):
    with transaction(store.engine) as cursor:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else None


def in_queue(store):
    return rows(store, "SELECT args ->> 'number', status FROM tsbench_queue.procrastinate_jobs WHERE task_name = 'fit'")


def payloads(store):
    return rows(store, "SELECT count(times) + count(vals) FROM job_request")[0][0]


def taken_by_a_worker(store, heartbeat_age):
    """A worker that took the next job and was not heard of for so many seconds."""
    with transaction(store.engine) as cursor:
        cursor.execute("SET LOCAL search_path TO tsbench_queue")
        cursor.execute("SELECT procrastinate_register_worker_v1()")
        ((worker,),) = cursor.fetchall()
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,))
        cursor.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - make_interval(secs => %s)", (heartbeat_age,)
        )


def test_what_was_asked_for_becomes_a_version_and_the_request_says_so(store):
    asked = ask(store)
    assert (asked.status, asked.stage, asked.progress, asked.attempts) == ("pending", "queued", 0.0, 0)
    assert (asked.kind, asked.series_id, asked.model, asked.points) == ("fit", "s", "zscore", 4)
    assert (asked.started_at, asked.finished_at, asked.version, asked.served) == (None, None, None, False)
    assert payloads(store) == 2
    (line,) = done(store)
    assert line.startswith(f"job {asked.id}, fit of s: version 1, 4 points, ")
    ended = store.job_requests.get(asked.id)
    assert (ended.status, ended.stage, ended.progress, ended.attempts) == ("completed", "done", 1.0, 1)
    assert (ended.version, ended.reason) == (1, None)
    assert asked.queued_at == ended.queued_at <= ended.started_at <= ended.finished_at
    record, times, values = store.series_versions.training("s")
    assert (record.version, record.model, times.tolist(), values.tolist()) == (1, "zscore", TIMES, VALUES)
    _, state = store.series_versions.get("s")
    assert restored(state).judge(13.0) == ZScore().fit(VALUES).judge(13.0)
    assert (payloads(store), in_queue(store)) == (0, [])


def test_any_number_at_once_get_consecutive_versions(store):
    for _ in range(20):
        ask(store)
    assert len(done(store, jobs=4)) == 20
    assert [v.version for v in store.series_versions.versions("s")] == list(range(20, 0, -1))
    assert {r.version for r in store.job_requests.newest(status="completed")} == set(range(1, 21))


def test_a_request_and_its_place_in_the_queue_are_there_both_or_neither(store):
    def break_off(cursor, number):
        enqueue(cursor, FIT, number)
        raise BadInput("something else went wrong")

    with pytest.raises(BadInput):
        store.job_requests.put(FIT, "s", "zscore", TIMES, VALUES, enqueue=break_off)
    assert (store.job_requests.newest(), in_queue(store)) == ([], [])
    asked = ask(store)
    assert in_queue(store) == [(str(asked.id), "todo")]


def test_progress_is_what_is_behind_it(store):
    assert 0 < READ < FITTED < 1
    asked = ask(store)
    with transaction(store.engine) as held:
        # whoever numbers a version of the series waits for this
        held.execute("INSERT INTO last_version (kind, name, version) VALUES ('series', 's', 7)")
        worker = threading.Thread(target=done, args=(store,))
        worker.start()
        assert wait_until(lambda: store.job_requests.get(asked.id).stage == "writing", 20)
        running = store.job_requests.get(asked.id)
        assert (running.status, running.progress, running.version, running.served) == ("running", FITTED, None, True)
        with pytest.raises(NotFound):
            store.series_versions.get("s")
    worker.join(20)
    assert store.job_requests.get(asked.id).version == 8


def test_every_stage_is_told_before_its_work(store):
    asked = ask(store)
    attempt = store.job_requests.begin(asked.id)
    begun = store.job_requests.get(asked.id)
    assert (begun.status, begun.stage, begun.progress, begun.attempts) == ("running", "reading", 0.0, 1)
    times, values = store.job_requests.series(attempt)
    assert (times.dtype, times.tolist(), values.dtype, values.tolist()) == (np.int64, TIMES, np.float64, VALUES)
    store.job_requests.advance(attempt, "fitting", READ)
    told = store.job_requests.get(asked.id)
    assert (told.stage, told.progress) == ("fitting", READ)


def test_of_a_cancelled_request_nothing_comes(store):
    pending, running = ask(store), ask(store)
    attempt = store.job_requests.begin(running.id)
    for request in (pending, running):
        ended = store.job_requests.cancel(request.id)
        assert (ended.status, ended.version) == ("cancelled", None)
        assert ended.finished_at is not None
    assert payloads(store) == 0
    fit = Fit.of("s", ZScore().fit(VALUES), TIMES, VALUES)
    for step in (
        lambda: store.job_requests.series(attempt),
        lambda: store.job_requests.advance(attempt, "writing", FITTED),
        lambda: store.job_requests.complete(attempt, fit),
        lambda: store.job_requests.fail(attempt, "no"),
    ):
        with pytest.raises(Superseded, match="was cancelled"):
            step()
    assert (done(store), in_queue(store)) == ([], [])
    assert store.series_versions.count() == 0


def test_what_has_ended_is_not_cancelled(store):
    asked = ask(store)
    done(store)
    assert store.job_requests.cancel(asked.id).status == "completed"
    with pytest.raises(NotFound, match=f"no job {asked.id + 1}"):
        store.job_requests.cancel(asked.id + 1)


def test_only_the_last_attempt_writes_a_version(store):
    asked = ask(store)
    first, second = store.job_requests.begin(asked.id), store.job_requests.begin(asked.id)
    fit = Fit.of("s", ZScore().fit(VALUES), TIMES, VALUES)
    with pytest.raises(Superseded, match="attempt 1 is not the last one"):
        store.job_requests.complete(first, fit)
    assert store.series_versions.count() == 0
    assert store.job_requests.complete(second, fit).version == 1
    with pytest.raises(Superseded):
        store.job_requests.complete(second, fit)
    assert store.job_requests.begin(asked.id) is None
    assert (store.job_requests.get(asked.id).attempts, len(store.series_versions.versions("s"))) == (2, 1)


def test_a_job_that_comes_twice_is_done_once(store):
    asked = ask(store)
    with transaction(store.engine) as cursor:
        enqueue(cursor, FIT, asked.id)
    assert len(done(store, jobs=2)) >= 1
    assert [v.version for v in store.series_versions.versions("s")] == [1]
    assert (store.job_requests.get(asked.id).status, in_queue(store)) == ("completed", [])


def test_a_job_is_taken_from_a_worker_that_died_and_from_no_other(store):
    asked = ask(store)
    taken_by_a_worker(store, DEAD_AFTER / 2)
    assert store.job_requests.get(asked.id).served
    assert done(store) == []
    assert in_queue(store) == [(str(asked.id), "doing")]
    rows(store, "UPDATE tsbench_queue.procrastinate_workers SET last_heartbeat = now() - interval '11 seconds'")
    assert not store.job_requests.get(asked.id).served
    assert len(done(store)) == 1
    assert (store.job_requests.get(asked.id).version, in_queue(store)) == (1, [])


def test_a_job_that_takes_its_workers_down_is_given_up(store):
    asked = ask(store)
    for _ in range(3):
        store.job_requests.begin(asked.id)
    done(store)
    ended = store.job_requests.get(asked.id)
    assert (ended.status, ended.version, payloads(store)) == ("failed", None, 0)
    assert ended.reason == "begun 3 times, and each time its worker or the database went away"


def test_a_fit_that_cannot_be_done_says_why(store):
    unknown, flat = ask(store, model="prophet"), ask_fit(store, "flat", "zscore", TIMES, [5.0] * 4)
    lines = done(store)
    assert "no anomaly detector 'prophet'" in store.job_requests.get(unknown.id).reason
    ended = store.job_requests.get(flat.id)
    assert (ended.status, ended.stage, ended.progress) == ("failed", "fitting", READ)
    assert ended.reason == "all 4 values are 5; without spread nothing can be called far"
    assert lines[1] == f"job {flat.id}, fit of flat: failed: {ended.reason}"
    assert (payloads(store), in_queue(store), store.series_versions.count()) == (0, [], 0)


def test_a_fault_of_ours_is_a_reason_without_details_and_a_line_in_the_log(store, caplog):
    asked = ask(store)
    rows(store, "UPDATE job_request SET vals = '\\x00'")
    done(store)
    assert store.job_requests.get(asked.id).reason == "internal error (ValueError); see the log of the worker"
    assert f"job {asked.id} failed" in caplog.text


def test_requests_come_newest_first_a_page_at_a_time(store):
    ids = [ask(store, f"s{i}").id for i in range(5)]
    store.job_requests.cancel(ids[1])
    first = store.job_requests.newest(limit=2)
    assert [r.id for r in first] == [ids[4], ids[3]]
    assert [r.id for r in store.job_requests.newest(after=first[-1].id)] == [ids[2], ids[1], ids[0]]
    assert [r.id for r in store.job_requests.newest(status="cancelled")] == [ids[1]]
    assert [r.id for r in store.job_requests.newest(status="pending", after=ids[2])] == [ids[0]]
    with pytest.raises(BadInput, match="status must be one of 'pending'"):
        store.job_requests.newest(status="lost")


def test_what_ended_a_week_ago_is_forgotten(store):
    old, new, waiting = ask(store), ask(store), ask(store)
    store.job_requests.cancel(old.id)
    store.job_requests.cancel(new.id)
    rows(store, "UPDATE job_request SET queued_at = now() - interval '8 days'")
    rows(store, "UPDATE job_request SET finished_at = now() - interval '8 days' WHERE id = %s", old.id)
    assert store.job_requests.forget() == 1
    assert [r.id for r in store.job_requests.newest()] == [waiting.id, new.id]


def test_a_worker_forgets_by_the_clock(store):
    old = ask(store)
    store.job_requests.cancel(old.id)
    rows(store, "UPDATE job_request SET finished_at = now() - interval '8 days'")
    with transaction(store.engine) as cursor:
        cursor.execute("SET LOCAL search_path TO tsbench_queue")
        cursor.execute(
            "SELECT procrastinate_defer_periodic_job_v2('forget', NULL, NULL, 'forget', 0, '', 0, '{\"timestamp\": 0}')"
        )
    assert done(store) == []
    assert store.job_requests.newest() == []


def test_a_worker_keeps_the_options_of_the_address(database_url):
    names = "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
    with Store(f"{database_url}&options=-c%20application_name%3Dmine") as store:
        ask(store)
        seen = []
        work(store, note=lambda line: seen.extend(rows(store, names)), wait=False)
        assert seen == [("mine",)]


def test_the_queue_is_of_the_procrastinate_that_our_migrations_know(store):
    assert max(file.stem for file in Path(migrations_path).glob("*.sql")) == KNOWN, "write a revision as 0006 says"
    ((made,),) = rows(store, "SELECT obj_description('tsbench_queue'::regnamespace, 'pg_namespace')")
    assert made == KNOWN
