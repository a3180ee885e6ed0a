"""Reading companies: one statement, filters, as-of, and what the filters cost."""

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg2.extensions
import pytest
import sqlalchemy as sa

from tsbench.errors import NotFound
from tsbench.store import Store
from tsbench.store.statements import statement

COMPANIES = Path(__file__).parents[2] / "data" / "companies" / "quarterly_1993_2019.parquet"


def test_all_companies_are_read_by_one_statement(companies):
    seen: list[str] = []

    class Recording(psycopg2.extensions.cursor):
        def execute(self, query, vars=None):
            seen.append(query)
            return super().execute(query, vars)

    with Store(companies.url) as store:
        sa.event.listen(store.engine, "connect", lambda connection, _: setattr(connection, "cursor_factory", Recording))
        panel = store.series_of(metric=["revenue", "market_cap", "roic"], as_of="2018-01-01")
    assert len(panel) > 600
    assert [query for query in seen if "company" in query] == [statement("series_of")]


def test_filters_select_by_name_and_several_names(companies):
    panel = companies.series_of(symbols=["COST", "PEP"], metric="revenue", frequency="quarterly")
    assert panel.index[["entity", "metric"]].to_numpy().tolist() == [["COST", "revenue"], ["PEP", "revenue"]]
    assert set(companies.series_of(sector="Unknown").index["sector"]) == {"Unknown"}
    energy = companies.series_of(sector=["Energy", "Utilities"], metric="roic")
    assert set(energy.index["sector"]) == {"Energy", "Utilities"}


def test_the_panel_is_sorted_by_its_keys_and_agrees_with_the_naive_reading(companies):
    panel = companies.series_of()
    keys = list(panel.index[["entity", "metric", "frequency", "basis", "source"]].itertuples(index=False, name=None))
    assert keys == sorted(keys)
    frame = pd.read_parquet(COMPANIES)
    for ticker, metric in (("A", "roic"), ("BRK.A", "revenue"), ("PLD_0", "market_cap")):
        naive = frame[(frame["ticker"] == ticker) & (frame["metric"] == metric)].sort_values("date")
        times, values = panel.select(entity=ticker, metric=metric).series(0)
        np.testing.assert_array_equal(values, naive["value"])
        np.testing.assert_array_equal(times, naive["date"].astype("datetime64[us]").astype("int64"))


def test_as_of_hides_what_was_not_public(companies):
    panel = companies.series_of(metric="revenue", as_of="2009-03-31")
    assert pd.to_datetime(panel.available_at.max(), unit="us") <= pd.Timestamp("2009-03-31")
    everything = companies.series_of(metric="revenue")
    assert panel.values.size == (everything.available_at <= pd.Timestamp("2009-03-31").value // 1000).sum()


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"symbols": ["COST", "NOPE"]}, "no company 'NOPE'"),
        ({"metric": "revenu"}, "no metric 'revenu'; did you mean 'revenue'"),
        ({"sector": "Energie"}, "no sector 'Energie'; did you mean 'Energy'"),
        ({"frequency": "annual"}, "no frequency 'annual'"),
        ({"symbols": "COST", "sector": "Energy"}, "no series of the store has all of: symbols COST; sector Energy"),
        ({"symbols": "'; DROP TABLE company; --"}, "no company"),
    ],
)
def test_what_is_not_there_is_named(companies, filters, message):
    with pytest.raises(NotFound, match=message):
        companies.series_of(**filters)


def test_an_empty_store_reads_as_an_empty_panel(store):
    assert len(store.series_of()) == 0
    assert store.companies().empty
    assert store.funnel()["companies"].to_list() == [0]
    with pytest.raises(NotFound, match="metric"):
        store.series_of(metric="revenue")


def test_companies_are_listed_with_the_end_of_their_latest_period(companies):
    table = companies.companies().set_index("symbol")
    assert len(table) == 221
    assert (table["series"] == 6).all()
    assert table.loc["GILD", "last_at"] == pd.Timestamp("2019-03-31", tz="UTC")
    assert table.loc["GILD", "sector"] == "Health Care"


def test_dropping_the_sector_unknown_drops_most_dead_companies_and_the_funnel_says_so(companies):
    known = sorted(set(companies.companies()["sector"]) - {"Unknown"})
    start, end = companies.funnel(sector=known).to_dict("records")
    assert start["companies"] == 221
    assert end["companies"] + end["dropped"] == 221
    assert end["dead_dropped"] > 0.7 * start["dead"]
    assert end["dead"] + end["dead_dropped"] == start["dead"]


def test_the_funnel_counts_as_the_naive_rule_does(companies):
    frame = companies.series_of().to_frame()
    last = frame.groupby("entity")["time"].max()
    dead = set(last.index[last < frame["time"].max() - pd.Timedelta(days=1.5 * 91.3125)])
    table = companies.funnel(metric="revenue", sector="Unknown")
    assert table["dead"].to_list()[0] == len(dead)
    sector = frame.drop_duplicates("entity").set_index("entity")["sector"]
    assert table["dead"].to_list()[-1] == sum(sector[e] == "Unknown" for e in dead)


def test_the_funnel_of_a_past_day_counts_those_alive_then(companies):
    table = companies.funnel(as_of="2005-01-01")
    assert table["companies"].to_list()[0] == companies.series_of(as_of="2005-01-01").index["entity"].nunique()
    assert table["dead"].to_list()[0] < companies.funnel()["dead"].to_list()[0]


def test_threads_share_a_store(companies):
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(companies.series_of(metric="roic").values.size)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_store_opens_by_any_spelling_of_its_url(companies):
    with Store(companies.url.replace("postgresql+psycopg2", "postgres")) as other:
        assert other.url == companies.url
        assert len(other.companies()) == 221
