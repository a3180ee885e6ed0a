"""Cron lines mean what crontab means: against known dates, and against a reader that tries every minute."""

from datetime import UTC, datetime, timedelta
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


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("0 6 * *", "five fields"),
        ("@weekly", "five fields"),
        ("61 * * * *", r"61.*'0 6 \* \* 1'"),
        ("0 6 * * 8", "no weekday '8'"),
        ("0 6 * * 23", "no weekday '23'"),
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
