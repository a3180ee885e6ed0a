"""Reports by the clock: when one is due, that none overlaps, that failures are kept, and that the loop goes on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tsbench.errors import BadInput, NotFound
from tsbench.jobs import Server, add_schedule, due, lateness, run_due, run_now, told
from tsbench.patterns import named
from tsbench.report.results import MIME
from tsbench.store import Schedule, ScheduledRun, Store

# a Monday
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(weeks=1)


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """A folder of notebooks that are done in no time, but for the start of a kernel."""
    said = f'{{"{MIME}": {{"headline": f"{{count}} found"}}}}'
    bodies = {
        "01_works": f"from IPython.display import display\ndisplay({said}, raw=True)",
        "02_fails": "1 / count",
        "03_sleeps": "import time\ntime.sleep(600)",
    }
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, body in bodies.items():
        cells = [
            nbformat.v4.new_code_cell("count = 0  # how many", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell(body),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def where(tmp_path: Path, notebooks: Path) -> dict[str, Any]:
    return {"out": tmp_path / "reports", "notebooks": notebooks, "deadline": 60.0}


def gone(store: Store, name: str, cron: str = "0 6 * * 1", since: datetime = NOON) -> Schedule:
    """A schedule whose notebook is no more: each run fails, and at once."""
    schedule = Schedule(name, cron, "UTC", "99_gone", since)
    store.schedules.put(schedule)
    return schedule


def at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


# ---- adding -------------------------------------------------------------------------------------------


def test_a_pattern_that_the_store_does_not_know_is_refused_at_once(store: Store) -> None:
    shipped = Path(__file__).parents[2] / "notebooks"
    asked = {"notebooks": shipped, "notebook": "5"}
    with pytest.raises(NotFound, match="no pattern 'erosoin'; did you mean 'erosion'"):
        add_schedule(store, "weekly", "0 6 * * 1", parameters={"pattern": "erosoin"}, **asked)
    assert store.schedules.list() == []
    store.patterns.save(replace(named("erosion"), name="mine"))
    for name in ("erosion", "mine"):
        assert add_schedule(store, name, "0 6 * * 1", parameters={"pattern": name}, **asked).parameters == {
            "pattern": name
        }


def test_what_is_added_is_checked_at_once_and_kept(store: Store, notebooks: Path) -> None:
    kept = add_schedule(
        store, "works", " 0 6  * * 1", notebooks=notebooks, parameters={"count": "3"}, timezone="Asia/Tokyo", now=NOON
    )
    assert kept == Schedule("works", "0 6 * * 1", "Asia/Tokyo", "01_works", NOON, {"count": 3})
    assert store.schedules.list() == [kept]
    elsewhere = notebooks.parent / "mine.ipynb"
    (notebooks / "01_works.ipynb").rename(elsewhere)
    assert add_schedule(store, "x", "0 6 * * 1", notebooks=notebooks, notebook=str(elsewhere)).notebook == str(
        elsewhere
    )


def test_what_could_never_run_is_not_kept(store: Store, notebooks: Path) -> None:
    wrongs: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"name": " "}, BadInput, "a name"),
        ({"name": "two\nlines"}, BadInput, "a name"),
        ({"cron": "0 6 * *"}, BadInput, "five fields"),
        ({"timezone": "Mars"}, NotFound, "no time zone 'Mars'"),
        ({"notebook": "7"}, NotFound, "no notebook '7'"),
        ({"parameters": {"cuont": 1}}, BadInput, "no parameter 'cuont'"),
        ({"parameters": {"count": "many"}}, BadInput, "type int"),
        ({"deadline": 0}, BadInput, "deadline"),
    ]
    for wrong, error, message in wrongs:
        asked = {"name": "weekly", "cron": "0 6 * * 1", "notebook": "1", "timezone": "UTC"} | wrong
        with pytest.raises(error, match=message):
            add_schedule(store, notebooks=notebooks, **asked)
    assert store.schedules.list() == []


# ---- due ----------------------------------------------------------------------------------------------

MONDAYS = Schedule("weekly", "0 6 * * 1", "UTC", "01_works", NOON)
FIRST = datetime(2026, 3, 9, 6, tzinfo=UTC)


def ran(due_at: datetime, started: datetime, status: Any = "done") -> ScheduledRun:
    return ScheduledRun(1, "weekly", due_at, started, started, status)


def test_a_schedule_is_due_from_the_first_moment_after_it_was_made() -> None:
    assert due(MONDAYS, [], FIRST - timedelta(seconds=1)) is None
    assert due(MONDAYS, [], FIRST) == FIRST


def test_what_was_missed_is_due_once_however_often() -> None:
    back = FIRST + 10 * WEEK + timedelta(hours=5)
    assert due(MONDAYS, [], back) == FIRST
    made_up = ran(FIRST, back)
    assert lateness(made_up) == back - FIRST
    assert told(replace(made_up, headline="3 found")) == "done in 0 s, 70 days late: 3 found"
    assert due(MONDAYS, [made_up], back + timedelta(days=6)) is None
    assert due(MONDAYS, [made_up], back + WEEK) == FIRST + 11 * WEEK


def test_what_falls_due_while_a_report_runs_is_due_after_it() -> None:
    every_minute = replace(MONDAYS, cron="* * * * *")
    run = ran(FIRST, FIRST + timedelta(seconds=2))
    assert due(every_minute, [run], FIRST + timedelta(seconds=59)) is None
    assert due(every_minute, [run], FIRST + timedelta(seconds=200)) == FIRST + timedelta(seconds=60)


def test_a_failure_waits_for_the_next_time_but_a_stopped_run_is_made_up_for_once() -> None:
    soon = FIRST + timedelta(minutes=5)
    for status in ("failed", "timeout", "running"):
        assert due(MONDAYS, [ran(FIRST, FIRST, status)], soon) is None
    for status in ("lost", "interrupted"):
        once, before = ran(FIRST, FIRST, status), ran(FIRST - WEEK, FIRST - WEEK, status)
        assert due(MONDAYS, [once, before], soon) == FIRST
        assert due(MONDAYS, [ran(FIRST, soon, status), once], soon) is None


def test_what_ran_before_the_schedule_was_replaced_counts_no_more() -> None:
    old = ran(NOON - WEEK, NOON - WEEK, "lost")
    assert due(MONDAYS, [old], FIRST - timedelta(seconds=1)) is None
    assert due(MONDAYS, [old], FIRST) == FIRST


def test_the_clocks_of_the_time_zone_count_through_a_change_of_them() -> None:
    berlin = replace(MONDAYS, timezone="Europe/Berlin", changed_at=datetime(2026, 3, 23, 12, tzinfo=UTC))
    assert due(berlin, [], datetime(2026, 3, 30, 3, 59, tzinfo=UTC)) is None
    assert due(berlin, [], datetime(2026, 3, 30, 4, 0, tzinfo=UTC)) == datetime(2026, 3, 30, 4, tzinfo=UTC)


# ---- running ------------------------------------------------------------------------------------------


def test_a_report_that_works_is_kept_with_its_answer(store: Store, notebooks: Path, where: dict[str, Any]) -> None:
    add_schedule(store, "works", "0 6 * * 1", notebooks=notebooks, parameters={"count": 3}, now=NOON)
    late = FIRST + timedelta(hours=3)
    run = run_due(store, "works", **where, clock=at(late))
    assert run is not None
    assert (run.status, run.error, run.headline) == ("done", "", "3 found")
    assert (run.due_at, run.started_at) == (FIRST, late)
    assert store.schedules.history() == [run]
    (record,) = store.runs.list()
    assert (record["id"], record["parameters"]) == (run.run_id, {"count": 3})
    assert (where["out"] / run.run_id / "report.html").is_file()
    assert run_due(store, "works", **where, clock=at(late)) is None


def test_a_report_that_fails_or_takes_too_long_is_kept_with_the_reason(
    store: Store, notebooks: Path, where: dict[str, Any]
) -> None:
    add_schedule(store, "fails", "0 6 * * 1", notebooks=notebooks, now=NOON)
    add_schedule(store, "sleeps", "0 6 * * 1", notebooks=notebooks, deadline=0.2, now=NOON)
    with ThreadPoolExecutor(2) as two:
        failed, late = two.map(lambda name: run_now(store, name, **where, clock=at(NOON)), ("fails", "sleeps"))
    assert (failed.status, failed.error) == ("failed", "Code cell 2: ZeroDivisionError: division by zero")
    assert late.status == "timeout"
    assert "deadline of 0.2 s" in late.error
    assert sorted(store.schedules.history(), key=lambda run: run.schedule) == [failed, late]
    assert {record["id"] for record in store.runs.list()} == {late.run_id, failed.run_id}


def test_a_report_that_cannot_begin_is_kept_too(store: Store, where: dict[str, Any]) -> None:
    gone(store, "weekly")
    run = run_now(store, "weekly", **where, clock=at(NOON))
    assert (run.status, run.due_at, run.run_id) == ("failed", None, None)
    assert run.error.startswith("no notebook '99_gone'")
    assert "\n" not in run.error
    assert told(run).startswith("failed in 0 s: no notebook")
    assert store.schedules.history("weekly") == [run]
    # a run by hand leaves the clock alone
    assert run_due(store, "weekly", **where, clock=at(FIRST - timedelta(seconds=1))) is None
    by_clock = run_due(store, "weekly", **where, clock=at(FIRST))
    assert by_clock is not None
    assert (by_clock.status, by_clock.due_at) == ("failed", FIRST)


def test_no_two_processes_run_one_report_at_once(store: Store, where: dict[str, Any]) -> None:
    gone(store, "weekly")
    with Store(store.url) as other, other.schedules.turn("weekly"):
        with pytest.raises(BadInput, match="running already"):
            run_now(store, "weekly", **where)
        assert run_due(store, "weekly", **where, clock=at(FIRST)) is None
    assert store.schedules.history() == []


def test_what_another_process_ran_or_removed_meanwhile_is_not_run_again(store: Store, where: dict[str, Any]) -> None:
    gone(store, "weekly")
    with Store(store.url) as other:
        assert run_due(other, "weekly", **where, clock=at(FIRST)) is not None
    assert run_due(store, "weekly", **where, clock=at(FIRST)) is None
    store.schedules.remove("weekly")
    assert run_due(store, "weekly", **where, clock=at(FIRST + WEEK)) is None
    with pytest.raises(NotFound):
        run_now(store, "weekly", **where)


# ---- serving ------------------------------------------------------------------------------------------


def test_a_server_notices_what_changes_and_runs_what_is_due(store: Store, where: dict[str, Any]) -> None:
    said: list[str] = []
    time_of_day = [NOON]
    server = Server(store, **where, note=said.append, clock=lambda: time_of_day[-1])

    def told_since() -> list[str]:
        lines = [*said]
        said.clear()
        return lines

    server.look()
    server.look()
    assert told_since() == ["nothing is scheduled; tsbench schedule add NAME --cron ..."]
    gone(store, "a")
    server.look()
    assert told_since() == ["a: 99_gone at 0 6 * * 1 UTC, next Mon 2026-03-09 06:00 UTC"]
    gone(store, "b", "0 6 * * 1,2")
    store.schedules.put(replace(store.schedules.get("a"), cron="0 6 * * 3"), replace=True)
    server.look()
    assert [line.partition(",")[0] for line in told_since()] == [
        "a: 99_gone at 0 6 * * 3 UTC",
        "b: 99_gone at 0 6 * * 1",
    ]

    # down for two weeks: each is made up for once, and a failure of the one does not keep the other from running
    time_of_day.append(FIRST + 2 * WEEK)
    assert server.look() == ["a", "b"]
    assert server.look() == []
    for name, first in (("a", "Wed 2026-03-04"), ("b", "Tue 2026-03-03")):
        run = server.work()
        assert run is not None
        assert run.schedule == name
        start, end = told_since()
        assert start == f"{name}: due {first} 06:00 UTC, running 99_gone ..."
        assert end.startswith(f"{name}: failed in 0 s, {(FIRST + 2 * WEEK - run.due_at).days} days late: no notebook")
    assert server.look() == []
    assert len(store.schedules.history()) == 2
    # the next day is a Tuesday
    time_of_day.append(time_of_day[-1] + timedelta(days=1))
    store.schedules.remove("a")
    assert server.look() == ["b"]
    assert told_since() == ["a: removed"]


def test_a_report_that_another_server_took_is_passed_over(store: Store, where: dict[str, Any]) -> None:
    gone(store, "a")
    said: list[str] = []
    one, two = (Server(store, **where, note=said.append, clock=at(FIRST)) for _ in range(2))
    one.look()
    two.look()
    said.clear()
    assert one.work() is not None
    assert two.work() is None
    assert len(said) == 2
    assert len(store.schedules.history()) == 1


def test_a_database_that_is_away_is_told_once_and_looked_for_again(store: Store, where: dict[str, Any]) -> None:
    said: list[str] = []
    gone(store, "a")
    with Store(f"postgresql://me@/none?host={where['out']}") as away:
        server = Server(away, **where, note=said.append, clock=at(FIRST))
        server.look()
        server.look()
        (line,) = said
        assert line.startswith("no database answers at")
        away.schedules = store.schedules
        server.look()
        assert said[1].startswith("a: 99_gone")


def test_serving_runs_until_it_is_interrupted(store: Store, where: dict[str, Any]) -> None:
    said: list[str] = []

    def note(line: str) -> None:
        said.append(line)
        if line.startswith("nothing is scheduled"):
            gone(store, "added while it serves", since=NOON)
        if "failed" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Server(store, **where, note=note, clock=at(FIRST)).serve(every=0.01)
    assert [line.split(":")[0] for line in said[1:]] == 3 * ["added while it serves"]
    assert [run.status for run in store.schedules.history()] == ["failed"]


# Takes the turn and begins a run, says so, and waits to be killed there.
RUNNER = """
import sys, time
from datetime import UTC, datetime
from tsbench.store import Store

store, due = Store(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
with store.schedules.turn("weekly"):
    store.schedules.begin("weekly", due, due)
    print("began", flush=True)
    time.sleep(600)
"""


@pytest.mark.fault
def test_a_run_that_was_killed_is_lost_blocks_nothing_and_is_made_up_for(store: Store, where: dict[str, Any]) -> None:
    gone(store, "weekly")
    words = [sys.executable, "-c", RUNNER, store.url, FIRST.isoformat()]
    runner = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert runner.stdout is not None
    assert runner.stdout.readline() == "began\n"
    assert [run.status for run in store.schedules.history()] == ["running"]
    assert run_due(store, "weekly", **where, clock=at(FIRST + WEEK)) is None
    runner.kill()
    runner.wait()
    runner.stdout.close()
    # the server needs a moment to notice that the killed one hung up
    until = time.monotonic() + 20
    while (made_up := run_due(store, "weekly", **where, clock=at(FIRST + timedelta(minutes=9)))) is None:
        assert time.monotonic() < until, "waited in vain"
    assert (made_up.due_at, told(made_up).partition(":")[0]) == (FIRST, "failed in 0 s, 9 min late")
    assert [run.status for run in store.schedules.history()] == ["failed", "lost"]


@pytest.mark.fault
def test_ctrl_c_stops_the_report_that_runs_and_keeps_that(store: Store, notebooks: Path, where: dict[str, Any]) -> None:
    add_schedule(store, "sleeps", "0 6 * * 1", notebooks=notebooks, now=NOON)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    started = iter([lambda: signal.setitimer(signal.ITIMER_REAL, 0.5)])

    def clock() -> datetime:
        # asked when the run begins
        next(started, lambda: None)()
        return NOON

    try:
        with pytest.raises(KeyboardInterrupt):
            run_now(store, "sleeps", **where, clock=clock)
    finally:
        signal.signal(signal.SIGALRM, before)
    (run,) = store.schedules.history()
    assert (run.status, run.error) == ("interrupted", "stopped while it ran")
    with store.schedules.turn("sleeps") as mine:
        assert mine
