"""Patterns: what to look for, in which view of a series, and the null models that say what chance looks like."""

from tsbench.patterns.constraints import Constraint
from tsbench.patterns.expressions import evaluate, evaluate_all, metrics_of
from tsbench.patterns.library import groups, library, named
from tsbench.patterns.spec import Channel, Pattern
from tsbench.patterns.surrogates import NULLS, Null, surrogates
from tsbench.patterns.synthetic import Synthetic, synthesize
from tsbench.patterns.views import on, relative

__all__ = [
    "NULLS",
    "Channel",
    "Constraint",
    "Null",
    "Pattern",
    "Synthetic",
    "evaluate",
    "evaluate_all",
    "groups",
    "library",
    "metrics_of",
    "named",
    "on",
    "relative",
    "surrogates",
    "synthesize",
]
