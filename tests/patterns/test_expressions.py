"""Channel expressions against pandas, on a calendar with a hole, a short start and two sectors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.patterns import evaluate, evaluate_all, metrics_of
from tsbench.series import Panel
from tsbench.series.calendar import DAY

QUARTERS = pd.date_range("2010-03-31", periods=24, freq="QE")


def long(entity, metric, values, times=QUARTERS, sector="Tech", **more):
    return pd.DataFrame({"entity": entity, "metric": metric, "time": times[: len(values)], "value": values,
                         "sector": sector, "frequency": "quarterly", **more})  # fmt: skip


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(0)
    frames = [
        long(e, m, np.exp(rng.standard_normal(24).cumsum() * 0.1) * 100, sector=s)
        for e, s in (("A", "Tech"), ("B", "Tech"), ("C", "Steel"))
        for m in ("revenue", "net_income")
    ]
    holed = frames[0].drop(index=10)
    return Panel.from_frame(pd.concat([holed, *frames[1:]], ignore_index=True))


def values(expression, panel, entity):
    result = evaluate(expression, panel)
    t, v = result.series(list(result.index["entity"]).index(entity))
    return pd.Series(v, pd.to_datetime(t, unit="us"))


def raw(panel, entity, metric):
    row = panel.index.index[(panel.index["entity"] == entity) & (panel.index["metric"] == metric)][0]
    t, v = panel.series(row)
    return pd.Series(v, pd.to_datetime(t, unit="us"))


CASES = {
    "ttm(revenue)": lambda r, n: r.rolling(4).sum(),
    "yoy(revenue)": lambda r, n: r / r.shift(4) - 1,
    "accel(revenue)": lambda r, n: (r / r.shift(4) - 1) - (r / r.shift(4) - 1).shift(4),
    "lag(revenue, 3)": lambda r, n: r.shift(3),
    "change(revenue, 2)": lambda r, n: r - r.shift(2),
    "volatility(revenue, 2)": lambda r, n: r.diff().rolling(2).std(),
    "volatility(log(revenue), 6)": lambda r, n: np.log(r).diff().rolling(6).std(),
    "log(revenue)": lambda r, n: np.log(r),
    "net_income / revenue": lambda r, n: n / r,
    "-revenue + 2 * net_income - 1": lambda r, n: -r + 2 * n - 1,
    "yoy(ttm(revenue))": lambda r, n: r.rolling(4).sum() / r.rolling(4).sum().shift(4) - 1,
}


@pytest.mark.parametrize("expression", CASES)
def test_it_equals_pandas(panel, expression):
    wanted = CASES[expression](raw(panel, "B", "revenue"), raw(panel, "B", "net_income"))
    np.testing.assert_allclose(values(expression, panel, "B").to_numpy(), wanted.to_numpy(), rtol=1e-12)


def test_lags_count_fiscal_periods_across_a_hole(panel):
    full = raw(panel, "A", "revenue").reindex(QUARTERS)
    got = values("yoy(revenue)", panel, "A")
    assert len(got) == 24
    np.testing.assert_allclose(got.to_numpy(), (full / full.shift(4) - 1).to_numpy(), rtol=1e-12)
    assert values("ttm(revenue)", panel, "A").isna().sum() == 3 + 4


def naive_volatility(x, k):
    """Standard deviation of the last k differences, one period after another."""
    out = np.full(len(x), np.nan)
    for i in range(k, len(x)):
        steps = [x[j] - x[j - 1] for j in range(i - k + 1, i + 1)]
        middle = sum(steps) / k
        out[i] = (sum((step - middle) ** 2 for step in steps) / (k - 1)) ** 0.5
    return out


@given(st.integers(2, 12), st.integers(1, 30), st.sets(st.integers(0, 29), max_size=3), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_volatility_is_the_spread_of_the_last_steps_and_never_of_later_ones(k, n, holes, seed):
    x = np.random.default_rng(seed).normal(50, 5, (2, n))
    x[0, [hole for hole in holes if hole < n]] = np.nan
    days = pd.date_range("2020-01-06", periods=n, freq="7D")
    frames = [long(e, "x", row, days) for e, row in zip("AB", x, strict=True)]
    p = Panel.from_frame(pd.concat(frames).assign(frequency="weekly"))
    got = evaluate(f"volatility(x, {k})", p)
    for i, row in enumerate(x):
        wanted = naive_volatility(row, k)
        np.testing.assert_allclose(got.series(i)[1], wanted[: got.series(i)[1].size], rtol=1e-9, atol=1e-12)


def test_what_stands_still_has_a_volatility_of_exactly_zero():
    p = Panel.from_frame(long("A", "x", [1e9, 3.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4]))
    got = evaluate("volatility(x, 3)", p).values
    assert (got[5:7] == 0).all()
    assert np.isnan(got[:3]).all()
    assert (got[3:5] > 0).all()
    assert got[7] == pytest.approx(0.3 / 3**0.5)


def test_growth_from_nothing_is_missing():
    p = Panel.from_frame(long("A", "x", [-1.0, 0.0, 2.0, 3.0, 5.0, 5.0, 6.0, 6.0]))
    assert np.isnan(evaluate("yoy(x)", p).values[4:6]).all()
    assert evaluate("yoy(x)", p).values[6] == pytest.approx(2.0)
    assert np.isnan(evaluate("log(x)", p).values[:2]).all()
    assert not np.isinf(evaluate("x / lag(x, 1)", p).values).any()


def test_medians_and_ranks_are_taken_within_the_quarter(panel):
    frame = pd.DataFrame({e: raw(panel, e, "net_income") for e in "ABC"})
    got = pd.DataFrame({e: values("minus_median(net_income, universe)", panel, e) for e in "ABC"})
    np.testing.assert_allclose(got.to_numpy(), frame.sub(frame.median(axis=1), axis=0).to_numpy(), atol=1e-9)
    rank = pd.DataFrame({e: values("rank_in(net_income, universe)", panel, e) for e in "ABC"})
    np.testing.assert_allclose(rank.to_numpy(), ((frame.rank(axis=1) - 1) / 2).to_numpy())
    alone = values("rank_in(net_income, sector)", panel, "C")
    assert alone.isna().all()


def test_shifted_fiscal_years_meet_in_one_quarter():
    march = long("A", "x", [1.0, 2.0, 3.0], pd.DatetimeIndex(["2018-03-31", "2018-06-30", "2018-09-30"]))
    april = long("B", "x", [3.0, 2.0, 1.0], pd.DatetimeIndex(["2018-04-28", "2018-07-28", "2018-10-27"]))
    p = Panel.from_frame(pd.concat([march, april]))
    np.testing.assert_allclose(evaluate("minus_median(x, universe)", p).values, [-1, 0, 1, 1, 0, -1])


def test_a_value_is_known_when_its_last_input_is():
    late = [30, 90, 0, 45]
    sales = long("A", "revenue", np.ones(4), available_at=QUARTERS[:4] + pd.to_timedelta([40, 40, 40, 40], unit="D"))
    income = long("A", "net_income", np.ones(4), available_at=QUARTERS[:4] + pd.to_timedelta(late, unit="D"))
    result = evaluate("net_income / revenue", Panel.from_frame(pd.concat([sales, income])))
    days = (result.available_at - result.times) / DAY
    np.testing.assert_array_equal(days, [40, 90, 40, 45])


def test_what_was_known_on_a_day_is_asked_of_the_panel(panel):
    day = pd.Timestamp("2012-08-20")
    then = evaluate("ttm(revenue)", panel.select(as_of=day))
    now = evaluate("ttm(revenue)", panel)
    assert then.values.size < now.values.size
    assert (then.available_at <= day.as_unit("us").to_numpy().astype(np.int64)).all()
    for i in range(3):
        np.testing.assert_array_equal(then.series(i)[1], now.series(i)[1][: then.series(i)[1].size])


def bars(frequency, dates, values):
    """A panel of one value per company at its own date."""
    return Panel.from_frame(pd.DataFrame({"entity": list("ABCD")[: len(dates)], "metric": "x", "value": values,
                                          "time": pd.DatetimeIndex(dates), "frequency": frequency}))  # fmt: skip


@pytest.mark.parametrize(
    ("frequency", "dates"),
    [
        ("annual", ["2018-12-31", "2019-01-31", "2018-09-30", "2019-12-31"]),
        ("monthly", ["2018-03-31", "2018-03-26", "2018-04-03", "2018-04-30"]),
        ("weekly", ["2018-01-05", "2018-01-04", "2018-01-07", "2018-01-12"]),
        ("daily", ["2018-01-05 21:00", "2018-01-05", "2018-01-05 16:30", "2018-01-06"]),
        ("irregular", ["2018-01-05", "2018-01-05", "2018-01-05", "2018-01-06"]),
    ],
)
def test_peers_are_those_of_the_same_period_and_never_of_a_later_one(frequency, dates):
    got = evaluate("minus_median(x, universe)", bars(frequency, dates, [1.0, 2.0, 3.0, 900.0])).values
    np.testing.assert_array_equal(got, [-1.0, 0.0, 1.0, 0.0])
    rank = evaluate("rank_in(x, universe)", bars(frequency, dates, [1.0, 2.0, 3.0, 900.0])).values
    np.testing.assert_array_equal(rank, [0.0, 0.5, 1.0, np.nan])


def test_metrics_of_several_frequencies_are_refused_by_name():
    annual = long("A", "revenue", [1.0, 2.0], QUARTERS[3::4]).assign(frequency="annual")
    both = Panel.from_frame(pd.concat([long("A", "net_income", np.ones(8)), annual]))
    with pytest.raises(BadInput, match=r"annual.*quarterly|quarterly.*annual"):
        evaluate("net_income / revenue", both)
    assert len(evaluate("net_income", both)) == 1


def test_what_overflows_is_missing_and_warns_of_nothing():
    p = Panel.from_frame(long("A", "x", [1e-300, 1e308, 1e308, 1e308, 1e308, -1e308, 1e308, 1e308]))
    for expression, wanted in {
        "ttm(x)": [3, 4], "yoy(x)": [4], "accel(x)": range(8), "change(x, 1)": [5, 6], "x * x": [1, 2, 3],
        "volatility(x, 2)": [2, 6, 7],
    }.items():  # fmt: skip
        assert np.isnan(evaluate(expression, p).values[list(wanted)]).all(), expression


def test_several_expressions_share_one_grid(panel):
    a, b = evaluate_all(("ttm(revenue)", "net_income"), panel)
    np.testing.assert_array_equal(a.offsets, b.offsets)
    np.testing.assert_array_equal(a.times, b.times)


@pytest.mark.parametrize(
    "expression",
    [
        "", "revenue +", "__import__('os')", "revenue.real", "revenue[0]", "lambda: 1", "open(revenue)", "ttm()",
        "ttm(revenue, 4)", "lag(revenue, -1)", "lag(revenue, 0)", "lag(revenue, 1.5)", "lag(revenue, net_income)",
        "volatility(revenue)", "volatility(revenue, 1)", "volatility(revenue, 401)",
        "rank_in(revenue, planet)", "revenue ** 2", "'revenue'", "1 + 2", "ttm(x=revenue)", "True + revenue",
        "revenue if revenue else 1", "a" * 600, "(" * 300 + "a" + ")" * 300, "-" * 490 + "a", "~" * 490 + "a",
        "not " * 120 + "a", "a" + ".b" * 240, "+".join("a" * 240), "a + " + "9" * 400, "a * 1e999",
        "lag(a, " + "9" * 400 + ")", None, 5, ["revenue"],
    ],
)  # fmt: skip
def test_anything_else_is_refused(expression):
    with pytest.raises(BadInput):
        metrics_of(expression)


def test_a_sum_of_many_metrics_is_read():
    names = [f"m{k}" for k in range(50)]
    assert metrics_of(" + ".join(names)) == tuple(sorted(names))


def test_an_absent_metric_names_those_there_are(panel):
    with pytest.raises(NotFound, match="net_income"):
        evaluate("ebitda", panel)


def test_annual_and_quarterly_never_mix(panel):
    annual = long("B", "revenue", [1.0, 2.0], QUARTERS[3::4]).assign(frequency="annual")
    both = Panel.from_frame(pd.concat([panel.to_frame().drop(columns=["available_at", "flags"]), annual]))
    with pytest.raises(BadInput, match="select one frequency"):
        evaluate("revenue", both)
    assert len(evaluate("revenue", both.select(frequency="annual"))) == 1
