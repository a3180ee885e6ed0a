"""The series a detector was fitted on: what is marked, what is shaded, how its times are read, what thinning keeps."""

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench import plots
from tsbench.detect.anomaly import DETECTORS, SIDES, Judged, Side, anomaly_detector
from tsbench.errors import BadInput
from tsbench.plots.anomalies import MOST_DRAWN, MOST_FLAGGED, clock
from tsbench.plots.theme import DARK
from tsbench.store.series_versions import SeriesVersion

CREATED = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
LARGEST_INT = 2**63 - 1


def _drawn(values: Any, side: Side = "both", *, model: str = "zscore", times: Any = None, **named: Any) -> Any:
    """The figure of a detector fitted on these values."""
    values = np.asarray(values, np.float64)
    times = np.arange(values.size) if times is None else np.asarray(times, np.int64)
    given = {"series_id": "sensor_01", "version": 3, "model": model, "points": values.size, "created_at": CREATED}
    judged = anomaly_detector(model).fit(values).judge(values, side=side)
    return plots.anomalies(SeriesVersion(**(given | named)), times, values, judged)


def _spiky(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 2, n)
    values[rng.choice(n, 7, replace=False)] += [40, -40, 35, -30, 25, 50, -60]
    return values


def _naive_flagged(values: np.ndarray, side: str, model: str) -> list[tuple[int, float]]:
    lower, upper = anomaly_detector(model).fit(values).limits(side)  # type: ignore[arg-type]
    return [
        (i, v)
        for i, v in enumerate(values.tolist())
        if (lower is not None and v < lower) or (upper is not None and v > upper)
    ]


def _legend(figure: Any) -> list[str]:
    return [part.name for part in (*figure.data, *figure.layout.shapes) if part.name]


# ---- what is marked and shaded ----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", list(DETECTORS))
@pytest.mark.parametrize("side", SIDES)
def test_every_value_beyond_a_limit_on_the_side_asked_is_marked_and_no_other(side: Side, model: str) -> None:
    values = _spiky(300)
    naive = _naive_flagged(values, side, model)
    figure = _drawn(values, side, model=model)
    line, marks = figure.data
    assert list(zip(marks.x.tolist(), marks.y.tolist(), strict=True)) == naive
    assert len(naive) == {"upper": 4, "lower": 3, "both": 7}[side]
    assert figure.layout.title.text.startswith(f"<b>{len(naive)} of 300 values ")
    assert marks.name == f"flagged: {len(naive)}"
    np.testing.assert_array_equal(line.y, values)


@pytest.mark.parametrize(("side", "said"), [("upper", "up to 12.4"), ("lower", "from 7.551"), ("both", "7.551 to 12")])
def test_the_shade_ends_at_the_limits_asked_and_a_line_stands_at_each(side: Side, said: str) -> None:
    values = [9.0, 10.0, 11.0]  # deviation sqrt(2/3), three of them 2.449
    figure = _drawn(values, side)
    shade, *lines, level = figure.layout.shapes
    reach = 3 * math.sqrt(2 / 3)
    limits = {"upper": [10 + reach], "lower": [10 - reach], "both": [10 - reach, 10 + reach]}[side]
    assert [line.y0 for line in lines] == pytest.approx(limits)
    assert [line.y1 for line in lines] == pytest.approx(limits)
    assert (level.y0, level.y1, level.name) == (10, 10, "expected: 10.000")
    assert shade.name.startswith(f"normal: {said}")
    bottom, top = figure.layout.yaxis.range
    assert shade.y0 == pytest.approx(10 - reach) if side != "upper" else shade.y0 < bottom - 10 * (top - bottom)
    assert shade.y1 == pytest.approx(10 + reach) if side != "lower" else shade.y1 > top + 10 * (top - bottom)
    assert bottom < min(*values, *limits)
    assert top > max(*values, *limits)


def test_the_figure_names_its_version_its_model_and_when_it_was_fitted() -> None:
    east = CREATED.astimezone(timezone(timedelta(hours=9)))
    title = _drawn([10.0, 11.2, 10.4, 10.8], "upper", created_at=east).layout.title
    assert title.text == "<b>None of 4 values above 11.942</b>"
    assert title.subtitle.text == "sensor_01, version 3: zscore, fitted 2026-11-22 05:30 UTC<br>every value shown"


def test_names_are_text_not_tags_and_a_long_one_is_cut() -> None:
    assert _drawn([1.0, 2, 3], series_id="<b>&").layout.title.subtitle.text.startswith("&lt;b&gt;&amp;, version 3")
    assert _drawn([1.0, 2, 3], series_id="n" * 200).layout.title.subtitle.text.startswith(f"{'n' * 59}…, version")


def test_finite_values_leave_no_hole_and_a_missing_value_is_one_and_not_flagged() -> None:
    values = _spiky(50)
    assert all(np.isfinite(part).all() for trace in _drawn(values).data for part in (trace.x, trace.y))
    values[20] = np.nan
    line, marks = _drawn(values).data
    assert np.flatnonzero(np.isnan(line.y)).tolist() == [20]
    assert 20 not in marks.x


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e6))
def test_numbers_are_told_to_a_thousandth_of_the_way_from_the_level_to_the_limit(level: float, spread: float) -> None:
    values = np.array([level - spread, level, level + spread])
    told = [name for name in _legend(_drawn(values, "upper")) if ":" in name][-2:]
    upper = anomaly_detector("zscore").fit(values).limits("upper")[1]
    assert upper is not None
    for text, true in zip(told, (upper, values.mean()), strict=True):
        number = float(text.rpartition(" ")[2].replace(",", "").replace("−", "-"))
        assert abs(number - true) <= 1e-3 * (upper - values.mean()) + 1e-9 * abs(true)


def test_values_at_the_ends_of_float64_are_drawn_with_finite_numbers() -> None:
    figure = _drawn([1, 2, 3, 4, 5, 1.7e308, -1.7e308], model="robust")
    assert np.isfinite(figure.layout.yaxis.range).all()
    assert all(np.isfinite([shape.y0, shape.y1]).all() for shape in figure.layout.shapes)
    for side in SIDES:
        far = _drawn([1.7e308, 1.71e308, 1.72e308], side, model="robust")
        assert all(np.isfinite([shape.y0, shape.y1]).all() for shape in far.layout.shapes)


def test_a_verdict_per_value_is_wanted() -> None:
    judged = anomaly_detector("zscore").fit([1.0, 2, 3]).judge([1.0, 2], side="both")
    version = SeriesVersion("s", 1, "zscore", 3, CREATED)
    with pytest.raises(BadInput, match="3 times, 3 values and 2 verdicts"):
        plots.anomalies(version, np.arange(3), np.array([1.0, 2, 3]), judged)


def test_no_colour_stays_light_in_the_dark_figure() -> None:
    assert not any(colour in plots.dark(_drawn(_spiky(50))).to_json() for colour in DARK)


# ---- long series ------------------------------------------------------------------------------------------------


def test_a_long_series_keeps_its_ends_its_extremes_and_every_flagged_value() -> None:
    values = _spiky(200_000)
    values[np.linspace(10, 199_000, 500).astype(int)] -= 9  # less than the spikes, and close to each other
    figure = _drawn(values, times=np.arange(200_000) * 7)
    line, marks = figure.data
    naive = _naive_flagged(values, "both", "zscore")
    assert len(naive) > 500
    assert marks.x.tolist() == [7 * i for i, _ in naive]
    assert set(marks.x) <= set(line.x)
    assert (np.diff(line.x) > 0).all()
    assert line.x.size <= MOST_DRAWN
    np.testing.assert_array_equal(line.y, values[(line.x / 7).astype(int)])
    assert (line.x[0], line.x[-1]) == (0, 7 * 199_999)
    assert (line.y.min(), line.y.max()) == (values.min(), values.max())
    said = f"<br>drawn from 200,000 values, {line.x.size:,} shown"
    assert figure.layout.title.subtitle.text.endswith(said)


def test_of_too_many_flagged_values_those_farthest_out_are_marked_and_all_are_counted() -> None:
    values = np.random.default_rng(1).standard_t(2, 60_000)
    figure = _drawn(values, "both", model="robust")
    line, marks = figure.data
    level = float(np.median(values))
    naive = _naive_flagged(values, "both", "robust")
    farthest = sorted(naive, key=lambda one: -abs(one[1] - level))[:MOST_FLAGGED]
    assert len(naive) > MOST_FLAGGED
    assert marks.x.tolist() == sorted(i for i, _ in farthest)
    assert marks.name == f"flagged: {len(naive):,}, the 2,000 farthest out marked"
    assert figure.layout.title.text.startswith(f"<b>{len(naive):,} of 60,000 values outside ")
    assert line.x.size <= MOST_DRAWN
    assert set(marks.x) <= set(line.x)


# ---- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "per_second"), [("seconds", 1), ("milli", 10**3), ("micro", 10**6), ("nano", 10**9)])
def test_counts_since_1970_are_drawn_as_dates(unit: str, per_second: int) -> None:
    moments = [datetime(year, 5, 17, 12, 30, 15, tzinfo=UTC) for year in (1990, 2024, 2099)]
    read = clock(np.array([int(moment.timestamp()) * per_second for moment in moments]))
    assert read.axis["type"] == "date"
    assert read.title == f"time (UTC, from epoch {unit.replace('seconds', '')}seconds)"
    # plotly counts dates in milliseconds
    assert [datetime.fromtimestamp(at / 1000, UTC) for at in read.at] == moments


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
def test_a_series_that_leaves_the_years_1990_to_2099_has_plain_times(per_second: int) -> None:
    first = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * per_second
    end = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * per_second
    kinds = {
        (start, stop): clock(np.array([start, stop])).axis["type"]
        for start, stop in ((first, end - 1), (first - 1, end - 1), (first, end))
    }
    assert list(kinds.values()) == ["date", "linear", "linear"]


def test_neighbouring_microseconds_stay_apart() -> None:
    times = 1_705_000_000_000_000 + np.arange(5)
    np.testing.assert_allclose(np.diff(clock(times).at), 0.001, rtol=0.25)  # float64 there has steps of 0.00024


def test_other_whole_numbers_stay_what_they_are() -> None:
    read = clock(np.array([-5, 0, 7, 2**53]))
    assert read.title == "time (as sent)"
    assert read.at.tolist() == [-5, 0, 7, 2**53]


@pytest.mark.parametrize("first", [2**53 + 1, 2**62 + 3, -(2**53) - 1, LARGEST_INT - 3])
def test_neighbours_beyond_what_float64_holds_stay_apart(first: int) -> None:
    read = clock(np.array([first, first + 1, first + 3]))
    assert read.at.tolist() == [0, 1, 3]
    assert read.title == f"time (as sent, less {first:,})"


def test_times_over_all_of_int64_do_not_wrap() -> None:
    assert clock(np.array([-LARGEST_INT - 1, 0, LARGEST_INT])).at.tolist() == [0, 2.0**63, 2.0**64]


def test_the_axis_of_the_figure_says_how_times_are_read() -> None:
    axis = _drawn([1.0, 2, 3], times=[1_705_000_000, 1_705_000_001, 1_705_000_002]).layout.xaxis
    assert (axis.type, axis.title.text) == ("date", "time (UTC, from epoch seconds)")


def test_what_is_drawn_is_judged_not_fitted_again() -> None:
    judged = Judged(np.array([False, True, False]), np.array([0.0, 9, 1]), 3.0, "upper", np.ones(3), 5.0, None, 6.0)
    figure = plots.anomalies(SeriesVersion("s", 1, "own", 3, CREATED), np.arange(3), np.array([5.0, 7, 5.5]), judged)
    assert figure.data[1].x.tolist() == [1]
    assert figure.data[1].customdata.tolist() == [9]
