"""Detect: models that look at series and say what stands out, and how sure that is."""

from tsbench.detect.bank import WHERE, Stretches, Where, stretches_of
from tsbench.detect.matches import COLUMNS
from tsbench.detect.pattern import NullChoice, PatternDetector, live_entities
from tsbench.detect.search import Executor, best_windows

__all__ = [
    "COLUMNS",
    "WHERE",
    "Executor",
    "NullChoice",
    "PatternDetector",
    "Stretches",
    "Where",
    "best_windows",
    "live_entities",
    "stretches_of",
]
