"""The shipped patterns: the words of each hold in its numbers, and each finds what it is named after."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tests.naive import window_scores
from tsbench.detect import PatternDetector
from tsbench.errors import NotFound
from tsbench.patterns import groups, library, named, synthesize
from tsbench.series import Panel

SHIPPED = {"revenue", "roic", "market_cap"}
FIRST_TEN = {
    "dip_recovery", "failed_recovery", "inflection_up", "step_up", "s_curve", "plateau", "fade", "erosion",
    "acceleration", "overlooked",
}  # fmt: skip
EVERY = pytest.mark.parametrize("pattern", library().values(), ids=library())


def test_every_pattern_stands_in_one_group_under_its_own_name():
    names = [name for group in groups().values() for name in group]
    assert names == list(library())
    assert len(names) == len(set(names)) >= 35
    assert set(names) >= FIRST_TEN
    assert {name: len(group) for name, group in groups().items()} == {
        "fundamentals": 11, "joint": 6, "prices": 15, "sensors": 10,
    }  # fmt: skip
    assert all(named(name).name == name for name in names)
    with pytest.raises(NotFound, match="double_top"):
        named("dubble_top")


@EVERY
def test_a_metric_that_the_shipped_companies_lack_is_named_in_the_description(pattern):
    lacking = set(pattern.metrics) - SHIPPED
    said = pattern.description.partition("Load the metric")[2]
    assert bool(lacking) == bool(said)
    assert all(metric in said for metric in lacking)


@EVERY
def test_a_clean_copy_in_calm_surroundings_passes_its_own_amplitude_gate(pattern):
    m = pattern.length[0]
    templates = [pattern.template(k, m) for k, channel in enumerate(pattern.channels) if channel.points]
    series = [np.r_[np.full(m, t[0]), t, np.full(m, t[-1])] for t in templates]
    scores = window_scores(series, templates, pattern.prominence)
    assert scores.argmax() == m
    assert scores[m] == pytest.approx(1.0)


@pytest.mark.parametrize("group", groups())
def test_no_two_drawings_of_a_group_are_the_same(group):
    for one, other in combinations([named(name) for name in groups()[group]], 2):
        if one.expressions == other.expressions:
            alike = [one.template(k, 60) @ other.template(k, 60) for k, c in enumerate(one.channels) if c.points]
            assert min(alike) < 0.98, (one.name, other.name)


def in_units(made):
    """The planted panel, each series scaled so that a walk meets the bounds of its channel's constraints now and then.

    One step then is half the smallest bound.
    """
    step = dict.fromkeys(made.pattern.expressions, 1.0)
    for constraint in made.pattern.constraints:
        bounds = [abs(bound) / 2 for bound in constraint.bounds if np.isfinite(bound) and bound != 0]
        if constraint.kind != "percent_change":
            step[constraint.channel] = min([step[constraint.channel], *bounds])
    scale = made.panel.index["metric"].map(step).to_numpy(dtype=float)
    return replace(made.panel, values=made.panel.values * np.repeat(scale, np.diff(made.panel.offsets)))


@EVERY
def test_planted_copies_are_found_where_they_stand(pattern):
    # as high above a walk for the longest copy as for a short one
    snr = 8 * pattern.length[1] ** 0.5
    made = synthesize(pattern, 8, snr=snr, warp=0.1, length=2 * pattern.length[1] + 30, seed=3)
    panel = in_units(made)
    surrogates = 2000 if pattern.constraints else 600  # of a bounded pattern only those that keep the bounds count
    detector = PatternDetector(made.pattern, surrogates=surrogates, trained=False).fit(panel)
    assert (detector.scan(panel, where="now")["status"] == "tested").all()
    found = detector.scan(panel, where="history").set_index("entity")
    inside = []  # the share of a match that lies in the copy; a ramp matches as well at half its length
    for copy in made.truth.itertuples():
        evidence, length = found.loc[copy.entity, ["evidence", "length"]]
        start = evidence.get("first", -length)  # no window kept the constraints: no match, and length 0
        inside.append(max(0, min(start + length, copy.end) - max(start, copy.start)) / max(length, 1))
    assert np.median(inside) > 0.6


def turns(name):
    """Heights of the inner peaks and troughs of a drawing, in order of time."""
    (channel,) = named(name).channels
    y = np.array([height for _, height in channel.points])
    rises, falls = np.diff(y)[:-1] > 0, np.diff(y)[1:] < 0
    return y[1:-1][rises & falls].tolist(), y[1:-1][~rises & ~falls].tolist()


def test_the_peaks_and_troughs_of_chart_patterns_are_those_of_their_names():
    (left, head, right), necks = turns("head_and_shoulders")
    assert head > left == right > max(necks)
    assert necks[0] == necks[1]
    for name, count in (("double_top", 2), ("triple_top", 3)):
        peaks, dips = turns(name)
        assert len(peaks) == count == len(dips) + 1
        assert len(set(peaks)) == len(set(dips)) == 1
    peaks, troughs = turns("ascending_triangle")
    assert len(set(peaks)) == 1
    assert np.diff(troughs).min() > 0
    peaks, troughs = turns("symmetric_triangle")
    assert np.diff(peaks).max() < 0 < np.diff(troughs).min()
    (rim,), (cup, handle) = turns("cup_and_handle")
    assert (rim - handle) < 0.5 * (rim - cup)
    (pole, *lower), flag = turns("bull_flag")
    assert pole > max(lower) > max(flag) > 0.5 * pole
    peaks, troughs = turns("channel_break")
    assert max(peaks) < 0.5


@pytest.mark.parametrize(
    ("upright", "mirrored"),
    [
        ("head_and_shoulders", "inverse_head_and_shoulders"), ("double_top", "double_bottom"),
        ("triple_top", "triple_bottom"), ("ascending_triangle", "descending_triangle"),
    ],
)  # fmt: skip
def test_a_bottom_is_a_top_upside_down(upright, mirrored):
    np.testing.assert_allclose(named(upright).template(0, 41), -named(mirrored).template(0, 41), atol=1e-12)


READINGS = 160
EVENTS = {
    "spike": 90, "dropout": 86, "stuck_at": 93, "step_shift": 85, "drift_ramp": 75, "saturation": 85,
    "oscillation_onset": 105, "variance_burst": 82, "slow_decay": 75, "missed_cycle": 83,
}  # fmt: skip


def quiet(rng):
    return 20 + rng.normal(0, 1, READINGS)


def beat(rng):
    return 20 + 5 * np.sin(2 * np.pi * np.arange(READINGS) / 10) + rng.normal(0, 0.7, READINGS)


def fault(name, rng):
    """A sensor with one event at reading 70 to 105, made from what happens in it and not from the drawing."""
    y, after = quiet(rng), np.arange(READINGS)
    match name:
        case "spike":
            y[90] += 12
        case "dropout":
            y[80:92] = 0
        case "stuck_at":
            y[90:] = y[90]
        case "step_shift":
            y[85:] -= 8
        case "drift_ramp":
            y[70:] += 0.15 * after[:-70]
        case "saturation":
            y[60:110] += np.minimum(20 * np.sin(np.linspace(0, np.pi, 50)), 9)
        case "oscillation_onset":
            y[100:] += np.minimum(after[:-100] / 12, 8) * np.sin(2 * np.pi * after[:-100] / 9)
        case "variance_burst":
            y[70:95] = 20 + rng.normal(0, 6, 25)
        case "slow_decay":
            y[70:] += 25 * np.exp(-after[:-70] / 25)
        case "missed_cycle":
            y = beat(rng)
            y[78:88] = 15 + rng.normal(0, 0.7, 10)
    return y


@pytest.mark.parametrize("name", groups()["sensors"])
def test_a_fault_of_a_sensor_is_found_by_the_pattern_of_its_name(name):
    rng = np.random.default_rng(11)
    others = [beat(rng) if name == "missed_cycle" else quiet(rng) for _ in range(12)]
    panel = Panel.from_arrays([*others, fault(name, rng)], metric="value")
    found = PatternDetector(named(name), surrogates=1000, trained=False).fit(panel).scan(panel, where="history")
    best = found.iloc[0]
    assert best["entity"] == panel.entities[-1]
    assert best["score"] > 0.55
    first = best["evidence"]["first"]
    assert first <= EVENTS[name] < first + best["length"]


@pytest.mark.parametrize(
    ("name", "metrics", "factor"),
    [("volatility_squeeze", ("close",), 0.1), ("regime_volatility", ("revenue", "roic", "market_cap"), 8.0)],
)
def test_a_change_of_volatility_is_found_in_plain_walks(name, metrics, factor):
    rng = np.random.default_rng(0)
    frames = []
    for i in range(12):
        for metric in metrics:
            steps = rng.normal(0, 0.02, 80)
            if i == 7:
                steps[50:] *= factor
            values = steps.cumsum() if metric == "roic" else 100 * np.exp(steps.cumsum())
            times = pd.date_range("2000-03-31", periods=80, freq="QE")
            frames.append(pd.DataFrame({"entity": f"C{i:02d}", "metric": metric, "time": times, "value": values}))
    panel = Panel.from_frame(pd.concat(frames))
    found = PatternDetector(named(name), surrogates=1000, trained=False).fit(panel).scan(panel, where="history")
    assert found["entity"].iloc[0] == "C07"
    assert found["end"].iloc[0] > pd.Timestamp("2012-06-30", tz="UTC")
