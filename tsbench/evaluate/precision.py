"""Precision by the user's own verdicts, with an interval that says how little a few of them prove."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist
from typing import Literal

from tsbench import checks
from tsbench.errors import BadInput

Verdict = Literal["accept", "reject", "unsure"]
VERDICTS: tuple[Verdict, ...] = ("accept", "reject", "unsure")


@dataclass(frozen=True, slots=True)
class Precision:
    """How many of the first matches of a list were accepted.

    accepted, rejected, unsure : how many bear that verdict.
    precision : accepted / (accepted + rejected); NaN when there is neither.
    low, high : its Wilson interval of 95 %.
    """

    accepted: int
    rejected: int
    unsure: int
    precision: float
    low: float
    high: float


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of a share: all true shares that a score test at 1 - level does not reject.

    Unlike the share plus or minus its standard error it stays within [0, 1] and has a width when all or none succeeded.

    Parameters
        successes : how many of the trials succeeded.
        n : trials, independent of each other. 0 tells nothing: (NaN, NaN).
        level : confidence, above 0 and below 1.
    Returns
        (low, high), 0 <= low <= successes / n <= high <= 1.
    Raises     BadInput: successes is not within 0 to n, or level not within 0 and 1.
    Source     Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212;
        without continuity correction.
    Examples
        >>> [round(bound, 4) for bound in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    checks.whole(n, "n", 0)
    checks.whole(successes, "successes", 0, n)
    checks.between(level, "level", 1e-9, 1 - 1e-9)
    if n == 0:
        return float("nan"), float("nan")
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (successes + z**2 / 2) / (n + z**2)
    reach = z / (n + z**2) * (successes * (n - successes) / n + z**2 / 4) ** 0.5
    # at the ends the exact bounds, which rounding would miss
    return (middle - reach if successes else 0.0), (middle + reach if successes < n else 1.0)


def precision_at(verdicts: Iterable[str | float | None], k: int) -> Precision:
    """The precision of the first k matches, as far as they were judged.

    Matches that nobody judged count no more than unsure ones do, so judge them in the order of the list: whoever judges
    the obvious ones only gets their precision, not that of the list.

    Parameters
        verdicts : "accept", "reject" or "unsure" by rank, best first; None or NaN for a match without a verdict.
        k : ranks to look at; a shorter list is looked at as a whole.
    Returns
        Precision; unsure ones count in neither side of the share.
    Raises     BadInput: k is below 1, or a verdict among the first k is none of the three.
    """
    checks.whole(k, "k", 1)
    counts: dict[object, int] = dict.fromkeys(VERDICTS, 0)
    for verdict in islice(verdicts, k):
        # NaN alone differs from itself
        if verdict is None or verdict != verdict:
            continue
        if verdict not in VERDICTS:
            raise BadInput(f"a verdict is one of {', '.join(VERDICTS)}, or None for no verdict; got {verdict!r}")
        counts[verdict] += 1
    accepted, rejected, unsure = counts.values()
    n = accepted + rejected
    return Precision(accepted, rejected, unsure, accepted / n if n else float("nan"), *wilson(accepted, n))
