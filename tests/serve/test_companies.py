"""Every documented call about companies, and that each answer is what the stored series say."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import quote

import httpx2
import numpy as np
import pandas as pd
import psycopg2.extensions
import pytest
import sqlalchemy as sa

from tsbench import jobs
from tsbench.detect import PatternDetector
from tsbench.patterns import Channel, Pattern
from tsbench.series import Panel
from tsbench.serve import create_app
from tsbench.serve.company_answers import METRICS, AllCompanies
from tsbench.serve.company_schemas import CompaniesAnswer, PatternAnswer, SeriesAnswer
from tsbench.serve.patterns_now import REASONS
from tsbench.store import Store
from tsbench.store.companies import Companies
from tsbench.store.engine import transaction

DIP = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14), prominence=3.0)
CLUSTER = {1: "Cluster 1: Steady growth", 0: "Cluster 2: Cyclical patterns", -1: "Cluster 3: Declining"}
HEAD = "ticker,name,sector,metric,date,value,frequency,basis,source\n"
HOURS = ["2020-01-01T09:30:00", "2020-01-01T10:30:00", "2020-01-01T11:30:00"]
QUARTERS = ["2018-03-31", "2018-06-30", "2018-09-30", "2018-12-31"]


def lines(ticker, metric, values, *, dates=QUARTERS, frequency="quarterly", basis="", source="", name="", sector="Ore"):
    tail = f"{frequency},{basis},{source}"
    rows = zip(dates, values, strict=True)
    return "".join(f"{ticker},{name},{sector},{metric},{date},{value},{tail}\n" for date, value in rows)


ODD = HEAD + "".join(
    [
        lines("BRK.B", "revenue", [1, 2, "", 4], name="Berkshire <B>"),
        lines("BRK.B", "roic", [0.2, 0.2, 0.2, 0.2]),
        lines("X:Y-1", "revenue", [4, 3, 2, 1]),
        lines("X:Y-1", "revenue", [40, 30], dates=["2017-12-31", "2018-12-31"], frequency="annual"),
        lines("X:Y-1", "roic", [1, 2, 3, 4], basis="net"),
        lines("X:Y-1", "roic", [4, 3, 2, 1]),
        lines("normalized", "revenue", [1, 1, 1, 1]),
        lines("A B+%&?#", "roic", [9, 9, 9, 8], basis="nopat"),
        lines("A B+%&?#", "roic", [1, 2, 3, 4], basis="net", source="z"),
        lines("A B+%&?#", "roic", [5, 6, 7, 8], basis="net", source="a"),
        lines("Ünique", "cash; DROP TABLE company", [1, 2, 3, 4]),
        lines("ONE", "revenue", [5], dates=QUARTERS[:1]),
        lines("ONE", "close", [1, 2, 3], dates=HOURS, frequency="irregular"),
    ]
)


@pytest.fixture(scope="module")
def served(serve, companies_template, small_detectors):
    """A service on the shipped companies whose pattern is the dip, trained by a small detector."""
    with serve(companies_template, pattern="dip") as running:
        running.store.patterns.save(DIP)
        panel = running.store.series_of(metric="roic", frequency="quarterly")
        detector = PatternDetector(DIP, surrogates=2_000).fit(panel)
        running.store.registry.put("dip", detector, metrics={}, data_hash=jobs.data_hash(panel), seed=0)
        yield running


@pytest.fixture(scope="module")
def odd(serve, empty_template, tmp_path_factory):
    """A service on companies whose names and series are unusual."""
    file = tmp_path_factory.mktemp("odd") / "odd.csv"
    file.write_text(ODD)
    with serve(empty_template) as running:
        running.store.load(file, progress=False)
        yield running


@pytest.fixture(scope="module")
def again(listen):
    """`with again(served, setting=value, ...) as client`: another worker on the same database."""

    @contextmanager
    def start(served, **changes):
        app = create_app(served.settings.model_copy(update=changes))
        with listen(app) as url, httpx2.Client(base_url=url, timeout=30) as client:
            yield client

    return start


def get(served, path, **query):
    return served.client.get(path, params=query)


def quoted(symbol):
    return quote(symbol, safe="")


def stored(store) -> Panel:
    return store.series_of(metric=METRICS, frequency="quarterly")


# ---- series ---------------------------------------------------------------------------------------------


def test_every_documented_call_answers_as_documented(served):
    everything = get(served, "/data")
    assert everything.headers["content-type"] == "application/json"
    companies = everything.json()
    CompaniesAnswer.model_validate(companies)
    assert len(companies) == 221
    wanted = {"revenue", "market_cap", "roic", "sector"} | {f"{m}_category" for m in METRICS}
    assert wanted < set(companies["MSFT"])
    for metric in METRICS:
        one = get(served, f"/data/{metric}/MSFT").json()
        SeriesAnswer.model_validate(one)
        assert one["MSFT"][metric] == companies["MSFT"][metric]
        assert max(get(served, f"/data/{metric}/normalized/MSFT").json()["MSFT"][metric]) == 1
    page = get(served, "/plot/MSFT", metric="market_cap")
    assert page.headers["content-type"].startswith("text/html")
    assert "<title>Microsoft (MSFT), quarterly market cap</title>" in page.text
    verdict = get(served, "/pattern/MSFT").json()
    PatternAnswer.model_validate(verdict)
    assert verdict["symbol"] == "MSFT"
    assert isinstance(verdict["pattern_detected"], bool)
    assert verdict["drawings_tried"] == 1


def test_all_companies_are_answered_as_stored_with_the_sign_of_the_mean_difference(served):
    companies, panel = get(served, "/data").json(), stored(served.store)
    for row in range(len(panel)):
        key, (times, values) = panel.index.iloc[row], panel.series(row)
        told = companies[key["entity"]]
        np.testing.assert_array_equal(np.array(told[key["metric"]], float), values)
        assert told[f"{key['metric']}_time"] == [f"{t:%Y-%m-%d}" for t in pd.to_datetime(times, unit="us")]
        assert told[f"{key['metric']}_category"] == CLUSTER[int(np.sign(np.mean(np.diff(values))))]
        assert (told["name"], told["sector"]) == (key["name"], key["sector"])
    assert {c["roic_category"] for c in companies.values()} >= {CLUSTER[1], CLUSTER[-1]}


def test_what_is_missing_is_null_and_a_company_without_a_series_has_none(odd):
    companies = get(odd, "/data").json()
    CompaniesAnswer.model_validate(companies)
    assert set(companies) == {"BRK.B", "X:Y-1", "normalized", "A B+%&?#", "Ünique", "ONE"}
    told = companies["BRK.B"]
    assert (told["name"], told["sector"]) == ("Berkshire <B>", "Ore")
    assert (told["revenue"], told["revenue_category"]) == ([1, 2, None, 4], CLUSTER[1])
    assert told["roic_category"] == CLUSTER[0]
    assert [told[f"market_cap{part}"] for part in ("", "_time", "_category")] == [None] * 3
    assert companies["Ünique"]["revenue"] is None
    assert (companies["ONE"]["revenue"], companies["ONE"]["revenue_category"]) == ([5], None)


def test_of_several_series_the_quarterly_one_is_meant_and_the_first_by_basis_and_source(odd):
    companies = get(odd, "/data").json()
    assert companies["X:Y-1"]["revenue"] == [4, 3, 2, 1]
    assert companies["A B+%&?#"]["roic"] == [5, 6, 7, 8]
    assert companies["X:Y-1"]["roic"] == get(odd, "/data/roic/X:Y-1").json()["X:Y-1"]["roic"] == [4, 3, 2, 1]
    symbol = quoted("A B+%&?#")
    one = get(odd, f"/data/roic/{symbol}").json()["A B+%&?#"]
    assert (one["roic"], one["basis"], one["source"]) == ([5, 6, 7, 8], "net", "a")
    other = get(odd, f"/data/roic/{symbol}", basis="nopat").json()["A B+%&?#"]
    assert (other["roic"], other["roic_category"]) == ([9, 9, 9, 8], CLUSTER[-1])
    annual = get(odd, "/data/revenue/X:Y-1", frequency="annual").json()["X:Y-1"]
    assert (annual["revenue"], annual["revenue_time"]) == ([40, 30], ["2017-12-31", "2018-12-31"])


@pytest.mark.parametrize("symbol", ["BRK.B", "X:Y-1", "normalized", "ONE"])
def test_symbols_may_hold_dots_colons_and_dashes_or_be_a_word_of_the_path(odd, symbol):
    for path in (f"/data/revenue/{symbol}", f"/data/revenue/normalized/{symbol}", f"/plot/{symbol}"):
        assert get(odd, path).status_code == 200, path
    assert list(get(odd, f"/data/revenue/{symbol}").json()) == [symbol]


def test_any_stored_metric_can_be_asked_for_whatever_its_name(odd):
    path = quoted("cash; DROP TABLE company")
    assert get(odd, f"/data/{path}/{quoted('Ünique')}").json()["Ünique"]["cash; DROP TABLE company"] == [1, 2, 3, 4]
    assert get(odd, f"/plot/{quoted('Ünique')}", metric="cash; DROP TABLE company").status_code == 200


def test_normalized_runs_from_0_to_1_and_a_constant_series_is_all_0(odd, served):
    assert get(odd, "/data/revenue/normalized/BRK.B").json()["BRK.B"]["revenue"] == [0, 1 / 3, None, 1]
    assert get(odd, "/data/roic/normalized/BRK.B").json()["BRK.B"]["roic"] == [0, 0, 0, 0]
    panel = stored(served.store)
    row = int(np.flatnonzero((panel.index["entity"] == "BRK.A") & (panel.index["metric"] == "roic"))[0])
    values = panel.series(row)[1]
    told = get(served, "/data/roic/normalized/BRK.A").json()["BRK.A"]
    np.testing.assert_allclose(told["roic"], (values - values.min()) / (values.max() - values.min()), rtol=1e-12)


def test_times_within_a_day_are_told_with_their_zone(odd):
    told = get(odd, "/data/close/ONE", frequency="irregular").json()["ONE"]
    assert told["close_time"] == [f"{hour}Z" for hour in HOURS]


# ---- what is not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/data/revenue/MSFTT", "no company 'MSFTT'; did you mean 'MSFT'?"),
        ("/data/revenue/msft", "no company 'msft'; did you mean 'MSFT'?"),
        ("/data/revenu/MSFT", "no metric of 'MSFT' called 'revenu'; did you mean 'revenue'"),
        ("/data/revenue/normalized/MSFTT", "did you mean 'MSFT'?"),
        (
            "/data/roic/MSFT?frequency=annual",
            "'MSFT' has no 'roic' of frequency 'annual'; it has frequency 'q",
        ),
        ("/data/roic/MSFT?basis=nopat", "it has frequency 'quarterly'"),
        ("/plot/MSFTT", "did you mean 'MSFT'?"),
        ("/plot/MSFT?metric=revenue'--", "did you mean 'revenue'"),
        ("/pattern/MSFTT", "did you mean 'MSFT'?"),
        ("/pattern/MSFT?pattern=dipp", "no pattern 'dipp'; did you mean 'dip"),
        ("/pattern/MSFT?pattern=fade", "no detector of 'fade' is trained; run: tsbench train fade"),
        ("/pattern/MSFT?version=7", "the detector of 'dip' has no version 7; the latest is 1"),
        ("/data/revenue/%FF", "no company"),
    ],
)
def test_what_is_not_there_is_a_404_with_the_nearest_spelling(served, path, words):
    absent = served.client.get(path)
    assert absent.status_code == 404
    assert words in absent.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/data/revenue/%00",
        "/data/a%00/MSFT",
        f"/data/revenue/{'x' * 201}",
        "/data/revenue/MSFT?frequency=hourly",
        "/data/revenue/MSFT?basis=%00",
        "/plot/MSFT?metric=%00",
        "/plot/MSFT?metric=",
        "/pattern/MSFT?pattern=%00",
        "/pattern/MSFT?version=-1",
        "/pattern/MSFT?version=1.5",
        "/pattern/MSFT?where=later",
        "/pattern/a%01b",
    ],
)
def test_what_cannot_be_a_name_is_a_422(served, path):
    refused = served.client.get(path)
    assert refused.status_code == 422
    assert set(refused.json()["detail"][0]) == {"type", "loc", "msg", "input"}


# ---- one statement, kept while nothing changes ----------------------------------------------------------


class Counting(psycopg2.extensions.cursor):
    """A cursor that notes what it executes."""

    seen: list[str] = []  # noqa: RUF012

    def execute(self, query, parameters=None):
        self.seen.append(query)
        return super().execute(query, parameters)


def test_all_companies_are_read_by_one_statement_and_then_from_memory(companies):
    with Store(companies.url) as store:

        @sa.event.listens_for(store.engine, "connect")
        def count(connection, _):
            connection.cursor_factory = Counting

        async def ask(times):
            Counting.seen.clear()
            answers = await asyncio.gather(*(everything.get() for _ in range(times)))
            assert len({answer.tag for answer in answers}) == 1
            asked = [query for query in Counting.seen if "company" in query]
            return sum("jsonb_each" in query for query in asked), len(asked)

        everything = AllCompanies(Companies(store.engine))
        assert asyncio.run(ask(5)) == (1, 6)  # each asks whether anything changed
        assert asyncio.run(ask(1)) == (0, 1)
        Counting.seen.clear()
        Companies(store.engine).one("MSFT", "revenue")
        assert sum("company" in query for query in Counting.seen) == 1


def test_an_unchanged_answer_is_an_empty_304(served):
    first = get(served, "/data")
    tag = first.headers["etag"]
    for told in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = served.client.get("/data", headers={"if-none-match": told})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for told in ('"other"', tag.strip('"'), ""):
        assert served.client.get("/data", headers={"if-none-match": told}).content == first.content


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE company SET sector = 'Changed' WHERE symbol = 'ONE'",
        "DELETE FROM company WHERE symbol = 'ONE'",
        "INSERT INTO company (symbol, name, sector, series) VALUES ('NEW', 'n', 's', '{}')",
        "UPDATE company SET updated_at = updated_at - interval '1 day', name = 'Late' WHERE symbol = 'BRK.B'",
    ],
)
def test_whatever_changes_a_company_is_seen_at_once(odd, change):
    tag = get(odd, "/data").headers["etag"]
    with transaction(odd.store.engine) as cursor:
        cursor.execute(change)
    changed = odd.client.get("/data", headers={"if-none-match": tag})
    assert changed.status_code == 200
    names = [symbol for (symbol,) in rows(odd.store, "SELECT symbol FROM company")]
    assert sorted(changed.json()) == sorted(names)


def test_a_load_is_seen_at_once(odd, tmp_path):
    before = get(odd, "/data").json()["X:Y-1"]
    (tmp_path / "more.csv").write_text(HEAD + lines("X:Y-1", "revenue", [9], dates=["2019-03-31"]))
    odd.store.load(tmp_path / "more.csv", progress=False)
    after = get(odd, "/data").json()["X:Y-1"]
    assert after["revenue"] == [*before["revenue"], 9]
    assert (before["revenue_category"], after["revenue_category"]) == (CLUSTER[-1], CLUSTER[1])


def rows(store, query):
    with transaction(store.engine) as cursor:
        cursor.execute(query)
        return cursor.fetchall()


# ---- patterns -------------------------------------------------------------------------------------------


def scans_made(store):
    """How many scans of the dip were made: each notes the drawing once more."""
    return int(store.drawings.list().set_index("pattern")["times"].get("dip", 0))


def test_the_verdict_on_every_company_is_that_of_a_scan_of_all(served):
    store = served.store
    detector = PatternDetector.from_state(store.registry.get("dip")[1])
    wanted = jobs.scan(store, DIP, where="history", detector=detector, confirm=0, progress=False).matches
    assert (wanted["q_value"] <= 0.1).any()
    tested = int((wanted["status"] == "tested").sum())
    for row in wanted.to_dict("records"):
        told = get(served, f"/pattern/{row['entity']}", where="history").json()
        passes = bool(row["q_value"] <= 0.1)
        assert (told["pattern_detected"], told["status"], told["version"]) == (passes, row["status"], "1")
        assert told["companies_tested"] == tested
        if row["status"] == "tested":
            assert (told["p_value"], told["q_value"]) == pytest.approx((row["p_value"], row["q_value"]), rel=1e-9)
        match = told["nearest"]
        if match is not None:
            assert (match["metric"], match["score"]) == ("roic", pytest.approx(row["score"], rel=1e-9))
            assert (match["start"], match["end"]) == (f"{row['start']:%Y-%m-%d}", f"{row['end']:%Y-%m-%d}")
        assert told["matches"] == ([match] if passes else [])


def test_a_company_that_could_not_be_asked_has_a_reason_and_no_odds(served):
    told = [get(served, f"/pattern/{symbol}").json() for symbol in get(served, "/data").json()]
    unasked = [one for one in told if one["status"] != "tested"]
    assert {one["status"] for one in unasked} >= {"not live"}
    for one in unasked:
        assert one["reason"] == REASONS[one["status"]]
        assert (one["pattern_detected"], one["p_value"], one["q_value"], one["matches"]) == (False, None, None, [])
    assert all(one["reason"] is None for one in told if one["status"] == "tested")


def test_simultaneous_first_questions_make_one_scan_in_all_workers_together(served, again):
    before = scans_made(served.store)
    symbols = ["MSFT", "BRK.A", "A", "AEE"]
    with again(served) as second, ThreadPoolExecutor(8) as pool:
        asked = [(client, symbol) for client in (served.client, second) for symbol in symbols]
        answers = list(pool.map(lambda one: one[0].get(f"/pattern/{one[1]}?where=forming").json(), asked))
    assert answers[:4] == answers[4:]
    assert len({answer["scan_id"] for answer in answers}) == 1
    assert scans_made(served.store) == before + 1


def test_asking_again_or_elsewhere_scans_nothing_and_counts_no_drawing(served, again):
    first = get(served, "/pattern/MSFT").json()
    before = scans_made(served.store)
    assert get(served, "/pattern/BRK.A").json()["scan_id"] == first["scan_id"]
    with again(served) as second:
        assert second.get("/pattern/MSFT").json() == first
    assert scans_made(served.store) == before
    assert first["drawings_tried"] == served.store.drawings.count("dip") == 1


def test_the_version_is_the_one_named_or_that_of_the_settings_or_the_latest(served, again):
    store = served.store
    record, state = store.registry.get("dip", 1)
    state.meta["seed"] = 7
    store.registry.put("dip", state, metrics={}, data_hash=record.data_hash, seed=7)
    assert get(served, "/pattern/MSFT").json()["version"] == "2"
    for text, version in (("1", "1"), ("v1", "1"), ("V2", "2"), ("0", "2")):
        told = get(served, "/pattern/MSFT", version=text).json()
        assert (told["version"], f"-v{version}-" in told["scan_id"]) == (version, True)
    with again(served, pattern_version=1) as second:
        assert second.get("/pattern/MSFT").json()["version"] == "1"
        assert second.get("/pattern/MSFT?version=0").json()["version"] == "2"


def test_new_data_of_the_pattern_are_scanned_and_other_data_are_not(served, tmp_path):
    before = get(served, "/pattern/MSFT").json()["scan_id"]
    (tmp_path / "other.csv").write_text(HEAD + lines("MINE", "tonnes", [1, 2, 3, 4]))
    served.store.load(tmp_path / "other.csv", progress=False)
    assert get(served, "/pattern/MSFT").json()["scan_id"] == before
    told = get(served, "/pattern/MINE").json()
    assert (told["status"], told["reason"]) == ("no series", REASONS["no series"])
    (tmp_path / "more.csv").write_text(HEAD + lines("MINE", "roic", [0.1, 0.2, 0.3, 0.4]))
    served.store.load(tmp_path / "more.csv", progress=False)
    told = get(served, "/pattern/MINE").json()
    assert told["scan_id"] != before
    assert told["status"] in ("not live", "too short")


def test_a_pattern_that_cannot_be_asked_so_is_a_422_and_leaves_no_scan(served):
    flat = Pattern("flat", (Channel("roic", ((0, 0), (0.95, 0), (1, 1))),), length=(8, 12))
    record, state = served.store.registry.get("dip", 1)
    state.meta["pattern"] = flat.to_json()
    served.store.registry.put("flat", state, metrics={}, data_hash=record.data_hash, seed=0)
    refused = get(served, "/pattern/MSFT", pattern="flat", where="forming")
    assert refused.status_code == 422
    assert served.store.scans.list("flat").empty


def test_a_pattern_whose_metric_nobody_stores_is_a_404_and_no_detector_says_how_to_train_one(served, odd):
    record, state = served.store.registry.get("dip", 1)
    state.meta["pattern"] = replace(DIP, channels=(Channel("ebitda", DIP.channels[0].points),)).to_json()
    odd.store.registry.put("dip", state, metrics={}, data_hash=record.data_hash, seed=0)
    absent = get(odd, "/pattern/BRK.B", pattern="dip")
    assert (absent.status_code, "no metric 'ebitda'" in absent.json()["detail"]) == (404, True)
    absent = get(odd, "/pattern/BRK.B")
    assert absent.json()["detail"] == "no detector of 'overlooked' is trained; run: tsbench train overlooked"
