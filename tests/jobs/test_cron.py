"""Cron lines mean what crontab means: against known dates, and against a reader that tries every minute."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.jobs import Cron

BERLIN = "Europe/Berlin"


def times(line: str, start: datetime, count: int, timezone: str = "UTC") -> list[str]:
    """The next few times on the clocks of the zone."""
    cron, found = Cron(line, timezone), []
    for _ in range(count):
        following = cron.after(start)
        assert following is not None
        assert following > start
        start = following
        found.append(f"{start.astimezone(ZoneInfo(timezone)):%a %d %H:%M %z}")
    return found


SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("1", ["Mon 02", "Mon 09"]),
        ("0", ["Sun 01", "Sun 08"]),
        ("7", ["Sun 01", "Sun 08"]),
        ("6", ["Sat 07", "Sat 14"]),
        ("1-5", ["Mon 02", "Tue 03", "Wed 04", "Thu 05", "Fri 06", "Mon 09"]),
        ("5-7", ["Sun 01", "Fri 06", "Sat 07", "Sun 08"]),
        ("MON,wed", ["Mon 02", "Wed 04", "Mon 09"]),
        ("fri-sun", ["Sun 01", "Fri 06", "Sat 07", "Sun 08"]),
        ("*/2", ["Sun 01", "Tue 03", "Thu 05", "Sat 07", "Sun 08"]),
        ("1-5/2", ["Mon 02", "Wed 04", "Fri 06", "Mon 09"]),
        ("01,07", ["Sun 01", "Mon 02", "Sun 08"]),
    ],
)
def test_weekdays_are_counted_as_crontab_does(weekday: str, days: list[str]) -> None:
    assert [time[:6] for time in times(f"0 6 * * {weekday}", SUNDAY, len(days))] == days


def test_day_of_the_month_or_weekday_will_do_where_both_are_named() -> None:
    assert [t[:6] for t in times("0 6 13 * 5", SUNDAY, 3)] == ["Fri 06", "Fri 13", "Fri 20"]
    assert [t[:6] for t in times("0 6 4 * 5", SUNDAY, 3)] == ["Wed 04", "Fri 06", "Fri 13"]
    # a star, stepped or not, is no day that is named
    assert [t[:6] for t in times("0 6 */2 * 1", SUNDAY, 2)] == ["Mon 09", "Mon 23"]


def test_the_hour_that_summer_time_leaves_out_is_made_up_for_an_hour_later() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert times("30 2 * * *", before, 2, BERLIN) == ["Sun 29 03:30 +0200", "Mon 30 02:30 +0200"]
    assert times("0 6 * * *", before, 2, BERLIN) == ["Sun 29 06:00 +0200", "Mon 30 06:00 +0200"]


def test_the_hour_that_comes_twice_runs_once_unless_every_hour_runs() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert times("30 2 * * *", before, 2, BERLIN) == ["Sun 25 02:30 +0200", "Mon 26 02:30 +0100"]
    night = datetime(2026, 10, 24, 23, 30, tzinfo=UTC)
    hourly = ["Sun 25 02:00 +0200", "Sun 25 02:00 +0100", "Sun 25 03:00 +0100"]
    assert times("0 * * * *", night, 3, BERLIN) == hourly
    assert times("0 */1 * * *", night, 3, BERLIN) == times("0 0-23 * * *", night, 3, BERLIN) == hourly
    assert times("0 */2 * * *", night, 2, BERLIN) == ["Sun 25 02:00 +0200", "Sun 25 04:00 +0100"]


@pytest.mark.parametrize(
    ("zone", "day", "line", "found"),
    [
        ("Africa/Cairo", datetime(2026, 4, 23, 12), "0 0 * * *", ["Fri 24 01:00 +0300", "Sat 25 00:00 +0300"]),
        ("Africa/Cairo", datetime(2026, 4, 20), "0 0 * * 5", ["Fri 24 01:00 +0300", "Fri 01 00:00 +0300"]),
        ("America/Santiago", datetime(2026, 9, 5, 12), "15 0 * * *", ["Sun 06 01:15 -0300", "Mon 07 00:15 -0300"]),
        ("Asia/Beirut", datetime(2026, 3, 28, 12), "0 0 * * *", ["Sun 29 01:00 +0300", "Mon 30 00:00 +0300"]),
        ("America/Sao_Paulo", datetime(2018, 11, 3, 12), "0 0 * * *", ["Sun 04 01:00 -0200", "Mon 05 00:00 -0200"]),
        # the whole 30th was left out
        ("Pacific/Apia", datetime(2011, 12, 30, 5), "0 6 30 12 *", ["Sat 31 06:00 +1400", "Sun 30 06:00 +1400"]),
    ],
)
def test_no_day_is_lost_where_summer_time_starts_at_midnight(
    zone: str, day: datetime, line: str, found: list[str]
) -> None:
    assert times(line, day.replace(tzinfo=UTC), 2, zone) == found


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(sorted).filter(lambda ends: ends[0] < ends[1])
    part = number.map(str) | span.map(lambda ends: f"{ends[0]}-{ends[1]}")
    step = st.integers(2, (high - low) // 2).map(lambda k: f"*/{k}")
    return st.just("*") | step | st.lists(part, min_size=1, max_size=3).map(",".join)


def _holds(field: str, value: int, low: int, high: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        if int(first) <= value <= int(last or first) and (value - int(first)) % int(step or 1) == 0:
            return True
    return False


def _tried(line: str, moment: datetime) -> datetime:
    """The next time by trying: every day, then every minute of the first day that fits."""
    minute, hour, day, month, weekday = line.split()
    moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while True:
        number = moment.isoweekday() % 7
        by_week = _holds(weekday, number, 0, 7) or (number == 0 and _holds(weekday, 7, 0, 7))
        by_month = _holds(day, moment.day, 1, 31)
        both = day.startswith("*") or weekday.startswith("*")
        fits = _holds(month, moment.month, 1, 12) and ((by_week and by_month) if both else (by_week or by_month))
        if not fits:
            moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
        elif _holds(hour, moment.hour, 0, 23) and _holds(minute, moment.minute, 0, 59):
            return moment
        else:
            moment += timedelta(minutes=1)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), st.just("*"), _field(0, 6)).map(" ".join),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
@example("0 0 29 2 *", datetime(2026, 3, 1, tzinfo=UTC))
@example("59 23 31 12 7", datetime(2026, 12, 30, 23, 59, tzinfo=UTC))
def test_a_line_falls_due_at_the_first_minute_that_fits(line: str, moment: datetime) -> None:
    assert Cron(line, "UTC").after(moment) == _tried(line, moment)


ZONES = (
    BERLIN,
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), 24 * 60


@lru_cache
def _changes(zone: str, year: int) -> list[datetime]:
    """The hours of a year before which the clocks change, and its first."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + k * HOUR for k in range(365 * 24)]
    ahead = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    return hours[:1] + [hour for hour, a, b in zip(hours[1:], ahead, ahead[1:], strict=False) if a != b]


@lru_cache
def _clocks(zone: str, change: datetime) -> list[tuple[datetime, datetime]]:
    """Every minute about a change, with what the clocks of the zone show then."""
    minutes = [change + k * MINUTE for k in range(-DAY, DAY)]
    return [(minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for minute in minutes]


def _watched(line: str, zone: str, change: datetime) -> list[datetime]:
    """When a line falls due, by a look at the clock in every minute; what it leaves out is told by its next one."""
    fields = zip(line.split(), ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)), strict=True)
    minutes, hours, days, _, weekdays = ({k for k in range(a, b + 1) if _holds(f, k, a, b)} for f, (a, b) in fields)
    _, hour, day, _, weekday = line.split()
    every_hour, both = hour == "*", "*" in (day[0], weekday[0])

    def fits(clock: datetime) -> bool:
        on_day = [clock.day in days, clock.isoweekday() % 7 in weekdays]
        return clock.minute in minutes and clock.hour in hours and (all if both else any)(on_day)

    seen, found, last = set[datetime](), set[datetime](), None
    for now, clock in _clocks(zone, change):
        left_out = 0 if last is None else max((clock - last) // MINUTE - 1, 0)
        found |= {now + k * MINUTE for k in range(left_out) if fits(clock + (k - left_out) * MINUTE)}
        if fits(clock) and (every_hour or clock not in seen):
            found.add(now)
        seen.add(clock)
        last = clock
    return sorted(found)


@settings(max_examples=30, deadline=None)
@given(
    # the hours in which clocks change
    st.tuples(_field(0, 59), _field(0, 4), st.just("*") | _field(1, 28), st.just("*"), st.just("*") | _field(0, 6)),
    st.sampled_from(ZONES),
    st.sampled_from([2012, 2018, 2026]),
    st.integers(0, 4),
    st.integers(-180, 180),
)
@example(("*/20", "*", "*", "*", "*"), BERLIN, 2026, 2, 50)
@example(("0,30", "0-2", "*", "*", "*"), "Australia/Lord_Howe", 2026, 2, 0)
@example(("30", "0", "*", "*", "*"), "Africa/Cairo", 2026, 1, -90)
@example(("30", "0", "24", "*", "5"), "Africa/Cairo", 2026, 1, -90)
@example(("0", "*/2", "*", "*", "*"), BERLIN, 2026, 2, -90)
def test_where_the_clocks_change_a_line_falls_due_as_a_watch_tells(
    fields: tuple[str, ...], zone: str, year: int, change: int, shift: int
) -> None:
    around = _changes(zone, year)
    line, change_at = " ".join(fields), around[change % len(around)]
    now = change_at + shift * MINUTE
    wanted = [time for time in _watched(line, zone, change_at) if time > now]
    cron, found = Cron(line, zone), []
    for _ in wanted[:40]:
        following = cron.after(now)
        assert following is not None
        found.append(now := following)
    assert found == wanted[:40]
    if len(wanted) < 40:
        following = cron.after(now)
        assert following is None or following >= change_at + DAY * MINUTE


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("0 6 * *", "five fields"),
        ("@weekly", "five fields"),
        ("61 * * * *", r"61.*'0 6 \* \* 1'"),
        ("0 6 * * 8", "no weekday '8'"),
        ("0 6 * * 23", "no weekday '23'"),
        ("0 6 * * 08", "no weekday '08'"),
        ("0 6 * * someday", "no weekday 'someday'"),
        ("0 6 * * 1,", "no weekday ''"),
        ("0 0 30 2 *", "never falls due"),
    ],
)
def test_a_line_that_cannot_be_read_or_never_comes_is_refused(line: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong):
        Cron(line, "UTC")


@pytest.mark.parametrize("zone", ["Europe/Berln", "../x", ""])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(NotFound, match="no time zone"):
        Cron("0 6 * * 1", zone)


def test_without_a_time_zone_the_clocks_of_the_machine_count() -> None:
    assert ZoneInfo(Cron("0 6 * * 1").timezone)
