"""The loop that runs reports by the clock: one thread looks for what is due, the caller's runs it, one at a time."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler

from tsbench.errors import TsbenchError
from tsbench.jobs.cron import Cron
from tsbench.jobs.schedule import clock, lateness, run_due, waiting_since
from tsbench.store import Schedule, ScheduledRun

if TYPE_CHECKING:
    from tsbench.store import Store


class Server:
    """Runs what falls due.

    Parameters
        store : holds the schedules; what is added, changed or removed there is noticed at the next look.
        out, notebooks, deadline, clock : as in `run_now`.
        note : told every event in one line.
    """

    def __init__(
        self,
        store: "Store",
        *,
        out: Path,
        notebooks: Path,
        deadline: float,
        note: Callable[[str], None],
        clock: Callable[[], datetime] = clock,
    ) -> None:
        self._store, self._note, self._clock = store, note, clock
        self._run = partial(run_due, store, out=out, notebooks=notebooks, deadline=deadline, clock=clock)
        self._known: dict[str, Schedule] | None = None
        self._due: SimpleQueue[str] = SimpleQueue()
        # due and not done yet: names that stand in the queue, and the one that runs
        self._taken: set[str] = set()
        self._silent = False

    def serve(self, *, every: float = 2.0) -> None:
        """Look every so many seconds and run what is due, until KeyboardInterrupt, which stops a run in order.

        A report that is late, after the machine slept or was off, runs at once and once, however often it was missed.
        """
        looks = BackgroundScheduler(timezone=UTC)
        looks.add_job(
            self.look, "interval", seconds=every, next_run_time=clock(), coalesce=True, misfire_grace_time=None
        )
        looks.start()
        try:
            while True:
                self.work()
        finally:
            looks.shutdown()

    def look(self) -> list[str]:
        """Tell what changed since the last look, and put what is due in line: the names that came to stand there.

        A database that is away is told once, and asked again at the next look.
        """
        added = []
        try:
            self._tell_changes({found.name: found for found in self._store.schedules.list()})
            for name, schedule in (self._known or {}).items():
                if name not in self._taken and waiting_since(self._store, schedule, self._clock()) is not None:
                    self._taken.add(name)
                    self._due.put(name)
                    added.append(name)
        except TsbenchError as error:
            if not self._silent:
                self._note(f"{error}; looking again")
            self._silent = True
        else:
            self._silent = False
        return added

    def work(self) -> ScheduledRun | None:
        """Wait for the next in line and run it; None when it is no longer due. Whatever goes wrong is told."""
        name = self._due.get()
        try:
            done = self._run(name, note=self._tell_start)
            if done is not None:
                self._tell_end(done)
            return done
        except Exception as error:  # the loop goes on: the next report may be another matter
            self._note(f"{name}: {' '.join(str(error).split()) or type(error).__name__}")
            return None
        finally:
            self._taken.discard(name)

    def _tell_changes(self, found: dict[str, Schedule]) -> None:
        known, self._known = self._known, found
        if not found and known != found:
            self._note("nothing is scheduled; tsbench schedule add NAME --cron ...")
        for name in (known or {}).keys() - found.keys():
            self._note(f"{name}: removed")
        for name, schedule in found.items():
            if known is None or known.get(name) != schedule:
                following = Cron(schedule.cron, schedule.timezone).after(self._clock())
                when = "never again" if following is None else f"next {at(following, schedule.timezone)}"
                self._note(f"{name}: {schedule.notebook} at {schedule.cron} {schedule.timezone}, {when}")

    def _tell_start(self, schedule: Schedule, due_at: datetime) -> None:
        self._note(f"{schedule.name}: due {at(due_at, schedule.timezone)}, running {schedule.notebook} ...")

    def _tell_end(self, run: ScheduledRun) -> None:
        self._note(f"{run.schedule}: {told(run)}")


def at(moment: datetime, timezone: str) -> str:
    """A moment on the clocks of a time zone: "Mon 2026-03-30 06:00 CEST".

    Parameters
        moment : with its own zone.
        timezone : the zone to tell it in.
    """
    return f"{moment.astimezone(ZoneInfo(timezone)):%a %Y-%m-%d %H:%M %Z}"


def told(run: ScheduledRun) -> str:
    """How a run went in one line: "done in 14 s, 2 h late: HEADLINE", "failed in 3 s: ERROR"."""
    took = "" if run.finished_at is None else f" in {span((run.finished_at - run.started_at).total_seconds())}"
    waited = lateness(run)
    late = "" if waited is None else f", {span(waited.total_seconds())} late"
    answer = run.error or run.headline or ("its process ended before it did" if run.status == "lost" else "")
    return f"{run.status}{took}{late}{answer and ': '}{answer}"


def span(seconds: float) -> str:
    """A length of time in its largest fitting unit: 90 s, 5 min, 3 h, 2 days."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
