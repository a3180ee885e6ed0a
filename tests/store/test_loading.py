"""Loading: what goes in, what is refused, and that nothing goes in by halves."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.store.company_files import HEADER, QUARTERS, everything, long
from tsbench.errors import BadInput
from tsbench.series.quality import Flag
from tsbench.store.engine import transaction

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"
HOSTILE = [
    "Robert'); DROP TABLE company;--",
    '" OR 1=1; --',
    r"\N",
    r"back\slash\t",
    "%(symbols)s",
    "Ünïcödé 株式会社 🏭",
    "{}",
    "null",
    "NA",
]


def values_of(store, **filters):
    return list(store.series_of(**filters).values)


def test_a_long_csv_is_stored_and_reported(store, file):
    path = file(HEADER + long() + long("BBB", "roic", [0.1] * 3 + [""] * 1, QUARTERS[:4]))
    report = store.load(path, progress=False)
    (found,) = report.files
    assert (found.rows, found.companies, found.added, found.revised, found.unchanged) == (16, 2, 16, 0, 0)
    assert found.metrics == {"revenue, quarterly": 1, "roic, quarterly": 1}
    assert (found.first, found.last) == ("2015-03-31", "2017-12-31")
    assert (found.missing, found.duplicates, found.bad, found.holes) == (1, 0, 0, 0)
    assert report.changed
    assert values_of(store, metric="revenue") == list(range(100, 112))
    assert np.isnan(values_of(store, metric="roic")[3])
    panel = store.series_of(symbols="AAA")
    assert panel.index.loc[0, ["name", "sector", "frequency"]].to_list() == ["Alpha", "Energy", "quarterly"]


def test_the_report_is_text_html_json_and_a_row_in_the_log(store, file):
    path = file(HEADER + long(name="<b>&"), "a<i>.csv")
    report = store.load(path, progress=False)
    assert "12 values new" in str(report)
    assert "a&lt;i&gt;.csv" in report._repr_html_()
    assert json.loads(json.dumps(report.to_dict()))["files"][0]["sha256"] == report.files[0].sha256
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT path, sha256, report ->> 'added' FROM load_file")
        assert cursor.fetchall() == [(str(path), report.files[0].sha256, "12")]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet"])
def test_csv_gzip_and_parquet_say_the_same(store, tmp_path, file, name):
    text = HEADER + long() + long("BBB", "roic", np.linspace(-0.1, 0.3, 12))
    if name.endswith("parquet"):
        path = tmp_path / name
        frame = pd.read_csv(file(text), parse_dates=["date"])
        frame.astype({"ticker": "category"}).to_parquet(path)
    else:
        path = file(text, name)
    store.load(path, progress=False)
    assert values_of(store, metric="revenue") == list(range(100, 112))
    np.testing.assert_array_equal(values_of(store, metric="roic"), np.linspace(-0.1, 0.3, 12))


def test_columns_may_be_called_entity_and_time_and_others_are_named_as_not_read(store, file):
    text = "\ufeffEntity, Metric ,TIME,value,comment\n" + "".join(f"AAA,revenue,{d},1.5,x\n" for d in QUARTERS)
    report = store.load(file(text), progress=False)
    assert report.files[0].notes == ("columns not read: comment",)
    assert values_of(store) == [1.5] * 12
    assert store.companies().loc[0, ["symbol", "name", "sector"]].to_list() == ["AAA", "AAA", "Unknown"]


def test_a_wide_file_takes_its_metric_from_its_name_and_empty_cells_are_no_values(store, file):
    text = "date,AAA,BBB\n" + "".join(f"{d},{i},{'' if i < 5 else i * 2}\n" for i, d in enumerate(QUARTERS))
    store.load(file(text, "shares.csv"), progress=False)
    store.load(file(text, "again.csv.gz"), metric="price", progress=False)
    for metric in ("shares", "price"):
        assert values_of(store, symbols="AAA", metric=metric) == list(range(12))
        assert values_of(store, symbols="BBB", metric=metric) == [2 * i for i in range(5, 12)]


def test_loading_the_same_file_twice_changes_nothing_and_says_so(store, file):
    path = file(HEADER + long() + long("BBB", "roic", [0.1, "", 0.3], QUARTERS[:3]))
    store.load(path, progress=False)
    before = everything(store)
    report = store.load(path, progress=False)
    assert everything(store) == before
    assert not report.changed
    assert "nothing new: all 15 values are already there" in str(report)


def test_a_newer_value_replaces_a_missing_one_does_not_and_new_ones_are_added(store, file):
    store.load(file(HEADER + long(values=range(10), dates=QUARTERS[:10])), progress=False)
    report = store.load(
        file(HEADER + long(values=["", 77, 10, 11], dates=[QUARTERS[2], QUARTERS[3], *QUARTERS[10:]])), progress=False
    )
    found = report.files[0]
    assert (found.added, found.revised, found.unchanged) == (2, 1, 1)
    assert values_of(store) == [0, 1, 2, 77, 4, 5, 6, 7, 8, 9, 10, 11]


def test_one_new_quarter_joins_the_series_it_belongs_to_though_one_value_tells_no_frequency(store, file):
    store.load(file(HEADER + long(dates=QUARTERS[:11])), progress=False)
    store.load(file(HEADER + long(values=[5], dates=QUARTERS[11:])), progress=False)
    panel = store.series_of()
    assert len(panel) == 1
    assert panel.values.size == 12


def test_a_short_series_follows_the_others_of_its_file(store, file):
    store.load(
        file(HEADER + long() + long("BBB", dates=QUARTERS[:1]) + long("CCC", "other", dates=QUARTERS[:1])),
        progress=False,
    )
    frequency = store.series_of().index.set_index("entity")["frequency"]
    assert frequency.to_dict() == {"AAA": "quarterly", "BBB": "quarterly", "CCC": "irregular"}


def test_few_values_of_a_series_stored_under_two_frequencies_are_refused(store, file):
    years = [f"{y}-12-31" for y in range(2010, 2018)]
    store.load([file(HEADER + long(), "q.csv"), file(HEADER + long(dates=years), "a.csv")], progress=False)
    with pytest.raises(BadInput, match="add a column frequency"):
        store.load(file(HEADER + long(dates=["2018-12-31"])), progress=False)
    store.load(file(HEADER + long(dates=["2018-12-31"])), frequency="annual", progress=False)
    assert values_of(store, frequency="annual")[-1] == 100


def test_annual_and_quarterly_series_of_one_name_never_merge(store, tmp_path):
    store.load(COMPANIES, progress=False)
    quarterly = store.series_of(metric="revenue", frequency="quarterly")
    tickers = quarterly.entities[:94]
    years = pd.date_range("2008-12-31", "2018-12-31", freq="YE")
    annual = pd.DataFrame(
        [(t, "revenue", d, 1e9 + i) for i, t in enumerate(tickers) for d in years],
        columns=["ticker", "metric", "date", "value"],
    )
    path = tmp_path / "annual.csv"
    annual.to_csv(path, index=False)
    report = store.load(path, progress=False)
    assert report.files[0].metrics == {"revenue, annual": 94}
    assert report.files[0].revised == 0
    again = store.series_of(metric="revenue", frequency="quarterly")
    np.testing.assert_array_equal(again.values, quarterly.values)
    both = store.series_of(metric="revenue", symbols=tickers)
    assert both.index["frequency"].value_counts().to_dict() == {"quarterly": 94, "annual": 94}
    # A file that says no name and sector leaves those that are known.
    assert list(again.index["sector"]) == list(quarterly.index["sector"])


def test_loads_at_once_of_one_company_lose_nothing(store, file):
    parts = [
        file(HEADER + long(values=range(i, i + 2), dates=QUARTERS[i : i + 2]), f"{i}.csv") for i in range(0, 12, 2)
    ]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda path: store.load(path, frequency="quarterly", progress=False), parts))
    assert values_of(store) == list(range(12))


def test_basis_and_source_keep_series_apart(store, file):
    store.load(file(HEADER + long()), basis="net income", progress=False)
    store.load(file(HEADER + long(values=[7] * 12)), basis="nopat", source="here", progress=False)
    panel = store.series_of()
    assert panel.index[["basis", "source"]].to_numpy().tolist() == [["net income", ""], ["nopat", "here"]]


def test_dates_of_knowledge_are_kept_where_told_and_assumed_elsewhere(store, file):
    text = "ticker,metric,date,value,available_at\n" + "".join(
        f"AAA,revenue,{d},{i},{'2015-04-20' if i == 0 else ''}\n" for i, d in enumerate(QUARTERS)
    )
    store.load(file(text), progress=False)
    assert store.series_of().index["availability"].to_list() == ["mixed"]
    assert values_of(store, as_of="2015-04-20") == [0]
    assert values_of(store, as_of="2015-08-13") == [0]
    assert values_of(store, as_of="2015-08-14") == [0, 1]
    assert len(store.series_of(as_of="1990-01-01")) == 0


@pytest.mark.parametrize("day", ["2013-05-20", "2014-03-01", "2018-06-15", "2018-09-01"])
def test_as_of_sees_what_a_store_would_hold_that_had_stopped_on_that_day(companies, store, tmp_path, day):
    symbols = ["GILD", "MPC", "COST", "PEP", "AZO", "MKC"]
    whole = companies.series_of(symbols=symbols)
    past = companies.series_of(symbols=symbols, as_of=day)
    cut = whole.to_frame()
    cut = cut[cut["available_at"] <= pd.Timestamp(day, tz="UTC")].rename(columns={"entity": "ticker", "time": "date"})
    path = tmp_path / "cut.parquet"
    cut[["ticker", "name", "sector", "metric", "date", "value"]].to_parquet(path)
    store.load(path, progress=False)
    then = store.series_of()
    pd.testing.assert_frame_equal(past.index, then.index)
    for part in ("offsets", "times", "values", "available_at", "flags"):
        np.testing.assert_array_equal(getattr(past, part), getattr(then, part), err_msg=part)


def test_a_doubt_that_needs_the_next_quarter_is_not_raised_before_it_was_public(companies):
    def flag_of(symbol, quarter, as_of):
        panel = companies.series_of(symbols=symbol, metric="revenue", as_of=as_of)
        return panel.flags[list(pd.to_datetime(panel.times, unit="us")).index(pd.Timestamp(quarter))]

    assert flag_of("MPC", "2013-12-31", "2014-04-15") == 0
    assert flag_of("MPC", "2013-12-31", "2014-06-15") == Flag.ANNUAL_IN_QUARTER
    assert flag_of("GILD", "2018-03-31", "2018-06-15") == Flag.UNIT_ERROR


def test_rows_said_twice_are_dropped_and_counted_and_infinite_values_kept_as_missing(store, file):
    text = HEADER + long(values=[1, 2, "inf", "-inf", "NaN"], dates=QUARTERS[:5])
    report = store.load(file(text + text.removeprefix(HEADER)), progress=False)
    assert (report.files[0].duplicates, report.files[0].missing, report.files[0].added) == (5, 3, 5)
    np.testing.assert_array_equal(values_of(store), [1, 2, np.nan, np.nan, np.nan])


def test_a_folder_means_its_files_and_nothing_to_load_is_an_error(store, file, tmp_path):
    file(HEADER + long(), "b.csv")
    file(HEADER + long("BBB"), "a.csv.gz")
    (tmp_path / "README.md").write_text("no data")
    assert [f.path for f in store.load(tmp_path, progress=False).files] == ["a.csv.gz", "b.csv"]
    (tmp_path / "empty").mkdir()
    for nothing in (tmp_path / "empty", tmp_path / "absent.csv", []):
        with pytest.raises(BadInput):
            store.load(nothing, progress=False)


def test_hostile_names_are_data(store, tmp_path):
    rows = [
        {"ticker": name, "name": name, "sector": name, "metric": name, "date": d, "value": i, "basis": name}
        for name in HOSTILE
        for i, d in enumerate(QUARTERS)
    ]
    path = tmp_path / "hostile.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    store.load(path, progress=False)
    assert set(store.companies()["symbol"]) == set(HOSTILE)
    for name in HOSTILE:
        panel = store.series_of(symbols=name, sector=name, metric=name)
        assert panel.index.loc[0, ["entity", "name", "sector", "metric", "basis"]].to_list() == [name] * 5
        assert list(panel.values) == list(range(12))
    assert not store.load(path, progress=False).changed


def test_the_latest_name_is_kept_and_a_known_sector_is_not_unlearnt(store, file):
    text = HEADER + long(name="Old", dates=QUARTERS[:6]) + long(name="New", dates=QUARTERS[6:], values=range(6))
    report = store.load(file(text), progress=False)
    assert report.files[0].notes == ("1 company has more than one name; that of the latest date is kept",)
    store.load(file(HEADER + long(sector="Unknown", name="")), progress=False)
    assert store.companies().loc[0, ["name", "sector"]].to_list() == ["New", "Energy"]


def test_holes_count_fiscal_periods_and_long_quarters_are_none(store, tmp_path):
    frame = pd.read_parquet(COMPANIES)
    path = tmp_path / "retail.parquet"
    retail = frame[frame["ticker"].isin(["COST", "PEP", "AZO"]) & (frame["metric"] == "revenue")]
    retail.to_parquet(path)
    (found,) = store.load(path, progress=False).files
    assert (found.holes, found.missing_periods) == (1, 1)
    assert found.longest_holes[0].startswith("AZO revenue ")
    after, before = (pd.Timestamp(d) for d in found.longest_holes[0].removeprefix("AZO revenue ").split(" to "))
    assert (before - after).days == 203


def test_flags_are_reported_stored_and_the_values_stay(companies, store):
    (found,) = store.load(COMPANIES, progress=False).files
    kinds = {(metric, kind): n for metric, kind, n, _ in found.flags}
    assert kinds["revenue", "unit error"] >= 1
    assert sum(n for *_, n, _ in found.flags) < 0.001 * found.rows
    panel = companies.series_of(symbols="GILD", metric="revenue")
    at = list(pd.to_datetime(panel.times, unit="us")).index(pd.Timestamp("2018-03-31"))
    assert panel.values[at] == 5.0e6
    assert panel.flags[at] == Flag.UNIT_ERROR


def test_a_revised_value_loses_its_flag(store, file):
    values = [100.0] * 12
    store.load(file(HEADER + long(values=[*values[:5], 0.1, *values[6:]])), progress=False)
    assert list(np.flatnonzero(store.series_of().flags)) == [5]
    store.load(file(HEADER + long(values=[101.0], dates=[QUARTERS[5]])), progress=False)
    assert not store.series_of().flags.any()


def test_the_docs_show_what_loading_the_shipped_companies_prints(store):
    (found,) = store.load(COMPANIES, progress=False).files
    assert f"```\n{found}\n```" in (COMPANIES.parents[2] / "docs" / "data.md").read_text()


def test_one_is_counted_in_the_singular_and_two_in_the_plural(store, file):
    head = "ticker,metric,date,value\n"
    one = file(f"{head}A,revenue,2019-03-31,1\n", "one.csv")
    two = file(f"{head}A,revenue,2018-03-31,1\nB,revenue,2018-03-31,2\n", "two.csv")
    told = str(store.load(one, progress=False))
    assert "one.csv: 1 line, 1 company, 2019-03-31" in told
    assert "stored: 1 value new," in told
    assert "\n1 file in " in told
    told = str(store.load([one, two], progress=False))
    assert "two.csv: 2 lines, 2 companies, 2018-03-31" in told
    assert "\n2 files in " in told
