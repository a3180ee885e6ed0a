"""Detect: models that look at series and say what stands out, and how sure that is."""

from tsbench.detect.anomaly import Judged, Robust, Side, ZScore, anomaly_detector
from tsbench.detect.bank import WHERE, Stretches, Where, stretches_of
from tsbench.detect.executor import Executor
from tsbench.detect.matches import COLUMNS
from tsbench.detect.nulls import NullChoice, nulls_of
from tsbench.detect.pattern import PatternDetector
from tsbench.detect.search import best_windows, distance_profile, live_entities

__all__ = [
    "COLUMNS",
    "WHERE",
    "Executor",
    "Judged",
    "NullChoice",
    "PatternDetector",
    "Robust",
    "Side",
    "Stretches",
    "Where",
    "ZScore",
    "anomaly_detector",
    "best_windows",
    "distance_profile",
    "live_entities",
    "nulls_of",
    "stretches_of",
]
