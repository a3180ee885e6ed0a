"""The answer of a scan in one sentence, with the companies behind it."""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from tsbench import checks
from tsbench.patterns import Pattern
from tsbench.report.html import fill, odds

NEAREST, NEAR_MISSES, NON_MATCHES = 10, 6, 6
# A company counts as an ordinary non-match from this p-value on.
ORDINARY_P = 0.25
NULL_WORDS = {
    "largest": "the strictest of three models of chance (shuffled blocks of the series' own steps; the same "
    "spectrum with random phases; steps with random signs)",
    "block_bootstrap": "series made of shuffled blocks of real steps",
    "phase_randomized": "series of the same spectrum with random phases",
    "sign_flip": "series whose steps have random signs",
}


class Scan(Protocol):
    """What a report reads of a scan."""

    @property
    def id(self) -> str: ...
    @property
    def pattern(self) -> Pattern: ...
    @property
    def parameters(self) -> dict[str, Any]: ...
    @property
    def matches(self) -> pd.DataFrame: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who shows the pattern, and how sure that is.

    headline : the one sentence. footnote : what its figures rest on.
    passing : rows of the scan with q <= q_limit, most surprising first.
    shown : the passing rows or, when there is none, the nearest ones, which prove nothing.
    near_misses : the next rows after those shown. non_matches : a few ordinary rows, drawn by lot.
    tested : how many companies were tested; expected_false : how many of them chance alone would let pass.
    """

    headline: str
    footnote: str
    passing: pd.DataFrame = field(repr=False)
    shown: pd.DataFrame = field(repr=False)
    near_misses: pd.DataFrame = field(repr=False)
    non_matches: pd.DataFrame = field(repr=False)
    tested: int
    expected_false: float
    q_limit: float

    @property
    def proven(self) -> bool:
        """Whether any company passes."""
        return not self.passing.empty

    def _repr_html_(self) -> str:
        return fill("verdict", headline=self.headline, footnote=self.footnote)


def verdict(scan: Scan, *, q_limit: float = 0.1, history: Scan | None = None, seed: int = 0) -> Verdict:
    """Judge a scan.

    Parameters
        scan : its matches need entity, status, p_value, q_value, end, last.
        q_limit : a company passes when q, the expected share of false finds among it and all above it, is at most this.
        history : a scan of the same pattern over the whole past, told in the sentence.
        seed : of the lot that draws the non-matches.
    Returns
        Verdict. `expected_false` is p_limit x tested, p_limit being the largest p that passes or, when none does, the
        p the first company would have needed, q_limit / tested.
    """
    checks.between(q_limit, "q_limit", 1e-9, 1)
    tested = scan.matches[(scan.matches["status"] == "tested")].sort_values(
        ["p_value", "score"], ascending=[True, False], kind="stable"
    )
    passing = tested[tested["q_value"] <= q_limit]
    shown = passing if len(passing) else tested[tested["score"].notna() & tested["start"].notna()].head(NEAREST)
    rest = tested[~tested["entity"].isin(shown["entity"]) & tested["start"].notna()]
    ordinary = rest[rest["p_value"] >= ORDINARY_P].sort_values("entity")
    lot = np.random.default_rng(seed).permutation(len(ordinary))[:NON_MATCHES]
    n = len(tested)
    p_limit = float(passing["p_value"].max()) if len(passing) else q_limit / max(n, 1)
    return Verdict(
        headline=_headline(scan, len(passing), n, len(shown), p_limit * n, q_limit, history),
        footnote=_footnote(scan, len(passing), n, p_limit, q_limit),
        passing=passing.reset_index(drop=True),
        shown=shown.reset_index(drop=True),
        near_misses=rest.head(NEAR_MISSES).reset_index(drop=True),
        non_matches=ordinary.iloc[np.sort(lot)].reset_index(drop=True),
        tested=n,
        expected_false=p_limit * n,
        q_limit=q_limit,
    )


def _headline(
    scan: Scan, passing: int, tested: int, shown: int, expected: float, q_limit: float, history: Scan | None
) -> str:
    where, name = scan.parameters.get("where", "now"), f"“{scan.pattern.name}”"
    day = f"(as of {_as_of(scan):%Y-%m-%d})"
    family = f"the {tested} {'' if where == 'history' else 'live '}companies tested"
    did = {
        "now": f"show{'s' if passing == 1 else ''} {name} now {day}",
        "history": f"showed {name} at some time {day}",
        "forming": f"{'is' if passing == 1 else 'are'} forming {name} now {day}",
    }[where]
    if tested == 0:
        return f"No company could be tested for {name} {day}; the funnel says why"
    if passing:
        words = [f"{passing} of {family} {did}", f"chance alone would give {_about(expected)}"]
    else:
        end = {"now": f"for {name} now", "history": f"for {name} at any time", "forming": f"as forming {name} now"}[where]
        follow = f"the nearest {shown} follow, unproven" if shown else "no stretch comes near it"
        words = [f"None of {family} passes q ≤ {q_limit:g} {end} {day}", follow]
    if history is not None and where != "history":
        before = int((history.matches["q_value"] <= q_limit).sum())
        words.append(f"{before or 'none'} did in history")
    return "; ".join(words)


def _footnote(scan: Scan, passing: int, tested: int, p_limit: float, q_limit: float) -> str:
    null = NULL_WORDS[scan.parameters.get("null", "largest")]
    chance = f"Chance is judged by {null}."
    if not tested:
        return chance
    if passing:
        count = f"“Chance alone”: the weakest match that passes has p = {odds(p_limit)}; times {tested} companies tested."
    else:
        count = f"To pass alone, a company would need p ≤ {odds(p_limit)} ({q_limit:g} / {tested} companies tested)."
    return f"{count} {chance}"


def _as_of(scan: Scan) -> pd.Timestamp:
    """The day the scan looked from: as asked, else the newest period of the data."""
    asked = scan.parameters.get("as_of")
    return pd.Timestamp(asked if asked else scan.matches["last"].max())


def _about(count: float) -> str:
    return f"{count:.1f}" if count >= 0.05 else "less than 0.05"
