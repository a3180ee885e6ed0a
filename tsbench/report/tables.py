"""The table of matches as a reader wants it: names, dates, changes in units, odds, and what is new."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tsbench.patterns import Pattern
from tsbench.plots.channels import views
from tsbench.plots.units import change, words
from tsbench.report.html import fill
from tsbench.report.verdict import PERIODS, Scan, Verdict
from tsbench.series import Panel


@dataclass(frozen=True, slots=True)
class MatchTable:
    """The rows a verdict shows, as HTML; `frame` holds the same as a DataFrame.

    channels : in words, a column each; empty when every match has its own.
    more : how many pass beyond the rows shown.
    gone : companies that passed in the report before and do not now. compared : whether there was one.
    """

    frame: pd.DataFrame = field(repr=False)
    channels: tuple[str, ...]
    proven: bool
    q_limit: float
    more: int
    gone: tuple[str, ...]
    compared: bool

    def _repr_html_(self) -> str:
        return fill(
            "matches",
            rows=self.frame.to_dict("records"),
            channels=self.channels,
            more=self.more,
            confirmed=bool(self.frame["own_p"].notna().any()),
            proven=self.proven,
            q_limit=self.q_limit,
            gone=self.gone,
            compared=self.compared,
        )


def match_table(
    verdict: Verdict, scan: Scan, panel: Panel, *, previous: pd.DataFrame | None = None, rows: int = 10
) -> MatchTable:
    """The companies of a verdict, a row each.

    Parameters
        panel : the series that were scanned, for the changes in units.
        previous : matches of the scan that the report before told, see `store.scans.previous`; None when there is none.
            Companies that pass now and did then are kept, the others new; those that passed only then are gone.
        rows : at most so many.
    """
    shown = verdict.shown.head(rows)
    period = PERIODS.get(str(panel.index["frequency"].iloc[0]), "period") if len(panel) else "period"
    before = set() if previous is None else set(previous.loc[previous["q_value"] <= verdict.q_limit, "entity"])
    passing = set(verdict.passing["entity"])
    frame = pd.DataFrame(
        {
            "rank": np.arange(1, len(shown) + 1),
            "company": [str(n) or e for n, e in zip(shown["name"], shown["entity"], strict=True)],
            "ticker": shown["entity"].to_numpy(),
            "sector": [s if s != "Unknown" else "sector unknown" for s in shown["sector"]],
            "dates": [f"{a:%b %Y} – {b:%b %Y}" for a, b in zip(shown["start"], shown["end"], strict=True)],
            "periods": [f"{n} {period}s" for n in shown["length"]],
            "changes": changes(panel, shown, scan.pattern),
            "score": shown["score"].to_numpy(),
            "p": shown["p_value"].to_numpy(),
            "p_floor": [found.get("p_floor", 0.0) for found in shown["evidence"]],
            "q": shown["q_value"].to_numpy(),
            "own_p": shown.get("p_confirmed", pd.Series(np.nan, shown.index)).astype(float).to_numpy(),
            "left_out": shown["flagged"].to_numpy(),
            "state": [_state(e, passing, before, compared=previous is not None) for e in shown["entity"]],
        }
    )
    names = dict(zip(scan.matches["entity"], scan.matches["name"], strict=True))
    gone = tuple(sorted(f"{names[e]} ({e})" if names.get(e) else e for e in before - passing))
    channels = tuple(words(e) for e in scan.pattern.expressions) if scan.pattern.combine == "all" else ()
    more = max(len(verdict.passing) - len(shown), 0)
    return MatchTable(frame, channels, verdict.proven, verdict.q_limit, more, gone, previous is not None)


def changes(panel: Panel, matches: pd.DataFrame, pattern: Pattern) -> list[list[tuple[str, str, str]]]:
    """For each of the `matches`, what changed in the `panel` from the first to the last period of its stretch.

    Per channel (name in words, "4.1% → 9.8%", "+5.7 points"): all channels of a joint pattern, else those that match.
    """
    if matches.empty:
        return []
    channels = views(pattern, panel)
    told = []
    for row in matches.to_dict("records"):
        lines = []
        for expression in pattern.expressions if pattern.combine == "all" else row["channels"]:
            window = channels[expression].window(row["entity"], row["start"], row["end"], before=0, after=0)
            first, last = (np.nan, np.nan) if window is None else window.values[window.inside][[0, -1]]
            lines.append((words(expression), *change(first, last, channels[expression].unit)))
        told.append(lines)
    return told


def _state(entity: str, passing: set[str], before: set[str], *, compared: bool) -> str:
    if entity not in passing:
        return "unproven"
    if not compared:
        return ""
    return "kept" if entity in before else "new"
