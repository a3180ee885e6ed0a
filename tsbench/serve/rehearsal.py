"""What a first request would wait for, done before it comes: libraries and compiled loops loaded, plotly.js packed."""

from datetime import UTC, datetime

import numpy as np

from tsbench.detect.anomaly import DETECTORS
from tsbench.serve import answers
from tsbench.serve.warm import Warm
from tsbench.store.series_versions import SeriesVersion

POINTS = 100


def rehearse() -> None:
    """Fit and ask each detector, and draw a page, as the routes do; nothing of it is kept."""
    from tsbench import plots
    from tsbench.plots.page import standalone

    times, values = np.arange(POINTS), np.sin(np.arange(POINTS))
    for kind, detector in DETECTORS.items():
        version = SeriesVersion("rehearsal", 1, kind, POINTS, datetime.now(UTC))
        warm = Warm(version, detector().fit(values))
        answers.of_value(warm, 1.0, "upper")
        answers.of_values(warm, values, "upper")
    standalone(plots.anomalies(version, times, values, warm.detector.judge(values)), "rehearsal")
