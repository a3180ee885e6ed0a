"""Schedules as they are kept, their runs, and the turn that one process has at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg2.errors import CheckViolation

from tsbench.errors import BadInput, NotFound
from tsbench.store import Schedule, Store
from tsbench.store.engine import transaction

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEKLY = Schedule(
    "weekly", "0 6 * * 1", "Europe/Berlin", "05_scan", NOON, {"pattern": "x y", "q": 0.1, "on": True}, 60.0
)


def test_a_schedule_comes_back_as_it_was_put(store: Store) -> None:
    bare = Schedule("a; DROP TABLE schedule", "* * * * *", "UTC", "01", NOON)
    store.schedules.put(WEEKLY)
    store.schedules.put(bare)
    assert store.schedules.list() == [bare, WEEKLY]
    assert store.schedules.get("weekly") == WEEKLY
    with pytest.raises(NotFound, match=r"'weakly'; did you mean 'weekly'"):
        store.schedules.get("weakly")


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced(store: Store) -> None:
    store.schedules.put(WEEKLY)
    daily = replace(WEEKLY, cron="0 6 * * *", parameters={}, deadline=None)
    with pytest.raises(BadInput, match="already"):
        store.schedules.put(daily)
    assert store.schedules.list() == [WEEKLY]
    store.schedules.put(daily, replace=True)
    assert store.schedules.list() == [daily]


def test_what_ran_stays_when_the_schedule_is_removed(store: Store) -> None:
    store.schedules.put(WEEKLY)
    run = replace(store.schedules.begin("weekly", NOON, NOON), status="failed", finished_at=NOON, error="it broke")
    store.schedules.finish(run)
    store.schedules.remove("weekly")
    assert store.schedules.list() == []
    assert store.schedules.history("weekly") == [run]
    with pytest.raises(NotFound):
        store.schedules.remove("weekly")


def test_runs_are_told_newest_first_with_the_answer_of_the_report(store: Store) -> None:
    store.runs.put({"id": "r1", "headline": "3 companies"})
    runs = []
    for hours, name, due_at in ((0, "a", NOON), (1, "a", None), (2, "b", NOON), (3, "a", NOON + timedelta(hours=3))):
        run = store.schedules.begin(name, due_at, NOON + timedelta(hours=hours))
        runs.append(replace(run, status="done", finished_at=run.started_at, run_id="r1", headline="3 companies"))
        store.schedules.finish(runs[-1])
    assert store.schedules.history() == runs[::-1]
    assert store.schedules.history("a") == [runs[3], runs[1], runs[0]]
    assert store.schedules.history("a", by_clock=True) == [runs[3], runs[0]]
    assert store.schedules.history(limit=1) == [runs[3]]


def test_a_turn_is_one_sessions_alone_until_it_leaves(store: Store) -> None:
    with Store(store.url) as other:
        with store.schedules.turn("weekly") as mine:
            assert mine
            with other.schedules.turn("weekly") as theirs, other.schedules.turn("daily") as another:
                assert (theirs, another) == (False, True)
            # leaving a turn that one did not have gives nothing away
            with other.schedules.turn("weekly") as theirs:
                assert not theirs
        with other.schedules.turn("weekly") as theirs:
            assert theirs


def test_a_turn_is_left_when_something_is_raised_and_keeps_no_transaction_open(store: Store) -> None:
    def broken() -> None:
        with store.schedules.turn("weekly"):
            with transaction(store.engine) as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
                )
                assert cursor.fetchall() == [(0,)]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with Store(store.url) as other, other.schedules.turn("weekly") as theirs:
        assert theirs


def test_a_run_without_a_turn_is_lost_and_stays_so(store: Store) -> None:
    # a lock is found by a hash, which the table of locks shows without its sign
    names = ["weekly", "a", "b", "c", "daily"]
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT hashtext(n) < 0 FROM unnest(%(names)s) AS n", {"names": names})
        assert {below for (below,) in cursor.fetchall()} == {True, False}
    for name in names:
        with store.schedules.turn(name):
            store.schedules.begin(name, NOON, NOON)
            assert [run.status for run in store.schedules.history(name)] == ["running"]
        assert [run.status for run in store.schedules.history(name)] == ["lost"]
        with store.schedules.turn(name):
            store.schedules.begin(name, None, NOON + timedelta(hours=1))
            assert [run.status for run in store.schedules.history(name)] == ["running", "lost"]


def test_the_turns_of_another_database_are_not_ours(store: Store, server_url: str) -> None:
    store.schedules.begin("weekly", NOON, NOON)
    with Store(server_url) as elsewhere, elsewhere.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_try_advisory_lock(7239003, hashtext('weekly'))")
        assert [run.status for run in store.schedules.history()] == ["lost"]


def test_a_status_that_is_none_is_refused_by_the_table(store: Store) -> None:
    run = store.schedules.begin("weekly", None, NOON)
    with pytest.raises(CheckViolation, match="schedule_run_status"):
        store.schedules.finish(replace(run, status="maybe"))  # type: ignore[arg-type]
