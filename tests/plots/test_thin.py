"""Long series from fewer values: what must still be seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench import plots
from tsbench.errors import BadInput
from tsbench.plots.thin import BUDGET, FEWEST, thin
from tsbench.series import Panel

DAY = 86_400_000_000


def _naive_gaps(values: np.ndarray) -> list[tuple[int, int]]:
    """(last known before, first known after) of every run of unknown values between known ones."""
    gaps, last = [], None
    for i, value in enumerate(values):
        if np.isfinite(value):
            if last is not None and i > last + 1:
                gaps.append((last, i))
            last = i
    return gaps


@st.composite
def series(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Times and values: a walk, ties, level stretches, holes in time, unknown values alone and in runs."""
    n = draw(st.integers(1, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=n).cumsum()
    if draw(st.booleans()):
        values = np.round(values)
    for _ in range(draw(st.integers(0, 30))):
        start = int(rng.integers(n))
        values[start : start + int(rng.integers(1, 12))] = rng.choice([np.nan, np.nan, np.inf, values[start]])
    steps = rng.choice([1, 1, 1, 50], n)
    return np.cumsum(steps) * DAY, values


@given(series(), st.integers(FEWEST, 200))
@settings(max_examples=200, deadline=None)
def test_what_is_drawn_is_in_order_bounded_and_keeps_ends_extremes_and_the_widest_gaps(
    made: tuple[np.ndarray, np.ndarray], most: int
) -> None:
    times, values = made
    shown = thin(times, values, most)
    assert shown.size <= most
    assert (np.diff(shown) > 0).all()
    assert (shown[0], shown[-1]) == (0, values.size - 1)
    if values.size <= most:
        assert shown.tolist() == list(range(values.size))
    known = [v for v in values if np.isfinite(v)]
    drawn = values[shown]
    if known:
        left = drawn[np.isfinite(drawn)]
        assert (min(left), max(left)) == (min(known), max(known))
        assert (left[0], left[-1]) == (known[0], known[-1])
    before = _naive_gaps(values)
    after = [(int(shown[i]), int(shown[k])) for i, k in _naive_gaps(drawn)]
    assert set(after) <= set(before)  # each stands where it was
    widths = sorted((times[b] - times[a] for a, b in before), reverse=True)
    kept = sorted((times[b] - times[a] for a, b in after), reverse=True)
    least = len(before) if values.size <= most else min(len(before), most // 6)
    assert kept == widths[: len(kept)]
    assert len(kept) >= least


def test_every_lone_spike_of_a_long_series_is_still_seen() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=200_000)
    spikes = np.arange(1000, 200_000, 4000)
    values[spikes] += rng.choice([-30, 30], spikes.size)
    shown = thin(np.arange(values.size) * DAY, values, 2000)
    assert np.isin(spikes, shown).all()


def test_values_that_are_all_unknown_leave_their_ends() -> None:
    assert thin(np.arange(100), np.full(100, np.nan), 20).tolist() == [0, 99]


def _long(n: int, entities: int = 1, doubted: int = 0) -> Panel:
    walk = np.random.default_rng(0).normal(size=n).cumsum()
    times = pd.date_range("2000-01-01", periods=n, freq="min")
    flags = np.zeros(n, np.int64)
    flags[np.linspace(1, n - 2, doubted).astype(int)] = 4
    parts = [
        pd.DataFrame({"entity": f"E{i}", "metric": "pressure", "time": times, "value": walk + i, "flags": flags})
        for i in range(entities)
    ]
    return Panel.from_frame(pd.concat(parts))


def _notes(figure: object) -> list[str]:
    return [str(note.text) for note in figure.layout.annotations]  # type: ignore[attr-defined]


def test_a_million_values_stay_within_the_bytes_and_the_figure_says_so() -> None:
    panel = Panel.from_arrays([np.random.default_rng(0).normal(size=1_000_000).cumsum()])
    figure = plots.series(panel)
    assert BUDGET / 2 < len(figure.to_json().encode()) <= BUDGET
    assert f"drawn from 1,000,000 values, {len(figure.data[0].x):,} shown" in _notes(figure)
    assert (np.nanmin(figure.data[0].y), np.nanmax(figure.data[0].y)) == (panel.values.min(), panel.values.max())


def test_the_figure_tells_of_gaps_that_were_too_many_to_keep() -> None:
    values = np.random.default_rng(0).normal(size=50_000)
    values[5:45_000:10] = np.nan
    figure = plots.series(Panel.from_arrays([values]), budget=50_000)
    closed = 4500 - len(_naive_gaps(np.asarray(figure.data[0].y)))
    assert closed > 4000
    assert _notes(figure)[1].endswith(f"shown, {closed:,} narrow gaps closed")


def test_a_figure_within_its_bytes_shows_every_value_and_says_nothing() -> None:
    figure = plots.series(_long(1000))
    assert len(figure.data[0].x) == 1000
    assert _notes(figure) == ["<b>pressure</b>"]


def test_every_doubtful_value_is_drawn_however_few_of_the_line_are() -> None:
    panel = _long(30_000, doubted=500)
    figure = plots.series(panel, budget=60_000)
    line, hollow = figure.data
    assert len(figure.to_json().encode()) <= 60_000
    assert len(line.x) < 3000
    np.testing.assert_array_equal(hollow.y, panel.values[panel.flags > 0])


def test_a_short_line_is_whole_and_a_long_one_takes_what_it_leaves() -> None:
    arrays = [np.arange(20_000.0), np.arange(100.0)]
    figure = plots.series(Panel.from_arrays(arrays), budget=50_000)
    assert [len(trace.x) == n for trace, n in zip(figure.data, (20_000, 100), strict=True)] == [False, True]
    assert len(figure.to_json().encode()) > 0.85 * 50_000


def test_more_doubtful_values_than_bytes_are_refused() -> None:
    with pytest.raises(BadInput, match="every doubtful value, more than its 20,000"):
        plots.series(_long(3000, doubted=2000), budget=20_000)


def test_copies_of_a_long_series_made_by_chance_stay_within_the_bytes() -> None:
    figure = plots.nulls(_long(5000), "E0", budget=150_000)
    assert len(figure.to_json().encode()) <= 150_000
    assert any(note.startswith("drawn from 5,000 values") for note in _notes(figure))
