"""Companies as a page lists them: searched as one types, and what is known of each in a line."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tsbench.plots.channels import View
from tsbench.plots.units import amount, words
from tsbench.series.growth import growth_category


def searched(companies: pd.DataFrame, text: str) -> pd.DataFrame:
    """The companies whose symbol, name or sector holds every word of `text`, the likeliest first.

    A symbol that is the text comes before one that begins with it, then names with a word that begins with it, then the
    rest; case does not count.

    Parameters
        companies : symbol, name, sector; see `tsbench.report.universe`.
        text : as typed; empty: all.
    """
    asked = text.lower().split()
    if not asked:
        return companies
    symbol, name, sector = (companies[column].astype(str).str.lower() for column in ("symbol", "name", "sector"))
    holds = pd.Series(True, companies.index)
    for word in asked:
        holds &= symbol.str.contains(word, regex=False) | (name + " " + sector).str.contains(word, regex=False)
    whole = " ".join(asked)
    begun = (" " + name).str.contains(f" {whole}", regex=False)
    likely = 4 * (symbol == whole) + 2 * symbol.str.startswith(whole) + begun
    order = likely[holds].sort_values(ascending=False, kind="stable").index
    return companies.loc[order]


def rows(companies: pd.DataFrame) -> list[dict[str, Any]]:
    """What the list says of each company: symbol, name, sector, until ("" while it reports), doubtful."""
    return [
        {
            "symbol": row["symbol"],
            "name": str(row["name"]),
            "sector": str(row["sector"]),
            "until": "" if row["live"] else f"{row['last']:%Y-%m}",
            "doubtful": int(row["doubtful"]),
        }
        for row in companies.to_dict("records")
    ]


def facts(universe: pd.DataFrame, views: Mapping[str, View], symbols: Sequence[str]) -> list[dict[str, Any]]:
    """What is known of each company drawn: as in `rows`, and per channel its latest clean value and, of a
    metric as it is, its growth category.

    Parameters
        universe : see `tsbench.report.universe`. views : the channels drawn. symbols : the companies drawn.
    Returns
        One dict per company, in the order asked; "channels": a list of title, latest ("$1.2B"), category ("" for none).
    """
    told = {row["symbol"]: row for row in rows(universe[universe["symbol"].isin(symbols)])}
    for row in told.values():
        row["channels"] = []
    for view in views.values():
        places = {entity: i for i, entity in enumerate(view.clean.index["entity"])}
        for symbol, row in told.items():
            row["channels"].append(_latest(view, places.get(symbol)))
    return [told[symbol] for symbol in symbols]


def _latest(view: View, place: int | None) -> dict[str, str]:
    values = pd.Series(dtype=float) if place is None else pd.Series(view.clean.series(place)[1]).dropna()
    last = float(values.iloc[-1]) if len(values) else float("nan")
    # of a derived channel "declining" would be read as said of the metric
    category = growth_category(values) if view.expression.isidentifier() else None
    return {"title": words(view.expression), "latest": amount(last, view.unit), "category": category or ""}
