"""Evaluate: how sure, how good."""

from tsbench.evaluate.baselines import random_windows, uniform_noise_recipe
from tsbench.evaluate.calibration import calibration, expected_calibration_error
from tsbench.evaluate.curves import by_length, compare, precision_recall
from tsbench.evaluate.episodes import episodes
from tsbench.evaluate.followed import Followed, followed
from tsbench.evaluate.halves import HALVES, half_of
from tsbench.evaluate.planted import in_channels, planted
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
    "by_length",
    "calibration",
    "compare",
    "episodes",
    "expected_calibration_error",
    "followed",
    "half_of",
    "hits",
    "in_channels",
    "planted",
    "precision_at",
    "precision_recall",
    "random_windows",
    "uniform_noise_recipe",
    "wilson",
]
