"""The companies as a table, filtered by a query, and what each condition of it costs.

Leaving dead companies out flatters every statement about what companies do; a filter that does so must show it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.patterns import evaluate
from tsbench.plots.units import amount, unit_of, words
from tsbench.report.holdings import companies
from tsbench.report.query import Asked, conditions
from tsbench.series import Panel
from tsbench.series.growth import growth_category

# Rows of a table of companies.
ROWS = 20
# Columns of the universe that no metric takes.
OWN = ("symbol", "name", "sector", "first", "last", "periods", "doubtful", "live")


@dataclass(frozen=True, slots=True)
class Screen:
    """What a query leaves of a universe.

    companies : the rows that pass, with a column for each expression that the query names.
    funnel : a row per condition: stage, companies, dead (left by it), dropped, dead_dropped (by it), note.
    asked : the columns of numbers that the query names.
    """

    companies: pd.DataFrame = field(repr=False)
    funnel: pd.DataFrame
    asked: tuple[str, ...] = ()

    def limited(self, stage: str, symbols: Collection[str]) -> "Screen":
        """Only the companies of these `symbols`, told in the funnel as one more `stage`."""
        kept = self.companies[self.companies["symbol"].isin(symbols)]
        funnel = pd.concat([self.funnel, pd.DataFrame([_stage(stage, self.companies, kept, "")])], ignore_index=True)
        return Screen(kept.reset_index(drop=True), funnel, self.asked)

    def _repr_html_(self) -> str:
        shown = self.companies.head(ROWS)
        table = pd.DataFrame({"company": shown["name"], "symbol": shown["symbol"], "sector": shown["sector"]})
        table["last period"] = shown["last"].dt.strftime("%Y-%m")
        for name in self.asked:
            table[words(name)] = [amount(x, unit_of(name)) for x in shown[name]]
        more = len(self.companies) - len(shown)
        return str(table.style.hide(axis="index").format(escape="html").to_html()) + (
            f"<p>and {more} more</p>" if more else ""
        )


def universe(panel: Panel) -> pd.DataFrame:
    """One row per company, by symbol.

    Parameters
        panel : raw metrics of one frequency.
    Returns
        DataFrame symbol, name, sector, first, last, periods, doubtful, live (see `companies`); per metric its latest
        clean value under the metric's name (NaN when there is none; `last_value` for a metric called as another column,
        such as last), and METRIC_category (see `growth_category`). Of several bases or sources the first counts.
    """
    table = companies(panel).rename(columns={"entity": "symbol"})
    clean = panel.without_flagged()
    for metric in dict.fromkeys(panel.index["metric"]):
        rows = np.flatnonzero((panel.index["metric"] == metric).to_numpy())
        entities = panel.index["entity"].iloc[rows]
        values = {e: clean.series(int(i))[1] for e, i in zip(entities[::-1], rows[::-1], strict=True)}
        name = f"{metric}_value" if metric in OWN else metric
        table[name] = table["symbol"].map({e: _latest(x) for e, x in values.items()}).astype(np.float64)
        table[f"{metric}_category"] = table["symbol"].map({e: growth_category(x) for e, x in values.items()})
    return table


def screen(panel: Panel, query: str, table: pd.DataFrame | None = None) -> Screen:
    """The companies that pass a query, and what each of its conditions costs.

    Parameters
        panel : as in `universe`.
        query : as for `DataFrame.query`, on the columns of `universe`: `sector == "Energy" and roic > 0.1`; see
            `tsbench.report.query`. An expression over metrics stands for its latest clean value: `yoy(revenue) > 0.2`.
            Conditions joined by `and` are told one by one. Empty: everyone passes. A missing value meets neither a
            condition nor its opposite, only `isna`.
        table : the universe of the panel, where it is at hand.
    Raises     BadInput: the query cannot be read, names an unknown column or does not answer yes or no; NotFound: an
        expression names a metric that the panel lacks.
    """
    everyone = universe(panel) if table is None else table
    passed = np.ones(len(everyone), np.bool_)
    rows = [_stage("all companies", everyone, everyone, "")]
    named: dict[str, pd.Series] = {}
    for condition in conditions(query):
        asked = Asked(condition, everyone, lambda expression: _latest_of(panel, expression, everyone["symbol"]))
        answer = asked.answer()
        before, passed = passed, passed & answer.true & answer.known
        unknown = int((before & ~answer.known).sum())
        note = f"{unknown} of the dropped have no value" if unknown else ""
        rows.append(_stage(asked.text, everyone[before], everyone[passed], note))
        named |= asked.names
    left = everyone.assign(**named)[passed].reset_index(drop=True)
    return Screen(left, pd.DataFrame(rows), tuple(named))


def _stage(stage: str, before: pd.DataFrame, after: pd.DataFrame, note: str) -> dict[str, object]:
    dead, dead_before = int((~after["live"]).sum()), int((~before["live"]).sum())
    lost = {"dropped": len(before) - len(after), "dead_dropped": dead_before - dead}
    return {"stage": stage, "companies": len(after), "dead": dead, **lost, "note": note}


def _latest_of(panel: Panel, expression: str, symbols: pd.Series) -> pd.Series:
    values = evaluate(expression, panel.without_flagged())
    latest = {e: _latest(values.series(i)[1]) for i, e in enumerate(values.index["entity"])}
    return symbols.map(latest).astype(np.float64)


def _latest(values: NDArray[np.float64]) -> float:
    solid = values[~np.isnan(values)]
    return float(solid[-1]) if solid.size else float("nan")
