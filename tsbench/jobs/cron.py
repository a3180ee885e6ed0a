"""Cron lines: when one falls due, as crontab(5) means it, worked out by APScheduler."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from tsbench import checks
from tsbench.errors import BadInput

# In the order of crontab's numbers; 7 is Sunday again. APScheduler counts from Monday and is given names instead.
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
EVERY_HOUR = ("*", "*/1", "0-23")
DAY = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?")


class Cron:
    """When a line of five fields falls due: minute, hour, day of month, month, weekday.

    Numbers, names (jan, mon), lists, ranges and steps. Where both the day of the month and the weekday are named,
    either will do. What falls into the hour that a change to summer time leaves out, at midnight in some zones, runs
    an hour later; what falls into the one that comes twice in autumn runs once, unless the line runs every hour
    (`*`, `*/1` or `0-23`).

    Parameters
        line : the five fields.
        timezone : where they are read, "Europe/Berlin"; None = the machine's.
    Raises     BadInput: the line cannot be read, or never falls due. NotFound: no such time zone.
    """

    def __init__(self, line: str, timezone: str | None = None) -> None:
        self.line = " ".join(line.split())
        self.timezone = local_timezone() if timezone is None else timezone
        if not _is_zone(self.timezone):
            checks.known(self.timezone, "time zone", sorted(available_timezones()))
        try:
            minute, hour, day, month, weekday = self.line.split()
        except ValueError as error:
            raise BadInput(f"a cron line has five fields (minute, hour, day, month, weekday), got {line!r}") from error
        self._every_hour, self._zone = hour in EVERY_HOUR, ZoneInfo(self.timezone)
        either = [(day, "*"), ("*", weekday)] if not (day[0] == "*" or weekday[0] == "*") else [(day, weekday)]
        try:
            self._triggers = [
                CronTrigger(minute=minute, hour=hour, day=d, month=month, day_of_week=_by_name(w), timezone=UTC)
                for d, w in either
            ]
        except ValueError as error:
            wanted = "wanted e.g. '0 6 * * 1' for Mondays at six"
            raise BadInput(f"the cron line {line!r} cannot be read: {error}; {wanted}") from error
        if self.after(datetime(2000, 1, 1, tzinfo=UTC)) is None:
            raise BadInput(f"the cron line {line!r} never falls due: there is no such day")

    def after(self, moment: datetime) -> datetime | None:
        """The first time it falls due after `moment`, in UTC; None when it never does again."""
        times = [found for trigger in self._triggers if (found := self._next(trigger, moment)) is not None]
        return min(times, default=None)

    def _next(self, trigger: CronTrigger, moment: datetime) -> datetime | None:
        """The first moment of a calendar without summer time, each of whose times is then put on the zone's clocks.

        The order of two times may turn round there: where the clocks change, both sides of the change are looked at.
        """
        found: datetime | None = None
        naive = moment.astimezone(UTC) + min(self._offsets(moment))
        while (naive := trigger.get_next_fire_time(None, naive + timedelta(microseconds=1))) is not None:
            if found is not None and naive > found + max(self._offsets(found)):
                break
            times = [time for time in self._on_clocks(naive) if time > moment]
            found = min([*times, *([] if found is None else [found])], default=None)
        return found

    def _on_clocks(self, naive: datetime) -> list[datetime]:
        """When the zone's clocks show a time, in UTC; one that they leave out is later by what they leave out."""
        first, second = (naive.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return [first, second] if self._every_hour and first < second else [first]

    def _offsets(self, moment: datetime) -> list[timedelta]:
        """How far the zone is ahead of UTC about a moment."""
        day = timedelta(days=1)
        local = [(moment + step).astimezone(self._zone) for step in (-day, 0 * day, day)]
        return [time.utcoffset() or timedelta() for time in local]


def local_timezone() -> str:
    """The name of the machine's time zone."""
    return str(CronTrigger().timezone)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _by_name(field: str) -> str:
    """The weekdays of a field by their names."""
    days = []
    for part in field.lower().split(","):
        found = DAY.fullmatch(part)
        if found is None:
            raise ValueError(f"no weekday {part!r}")
        first, last, step = found.groups()
        low = 0 if first is None else _number(first)
        high = _number(last) if last else low if first and not step else 6
        # "fri-sun" and "6-1" go over the end of the week
        days += [DAYS[k % 7] for k in range(low, high + (7 if high < low else 0) + 1, int(step or 1))]
    return ",".join(sorted(set(days), key=DAYS.index))


def _number(day: str) -> int:
    """A weekday as crontab counts it."""
    if day in DAYS:
        return DAYS.index(day)
    if re.fullmatch("0?[0-7]", day):
        return int(day)
    raise ValueError(f"no weekday {day!r}; wanted 0 to 7 (Sunday is both) or sun to sat")
