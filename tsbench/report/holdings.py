"""What a panel of companies holds: who, from which sector, how long, how much of it is doubted."""

import numpy as np
import pandas as pd

from tsbench.plots.units import words
from tsbench.series import Panel
from tsbench.series.calendar import is_live
from tsbench.series.quality import Flag

DOUBTS = {
    Flag.UNIT_ERROR: "wrong unit",
    Flag.ANNUAL_IN_QUARTER: "a year in a quarter",
    Flag.SPIKE: "lone spike",
    Flag.STALE: "stale",
    Flag.SPLIT_LIKE: "split-like step",
}


def companies(panel: Panel) -> pd.DataFrame:
    """One row per company: name, sector, first and last period, periods, still reporting, doubtful values.

    A company reports still when its last period is at most 1.5 periods behind the newest of the panel.
    """
    lengths = np.diff(panel.offsets)
    series = panel.index[["entity", "frequency"]].assign(
        name=panel.index.get("name", panel.index["entity"]),
        sector=panel.index.get("sector", "Unknown"),
        first=panel.times[np.minimum(panel.offsets[:-1], max(panel.times.size - 1, 0))],
        last=panel.times[panel.offsets[1:] - 1],
        periods=lengths,
        doubtful=np.add.reduceat(np.r_[panel.flags > 0, False].astype(np.int64), panel.offsets[:-1]) * (lengths > 0),
    )
    table = series.groupby("entity", sort=True).agg(
        name=("name", "first"),
        sector=("sector", "first"),
        frequency=("frequency", "first"),
        first=("first", "min"),
        last=("last", "max"),
        periods=("periods", "max"),
        doubtful=("doubtful", "sum"),
    )
    newest = int(table["last"].max()) if len(table) else 0
    table["live"] = is_live(table["last"].to_numpy(), newest, table["frequency"].to_numpy(dtype=object))
    for column in ("first", "last"):
        table[column] = pd.to_datetime(table[column], unit="us", utc=True)
    return table.drop(columns="frequency").reset_index()


def sectors(panel: Panel) -> pd.DataFrame:
    """One row per sector and a total: companies, how many still report, typical length, doubtful values."""
    table = companies(panel)
    rows = [(str(name), part) for name, part in table.groupby("sector", sort=True)]
    return pd.DataFrame(
        [
            {
                "sector": name,
                "companies": len(part),
                "still reporting": int(part["live"].sum()),
                "no longer": int((~part["live"]).sum()),
                "periods (median)": int(part["periods"].median()),
                "doubtful values": int(part["doubtful"].sum()),
            }
            for name, part in [*rows, ("all", table)]
            if len(part)
        ]
    )


def doubts(panel: Panel) -> pd.DataFrame:
    """One row per metric: series, values, missing ones, and how many values each rule of the quality pass doubts."""
    metric = np.repeat(panel.index["metric"].to_numpy(dtype=object), np.diff(panel.offsets))
    rows = []
    for name in dict.fromkeys(panel.index["metric"]):
        here = metric == name
        flags = panel.flags[here]
        rows.append(
            {
                "metric": words(str(name)),
                "series": int((panel.index["metric"] == name).sum()),
                "values": int(np.isfinite(panel.values[here]).sum()),
                "missing": int(np.isnan(panel.values[here]).sum()),
                **{said: int((flags & int(kind) > 0).sum()) for kind, said in DOUBTS.items()},
            }
        )
    return pd.DataFrame(rows)
