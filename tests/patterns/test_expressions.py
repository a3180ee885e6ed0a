"""Channel expressions against pandas, on a calendar with a hole, a short start and two sectors."""

import numpy as np
import pandas as pd
import pytest

from tsbench.errors import BadInput, NotFound
from tsbench.patterns import evaluate, evaluate_all, metrics_of
from tsbench.series import Panel

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


def test_a_value_is_known_when_its_last_input_is(panel):
    result = evaluate("net_income / revenue", panel)
    assert (result.available_at >= result.times).all()


def test_several_expressions_share_one_grid(panel):
    a, b = evaluate_all(("ttm(revenue)", "net_income"), panel)
    np.testing.assert_array_equal(a.offsets, b.offsets)
    np.testing.assert_array_equal(a.times, b.times)


@pytest.mark.parametrize(
    "expression",
    [
        "", "revenue +", "__import__('os')", "revenue.real", "revenue[0]", "lambda: 1", "open(revenue)", "ttm()",
        "ttm(revenue, 4)", "lag(revenue, -1)", "lag(revenue, 0)", "lag(revenue, 1.5)", "lag(revenue, net_income)",
        "rank_in(revenue, planet)", "revenue ** 2", "'revenue'", "1 + 2", "ttm(x=revenue)", "True + revenue",
        "revenue if revenue else 1", "a" * 600, "(" * 300 + "a" + ")" * 300,
    ],
)  # fmt: skip
def test_anything_else_is_refused(expression):
    with pytest.raises(BadInput):
        metrics_of(expression)


def test_an_absent_metric_names_those_there_are(panel):
    with pytest.raises(NotFound, match="net_income"):
        evaluate("ebitda", panel)


def test_annual_and_quarterly_never_mix(panel):
    annual = long("B", "revenue", [1.0, 2.0], QUARTERS[3::4]).assign(frequency="annual")
    both = Panel.from_frame(pd.concat([panel.to_frame().drop(columns=["available_at", "flags"]), annual]))
    with pytest.raises(BadInput, match="select one frequency"):
        evaluate("revenue", both)
    assert len(evaluate("revenue", both.select(frequency="annual"))) == 1
