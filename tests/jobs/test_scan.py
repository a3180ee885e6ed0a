"""A scan of the stored companies: the detector's numbers, kept chunk by chunk, whole after any interruption."""

from html import escape

import pandas as pd
import pytest

from tsbench import jobs
from tsbench.detect import PatternDetector, stretches_of
from tsbench.errors import BadInput, NotFitted, NotFound
from tsbench.patterns import Channel, Pattern, named

pytestmark = pytest.mark.usefixtures("small_detectors")

DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14), prominence=3.0)


@pytest.fixture(scope="module")
def scanned(companies):
    return jobs.scan(companies, DIP, where="now", progress=False, chunk=50, confirm=3)


def test_a_scan_gives_the_numbers_of_the_detector(companies, scanned):
    panel = companies.series_of(metric="roic", frequency="quarterly")
    wanted = PatternDetector(DIP).fit(panel).scan(panel, confirm=3)
    columns = ["entity", "status", "metric", "start", "end", "length", "score", "p_value", "q_value", "p_confirmed"]
    got = scanned.matches.sort_values("entity", ignore_index=True)[columns]
    pd.testing.assert_frame_equal(
        got, wanted.sort_values("entity", ignore_index=True)[columns], check_dtype=False, rtol=1e-9
    )


def test_a_notebook_shows_the_best_matches(scanned):
    page, best = scanned._repr_html_(), scanned.matches.iloc[0]
    told = (scanned.id, escape(best["name"]), f"{best['start']:%Y-%m} to {best['end']:%Y-%m}")
    assert [page.index(part) for part in told] == sorted(page.index(part) for part in told)
    assert page.count("<tr>") == 1 + 10


def test_the_funnel_counts_every_company_once_and_shows_the_dead(scanned):
    funnel = scanned.funnel.set_index("stage")
    assert funnel.loc["in the store", "companies"] == 221
    assert funnel.loc["in the store", "dead"] > 40
    assert funnel.loc["tested", "dead"] == 0
    assert (funnel["companies"].diff().dropna() <= 0).all()
    assert funnel.loc["tested", "companies"] == (scanned.matches["status"] == "tested").sum()


def test_dropping_the_sector_unknown_costs_most_dead_companies(companies):
    one = jobs.scan(companies, DIP, where="history", sector="Unknown", progress=False, confirm=0)
    everyone = jobs.scan(companies, DIP, where="history", progress=False, confirm=0)
    in_unknown = one.funnel.set_index("stage").loc["in sector Unknown"]
    assert in_unknown["companies"] == 80
    assert in_unknown["dead"] > 0.7 * everyone.funnel["dead"].iloc[0]


def test_a_finished_scan_is_returned_as_it_is(companies, scanned):
    again = jobs.scan(companies, DIP, scan_id=scanned.id, where="now", progress=False, chunk=50, confirm=3)
    pd.testing.assert_frame_equal(again.matches, scanned.matches)
    assert "fit" not in again.seconds


def test_an_id_belongs_to_one_question(companies, scanned):
    with pytest.raises(BadInput, match="parameters"):
        jobs.scan(companies, DIP, scan_id=scanned.id, where="history", progress=False, chunk=50, confirm=3)
    with pytest.raises(BadInput, match="pattern"):
        jobs.scan(companies, named("dip_recovery"), scan_id=scanned.id, progress=False, chunk=50, confirm=3)


def test_as_of_sees_only_what_was_public(companies):
    past = jobs.scan(companies, DIP, as_of="2010-01-01", progress=False, confirm=0)
    assert past.matches["last"].max() <= pd.Timestamp("2010-01-01", tz="UTC")
    assert past.parameters["as_of"] == "2010-01-01"
    assert (past.matches["status"] == "tested").sum() > 100


def test_sector_pattern_and_metric_must_exist(companies):
    with pytest.raises(NotFound, match="Utilities"):
        jobs.scan(companies, DIP, sector="Utilitys", progress=False)
    with pytest.raises(NotFound, match="dip_recovery"):
        jobs.scan(companies, "dip_recovry", progress=False)
    absent = Pattern("x", (Channel("ebitda", ((0, 0), (1, 1))),), length=(8, 12))
    with pytest.raises(NotFound, match="ebitda"):
        jobs.scan(companies, absent, progress=False)


def test_a_sector_without_the_metrics_is_not_called_unknown(store, tmp_path):
    quarters = pd.date_range("2008-03-31", periods=40, freq="QE").strftime("%Y-%m-%d")
    rows = [f"A,Tech,roic,{day},{i % 7}" for i, day in enumerate(quarters)]
    rows += [f"NEWCO,Rockets,sales,{day},{i}" for i, day in enumerate(quarters)]
    (tmp_path / "two.csv").write_text("\n".join(["ticker,sector,metric,date,value", *rows]))
    store.load(tmp_path / "two.csv", progress=False)
    with pytest.raises(NotFound, match="'Rockets' have none of the metrics"):
        jobs.scan(store, DIP, sector="Rockets", progress=False)
    with pytest.raises(NotFound, match="did you mean 'Rockets'"):
        jobs.scan(store, DIP, sector="Rocket", progress=False)


def test_a_fitted_detector_may_be_brought_along(companies, scanned):
    panel = companies.series_of(metric="roic", frequency="quarterly")
    detector = PatternDetector(DIP).fit(panel)
    brought = jobs.scan(companies, DIP, detector=detector, progress=False, chunk=50, confirm=3)
    pd.testing.assert_series_equal(brought.matches["p_value"], scanned.matches["p_value"], rtol=1e-9)
    with pytest.raises(BadInput, match="fitted for"):
        jobs.scan(companies, named("plateau"), detector=detector, progress=False)


def test_saved_and_shipped_patterns_are_found_by_name(store):
    store.patterns.save({**DIP.to_json(), "name": "mine"})
    assert jobs.resolve(store, "mine").expressions == ("roic",)
    assert jobs.resolve(store, "fade") == named("fade")


def test_new_data_under_an_unfinished_scan_are_refused(companies):
    panel = companies.series_of(metric="roic", frequency="quarterly")
    first = jobs.data_hash(panel)
    assert first == jobs.data_hash(companies.series_of(metric="roic", frequency="quarterly"))
    assert first != jobs.data_hash(panel.select(until="2018-01-01"))
    parameters = {"where": "now", "as_of": None, "sector": None, "frequency": "quarterly", "null": "largest",
                  "seed": 0, "confirm": 10, "chunk": 250, "detector": None}  # fmt: skip
    companies.scans.begin("old-data", DIP.to_json(), parameters, "another fingerprint")
    with pytest.raises(BadInput, match="data"):
        jobs.scan(companies, DIP, scan_id="old-data", progress=False)


def test_a_scan_never_mixes_two_detectors(companies, scanned):
    panel = companies.series_of(metric="roic", frequency="quarterly")
    other = PatternDetector(DIP, surrogates=800).fit(panel)
    again = {"where": "now", "progress": False, "chunk": 50, "confirm": 3}
    with pytest.raises(BadInput, match="parameters"):
        jobs.scan(companies, DIP, scan_id=scanned.id, detector=other, **again)
    first = jobs.scan(companies, DIP, scan_id="brought", detector=other, **again)
    assert jobs.scan(companies, DIP, scan_id="brought", detector=other, **again).id == first.id
    with pytest.raises(BadInput, match="parameters"):
        jobs.scan(companies, DIP, scan_id="brought", **again)


@pytest.mark.parametrize("wrong", [{"where": "today"}, {"null": "luck"}, {"confirm": -1}, {"chunk": 0}])
def test_a_question_that_makes_no_sense_leaves_no_scan_behind(companies, wrong):
    before = len(companies.scans.list())
    with pytest.raises(BadInput):
        jobs.scan(companies, DIP, progress=False, **wrong)
    assert len(companies.scans.list()) == before


def test_a_detector_that_does_not_fit_the_question_leaves_no_scan_behind(companies):
    before = len(companies.scans.list())
    with pytest.raises(NotFitted):
        jobs.scan(companies, DIP, progress=False, detector=PatternDetector(DIP))
    late = PatternDetector(DIP, surrogates=800).fit(companies.series_of(metric="roic", frequency="quarterly"))
    with pytest.raises(BadInput, match="published up to"):
        jobs.scan(companies, DIP, progress=False, detector=late, as_of="2010-01-01")
    assert len(companies.scans.list()) == before


def test_a_live_company_without_the_metric_is_not_counted_as_dead(companies, tmp_path, scanned):
    from tsbench.jobs import funnel

    holdings = companies.companies()
    newcomer = holdings.iloc[:1].assign(symbol="NEW", last_at=holdings["last_at"].max())
    universe = stretches_of(DIP, companies.series_of(metric="roic", frequency="quarterly"))
    more = funnel(pd.concat([holdings, newcomer]), universe, scanned.matches, None)
    assert more["companies"].iloc[0] == 222
    assert more["dead"].iloc[0] == scanned.funnel["dead"].iloc[0]
