"""The answer of a scan in one sentence, with the companies behind it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.detect import PatternDetector
from tsbench.patterns import Pattern
from tsbench.report.html import fill, odds
from tsbench.report.runs import now
from tsbench.series.calendar import is_live

NEAREST, NEAR_MISSES, NON_MATCHES = 10, 6, 6
# A company counts as an ordinary non-match from this p-value on.
ORDINARY_P = 0.25
PERIODS = {"quarterly": "quarter", "annual": "year", "monthly": "month", "weekly": "week", "daily": "day"}
NULL_WORDS = {
    "largest": "the strictest of three models of chance (shuffled blocks of the series' own steps; the same "
    "spectrum with random phases; steps with random signs)",
    "block_bootstrap": "series made of shuffled blocks of real steps",
    "phase_randomized": "series of the same spectrum with random phases",
    "sign_flip": "series whose steps have random signs",
}


NO_FORECAST = (
    "A match says that a stretch resembles the drawing more than chance would; it does not say what follows, least of "
    "all what a share price does."
)


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer of a report, set large: one sentence, what it is about, and what its figures rest on."""

    text: str
    lead: str = ""
    note: str = ""

    def _repr_html_(self) -> str:
        return fill("headline", text=self.text, lead=self.lead, note=self.note)


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
    @property
    def funnel(self) -> pd.DataFrame: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who shows the pattern, and how sure that is.

    headline : the one sentence. lead : the pattern in words. footnote : what the figures rest on.
    funnel : the scan's, with the companies that pass as the last stage.
    passing : rows of the scan with q <= q_limit, most surprising first.
    shown : the passing rows or, when there is none, the nearest ones, which prove nothing; of a report limited to what
        is new, the passing rows that are.
    near_misses : the next rows after those shown. non_matches : a few ordinary rows, drawn by lot.
    tested : how many companies were tested; expected_false : how many of them chance alone would let pass.
    """

    headline: str
    lead: str
    footnote: str
    funnel: pd.DataFrame = field(repr=False)
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
        return Headline(self.headline, self.lead, f"{self.footnote} {NO_FORECAST}")._repr_html_()


def verdict(
    scan: Scan,
    *,
    q_limit: float = 0.1,
    history: Scan | None = None,
    detector: PatternDetector | None = None,
    seed: int = 0,
    today: date | None = None,
    only_new: bool = False,
    previous: pd.DataFrame | None = None,
    since: date | None = None,
) -> Verdict:
    """Judge a scan.

    Parameters
        scan : its matches need entity, status, p_value, q_value, end, last.
        q_limit : a company passes when q, the expected share of false finds among it and all above it, is at most this.
        history : a scan of the same pattern over the whole past, told in the sentence.
        detector : the one that scanned; with it the footnote tells which lengths of series can never pass.
        seed : of the lot that draws the non-matches.
        today : the day the age of the data is counted to; None = the calendar's.
        only_new : show only companies that pass and did not in the report before, and say first how many these are.
        previous : matches of the scan that the report before told; None when there is none, and then all are new.
        since : the day of that report.
    Returns
        Verdict. `expected_false` is p_limit x tested, p_limit being the largest p that passes or, when none does, the
        p the first company would have needed, q_limit / tested.
    """
    checks.between(q_limit, "q_limit", 1e-9, 1)
    tested = scan.matches[(scan.matches["status"] == "tested")].sort_values(
        ["p_value", "score"], ascending=[True, False], kind="stable"
    )
    passing = tested[tested["q_value"] <= q_limit]
    if only_new:
        before = () if previous is None else previous.loc[previous["q_value"] <= q_limit, "entity"]
        shown = passing[~passing["entity"].isin(before)]
    else:
        shown = passing if len(passing) else tested[tested["score"].notna() & tested["start"].notna()].head(NEAREST)
    rest = tested[~tested["entity"].isin([*shown["entity"], *passing["entity"]]) & tested["start"].notna()]
    ordinary = rest[rest["p_value"] >= ORDINARY_P].sort_values("entity")
    lot = np.random.default_rng(seed).permutation(len(ordinary))[:NON_MATCHES]
    n = len(tested)
    p_limit = float(passing["p_value"].max()) if len(passing) else q_limit / max(n, 1)
    nearest = None if only_new else len(shown)
    said = _headline(scan, len(passing), n, nearest, p_limit * n, q_limit, history)
    return Verdict(
        headline=f"{_news(len(shown), len(passing), previous, since)}: {_lower(said)}" if only_new else said,
        lead=_lead(scan),
        footnote=" ".join(
            [
                _chance(scan, len(passing), n, p_limit, q_limit),
                _own(passing),
                _reach(scan, detector, n, q_limit) if detector and n else "",
                _age(scan, today or now().date()),
            ]
        ),
        funnel=_with_passing(scan, passing, q_limit),
        passing=passing.reset_index(drop=True),
        shown=shown.reset_index(drop=True),
        near_misses=rest.head(NEAR_MISSES).reset_index(drop=True),
        non_matches=ordinary.iloc[np.sort(lot)].reset_index(drop=True),
        tested=n,
        expected_false=p_limit * n,
        q_limit=q_limit,
    )


def _lead(scan: Scan) -> str:
    (low, high), said = scan.pattern.length, scan.pattern.description
    period = PERIODS.get(str(scan.parameters.get("frequency")), "period")
    said = f"{said}." if said and said[-1] not in ".!?" else said
    return f"“{scan.pattern.name}”: {f'{said} ' if said else ''}Looked for over {low} to {high} {period}s."


def _headline(
    scan: Scan, passing: int, tested: int, nearest: int | None, expected: float, q_limit: float, history: Scan | None
) -> str:
    where, name = scan.parameters.get("where", "now"), f"“{scan.pattern.name}”"
    day = f"(as of {_as_of(scan):%Y-%m-%d})"
    family = f"the {tested} {'' if where == 'history' else 'live '}companies tested"
    if tested == 0:
        return f"No company could be tested for {name} {day}; the funnel says why"
    if passing:
        one = passing == 1
        did = {
            "now": f"show{'s' if one else ''} {name} now",
            "history": f"showed {name} at some time",
            "forming": f"{'is' if one else 'are'} forming {name} now",
        }[where]
        said = f"{passing} of {family} {did} {day}; chance alone would give {_about(expected)}"
    else:
        did = {
            "now": f"provably shows {name} now",
            "history": f"provably showed {name} at any time",
            "forming": f"is provably forming {name} now",
        }[where]
        said = f"No company {did} {day}: none of {family} passes q ≤ {q_limit:g}"
        if nearest is not None:
            follow = f"The nearest {nearest} follow" if nearest > 1 else "The nearest follows"
            said += f". {follow}, unproven" if nearest else ". No stretch comes near it"
    if history is None or where == "history":
        return said
    before = int((history.matches["q_value"] <= q_limit).sum())
    return f"{said}; {before or 'none'} did in history"


def _news(new: int, passing: int, previous: pd.DataFrame | None, since: date | None) -> str:
    """What a report that is limited to what is new says first."""
    if previous is None:
        return f"No report told this before{', so all that pass are new' if passing else ''}"
    then = "before" if since is None else f"of {since:%Y-%m-%d}"
    told = f"{new} of the {passing} that pass {'is' if new == 1 else 'are'} new" if new else "Nothing new"
    return f"{told} since the report {then}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _chance(scan: Scan, passing: int, tested: int, p_limit: float, q_limit: float) -> str:
    null = f"Chance is judged by {NULL_WORDS[scan.parameters.get('null', 'largest')]}."
    if not tested:
        return null
    share = f"{100 * q_limit:.3g}%"
    limit = f"q ≤ {q_limit:g}: of the companies that pass, at most {share} are expected to be there by chance."
    if passing:
        alone = f"“Chance alone”: p of the weakest match that passes, {odds(p_limit)}, times {tested} companies tested."
    else:
        alone = f"To pass alone, a company would need p ≤ {odds(p_limit)} ({q_limit:g} / {tested} companies tested)."
    return f"{limit} {alone} {null}"


def _own(passing: pd.DataFrame) -> str:
    """How many of those that pass also beat chance versions of their own series, as far as that was asked."""
    own = passing["p_confirmed"].dropna() if "p_confirmed" in passing else passing["p_value"].head(0)
    if own.empty:
        return ""
    return (
        f"p holds on average over companies, not for each: against chance versions of its own series, "
        f"{int((own <= 0.05).sum())} of the {len(own)} best that pass hold too (own p ≤ 0.05)."
    )


def _reach(scan: Scan, detector: PatternDetector, tested: int, q_limit: float) -> str:
    """Which series are too short for any score to pass alone."""
    lengths = np.arange(4, 8 * scan.pattern.length[1])
    needed = detector.needed_score(lengths, q=q_limit, family=tested, where=scan.parameters.get("where", "now"))
    able = needed["length"][needed["needed"] < 1]
    if able.empty:
        return f"With {tested} companies tested, no company can pass alone: several must pass together."
    period = PERIODS.get(str(scan.parameters.get("frequency")), "period")
    return f"A company with fewer than {able.min()} {period}s in a row can never pass alone."


def _age(scan: Scan, today: date) -> str:
    newest = scan.matches["last"].max()
    if pd.isna(newest):
        return ""
    years = (today - newest.date()).days / 365.25
    return f"The newest figures are of {newest:%Y-%m-%d}, {years:.1f} years before this report."


def _with_passing(scan: Scan, passing: pd.DataFrame, q_limit: float) -> pd.DataFrame:
    """The funnel with its last stage."""
    newest = _micros(scan.matches["last"].dropna()).max(initial=0)
    live = is_live(_micros(passing["last"]), newest, str(scan.parameters.get("frequency", "quarterly")))
    row = {"stage": f"pass q ≤ {q_limit:g}", "companies": len(passing), "dead": int((~live).sum()), "note": ""}
    return pd.concat([scan.funnel, pd.DataFrame([row])], ignore_index=True)


def _micros(times: pd.Series) -> NDArray[np.int64]:
    return pd.DatetimeIndex(times).as_unit("us").asi8


def _as_of(scan: Scan) -> pd.Timestamp:
    """The day the scan looked from: as asked, else the newest period of the data."""
    asked = scan.parameters.get("as_of")
    return pd.Timestamp(asked if asked else scan.matches["last"].max())


def _about(count: float) -> str:
    return f"{count:.1f}" if count >= 0.05 else "less than 0.05"
