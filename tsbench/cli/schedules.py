"""`tsbench schedule`: reports that run by the clock."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from tsbench.cli.output import say, show_json, show_table
from tsbench.cli.reports import pair
from tsbench.cli.session import has_store, open_store, session
from tsbench.errors import NotFound

if TYPE_CHECKING:
    from tsbench.settings import Settings
    from tsbench.store import Schedule, Store


def add(
    name: str,
    *,
    cron: str,
    notebook: str | None = None,
    parameters: Annotated[tuple[str, ...], Parameter(name=["--parameter", "-p"], negative="")] = (),
    timezone: str | None = None,
    deadline: float | None = None,
    replace: bool = False,
) -> None:
    """Have a report run by the clock, for as long as `tsbench schedule serve` runs.

    Parameters
    ----------
    name
        What to call it; without --notebook also the notebook.
    cron
        When: minute, hour, day of month, month, weekday, e.g. "0 6 * * 1" for Mondays at six (0 and 7 are Sunday).
    notebook
        The notebook by name or number: 05_scan_companies, scan_companies, 5.
    parameters
        key=value, once per parameter of the notebook.
    timezone
        Whose clocks, e.g. Europe/Berlin. Default: the machine's.
    deadline
        Seconds a run may take. Default: TSBENCH_REPORT_DEADLINE.
    replace
        Take the place of the schedule of that name.
    """
    from tsbench.jobs import add_schedule

    settings = session()
    with open_store(settings) as store:
        kept = add_schedule(
            store,
            name,
            cron,
            notebooks=_notebooks(settings),
            notebook=notebook,
            parameters=dict(pair(text) for text in parameters),
            timezone=timezone,
            deadline=deadline,
            replace=replace,
        )
    print(f"{kept.name}: {kept.notebook} at {kept.cron} {kept.timezone}, next {_next(kept, kept.changed_at)}")
    say("it runs while this does: tsbench schedule serve")


def list_(*, json: bool = False) -> None:
    """List what is scheduled: when it runs next, and how it went last.

    Parameters
    ----------
    json
        Print JSON.
    """
    from tsbench.jobs import told, waiting_since
    from tsbench.jobs.schedule import clock

    with _scheduled() as store:
        now, found = clock(), store.schedules.list()
        waits = [waiting_since(store, schedule, now) for schedule in found]
        last = [next(iter(store.schedules.history(schedule.name, limit=1)), None) for schedule in found]
    if json:
        show_json(
            [
                asdict(schedule) | {"due_since": since, "next_at": _following(schedule, now), "last": run}
                for schedule, since, run in zip(found, waits, last, strict=True)
            ]
        )
        return
    if not found:
        say("nothing is scheduled; run: tsbench schedule add NAME --cron ...")
        return
    show_table(
        {
            "name": [schedule.name for schedule in found],
            "notebook": [_asked(schedule) for schedule in found],
            "cron": [schedule.cron for schedule in found],
            "next": [
                _next(schedule, now) if since is None else f"due since {_at(since, schedule)}"
                for schedule, since in zip(found, waits, strict=True)
            ],
            "last": [
                "" if run is None else _at(run.started_at, schedule) for schedule, run in zip(found, last, strict=True)
            ],
            "how it went": ["not run yet" if run is None else told(run) for run in last],
        }
    )


def run(name: str, *, json: bool = False) -> None:
    """Run a scheduled report now; when it is due next stays as it is. Exit status 1 when it fails.

    Parameters
    ----------
    name
        The schedule.
    json
        Print JSON.
    """
    from tsbench.jobs import load_shipped, run_now, told

    with _scheduled() as store:
        settings = session()
        store.schedules.get(name)
        load_shipped(store, settings, note=say)
        say(f"running {name} ...")
        done = run_now(store, name, **_run_of(settings))
    if json:
        show_json(asdict(done))
    else:
        print(f"{name}: {told(done)}")
        if done.run_id is not None:
            print(f"open {settings.reports_folder / done.run_id / 'report.html'}")
    sys.exit(0 if done.status == "done" else 1)


def remove(name: str) -> None:
    """Take a report off the clock; what it ran stays in the history.

    Parameters
    ----------
    name
        The schedule.
    """
    with _scheduled() as store:
        store.schedules.remove(name)
    print(f"{name}: removed")


def history(name: str | None = None, *, top: int = 20, json: bool = False) -> None:
    """Show how the runs went, newest first, also those of a schedule that was removed.

    Parameters
    ----------
    name
        One schedule. Default: all.
    top
        Runs to show.
    json
        Print JSON.
    """
    from tsbench import checks
    from tsbench.jobs import at, told

    checks.whole(top, "top", 1)
    with _scheduled() as store:
        zones = {schedule.name: schedule.timezone for schedule in store.schedules.list()}
        found = store.schedules.history(name, limit=top)
        if name is not None and not found:
            store.schedules.get(name)
    if json:
        show_json([asdict(run) for run in found])
        return
    if not found:
        say("nothing has run yet")
        return
    zone = [zones.get(run.schedule, "UTC") for run in found]
    show_table(
        {
            "name": [run.schedule for run in found],
            "due": ["by hand" if run.due_at is None else at(run.due_at, z) for run, z in zip(found, zone, strict=True)],
            "started": [at(run.started_at, z) for run, z in zip(found, zone, strict=True)],
            "report": [run.run_id or "" for run in found],
            "how it went": [told(run) for run in found],
        }
    )


def serve() -> None:
    """Run what is scheduled, until Ctrl-C, which stops a report that runs and keeps a record of it.

    One report at a time. What was missed while nothing served runs at once, once. Several may serve one store: each
    report runs in one of them.
    """
    from tsbench.jobs import Server, load_shipped
    from tsbench.jobs.schedule import clock

    settings = session()
    # what systemd and docker send is Ctrl-C to us
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with open_store(settings) as store:
        load_shipped(store, settings, note=say)

        def note(line: str) -> None:
            print(f"{clock().astimezone():%Y-%m-%d %H:%M:%S} {line}", flush=True)

        note(f"serving the schedules of {settings.home}; Ctrl-C ends it")
        try:
            Server(store, **_run_of(settings), note=note).serve()
        except KeyboardInterrupt:
            note("stopped")


@contextmanager
def _scheduled() -> Iterator["Store"]:
    """The store. Raises NotFound where there is none, for looking is no reason to make one."""
    settings = session()
    if not has_store(settings):
        raise NotFound(f"the project {settings.home} has no store; run: tsbench schedule add NAME --cron ...")
    with open_store(settings) as store:
        yield store


def _notebooks(settings: "Settings") -> Path:
    return settings.home / "notebooks"


def _run_of(settings: "Settings") -> dict[str, Any]:
    """Where and how long reports run."""
    return {
        "out": settings.reports_folder,
        "notebooks": _notebooks(settings),
        "deadline": settings.report_deadline,
    }


def _asked(schedule: "Schedule") -> str:
    """The notebook with its parameters."""
    return " ".join([schedule.notebook, *(f"{key}={value}" for key, value in schedule.parameters.items())])


def _following(schedule: "Schedule", now: datetime) -> datetime | None:
    from tsbench.jobs import Cron

    return Cron(schedule.cron, schedule.timezone).after(now)


def _next(schedule: "Schedule", now: datetime) -> str:
    following = _following(schedule, now)
    return "never" if following is None else _at(following, schedule)


def _at(moment: datetime, schedule: "Schedule") -> str:
    from tsbench.jobs import at

    return at(moment, schedule.timezone)
