"""What followed: the analogues' changes beside the controls', in units, or why there is nothing to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tsbench.errors import BadInput
from tsbench.evaluate import Followed
from tsbench.plots.followed import PERIODS, spoken
from tsbench.plots.units import unit_of, words
from tsbench.report.html import fill

# What of a company is told when its channels differ, first of all.
TOLD_FIRST = {
    "ended": "{} had stopped reporting",
    "not yet": "the data end too early for {}",
    "no value": "{} had no figure",
    "reached": "{} still reported",
}


@dataclass(frozen=True, slots=True)
class FollowedTable:
    """What followed in several channels, as HTML.

    frame : one row per channel and horizon: those of `Followed.summary` and the channel.
    rows : the same of `Followed.rows`: every analogue's outcome, to take along.
    analogues, episodes : how many there are. period : of the series, in words. told : whether there is any statement.
    """

    frame: pd.DataFrame = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    analogues: int
    episodes: int
    period: str
    told: bool

    def _repr_html_(self) -> str:
        intervals = int(self.frame["lower"].notna().sum())
        return fill(
            "followed",
            table=self,
            statement="; ".join(dict.fromkeys(self.frame["statement"])).capitalize(),
            became=_became(self.rows),
            last=int(self.frame["horizon"].max()),
            shown=[_shown(row) for row in self.frame.to_dict("records")],
            intervals=intervals,
            by_chance=f"{0.05 * intervals:.2g}",
        )


def followed(results: Sequence[Followed]) -> FollowedTable:
    """A table of what followed the same analogues in one or more channels.

    Parameters
        results : of `tsbench.evaluate.followed`, in the order to show.
    Raises     BadInput: there is none, or they are of different analogues.
    """
    if len({(result.analogues, result.frequency) for result in results}) != 1:
        sets = ", ".join(f"{r.analogues} in {r.expression}" for r in results) or "none"
        raise BadInput(f"a table is of one set of analogues in one or more channels, got {sets}")
    first = results[0]
    frame = pd.concat([r.summary.assign(channel=r.expression) for r in results], ignore_index=True)
    rows = pd.concat([r.rows.assign(channel=r.expression) for r in results], ignore_index=True)
    period = PERIODS.get(first.frequency, "periods")
    return FollowedTable(frame, rows, first.analogues, first.episodes, period, any(r.told for r in results))


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row of the table; without a statement only its counts and why."""
    unit, name = unit_of(row["channel"]), words(row["channel"])

    def half(prefix: str) -> tuple[str, str]:
        return spoken(row[f"{prefix}median"], unit), span(row[f"{prefix}q25"], row[f"{prefix}q75"])

    def span(low: float, high: float) -> str:
        return f"{spoken(low, unit).removesuffix(' points')} to {spoken(high, unit)}"

    counts = [f"{row[c]} {said}" for c, said in (("not_yet", "not over yet"), ("no_value", "no figure")) if row[c]]
    return {
        "channel": name[:1].upper() + name[1:],
        "horizon": row["horizon"],
        "n": row["n"],
        "ended": row["ended"],
        "apart": ", ".join(counts),
        "told": row["lower"] == row["lower"],
        "statement": row["statement"],
        "own": half(""),
        "controls": half("control_"),
        "difference": spoken(row["difference"], unit),
        "interval": span(row["lower"], row["upper"]),
    }


def _became(rows: pd.DataFrame) -> str:
    """What became of the analogues by the last horizon, each counted once, whatever there is to tell of it."""
    last = rows[rows["horizon"] == rows["horizon"].max()]
    outcomes = last.groupby(["entity", "known_at"])["outcome"].agg(set)
    first = [next(outcome for outcome in TOLD_FIRST if outcome in found) for found in outcomes]
    return "; ".join(said.format(first.count(o)) for o, said in reversed(TOLD_FIRST.items()) if o in first)
