"""Figures: one template, plotly in and out. Every function takes numbers and returns a plotly Figure."""

from tsbench.plots.anomalies import anomalies
from tsbench.plots.bars import bars
from tsbench.plots.calibration import calibration
from tsbench.plots.coverage import coverage
from tsbench.plots.drawing import drawing
from tsbench.plots.followed import followed
from tsbench.plots.funnel import funnel
from tsbench.plots.gallery import copies, gallery, near_misses, side_by_side
from tsbench.plots.lines import series
from tsbench.plots.load import batch_sizes, request_mix, stall, throughput
from tsbench.plots.multiples import matches
from tsbench.plots.odds import needed, nulls, odds
from tsbench.plots.precision_recall import precision_recall
from tsbench.plots.theme import dark
from tsbench.plots.timeline import timeline

__all__ = [
    "anomalies",
    "bars",
    "batch_sizes",
    "calibration",
    "copies",
    "coverage",
    "dark",
    "drawing",
    "followed",
    "funnel",
    "gallery",
    "matches",
    "near_misses",
    "needed",
    "nulls",
    "odds",
    "precision_recall",
    "request_mix",
    "series",
    "side_by_side",
    "stall",
    "throughput",
    "timeline",
]
