"""The explorer without a page: what it finds, draws and keeps, and what it refuses."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsbench.errors import BadInput, NotFound
from tsbench.lab import SeriesExplorer, lines
from tsbench.lab.listing import searched
from tsbench.patterns import evaluate
from tsbench.report import universe
from tsbench.series import Panel


@pytest.fixture(scope="module")
def panel(companies):
    return companies.series_of(frequency="quarterly", metric=["revenue", "roic", "market_cap"])


@pytest.fixture
def explorer(panel):
    made = SeriesExplorer(panel, symbols=["MSFT", "COST"])
    yield made
    made.close()


@pytest.fixture
def kept(companies):
    """An explorer on the store; its watchlists go with it."""
    made = SeriesExplorer(companies, symbols=["MSFT", "COST"], channels="revenue")
    yield made
    made.close()
    for name in companies.watchlists.names():
        companies.watchlists.delete(name)


def asked(explorer, **news):
    """As the page asks, and the answer."""
    explorer.asked = {**explorer.asked, **news, "serial": explorer.asked["serial"] + 1}
    explorer.wait(30)
    assert explorer.shown["serial"] == explorer.asked["serial"]
    return explorer.shown


def test_what_is_drawn_is_what_the_expressions_say(explorer, panel):
    explorer.channels = ["ttm(revenue)", "roic"]
    frame = explorer.frame
    for channel in explorer.channels:
        for symbol in explorer.symbols:
            wanted = evaluate(channel, panel).select(entity=symbol).values
            drawn = frame[(frame["symbol"] == symbol) & (frame["channel"] == channel)]
            np.testing.assert_array_equal(drawn["value"], wanted)


def test_its_line_of_code_gives_the_same_values(kept, companies):
    kept.channels, kept.scale = ["log(ttm(revenue))", "roic"], "zscore"
    again = eval(kept.line, {"SeriesExplorer": SeriesExplorer, "Store": lambda: companies})
    pd.testing.assert_frame_equal(again, kept.frame)


def test_the_places_drawn_stand_for_the_values(explorer):
    explorer.channels = ["revenue"]
    (lane,) = explorer.shown["chart"]["lanes"]
    heights = np.concatenate([np.array(line["y"], float) for line in lane["lines"]])
    values = explorer.frame["value"].to_numpy()
    assert (np.nanmin(heights), np.nanmax(heights)) == (0, 1000)
    span = np.nanmax(values) - np.nanmin(values)
    np.testing.assert_allclose(heights / 1000, (values - np.nanmin(values)) / span, atol=5.1e-4)
    assert lane["lines"][0]["text"][-1].startswith("$")


def test_on_a_logarithmic_axis_equal_ratios_are_equal_distances_and_what_is_not_positive_is_told():
    values = [1.0, 10.0, 100.0, -5.0, 0.0, np.nan]
    explorer = SeriesExplorer(Panel.from_arrays([values]), scale="log")
    (lane,) = explorer.shown["chart"]["lanes"]
    assert lane["lines"][0]["y"] == [0, 500, 1000, None, None, None]
    assert lane["omitted"] == 2
    np.testing.assert_array_equal(explorer.frame["value"], values)


def test_an_index_begins_at_100_and_is_not_drawn_where_the_beginning_is_not_positive():
    explorer = SeriesExplorer(Panel.from_arrays([[2.0, 3.0], [-1.0, 4.0]]), symbols=["s0", "s1"], scale="index100")
    assert list(explorer.frame["value"].dropna()) == [100.0, 150.0]
    assert explorer.shown["chart"]["lanes"][0]["omitted"] == 2


def test_doubtful_values_are_told_and_so_is_what_rests_on_them(explorer, panel):
    flagged = panel.index["entity"].iloc[
        np.searchsorted(panel.offsets, np.flatnonzero(panel.flags)[0], side="right") - 1
    ]
    explorer.symbols, explorer.channels = [flagged], ["revenue", "roic", "market_cap"]
    own = panel.select(entity=flagged)
    assert explorer.frame["doubted"].sum() == (own.flags > 0).sum() > 0
    assert explorer.shown["facts"][0]["doubtful"] == (own.flags > 0).sum()


def test_a_long_series_is_drawn_from_few_values_and_says_so():
    values = np.random.default_rng(0).normal(size=50_000).cumsum()
    explorer = SeriesExplorer(Panel.from_arrays([values]))
    (lane,) = explorer.shown["chart"]["lanes"]
    assert lane["values"] == 50_000
    assert lane["shown"] == len(lane["lines"][0]["x"]) <= lines.MOST_POINTS
    assert {0, 1000} <= set(lane["lines"][0]["y"])
    assert len(json.dumps(explorer.shown)) < 100_000
    assert len(explorer.frame) == 50_000


@pytest.mark.parametrize(
    ("text", "first"),
    [("cost", "COST"), ("costco", "COST"), ("COST", "COST"), ("micro", "MSFT"), ("k", "K"), ("energy chev", "CVX")],
)
def test_a_search_finds_by_symbol_name_and_sector_the_likeliest_first(explorer, text, first):
    found = asked(explorer, search=text)["companies"]
    assert found[0]["symbol"] == first
    assert asked(explorer, search="no such company")["found"] == 0


@given(st.text(max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_search_gives_exactly_those_that_hold_every_word(panel, text):
    table = universe(panel)
    whole = (table["symbol"] + " " + table["name"] + " " + table["sector"]).str.lower()
    wanted = [s for s, w in zip(table["symbol"], whole, strict=True) if all(word in w for word in text.lower().split())]
    assert sorted(searched(table, text)["symbol"]) == sorted(wanted)


def test_the_page_is_told_the_funnel_and_at_most_so_many_companies(explorer):
    shown = asked(explorer, query="roic > 0.1 and live")
    assert [stage["stage"] for stage in shown["funnel"]] == ["all companies", "roic > 0.1", "live"]
    assert shown["found"] == shown["funnel"][-1]["companies"] == len(explorer.companies)
    assert len(shown["companies"]) <= 60


def test_what_the_page_asks_wrongly_is_told_and_the_rest_is_answered(explorer):
    before = explorer.shown
    shown = asked(explorer, query="roi > 1", channels=["roic"])
    assert "did you mean 'roic'" in shown["troubles"]["list"]
    assert shown["companies"] == before["companies"]
    assert [lane["expression"] for lane in shown["chart"]["lanes"]] == ["roic"]
    shown = asked(explorer, query="", channels=["cash"])
    assert "no metric 'cash'" in shown["troubles"]["chart"]
    assert [lane["expression"] for lane in shown["chart"]["lanes"]] == ["roic"]


def test_a_channel_that_cannot_be_drawn_is_not_asked_again(explorer):
    asked(explorer, channels=["roic"])
    assert asked(explorer, channels=["roic", "revenu"])["troubles"]
    assert explorer.channels == ["roic"]
    shown = asked(explorer, symbols=["MCD"])
    assert shown["troubles"] == {}
    assert [fact["symbol"] for fact in shown["facts"]] == ["MCD"]


def test_a_channel_that_the_companies_lack_is_an_empty_lane(panel):
    index = panel.index
    part = panel.take(~((index["entity"] == "MSFT") & (index["metric"] == "roic")).to_numpy())
    explorer = SeriesExplorer(part, symbols="MSFT", channels="roic")
    (lane,) = explorer.shown["chart"]["lanes"]
    assert (lane["expression"], lane["lines"], lane["ticks"]) == ("roic", [], [])
    assert explorer.frame.empty
    assert explorer.shown["facts"][0]["channels"][0]["latest"] == "–"


def test_the_widest_span_that_numbers_hold_can_be_drawn():
    explorer = SeriesExplorer(Panel.from_arrays([[-1.7e308, 1.7e308]]))
    assert explorer.shown["chart"]["lanes"][0]["lines"][0]["y"] == [0, 1000]


@pytest.mark.parametrize("how", ["values", "log", "index100", "zscore"])
@pytest.mark.parametrize(
    "values", [[-1e150, 1e150], [1e-320, 2e-320], [1e20, 1e20 + 16384], [5.0, 5.0], [np.nan, np.nan], [1.0]]
)
def test_any_numbers_can_be_drawn(how, values):
    explorer = SeriesExplorer(Panel.from_arrays([values]), scale=how)
    (lane,) = explorer.shown["chart"]["lanes"]
    assert all(y is None or 0 <= y <= 1000 for y in lane["lines"][0]["y"])
    assert explorer.to_static()


@pytest.mark.parametrize(
    ("name", "value", "error", "said"),
    [
        ("symbols", ["NOPE"], NotFound, "no company 'NOPE'"),
        ("symbols", [], BadInput, "0 companies to draw; pick 1 to 8"),
        ("channels", [f"lag(roic, {k})" for k in range(1, 9)], BadInput, "8 channels to draw; pick 1 to 6"),
        ("channels", "cash", NotFound, "no metric 'cash'"),
        ("scale", "big", BadInput, "scale must be one of"),
        ("query", "roi > 1", BadInput, "did you mean 'roic'"),
        ("watchlist", "mine", BadInput, "opened on a panel"),
    ],
)
def test_what_a_cell_asks_wrongly_is_refused_and_changes_nothing(explorer, name, value, error, said):
    before = explorer.asked, explorer.shown
    with pytest.raises(error, match=said):
        setattr(explorer, name, value)
    assert (explorer.asked, explorer.shown) == before


def test_a_wrong_beginning_is_refused(panel):
    with pytest.raises(NotFound, match="no company 'NOPE'"):
        SeriesExplorer(panel, symbols="NOPE")
    with pytest.raises(BadInput, match="no series to look at"):
        SeriesExplorer(panel.take(np.zeros(0, np.int64)))


def test_a_watchlist_is_kept_limits_the_list_and_is_forgotten(kept, companies):
    kept._heard(kept, {"do": "keep", "name": "mine"}, [])
    kept.wait(30)
    assert companies.watchlists.get("mine") == ["MSFT", "COST"]
    assert kept.watchlist == "mine"
    assert set(kept.companies["symbol"]) == {"MSFT", "COST"}
    assert kept.funnel["stage"].iloc[-1] == "on the watchlist mine"
    kept._heard(kept, {"do": "forget", "name": "mine"}, [])
    kept.wait(30)
    assert kept.watchlist == ""
    assert companies.watchlists.names() == []


def test_a_watchlist_that_is_gone_already_is_forgotten(kept, companies):
    kept.keep(" mine ")
    assert kept.watchlist == "mine"
    companies.watchlists.delete("mine")
    kept.forget("mine")
    assert kept.watchlist == ""


def test_a_line_with_a_date_is_code(companies):
    explorer = SeriesExplorer(companies, symbols="COST", channels="roic", as_of=pd.Timestamp("2015-06-30"))
    again = eval(explorer.line, {"SeriesExplorer": SeriesExplorer, "Store": lambda: companies})
    pd.testing.assert_frame_equal(again, explorer.frame)
    assert again["time"].max() < pd.Timestamp("2015-06-30", tz="UTC")


def test_a_watchlist_without_a_name_is_told_on_the_page(kept):
    kept._heard(kept, {"do": "keep", "name": ""}, [])
    kept.wait(30)
    assert kept.status["failed"]
    assert "needs a printable name" in kept.status["text"]


def test_without_a_kernel_the_lines_and_the_facts_remain(explorer):
    explorer.scale = "log"
    page = explorer.to_static()
    omitted = sum(lane["omitted"] for lane in explorer.shown["chart"]["lanes"])
    assert (f"{omitted} values cannot be shown" in page) == (omitted > 0)
    assert page.count("<svg") == len(explorer.channels)
    for said in ("Microsoft", "Costco", "return on capital", "2015"):
        assert said in page
    assert "<script" not in page
    bundle, _ = explorer._repr_mimebundle_()
    assert bundle["text/html"] == page
