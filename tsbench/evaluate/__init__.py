"""Evaluate: how sure, how good."""

from tsbench.evaluate.episodes import episodes
from tsbench.evaluate.followed import Followed, followed
from tsbench.evaluate.halves import HALVES, half_of
from tsbench.evaluate.precision import VERDICTS, Precision, Verdict, precision_at, wilson
from tsbench.evaluate.retrieval import average_precision, hits
from tsbench.evaluate.significance import any_of, benjamini_hochberg

__all__ = [
    "HALVES",
    "VERDICTS",
    "Followed",
    "Precision",
    "Verdict",
    "any_of",
    "average_precision",
    "benjamini_hochberg",
    "episodes",
    "followed",
    "half_of",
    "hits",
    "precision_at",
    "wilson",
]
