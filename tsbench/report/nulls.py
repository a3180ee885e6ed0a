"""How sure: the same matches judged under each model of chance, and matches that came in a crowd."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from tsbench import checks
from tsbench.evaluate import benjamini_hochberg, episodes
from tsbench.patterns import NULLS
from tsbench.plots.odds import NULL_NAMES
from tsbench.report.html import fill
from tsbench.report.verdict import Scan
from tsbench.series.calendar import calendar_quarter
from tsbench.settings import read_settings

PLACES = {"now": "Now", "forming": "Forming now", "history": "In history"}
LARGEST = "the largest p of the three"
# The same in a column of a wide table.
SHORT = dict(zip((*NULLS, "verdict"), ("blocks", "phases", "signs", "strictest"), strict=True))
# From this share and this number on, the companies whose best stretch ends within one half-year are a crowd.
CROWD, FEWEST_OF_CROWD = 0.1, 5


@dataclass(frozen=True, slots=True)
class NullTable:
    """How many companies pass under each model of chance, as HTML; `frame` holds the same as a DataFrame.

    frame : one row per model and place: null, words, decides (whether the verdict is its), place, tested, passing,
        smallest_q.
    """

    frame: pd.DataFrame = field(repr=False)
    q_limit: float

    def _repr_html_(self) -> str:
        places = [
            {"name": name, "tested": int(part["tested"].iloc[0])}
            for name, part in self.frame.groupby("place", sort=False)
        ]
        rows = [
            {"words": words, "decides": bool(part["decides"].any()), "cells": part.to_dict("records")}
            for words, part in self.frame.groupby("words", sort=False)
        ]
        return fill("nulls", places=places, rows=rows, q_limit=self.q_limit)


def nulls(scan: Scan, history: Scan | None = None, *, q_limit: float = 0.1) -> NullTable:
    """One table for a pattern: how many companies pass under each model of chance, and under the largest p of all.

    Parameters
        scan : its matches need status, p_value and a p_NAME for each model.
        history : the scan of the same pattern over the whole past, a column of its own; None or a `scan` of the past
            itself leaves it out.
        q_limit : a company passes when q, by Benjamini-Hochberg over the tested companies, is at most this.
    """
    checks.between(q_limit, "q_limit", 1e-9, 1)
    scans = [scan] if history is None or scan.parameters.get("where") == "history" else [scan, history]
    rows = []
    for kind in (*NULLS, "largest"):
        for one in scans:
            decides = one.parameters.get("null", "largest") == kind
            tested = one.matches[one.matches["status"] == "tested"]
            p = tested["p_value"] if decides else _p_of(tested, kind)
            q = benjamini_hochberg(p.to_numpy(np.float64))
            rows.append(
                {
                    "null": kind,
                    "words": NULL_NAMES.get(kind, LARGEST),
                    "decides": decides,
                    "place": PLACES[one.parameters.get("where", "now")],
                    "tested": len(tested),
                    "passing": int((q <= q_limit).sum()),
                    "smallest_q": float(np.nanmin(q)) if np.isfinite(q).any() else np.nan,
                }
            )
    return NullTable(pd.DataFrame(rows), q_limit)


def _p_of(tested: pd.DataFrame, kind: str) -> pd.Series:
    return tested[f"p_{kind}"] if kind in NULLS else tested[[f"p_{k}" for k in NULLS]].max(axis=1)


@dataclass(frozen=True, slots=True)
class BaseRates:
    """How many of the shipped companies pass each shipped pattern, under each model of chance, as HTML.

    frame : one row per pattern and question, as benchmark/base_rates.py wrote it; empty where it never ran.
    pattern : its rows stand out.
    """

    frame: pd.DataFrame = field(repr=False)
    pattern: str = ""
    made_on: str = ""

    def _repr_html_(self) -> str:
        rows = [
            {"name": name, "own": name == self.pattern, "cells": {row["where"]: row for row in part.to_dict("records")}}
            for name, part in self.frame.groupby("pattern", sort=False)
        ]
        places = {where: PLACES[where] for where in ("now", "history")}
        return fill("base_rates", places=places, rows=rows, words=SHORT, made_on=self.made_on)


def base_rates(pattern: str = "", *, record: str | Path | None = None) -> BaseRates:
    """The base rates of the library from the record of benchmark/base_rates.py, patterns as drawn.

    Parameters
        pattern : the one to point out. record : the file; None = the project's benchmark/results/base_rates.json.
    Returns
        An empty table where there is no record.
    """
    path = Path(record or read_settings().home / "benchmark" / "results" / "base_rates.json")
    if not path.exists():
        return BaseRates(pd.DataFrame({"pattern": [], "where": []}), pattern)
    found = json.loads(path.read_text("utf-8"))
    frame = pd.DataFrame(found["results"]["rows"])
    return BaseRates(frame[~frame["relative"] & (frame["refused"] == "")], pattern, str(found["made_at"])[:10])


@dataclass(frozen=True, slots=True)
class Timing:
    """Whether the matches came alone or in a crowd, in words.

    passing, episodes : companies that pass, and the episodes their matches fall into. crowd : the largest share of the
        tested companies whose best stretch, passing or not, ended within the same two calendar quarters.
    """

    text: str
    passing: int
    episodes: int
    crowd: float

    def _repr_html_(self) -> str:
        return fill("timing", text=self.text)


def timing(matches: pd.DataFrame, *, q_limit: float = 0.1, frequency: str = "quarterly") -> Timing:
    """Say how many episodes the matches that pass stand for, and how crowded the fullest half-year was.

    Parameters
        matches : rows of a scan of the whole past: end, q_value (NaN = not tested).
        q_limit : a company passes when its q is at most this.
        frequency : of the series, for the episodes (see `tsbench.evaluate.episodes`).
    """
    tested = matches[matches["q_value"].notna()]
    passing = tested[tested["q_value"] <= q_limit]
    group = episodes(passing, frequency=frequency)
    sizes = np.bincount(group[group >= 0]) if group.size else np.zeros(0, np.int64)
    quarter = np.sort(calendar_quarter(pd.DatetimeIndex(tested["end"].dropna()).as_unit("us").asi8))
    held = np.searchsorted(quarter, quarter + 1, side="right") - np.searchsorted(quarter, quarter)
    crowd = float(held.max()) / len(tested) if held.size else 0.0
    said = [_passing(len(passing), sizes)]
    if held.size:
        first = pd.Period(ordinal=int(quarter[held.argmax()]), freq="Q")
        said.append(
            f"The fullest half-year is {first.start_time:%B %Y} to {(first + 1).end_time:%B %Y}: the best stretch of "
            f"{held.max()} of the {len(tested)} companies tested ({crowd:.0%}) ends in it, whether it passes or not."
        )
    if crowd >= CROWD and held.max() >= FEWEST_OF_CROWD:
        said.append(
            "A crisis draws one shape into many companies at once, and the models of chance know nothing of crises: "
            "matches of one episode are one event seen several times."
        )
    return Timing(" ".join(said), len(passing), sizes.size, crowd)


def _passing(passing: int, sizes: np.ndarray) -> str:
    if passing == 0:
        return "No company passes in history."
    if passing == 1:
        return "1 company passes in history."
    within = "matches that end within the same two periods are one episode"
    most = f"the largest holds {sizes.max()}" if sizes.max() > 1 else "each stands alone"
    return f"{passing} companies pass in history, in {sizes.size} episode{'s' * (sizes.size > 1)} ({within}); {most}."
