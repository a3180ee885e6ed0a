"""Loading: what goes in, what is refused, and that nothing goes in by halves."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput
from tsbench.series.quality import Flag
from tsbench.store.engine import transaction

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"
HEADER = "ticker,name,sector,metric,date,value\n"
QUARTERS = [f"{stamp:%Y-%m-%d}" for stamp in pd.date_range("2015-03-31", periods=12, freq="QE")]
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


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "some.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def long(ticker="AAA", metric="revenue", values=None, dates=QUARTERS, name="Alpha", sector="Energy"):
    values = range(100, 100 + len(dates)) if values is None else values
    return "".join(f"{ticker},{name},{sector},{metric},{d},{v}\n" for d, v in zip(dates, values, strict=False))


def values_of(store, **filters):
    return list(store.series_of(**filters).values)


def everything(store):
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT symbol, name, sector, series, updated_at FROM company ORDER BY symbol")
        return cursor.fetchall()


def logged(store):
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT count(*) FROM load_file")
        return cursor.fetchone()[0]


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


BAD = [
    ("AAA,Alpha,Energy,revenue,2015-03-31,abc\n", "line 2: value 'abc' is no number"),
    ("AAA,Alpha,Energy,revenue,2015-03-31,1_000\n", "line 2: value '1_000' is no number"),
    ("AAA,Alpha,Energy,revenue,31.03.2015,1\n", "line 2: date '31.03.2015' is no date; wanted YYYY-MM-DD"),
    ("AAA,Alpha,Energy,revenue,2015-02-30,1\n", "line 2: date '2015-02-30' is no date"),
    ("AAA,Alpha,Energy,revenue,2015-03,1\n", "line 2: date '2015-03' is no date"),
    ("AAA,Alpha,Energy,revenue,,1\n", "line 2: date '' is no date"),
    ("AAA,Alpha,Energy,revenue,2999-03-31,1\n", "line 2: date '2999-03-31' lies more than a year ahead"),
    (",Alpha,Energy,revenue,2015-03-31,1\n", "line 2: ticker is missing"),
    ("AAA,Alpha,Energy,,2015-03-31,1\n", "line 2: metric is missing"),
    ("A|A,Alpha,Energy,revenue,2015-03-31,1\n", "line 2: ticker 'A|A' holds a separator"),
    ("A\x01A,Alpha,Energy,revenue,2015-03-31,1\n", "line 2: ticker 'A\\x01A' holds a separator or control"),
    (f"{'A' * 201},Alpha,Energy,revenue,2015-03-31,1\n", "line 2: ticker has 201 characters"),
    ("AAA,Alpha,Energy,revenue,2015-03-31\n", "line 2: 5 fields, wanted 6 as in the header"),
    ("AAA,Alpha,Energy,revenue,2015-03-31,1,2\n", "line 2: 7 fields, wanted 6"),
    (
        "AAA,Alpha,Energy,revenue,2015-03-31,1\n\nAAA,Alpha,Energy,revenue,2015-03-31,2\n",
        "line 4: AAA revenue has more than one value on 2015-03-31",
    ),
    ('"A\nB",Alpha,Energy,revenue,2015-03-31,1\nAAA,Alpha,Energy,revenue,2015-03-31,x\n', "line 4: value 'x'"),
]


@pytest.mark.parametrize(("rows", "message"), BAD)
def test_a_bad_row_is_named_by_its_line_and_refuses_the_whole_call(store, file, rows, message):
    good = file(HEADER + long("GOOD"), "good.csv")
    bad = file(HEADER + rows + long(), "bad.csv")
    with pytest.raises(BadInput) as refused:
        store.load([good, bad], progress=False)
    assert message in str(refused.value)
    assert "nothing was loaded" in str(refused.value)
    assert everything(store) == []
    assert logged(store) == 0
    report = store.load([good, bad], skip_bad=True, progress=False)
    assert report.files[1].bad >= 1
    assert message in str(report)
    assert set(store.companies()["symbol"]) == {"AAA", "GOOD"}


def test_all_bad_rows_are_counted_and_the_first_twenty_shown_in_order(store, file):
    rows = "".join(f"AAA,Alpha,Energy,revenue,day {i},1\n" for i in range(50))
    with pytest.raises(BadInput) as refused:
        store.load(file(HEADER + rows), progress=False)
    lines = str(refused.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines if "is no date" in line] == [f"line {i}" for i in range(2, 22)]
    assert "bad rows: 50 of 50" in str(refused.value)
    assert "... and 30 more" in str(refused.value)


def test_bad_cells_of_a_wide_file_and_rows_of_parquet_are_located_too(store, file, tmp_path):
    wide = file("date,AAA,BBB\n2015-03-31,1,2\n2015-06-30,x,3\n", "revenue.csv")
    with pytest.raises(BadInput, match="line 3: value 'x' is no number"):
        store.load(wide, progress=False)
    path = tmp_path / "long.parquet"
    dates = pd.to_datetime(["2015-03-31", None])
    pd.DataFrame({"ticker": "AAA", "metric": "m", "date": dates, "value": [1.0, 2.0]}).to_parquet(path)
    with pytest.raises(BadInput, match="row 2: date 'None' is no date"):
        store.load(path, progress=False)


def test_rows_said_twice_are_dropped_and_counted_and_infinite_values_kept_as_missing(store, file):
    text = HEADER + long(values=[1, 2, "inf", "-inf", "NaN"], dates=QUARTERS[:5])
    report = store.load(file(text + text.removeprefix(HEADER)), progress=False)
    assert (report.files[0].duplicates, report.files[0].missing, report.files[0].added) == (5, 3, 5)
    np.testing.assert_array_equal(values_of(store), [1, 2, np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "x.csv", "is empty"),
        ("a,b\n1,2\n", "x.csv", "lacks the columns ticker, metric, date, value"),
        ("ticker,symbol,metric,date,value\n", "x.csv", "both name the entity"),
        ("ticker,metric,date,value,value\n", "x.csv", "two columns 'value'"),
        ("x", "x.xlsx", "only .csv, .csv.gz and .parquet"),
        ("x", "x.parquet", "cannot be read as a Parquet file"),
        ("x", "y.csv.gzip", "only .csv"),
    ],
)
def test_what_is_no_table_is_refused_with_what_is_wanted(store, file, text, name, message):
    with pytest.raises(BadInput, match=message):
        store.load(file(text, name), progress=False)


def test_text_that_is_not_utf8_and_broken_gzip_are_refused(store, tmp_path):
    latin = tmp_path / "latin.csv"
    latin.write_bytes(HEADER.encode() + "AAA,Käse,x,revenue,2015-03-31,1\n".encode("latin-1"))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress((HEADER + long()).encode())[:40])
    for path in (latin, broken):
        with pytest.raises(BadInput, match="cannot be read as a UTF-8 CSV file"):
            store.load(path, progress=False)


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
    assert report.files[0].notes == ("1 companies have more than one name; that of the latest date is kept",)
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
