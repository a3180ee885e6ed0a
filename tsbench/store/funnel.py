"""What the filters of a question cost: how many companies each drops, and how many of those are dead.

Leaving dead companies out flatters every statement about what companies do; a filter that does so must show it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tsbench.series import Panel
from tsbench.series.calendar import is_live

COLUMNS = ["stage", "companies", "dead", "dropped", "dead_dropped", "note"]


def count(spans: Panel, filters: Mapping[str, Any]) -> pd.DataFrame:
    """The companies left by each filter, one after the other.

    Parameters
        spans : every series of the store (only its last point matters).
        filters : "symbols", "sector", "metric", "frequency" -> the names to keep, in the order they are applied.
    Returns
        DataFrame stage, companies, dead (left by the stage), dropped, dead_dropped (by the stage), note. A company is
        dead when none of its series comes within 1.5 periods of the newest value of that frequency in the store.
    """
    index = spans.index.copy()
    last = spans.times[spans.offsets[1:] - 1]
    newest = pd.Series(last).groupby(index["frequency"].to_numpy()).transform("max").to_numpy()
    index["live"] = is_live(last, newest, index["frequency"].to_numpy())
    dead = set(index["entity"]) - set(index["entity"][index["live"]])
    rows = [("in the store", set(index["entity"]), "last value at most 1.5 periods behind the newest, or dead")]
    keep = np.ones(len(index), dtype=bool)
    for name, wanted in filters.items():
        keep &= index["entity" if name == "symbols" else name].isin(wanted).to_numpy()
        shown = ", ".join(map(str, wanted[:5])) + (f" and {len(wanted) - 5} more" if len(wanted) > 5 else "")
        rows.append((f"{name} {shown}", set(index["entity"][keep]), ""))
    table = []
    before: set[str] = rows[0][1]
    for stage, companies, note in rows:
        lost = before - companies
        table.append((stage, len(companies), len(companies & dead), len(lost), len(lost & dead), note))
        before = companies
    return pd.DataFrame(table, columns=COLUMNS)
