"""Companies and planted copies in one layout, and copies that no company of theirs has taught."""

import numpy as np
import pandas as pd
import pytest

from tsbench.detect import PatternDetector
from tsbench.errors import NotFound
from tsbench.evaluate import half_of, in_channels, planted
from tsbench.patterns import Channel, Constraint, Pattern, evaluate_all
from tsbench.series import Panel

DIP = ((0, 1), (0.5, 0), (1, 1))
ENDS = pd.date_range(end="2019-06-30", periods=60, freq="QE")


@pytest.fixture
def pattern() -> Pattern:
    return Pattern(
        "dip",
        (Channel("log(revenue)", DIP), Channel("change(roic, 1)", DIP)),
        length=(8, 14),
        constraints=(Constraint("log(revenue)", "change", -1.0, 1.0),),
    )


@pytest.fixture
def companies() -> Panel:
    """Twenty companies; those of the second half have a thousand times the revenue."""
    rng = np.random.default_rng(0)
    names = [f"C{i:02d}" for i in range(20)]
    frames = []
    for name, second in zip(names, half_of(names), strict=True):
        level = 1e6 if second else 1e3
        for metric, values in {
            "revenue": level * np.exp(rng.normal(0, 0.01, 60).cumsum()),
            "roic": rng.normal(0, 0.01, 60).cumsum(),
        }.items():
            frames.append(pd.DataFrame({"entity": name, "metric": metric, "time": ENDS, "value": values, "flags": 0}))
    frame = pd.concat(frames).assign(name=lambda f: "Company " + f["entity"], sector="Energy")
    return Panel.from_frame(frame)


def test_the_channels_are_the_expressions_under_the_companies_own_names(companies: Panel, pattern: Pattern) -> None:
    renamed, channels = in_channels(pattern, companies)
    assert renamed.expressions == ("channel_0", "channel_1")
    assert renamed.constraints[0].channel == "channel_0"
    assert channels.entities == companies.entities
    assert set(channels.index["name"]) == {f"Company {entity}" for entity in companies.entities}
    for expression, metric in zip(pattern.expressions, renamed.expressions, strict=True):
        (wanted,) = evaluate_all((expression,), companies)
        found = channels.select(metric=metric)
        np.testing.assert_array_equal(found.values, wanted.values)
        np.testing.assert_array_equal(found.times, wanted.times)


def test_flagged_values_are_missing(companies: Panel, pattern: Pattern) -> None:
    companies.flags[5] = 1
    channels = in_channels(pattern, companies)[1]
    assert (
        np.isnan(channels.values).sum() == np.isnan(in_channels(pattern, companies.without_flagged())[1].values).sum()
    )
    assert np.isnan(channels.select(entity="C00", metric="channel_0").values).sum() == 1


def test_a_detector_taught_in_companies_can_be_asked_about_planted_copies(companies: Panel, pattern: Pattern) -> None:
    renamed, channels = in_channels(pattern, companies)
    made = planted(pattern, companies, 12, snr=8, seed=1)
    assert made.pattern == renamed
    detector = PatternDetector(renamed, trained=False, surrogates=500).fit(channels)
    found = detector.find(made.panel, per_entity=1)
    assert set(found["entity"]) <= set(made.panel.entities)


def test_the_hosts_and_their_names_are_of_the_second_half(companies: Panel, pattern: Pattern) -> None:
    made = planted(pattern, companies, 40, snr=0.001, seed=3)
    assert half_of(made.panel.entities).all()
    assert np.exp(made.panel.select(metric="channel_0").values).min() > 1e5


def test_every_copy_keeps_its_place_when_its_series_is_renamed(companies: Panel, pattern: Pattern) -> None:
    made = planted(pattern, companies, 30, snr=500, seed=5)
    assert len(made.panel.entities) == 30
    assert list(made.panel.index["entity"]) == sorted(made.panel.index["entity"])
    assert 5 < len(made.truth) < 25
    carriers = set(made.truth["entity"])
    assert carriers < set(made.panel.entities)
    tall = {
        entity: np.abs(np.diff(made.panel.select(entity=entity, metric="channel_0").values)).max()
        for entity in made.panel.entities
    }
    for row in made.truth.itertuples():
        values = made.panel.select(entity=row.entity, metric="channel_0").values
        assert row.start <= np.argmax(np.abs(np.diff(values))) < row.end
    assert min(tall[e] for e in carriers) > 5 * max(tall[e] for e in set(tall) - carriers)


def test_equal_seeds_plant_alike_and_others_not(companies: Panel, pattern: Pattern) -> None:
    one, again, other = (planted(pattern, companies, 10, snr=4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.panel.values, again.panel.values)
    assert not one.truth.equals(other.truth)


def test_a_metric_that_is_not_there_is_named(companies: Panel, pattern: Pattern) -> None:
    with pytest.raises(NotFound, match="roic"):
        in_channels(pattern, companies.select(metric="revenue"))
    with pytest.raises(NotFound, match="roic"):
        planted(pattern, companies.select(metric="revenue"), 5, snr=4)
