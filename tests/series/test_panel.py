"""Panel against the obvious: frames in and out, parts, runs, chunks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import naive
from tsbench.errors import BadInput, NotFound
from tsbench.series import KEY_COLUMNS, Panel
from tsbench.series.calendar import DAY, LONGEST_STEP_DAYS

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"


@pytest.fixture(scope="module")
def companies():
    return Panel.from_frame(pd.read_parquet(COMPANIES).rename(columns={"ticker": "entity", "date": "time"}))


def frame(rows, columns=("entity", "metric", "time", "value")):
    return pd.DataFrame(rows, columns=list(columns))


@st.composite
def panels(draw):
    """Small panels with holes, NaN and several series of one entity."""
    rows = []
    for entity in draw(st.sets(st.sampled_from("ABC"))):
        for metric in draw(st.sets(st.sampled_from(["x", "y"]), min_size=1)):
            frequency = draw(st.sampled_from(["quarterly", "monthly", "irregular"]))
            days = np.cumsum(draw(st.lists(st.integers(20, 300), min_size=1, max_size=12)))
            for day in days:
                value = draw(st.floats(-10, 10) | st.just(np.nan))
                rows.append((entity, metric, frequency, pd.Timestamp(int(day) * DAY, unit="us", tz="UTC"), value))
    table = frame(rows, ("entity", "metric", "frequency", "time", "value"))
    return Panel.from_frame(table.astype({"value": float, "time": "datetime64[us, UTC]"}))


def test_a_frame_in_any_order_becomes_a_sorted_panel_and_comes_back(companies):
    shuffled = companies.to_frame().sample(frac=1, random_state=0)
    again = Panel.from_frame(shuffled)
    pd.testing.assert_frame_equal(again.index, companies.index)
    for part in ("values", "offsets", "times", "available_at", "flags"):
        np.testing.assert_array_equal(getattr(again, part), getattr(companies, part))
    keys = list(companies.index[list(KEY_COLUMNS)].itertuples(index=False, name=None))
    assert keys == sorted(set(keys))


def test_a_series_is_what_its_rows_say(companies):
    raw = pd.read_parquet(COMPANIES)
    for i in (0, 7, 500, len(companies) - 1):
        row = companies.index.loc[i]
        mine = raw[(raw["ticker"] == row["entity"]) & (raw["metric"] == row["metric"])].sort_values("date")
        times, values = companies.series(i)
        np.testing.assert_array_equal(values, mine["value"])
        np.testing.assert_array_equal(times, mine["date"].astype("datetime64[us]").astype("int64"))


def test_series_without_a_frequency_get_each_its_own_and_stay_sorted():
    quarters, years = (
        pd.date_range("2010-01-01", periods=8, freq="QE"),
        pd.date_range("2010-01-01", periods=5, freq="YE"),
    )
    rows = [("A", "revenue", t, 1.0, "a") for t in quarters] + [("A", "revenue", t, 4.0, "b") for t in years]
    panel = Panel.from_frame(frame(rows, ("entity", "metric", "time", "value", "basis")))
    assert panel.index[["frequency", "basis"]].to_numpy().tolist() == [["annual", "b"], ["quarterly", "a"]]
    assert list(panel.series(0)[1]) == [4.0] * 5
    assert list(panel.series(1)[1]) == [1.0] * 8


def test_an_empty_frame_is_an_empty_panel():
    empty = Panel.from_frame(frame([]))
    assert (len(empty), empty.values.size, empty.entities) == (0, 0, [])
    assert empty.runs().start.size == 0
    assert len(empty.aligned()) == 0
    assert list(empty.chunks(3)) == []
    assert empty.to_frame().empty
    assert "0 series" in repr(empty)


DAY_1 = pd.Timestamp("2019-06-30")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (frame([("A", DAY_1, 1.0)], ("entity", "time", "value")), "lacks metric"),
        (frame([("A", "x", DAY_1, 1.0), ("A", "x", DAY_1, 2.0)]), "A x has two values at 2019-06-30"),
        (frame([("A", "x", DAY_1, np.inf)]), "A x holds infinity"),
        (frame([("A", "x", pd.NaT, 1.0)]), "time is missing in row 0"),
        (frame([("A", "x", "yesterday", 1.0)]), "time cannot be read as dates"),
        (frame([(None, "x", DAY_1, 1.0)]), "entity is missing in row 0"),
        (frame([("A", "x", DAY_1, "many")]), "value must hold numbers"),
        (frame([("A", "x", DAY_1, 1.0, "Q")], ("entity", "metric", "time", "value", "frequency")), "got 'Q'"),
    ],
)
def test_a_frame_that_is_no_panel_is_refused(table, message):
    with pytest.raises(BadInput, match=message):
        Panel.from_frame(table)


def test_a_missing_basis_or_source_is_the_empty_one():
    columns = ("entity", "metric", "time", "value", "basis", "source")
    panel = Panel.from_frame(frame([("A", "x", DAY_1, 1.0, None, np.nan)], columns))
    assert panel.index.loc[0, ["basis", "source"]].to_list() == ["", ""]


def test_told_dates_of_knowledge_are_kept_and_missing_ones_assumed():
    quarters = pd.date_range("2015-03-31", periods=4, freq="QE")
    rows = [("A", "x", t, 1.0, t + pd.Timedelta(days=5) if i < 2 else pd.NaT) for i, t in enumerate(quarters)]
    panel = Panel.from_frame(frame(rows, ("entity", "metric", "time", "value", "available_at")))
    assert list((panel.available_at - panel.times) // DAY) == [5, 5, 45, 90]


def test_plain_arrays_are_sorted_by_name_and_checked():
    panel = Panel.from_arrays([[1.0, 2.0], [3.0]], entities=["b", "a"], metric="m")
    assert panel.entities == ["a", "b"]
    assert list(panel.values) == [3, 1, 2]
    assert Panel.from_arrays([np.zeros(2)] * 12).entities == [f"s{i:02d}" for i in range(12)]
    assert Panel.from_arrays([]).values.size == 0
    day = np.array(["2019-06-30", "2019-07-01"], dtype="datetime64[D]")
    assert list(np.diff(Panel.from_arrays([[1.0, 2.0]], times=[day]).times)) == [DAY]
    for wrong in (
        {"arrays": [[1.0]], "entities": ["a", "b"]},
        {"arrays": [[1.0], [2.0]], "entities": ["a", "a"]},
        {"arrays": [[1.0, 2.0]], "times": [[5, 5]]},
        {"arrays": [[1.0]], "times": []},
        {"arrays": [[[1.0]]]},
        {"arrays": [[np.inf]]},
    ):
        with pytest.raises(BadInput):
            Panel.from_arrays(**wrong)


def test_parts_that_do_not_fit_are_refused(companies):
    index = companies.index.iloc[:2]
    good = {"values": np.zeros(3), "offsets": np.array([0, 1, 3]), "times": np.arange(3), "index": index}
    assert len(Panel.from_parts(**good)) == 2
    for wrong in (
        {"offsets": np.array([0, 3])},
        {"offsets": np.array([0, 1, 2])},
        {"offsets": np.array([1, 2, 3])},
        {"offsets": np.array([0, 4, 3])},
        {"times": np.arange(2)},
        {"flags": np.zeros(2, np.uint8)},
        {"values": np.array([0, np.inf, 0])},
    ):
        with pytest.raises(BadInput):
            Panel.from_parts(**(good | wrong))


def test_select_keeps_what_fits_every_condition(companies):
    panel = companies.select(entity=["COST", "PEP"], metric="roic", since="2005-01-01", until="2008-01-01")
    naive_frame = companies.to_frame()
    naive_frame = naive_frame[
        naive_frame["entity"].isin(["COST", "PEP"])
        & (naive_frame["metric"] == "roic")
        & (naive_frame["time"] >= "2005-01-01")
        & (naive_frame["time"] < "2008-01-01")
    ]
    np.testing.assert_array_equal(panel.values, naive_frame["value"])
    assert panel.entities == ["COST", "PEP"]


def test_select_as_of_is_the_naive_filter_and_drops_series_left_empty(companies):
    panel = companies.select(as_of="1996-01-01")
    table = companies.to_frame()
    table = table[table["available_at"] <= "1996-01-01"]
    np.testing.assert_array_equal(panel.values, table["value"])
    assert len(panel) == table.groupby(["entity", "metric"], observed=True).ngroups < len(companies)
    assert len(companies.select(as_of="1900-01-01")) == 0


def test_select_refuses_what_is_not_there_and_dates_without_a_unit(companies):
    with pytest.raises(NotFound, match="no entity 'NOPE'"):
        companies.select(entity=["COST", "NOPE"])
    for date in ("someday", None, 20190630, 1.5, pd.NaT):
        with pytest.raises(BadInput, match="is no date"):
            companies.select(metric="roic").select(**({"as_of": date} if date is not None else {"as_of": "NaT"}))


def test_take_by_positions_and_by_mask_agree(companies):
    rows = np.array([3, 4, 900])
    mask = np.zeros(len(companies), dtype=bool)
    mask[rows] = True
    by_rows, by_mask = companies.take(rows), companies.take(mask)
    np.testing.assert_array_equal(by_rows.values, by_mask.values)
    np.testing.assert_array_equal(by_rows.values, np.concatenate([companies.series(i)[1] for i in rows]))


@pytest.mark.parametrize("k", [1, 2, 7, 1000])
def test_chunks_join_to_the_whole_and_split_no_entity(companies, k):
    pieces = list(companies.chunks(k))
    assert len(pieces) <= k
    np.testing.assert_array_equal(np.concatenate([p.values for p in pieces]), companies.values)
    owners = [e for p in pieces for e in p.entities]
    assert owners == companies.entities
    if k == 7:
        sizes = [p.values.size for p in pieces]
        assert max(sizes) < 1.1 * min(sizes)


def test_chunks_need_at_least_one(companies):
    with pytest.raises(BadInput):
        list(companies.chunks(0))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(panels())
def test_runs_are_those_found_one_point_at_a_time(panel):
    runs = panel.runs()
    wanted = []
    for i, frequency in enumerate(panel.index["frequency"]):
        times, values = panel.series(i)
        longest = LONGEST_STEP_DAYS.get(frequency, np.inf) * DAY
        wanted += [
            (i, panel.offsets[i] + a, panel.offsets[i] + b) for a, b in naive.gap_free_runs(times, values, longest)
        ]
    assert list(zip(runs.series, runs.start, runs.stop, strict=True)) == wanted


def test_runs_of_shipped_companies_never_bridge_a_hole(companies):
    runs = companies.runs()
    assert (runs.stop - runs.start).sum() == companies.values.size
    for a, b in zip(runs.start[:200], runs.stop[:200], strict=True):
        assert (np.diff(companies.times[a:b]) <= 130 * DAY).all()


def test_flagged_values_can_be_left_out_and_the_panel_stays(companies):
    panel = companies.take([0])
    flags = np.zeros(panel.values.size, np.uint8)
    flags[[2, 5]] = 4
    flagged = Panel.from_parts(panel.values, panel.offsets, panel.times, panel.index, flags=flags)
    clean = flagged.without_flagged()
    assert list(np.flatnonzero(np.isnan(clean.values))) == [2, 5]
    assert not np.isnan(flagged.values).any()
    assert clean.runs().start.size == 3
    assert panel.without_flagged() is panel


@pytest.mark.parametrize("how", ["zscore", "minmax", "log", "asinh", "index100"])
def test_scaling_is_per_series_and_keeps_nan(how):
    x = np.array([1.0, 4.0, np.nan, 2.0, 9.0])
    panel = Panel.from_arrays([x, 100 * x, np.full(3, 5.0), np.full(2, np.nan)])
    scaled = panel.scaled(how)
    solid = x[~np.isnan(x)]
    wanted = {
        "zscore": (x - solid.mean()) / solid.std(),
        "minmax": (x - 1) / 8,
        "log": np.log(x),
        "asinh": np.arcsinh(x / 3),
        "index100": 100 * x,
    }[how]
    np.testing.assert_allclose(scaled.series(0)[1], wanted)
    if how != "log":
        np.testing.assert_allclose(scaled.series(1)[1], wanted, atol=1e-12)
    constant = {"zscore": 0, "minmax": 0, "log": np.log(5), "asinh": np.arcsinh(1), "index100": 100}[how]
    np.testing.assert_allclose(scaled.series(2)[1], constant)
    assert np.isnan(scaled.series(3)[1]).all()


def test_an_unknown_scale_is_refused(companies):
    with pytest.raises(BadInput, match="how must be one of"):
        companies.take([0]).scaled("rank")


def test_a_panel_shows_itself(companies):
    assert repr(companies) == "Panel(1326 series of 221 entities, 103813 values)"
    assert "roic" in companies._repr_html_()


@pytest.mark.parametrize(("entity", "time"), [("ticker", "date"), ("symbol", "time"), ("entity", "date")])
def test_a_frame_may_speak_as_company_files_do(entity, time):
    days = pd.date_range("2010-03-31", periods=5, freq="QE")
    rows = [(name, "revenue", day, float(i)) for name in "BA" for i, day in enumerate(days)]
    wanted = Panel.from_frame(frame(rows))
    spoken = frame(rows, (entity, "metric", time, "value"))
    columns = list(spoken.columns)
    pd.testing.assert_frame_equal(Panel.from_frame(spoken).to_frame(), wanted.to_frame())
    assert list(spoken.columns) == columns


def test_a_ticker_beside_the_entity_is_an_attribute():
    days = pd.date_range("2010-03-31", periods=3, freq="QE")
    panel = Panel.from_frame(frame([("Acme", "revenue", day, 1.0) for day in days]).assign(ticker="ACM", date="then"))
    assert panel.entities == ["Acme"]
    assert panel.index[["ticker", "date"]].to_numpy().tolist() == [["ACM", "then"]]


def test_two_names_of_the_entity_or_none_are_refused():
    rows = frame([("A", "revenue", pd.Timestamp("2010-03-31"), 1.0)], ("ticker", "metric", "date", "value"))
    with pytest.raises(BadInput, match="columns ticker and symbol both name the entity"):
        Panel.from_frame(rows.assign(symbol="A"))
    with pytest.raises(BadInput, match=r"lacks entity \(or ticker, symbol\); it has metric, time, value"):
        Panel.from_frame(rows.drop(columns="ticker"))
