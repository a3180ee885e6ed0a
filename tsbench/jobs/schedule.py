"""Reports by the clock: what is due, and one run of it. What is scheduled and what came of it lies in the store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.jobs.cron import Cron
from tsbench.store import Schedule, ScheduledRun

if TYPE_CHECKING:
    from tsbench.store import Store

# A run that was stopped is made up for once: a report that brings its machine down is not tried for ever.
TRIES = 2
LATE = timedelta(minutes=1)


def clock() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


def add_schedule(
    store: "Store",
    name: str,
    cron: str,
    *,
    notebooks: Path,
    notebook: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    timezone: str | None = None,
    deadline: float | None = None,
    replace: bool = False,
    now: datetime | None = None,
) -> Schedule:
    """Keep a report that is to run by the clock, first when the line falls due after `now`.

    Parameters
        store : where it is kept.
        name : what to call it.
        cron : a line of five fields, see `Cron`. timezone : where it is read; None = the machine's.
        notebooks : folder of the notebooks.
        notebook : the one to run, by name, number or path; None = the one called `name`.
        parameters : values for its parameters; text is converted to the type of the default. Those not named keep the
            default that the notebook has when it runs. A `pattern` must be known to the store.
        deadline : seconds a run may take; None = what is said when it runs.
        replace : take the place of the schedule of that name.
        now : the moment from which on it counts; None = this one.
    Raises     BadInput: the line, a parameter or its value is wrong, or the name is taken. NotFound: no such notebook,
        time zone or pattern.
    """
    from tsbench.jobs.named import resolve as pattern_named
    from tsbench.report.notebooks import find, resolve

    if not name.strip() or not name.isprintable():
        raise BadInput(f"a schedule needs a name in printable letters, got {name!r}")
    if deadline is not None:
        checks.between(deadline, "deadline", 1e-3, 7 * 86_400)
    read, path, given = Cron(cron, timezone), find(notebook or name, notebooks), dict(parameters or {})
    values = resolve(path, given)
    if "pattern" in given and isinstance(values["pattern"], str):
        pattern_named(store, values["pattern"])
    kept = Schedule(
        name=name.strip(),
        cron=read.line,
        timezone=read.timezone,
        # another folder's notebook is found again by its path
        notebook=path.stem if path.parent == notebooks.resolve() else str(path),
        changed_at=now or clock(),
        parameters={key: values[key] for key in given},
        deadline=deadline,
    )
    store.schedules.put(kept, replace=replace)
    return kept


def due(schedule: Schedule, runs: Sequence[ScheduledRun], now: datetime) -> datetime | None:
    """Since when the schedule waits for its report; None when it does not.

    However often it fell due since its last run, it waits for one report, and the answer is the first of these moments.
    A run that was stopped or lost is made up for once.

    Parameters
        schedule : as it stands.
        runs : its newest runs by the clock, newest first; two suffice.
        now : the moment that is asked about.
    """
    since, last = schedule.changed_at, next(iter(runs), None)
    if last is not None and last.started_at >= since:
        if last.status in ("interrupted", "lost") and sum(run.due_at == last.due_at for run in runs) < TRIES:
            return last.due_at
        since = last.started_at
    first = Cron(schedule.cron, schedule.timezone).after(since)
    return first if first is not None and first <= now else None


def waiting_since(store: "Store", schedule: Schedule, now: datetime) -> datetime | None:
    """`due` by what the store knows.

    Parameters
        store : holds the runs.
        schedule : as it stands.
        now : the moment that is asked about.
    """
    return due(schedule, store.schedules.history(schedule.name, by_clock=True, limit=TRIES), now)


def lateness(run: ScheduledRun) -> timedelta | None:
    """How much later than due a run started; None when it was by hand, or within a minute."""
    waited = None if run.due_at is None else run.started_at - run.due_at
    return waited if waited is not None and waited > LATE else None


def run_now(
    store: "Store", name: str, *, out: Path, notebooks: Path, deadline: float, clock: Callable[[], datetime] = clock
) -> ScheduledRun:
    """Run the report of a schedule at once, whatever the clock says; when it is due next stays as it is.

    Parameters
        store : holds the schedule and keeps the run.
        name : the schedule.
        out : folder of the reports.
        notebooks : folder of the notebooks.
        deadline : seconds it may take, where the schedule does not say.
        clock : tells the time.
    Returns    the run. A report that fails does not raise: status and error say so.
    Raises     NotFound: no such schedule. BadInput: it runs already.
    """
    schedule = store.schedules.get(name)
    with store.schedules.turn(name) as taken:
        if not taken:
            raise BadInput(f"{name!r} is running already; see: tsbench schedule history {name}")
        return _run(store, schedule, None, out, notebooks, deadline, clock)


def run_due(
    store: "Store",
    name: str,
    *,
    out: Path,
    notebooks: Path,
    deadline: float,
    clock: Callable[[], datetime] = clock,
    note: Callable[[Schedule, datetime], None] = lambda _schedule, _due_at: None,
) -> ScheduledRun | None:
    """Run the report of a schedule when it is due; None when it is not, or not any more: another process was faster.

    Parameters
        store, name, out, notebooks, deadline, clock : as in `run_now`.
        note : told the schedule and since when it was due, just before it runs.
    """
    with store.schedules.turn(name) as taken:
        # asked with the turn in hand, for what was due a moment ago may have been done since
        schedule = next((found for found in store.schedules.list() if found.name == name), None)
        if not taken or schedule is None:
            return None
        due_at = waiting_since(store, schedule, clock())
        if due_at is None:
            return None
        note(schedule, due_at)
        return _run(store, schedule, due_at, out, notebooks, deadline, clock)


def _run(
    store: "Store",
    schedule: Schedule,
    due_at: datetime | None,
    out: Path,
    notebooks: Path,
    deadline: float,
    clock: Callable[[], datetime],
) -> ScheduledRun:
    """One run, from the row that says it runs to the row that says how it went."""
    from tsbench import report

    begun = store.schedules.begin(schedule.name, due_at, clock())
    try:
        ran = report.run(
            schedule.notebook,
            schedule.parameters,
            out=out,
            deadline=schedule.deadline or deadline,
            notebooks=notebooks,
        )
        store.runs.put(ran.to_json())
    except KeyboardInterrupt:
        store.schedules.finish(replace(begun, status="interrupted", finished_at=clock(), error="stopped while it ran"))
        raise
    except Exception as error:  # kept, for nobody is there to see it, and the next run may go well
        told = " ".join(str(error).split()) or type(error).__name__
        ended = replace(begun, status="failed", finished_at=clock(), error=told)
    else:
        ended = replace(
            begun, status=ran.status, finished_at=clock(), run_id=ran.id, error=ran.error, headline=ran.headline
        )
    store.schedules.finish(ended)
    return ended
