"""The floor, and the usual first try: where they look, and what they take for a drawing."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput, TooShort
from tsbench.evaluate import average_precision, random_windows, uniform_noise_recipe
from tsbench.evaluate.retrieval import overlap
from tsbench.patterns import Channel, Pattern
from tsbench.series import Panel

DIP, RISE = ((0, 1), (0.5, 0), (1, 1)), ((0, 0), (0.5, 0.1), (1, 1))
BOTH = pytest.mark.parametrize("method", [random_windows, uniform_noise_recipe])
Method = Callable[..., pd.DataFrame]


def _panel(channels: dict[str, dict[str, np.ndarray]]) -> Panel:
    """A panel of {entity: {metric: values}}, quarterly."""
    frames = []
    for entity, metrics in channels.items():
        for metric, values in metrics.items():
            ends = pd.date_range(end="2019-06-30", periods=len(values), freq="QE")
            frames.append(pd.DataFrame({"entity": entity, "metric": metric, "time": ends, "value": values}))
    return Panel.from_frame(pd.concat(frames))


@pytest.fixture
def noise_with_dips() -> tuple[Panel, pd.DataFrame]:
    """Uniform noise, just what the recipe takes for a counterexample, with one smooth dip in each series."""
    rng = np.random.default_rng(0)
    rows, series = [], {}
    for i in range(12):
        values = rng.random(80)
        start, m = int(rng.integers(0, 60)), 16
        values[start : start + m] = np.interp(np.linspace(0, 1, m), *np.array(DIP).T)
        series[f"E{i:02d}"] = {"x": values}
        rows.append((f"E{i:02d}", start, start + m))
    return _panel(series), pd.DataFrame(rows, columns=["entity", "start", "end"])


@pytest.fixture
def dip() -> Pattern:
    return Pattern("dip", (Channel("x", DIP),), length=(12, 20))


@BOTH
def test_the_windows_lie_in_their_series_at_the_patterns_lengths_and_apart(
    noise_with_dips: tuple[Panel, pd.DataFrame], dip: Pattern, method: Method
) -> None:
    found = method(dip, noise_with_dips[0], per_entity=3)
    assert found.columns.tolist() == ["entity", "start", "end", "score"]
    assert found["score"].is_monotonic_decreasing
    assert found["start"].min() >= 0
    assert found["end"].max() <= 80
    assert set(found["end"] - found["start"]) <= set(dip.scales().tolist())
    for _, own in found.groupby("entity"):
        assert len(own) == 3
        windows = list(zip(own["start"], own["end"], strict=True))
        assert all(overlap(*windows[i], *windows[j]) <= 0.3 for i in range(3) for j in range(i))


@BOTH
def test_equal_seeds_find_alike_and_others_not(
    noise_with_dips: tuple[Panel, pd.DataFrame], dip: Pattern, method: Method
) -> None:
    one, again, other = (method(dip, noise_with_dips[0], seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


@BOTH
def test_no_window_bridges_a_hole(dip: Pattern, method: Method) -> None:
    values = np.random.default_rng(0).normal(size=80).cumsum()
    values[40] = np.nan
    found = method(dip, _panel({"A": {"x": values}}))
    assert len(found) > 2
    assert not ((found["start"] <= 40) & (found["end"] > 40)).any()


@BOTH
def test_an_entity_without_the_metric_is_passed_over(dip: Pattern, method: Method) -> None:
    values = np.random.default_rng(0).normal(size=(2, 60)).cumsum(axis=1)
    found = method(dip, _panel({"A": {"other": values[0]}, "B": {"x": values[0]}, "C": {"other": values[1]}}))
    assert set(found["entity"]) == {"B"}


@BOTH
def test_too_short_series_are_refused(dip: Pattern, method: Method) -> None:
    with pytest.raises(TooShort, match="12 periods"):
        method(dip, _panel({"A": {"x": np.arange(11.0)}}))
    with pytest.raises(BadInput, match="per_entity"):
        method(dip, _panel({"A": {"x": np.arange(30.0)}}), per_entity=0)


def test_the_recipe_finds_drawings_among_what_it_was_taught_to_refuse(
    noise_with_dips: tuple[Panel, pd.DataFrame], dip: Pattern
) -> None:
    panel, truth = noise_with_dips
    assert average_precision(truth, uniform_noise_recipe(dip, panel)) > 0.9
    assert average_precision(truth, random_windows(dip, panel)) < 0.3


def test_the_recipe_sees_neither_level_nor_unit(noise_with_dips: tuple[Panel, pd.DataFrame], dip: Pattern) -> None:
    found = uniform_noise_recipe(dip, noise_with_dips[0])
    frame = noise_with_dips[0].to_frame()
    moved = uniform_noise_recipe(dip, Panel.from_frame(frame.assign(value=1000 + 64 * frame["value"])))
    pd.testing.assert_frame_equal(found, moved)


def test_a_joint_pattern_needs_all_its_channels_and_an_alternative_one() -> None:
    rng = np.random.default_rng(1)
    m, series = 16, {}
    for i, start in enumerate(rng.integers(0, 60, 10)):
        x, y = rng.random((2, 80))
        x[start : start + m] = np.interp(np.linspace(0, 1, m), *np.array(DIP).T)
        if i % 2:  # only every second has the other channel too
            y[start : start + m] = np.interp(np.linspace(0, 1, m), *np.array(RISE).T)
        series[f"E{i}"] = {"x": x, "y": y}
    panel = _panel(series)
    channels = (Channel("x", DIP), Channel("y", RISE))
    joint = uniform_noise_recipe(Pattern("both", channels, length=(12, 20)), panel, per_entity=1)
    assert sorted(joint["entity"][:5]) == ["E1", "E3", "E5", "E7", "E9"]
    either = uniform_noise_recipe(Pattern("one", channels, length=(12, 20), combine="any"), panel, per_entity=1)
    gap = joint["score"].iloc[4] - joint["score"].iloc[5]
    assert gap > either["score"].iloc[4] - either["score"].iloc[5]


def test_a_channel_without_points_only_says_where_values_are_missing() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.random((2, 60))
    y[30] = np.nan
    panel = _panel({"A": {"x": x, "y": y}})
    pattern = Pattern("dip", (Channel("x", DIP), Channel("y")), length=(12, 20))
    for method in (random_windows, uniform_noise_recipe):
        found = method(pattern, panel)
        assert not ((found["start"] <= 30) & (found["end"] > 30)).any()
