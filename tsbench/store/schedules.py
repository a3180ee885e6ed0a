"""Schedules: which report runs when, how each of its runs went, and whose turn it is to run one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.store.documents import to_json
from tsbench.store.engine import transaction
from tsbench.store.statements import statement
from tsbench.store.tables import TEXT, metadata

Outcome = Literal["running", "done", "failed", "timeout", "interrupted", "lost"]

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("name", TEXT, primary_key=True),
    sa.Column("cron", sa.Text, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("notebook", sa.Text, nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("deadline", sa.Double),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)
# Without a reference to its schedule: what failed is still told when the schedule is gone.
schedule_run = sa.Table(
    "schedule_run",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("schedule", TEXT, nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("run_id", TEXT),
    sa.Column("error", sa.Text, nullable=False),
    sa.CheckConstraint(
        "status IN ('running', 'done', 'failed', 'timeout', 'interrupted', 'lost')", name="schedule_run_status"
    ),
    sa.Index("schedule_run_started", "schedule", "started_at"),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A report that runs by the clock.

    name : what it is called. cron, timezone : when it falls due, five fields read in that time zone.
    notebook, parameters : what runs; parameters that are not named keep the default of the notebook.
    changed_at : since when it stands like this. deadline : seconds a run may take; None = what the settings say.
    """

    name: str
    cron: str
    timezone: str
    notebook: str
    changed_at: datetime
    parameters: dict[str, Any] = field(default_factory=dict)
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """One run of a schedule.

    due_at : the moment it was to run, the first one of all that it makes up for; None = by hand.
    status : "lost" when the process that ran it ended without a word.
    run_id : the report's; None when it did not come to one. headline : what that report answered.
    error : why it failed, in one line.
    """

    id: int
    schedule: str
    due_at: datetime | None
    started_at: datetime
    finished_at: datetime | None = None
    status: Outcome = "running"
    run_id: str | None = None
    error: str = ""
    headline: str = ""


class Schedules:
    """The schedules of a store. Their runs stay when a schedule is removed."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, wanted: Schedule, *, replace: bool = False) -> None:
        """Keep a schedule.

        Parameters
            wanted : the schedule.
            replace : take the place of the one of that name, if there is one.
        Raises     BadInput: the name is taken.
        """
        row = {name: getattr(wanted, name) for name in Schedule.__slots__}
        row |= {"parameters": to_json(wanted.parameters), "replace": replace}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("put_schedule"), row)
            kept = cursor.rowcount
        if not kept:
            raise BadInput(f"there is a schedule {wanted.name!r} already; take another name, or replace it (--replace)")

    def get(self, name: str) -> Schedule:
        """The schedule of that name. Raises NotFound."""
        known = {found.name: found for found in self.list()}
        return known[checks.known(name, "schedule", list(known))]

    def list(self) -> list[Schedule]:
        """All schedules by name."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("list_schedules"))
            return [Schedule(*row) for row in cursor.fetchall()]

    def remove(self, name: str) -> None:
        """Forget a schedule; what it ran stays. Raises NotFound."""
        self.get(name)
        with transaction(self._engine) as cursor:
            cursor.execute(statement("delete_schedule"), {"name": name})

    def history(
        self, name: str | None = None, *, by_clock: bool = False, limit: int | None = None
    ) -> Sequence[ScheduledRun]:
        """Runs, newest first.

        Parameters
            name : of one schedule, which may be gone; None = of all.
            by_clock : without those that were started by hand.
            limit : at most so many; None = all.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("schedule_runs"), {"name": name, "by_clock": by_clock, "limit": limit})
            return [ScheduledRun(*row) for row in cursor.fetchall()]

    @contextmanager
    def turn(self, name: str) -> Iterator[bool]:
        """Whether it is the caller's turn to run the schedule of that name, and until he leaves nobody else's.

        The turn is a lock of the database session, which ends with its process however that ends. Runs that were left
        behind by such a process are marked as lost.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("take_turn"), {"name": name})
            ((taken,),) = cursor.fetchall()
            if taken:
                cursor.execute(statement("lose_schedule_runs"), {"name": name})
            # the lock outlives this transaction, so that none is open while a report runs
            cursor.connection.commit()
            try:
                yield taken
            finally:
                if taken:
                    cursor.execute(statement("leave_turn"), {"name": name})

    def begin(self, name: str, due_at: datetime | None, started_at: datetime) -> ScheduledRun:
        """A new run of a schedule, by whoever has the turn.

        Parameters
            name : the schedule.
            due_at : the moment it was to run; None = by hand.
            started_at : the moment it does.
        """
        row = {"name": name, "due_at": due_at, "started_at": started_at}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("begin_schedule_run"), row)
            ((number,),) = cursor.fetchall()
        return ScheduledRun(number, name, due_at, started_at)

    def finish(self, run: ScheduledRun) -> None:
        """Keep how a run that was begun went: its status, finished_at, run_id and error."""
        row = {name: getattr(run, name) for name in ("id", "status", "finished_at", "run_id", "error")}
        with transaction(self._engine) as cursor:
            cursor.execute(statement("finish_schedule_run"), row)
