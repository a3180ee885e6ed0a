"""Compile every kernel once, so that no scan, notebook or worker waits for it."""

import time

import numpy as np

from tsbench.detect import WHERE, PatternDetector
from tsbench.detect.anomaly import ZScore
from tsbench.patterns import Channel, Pattern
from tsbench.series import Panel

VALLEY = ((0.0, 1.0), (0.5, 0.0), (1.0, 1.0))


def warm() -> float:
    """Fit and scan a few short random series in every way there is; the seconds that took.

    Kernels are compiled per types of arguments, not per sizes, so a small panel compiles all that a large one needs.
    """
    began = time.perf_counter()
    rng = np.random.default_rng(0)
    walks = Panel.from_arrays([rng.normal(size=40).cumsum() for _ in range(12)])
    views = (Channel("value", VALLEY), Channel("lag(value, 1)", VALLEY))
    for combine in ("any", "all"):
        pattern = Pattern("warmup", views, length=(8, 12), combine=combine)
        detector = PatternDetector(pattern, surrogates=500, background_entities=12).fit(walks)
        for where in WHERE:
            detector.scan(walks, where=where, confirm=1)
    ZScore().fit(rng.normal(size=8)).judge(rng.normal(size=64))
    return time.perf_counter() - began
