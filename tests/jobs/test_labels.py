"""What users say about matches, and which half of the companies they look at, changes scans as it should."""

import pandas as pd
import pytest

from tsbench import jobs
from tsbench.detect import PatternDetector, stretches_of
from tsbench.errors import BadInput
from tsbench.evaluate import half_of
from tsbench.patterns import Channel, Pattern

pytestmark = pytest.mark.usefixtures("small_detectors")

DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14), prominence=3.0)


@pytest.fixture(scope="module")
def detector(companies):
    return PatternDetector(DIP).fit(companies.series_of(metric="roic", frequency="quarterly"))


def scan(store, detector, **question):
    return jobs.scan(store, detector.pattern, where="history", detector=detector, confirm=0, progress=False, **question)


def test_the_halves_are_scanned_apart_and_together_are_all(companies, detector):
    explore, confirm, everyone = (scan(companies, detector, half=h) for h in ("explore", "confirm", None))
    assert not half_of(explore.matches["entity"]).any()
    assert half_of(confirm.matches["entity"]).all()
    assert set(explore.matches["entity"]) | set(confirm.matches["entity"]) == set(everyone.matches["entity"])
    both = pd.concat([explore.matches, confirm.matches]).set_index("entity")["p_value"]
    pd.testing.assert_series_equal(both.sort_index(), everyone.matches.set_index("entity")["p_value"].sort_index())
    stages = explore.funnel.set_index("stage")["companies"]
    assert stages["in the half to explore"] == len(explore.matches)
    with pytest.raises(BadInput, match="half"):
        scan(companies, detector, half="both")


def test_a_second_drawing_makes_scans_exploratory_but_not_on_the_half_kept_for_it(store, companies, detector):
    first = Pattern("tuned", DIP.channels, length=(8, 14))
    second = Pattern("tuned", DIP.channels, length=(8, 20))
    models = [PatternDetector(p, trained=False, surrogates=1000) for p in (first, second)]
    panel = companies.series_of(metric="roic", frequency="quarterly")
    for model in models:
        model.fit(panel)
    assert not scan(companies, models[0]).exploratory
    assert not scan(companies, models[0]).exploratory
    again = scan(companies, models[1])
    assert again.tried == 2
    assert again.exploratory
    assert not scan(companies, models[1], half="confirm").exploratory


def test_a_stored_verdict_teaches_the_next_detector(companies, detector):
    panel = companies.series_of(metric="roic", frequency="quarterly")
    before = detector.scan(panel, where="history")
    for row in before.head(6).to_dict("records"):
        companies.labels.put(DIP.name, row, "reject")
    wiser = jobs.fitted(companies, DIP, stretches_of(DIP, panel))
    after = wiser.scan(panel, where="history").set_index("entity")["score"]
    rest = before.iloc[6:60].set_index("entity")["score"]
    assert after[rest.index].median() < rest.median()
