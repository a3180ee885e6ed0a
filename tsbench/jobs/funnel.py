"""How many companies each condition of a scan left, and how many of the dead ones it cost."""

import numpy as np
import pandas as pd

from tsbench.detect import Stretches, live_entities
from tsbench.series.calendar import is_live


def funnel(
    companies: pd.DataFrame, universe: Stretches, matches: pd.DataFrame, sector: str | None, half: str | None = None
) -> pd.DataFrame:
    """The universe, condition by condition.

    Parameters
        companies : the store's companies (symbol, last_at). universe : all of them as the pattern sees them.
        matches : the scan's rows. sector, half : the filters, if any.
    Returns
        DataFrame stage, companies, dead, note, one row per condition in order; the last is "tested". `dead` are
        companies whose last usable period is more than 1.5 periods behind the newest; leaving them out flatters
        any statement about what companies do, so every stage shows how many it keeps.
    """
    live = dict(zip(universe.index["entity"], live_entities(universe), strict=True))
    # A company without these metrics may well report others.
    last = companies["last_at"].to_numpy("datetime64[us]").astype(np.int64)
    frequency = str(universe.index["frequency"].iloc[0]) if len(universe.index) else "quarterly"
    reports = is_live(last, int(last.max(initial=0)), frequency)
    live = dict(zip(companies["symbol"], reports, strict=True)) | live
    stages: list[tuple[str, set[str], str]] = []

    def add(stage: str, kept: set[str], note: str = "") -> None:
        stages.append((stage, kept, note))

    everyone = set(companies["symbol"])
    add("in the store", everyone, "dead: by the metrics that the pattern reads")
    known = set(universe.index["entity"])
    if known != everyone:
        add("have the metrics", known, "at least one value of a metric that the pattern reads")
    if sector is not None:
        known = (
            set(matches["entity"]) if half is None else known & set(companies["symbol"][companies["sector"] == sector])
        )
        add(f"in sector {sector}", known)
    if half is not None:
        known = set(matches["entity"])
        add(f"in the half to {half}", known, "the other half is kept out of this scan")
    for status, stage, note in (
        ("the example", "not the example itself", "it was chosen with hindsight"),
        ("no clean run", "have clean values", "without holes and flagged values something is left"),
        ("not live", "still reporting", "last period at most 1.5 periods behind the newest"),
        ("too short", "long enough", "a gap-free stretch holds the shortest match"),
    ):
        out = set(matches["entity"][matches["status"] == status])
        if out:
            known = known - out
            add(stage, known, note)
    add("tested", known, "they share the risk of a false find")
    return pd.DataFrame(
        [
            {"stage": stage, "companies": len(kept), "dead": sum(not live.get(e, False) for e in kept), "note": note}
            for stage, kept, note in stages
        ]
    )
