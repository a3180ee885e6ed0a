"""What a channel did after a set of matches, beside what other companies did from the same dates on.

A look back: it tells what happened after every match alike, those that went badly and those that stopped reporting
included. It says nothing about what will happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.evaluate.episodes import episodes
from tsbench.evaluate.paths import ENDED, NO_VALUE, NOT_YET, REACHED, Paths, known
from tsbench.series import Panel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NEEDED = {"entity", "start", "end", "channels"}
# Below eight episodes the bootstrap's interval is much too narrow; the tests simulate it.
FEWEST, FEWEST_EPISODES = 20, 8
FEW = f"fewer than {FEWEST} analogues: no statement"
CROWDED = f"fewer than {FEWEST_EPISODES} episodes: no statement"
ALONE = "no other company at the same dates: no statement"
ABOVE, BELOW = "above the controls", "below the controls"
NEITHER = "no difference from the controls can be told"
LEVEL, RESAMPLES = 0.95, 1000
DATES = ("known_at", "from", "to")
ROWS = (
    "entity", "name", "episode", "known_at", "horizon", "outcome", "from", "base", "to", "value", "change", "controls",
)  # fmt: skip
SUMMARY = (
    "horizon", "n", "ended", "not_yet", "no_value", "episodes", "q25", "median", "q75",
    "control_q25", "control_median", "control_q75", "difference", "lower", "upper", "statement",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Followed:
    """What followed a set of matches, the analogues, in one channel.

    expression, frequency : of the channel; a change is a difference of its values.
    analogues, episodes : how many matches there are, and how many episodes they fall into.
    rows : one row per match and horizon: entity, name, episode, known_at (when the whole match was public), horizon
        (periods), outcome, from and base (period and value of what was public last), to and value (what it is compared
        with), change, controls (how many other companies stand beside it). outcome: "reached"; "ended" = the series
        stopped before the horizon, value is its last; "not yet" = the horizon lies beyond the data, of the living and
        the dead; "no value" = a hole, or nothing was public when the match became known.
    summary : one row per horizon: horizon, n (reached or ended), ended, not_yet, no_value, episodes (of the n); q25,
        median, q75 of the n changes; the same as control_q25, control_median, control_q75 of the controls, each
        analogue's together weighing as much as another's; difference of the two medians, lower and upper end of its
        95 % interval; statement. Without a statement the last three numbers are NaN.
    """

    expression: str
    frequency: str
    analogues: int
    episodes: int
    rows: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)

    @property
    def told(self) -> bool:
        """Whether there is a statement, with its interval, at any horizon."""
        return bool(self.summary["lower"].notna().any())

    @property
    def statement(self) -> str:
        """The statement of all horizons, or of each where they differ."""
        said = list(self.summary["statement"])
        if len(set(said)) == 1:
            return str(said[0])
        return "; ".join(f"after {h}: {text}" for h, text in zip(self.summary["horizon"], said, strict=True))

    def to_frame(self) -> pd.DataFrame:
        """The summary."""
        return self.summary

    def _repr_html_(self) -> str:
        return str(self.summary.to_html(index=False))


def followed(
    panel: Panel,
    matches: pd.DataFrame,
    expression: str,
    *,
    horizons: Sequence[int] = (4, 8, 12),
    controls: int = 50,
    seed: int = 0,
) -> Followed:
    """What a channel did after each of the matches, against companies that are not among them.

    A match is known once every figure of its channels, from its first to its last period, is public. A change runs from
    the last value of `expression` that was public on that day to the value h periods later; so whatever was public on
    that day is before, never after. Other companies are measured from the same day in the same way, which takes out
    what happened to all. A company that stops reporting stays in, with its last known change.

    Parameters
        panel : raw metrics of the companies that were searched, in one frequency. Flagged values are left out.
        matches : all analogues, however they went on: entity, start, end, channels; name if there is one.
        expression : the channel to follow. Of money take the logarithm: differences of dollars do not compare.
        horizons : periods from the last public value.
        controls : at most so many other companies for each match, drawn by lot from those without a match that had a
            public value in its time.
        seed : fixes the lot and the bootstrap.
    Returns
        Followed. Its intervals, one for each horizon, come from resampling episodes (see `episodes`): companies hit by
        one crisis are not separate evidence.
    Raises     BadInput: matches without a column, a channel or a date; no horizon or one below 1. NotFound: a match
        whose company or period is not in the panel.
    Source     Resampling whole clusters: Davison & Hinkley (1997), Bootstrap Methods and their Application, 3.8.
    """
    horizons = [checks.whole(h, "horizon", 1) for h in horizons]
    checks.whole(controls, "controls", 1)
    absent = sorted(NEEDED - set(matches.columns))
    if absent or not horizons:
        raise BadInput(f"the matches lack {', '.join(absent)}" if absent else "give at least one horizon")
    panel = panel.without_flagged()
    paths = Paths(expression, panel)
    known_at, end = known(matches, panel)
    episode = episodes(matches, frequency=paths.frequency)
    entities = matches["entity"].to_numpy(dtype=object)
    names = matches["name"].to_numpy(dtype=object) if "name" in matches else entities
    other = ~np.isin(paths.entities, entities)
    rng = np.random.default_rng(checks.whole(seed, "seed", 0))
    rows, pool = [], []
    for i, entity in enumerate(entities):
        base = paths.public(known_at[i], end[i])
        own = base[(paths.entities == entity) & (base >= 0)]
        drawn = rng.permutation(base[other & (base >= 0)])[:controls]
        for h in horizons:
            peers = paths.changes(drawn, h)
            match = {"entity": entity, "name": names[i], "episode": episode[i], "known_at": known_at[i], "horizon": h}
            rows.append(match | paths.told(own, h) | {"controls": peers.size})
            pool.append(peers)
    table = pd.DataFrame(rows, columns=list(ROWS))
    summary = pd.DataFrame([_summary(table, pool, h, seed) for h in horizons])
    for column in DATES:
        table[column] = pd.DatetimeIndex(table[column].to_numpy(np.int64).view("M8[us]"), tz="UTC")
    return Followed(expression, paths.frequency, len(matches), np.unique(episode).size, table, summary)


class Sample(NamedTuple):
    """Ascending changes; what each weighs; the episode of its analogue, as 0, 1, ..."""

    values: Floats
    weight: Floats
    group: Ints


def _summary(rows: pd.DataFrame, pool: list[Floats], horizon: int, seed: int) -> dict[str, object]:
    """The row of one horizon; `pool` holds the controls' changes of every row."""
    here = rows[rows["horizon"] == horizon]
    counted = here[here["outcome"].isin((REACHED, ENDED))]
    group = np.unique(counted["episode"], return_inverse=True)[1].astype(np.int64)
    crowds = int(group.max(initial=-1)) + 1
    peers = [pool[i] for i in counted.index]
    sizes = [p.size for p in peers]
    own = _sample(counted["change"].to_numpy(np.float64), np.ones(len(counted)), group)
    share = np.repeat([1 / max(n, 1) for n in sizes], sizes)
    theirs = _sample(np.concatenate([np.zeros(0), *peers]), share, np.repeat(group, sizes))
    if len(counted) < FEWEST:
        statement = FEW
    elif crowds < FEWEST_EPISODES:
        statement = CROWDED
    else:
        statement = "" if theirs.values.size else ALONE
    difference = lower = upper = np.nan
    if not statement:
        difference, lower, upper = difference_of_medians(own, theirs, np.random.default_rng([seed, horizon]))
        statement = ABOVE if lower > 0 else BELOW if upper < 0 else NEITHER
    outcomes = [int((here["outcome"] == outcome).sum()) for outcome in (ENDED, NOT_YET, NO_VALUE)]
    row = (horizon, len(counted), *outcomes, crowds, *quartiles(own), *quartiles(theirs), difference, lower, upper)
    return dict(zip(SUMMARY, (*row, statement), strict=True))


def _sample(values: Floats, weight: Floats, group: Ints) -> Sample:
    order = np.argsort(values, kind="stable")
    return Sample(values[order], weight[order], group[order])


def difference_of_medians(
    own: Sample, theirs: Sample, rng: np.random.Generator, resamples: int = RESAMPLES
) -> tuple[float, float, float]:
    """The difference and the ends of its interval, from `resamples` draws of whole episodes with replacement."""
    crowds = int(own.group.max()) + 1
    drawn = rng.multinomial(crowds, np.full(crowds, 1 / crowds), size=resamples)
    again = [
        quartiles(own._replace(weight=own.weight * times[own.group]))[1]
        - quartiles(theirs._replace(weight=theirs.weight * times[theirs.group]))[1]
        for times in drawn
    ]
    lower, upper = np.nanquantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(quartiles(own)[1] - quartiles(theirs)[1]), float(lower), float(upper)


def quartiles(sample: Sample) -> Floats:
    """The three weighted quartiles; the mean of two values where a share falls between them, NaN when none weighs."""
    total = np.cumsum(sample.weight)
    if not total.size or total[-1] <= 0:
        return np.full(3, np.nan)
    wanted = np.array([0.25, 0.5, 0.75]) * total[-1]
    lower = np.searchsorted(total, wanted * (1 - 1e-12))
    upper = np.searchsorted(total, wanted * (1 + 1e-12), side="right")
    middle: Floats = (sample.values[lower] + sample.values[upper]) / 2
    return middle
