"""What loading refuses: by line, as a whole, and with what is wanted instead."""

import gzip

import pandas as pd
import pytest

from tests.store.company_files import HEADER, everything, long
from tsbench.errors import BadInput
from tsbench.store.engine import transaction

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


def logged(store):
    with transaction(store.engine) as cursor:
        cursor.execute("SELECT count(*) FROM load_file")
        return cursor.fetchone()[0]


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
def test_what_is_no_table_is_refused_with_what_is_wanted(companies, file, text, name, message):
    with pytest.raises(BadInput, match=message):
        companies.load(file(text, name), progress=False)


def test_text_that_is_not_utf8_and_broken_gzip_are_refused(companies, tmp_path):
    latin = tmp_path / "latin.csv"
    latin.write_bytes(HEADER.encode() + "AAA,Käse,x,revenue,2015-03-31,1\n".encode("latin-1"))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress((HEADER + long()).encode())[:40])
    for path in (latin, broken):
        with pytest.raises(BadInput, match="cannot be read as a UTF-8 CSV file"):
            companies.load(path, progress=False)
