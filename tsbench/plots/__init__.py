"""Figures: one template, plotly in and out. Every function takes numbers and returns a plotly Figure."""

from tsbench.plots.drawing import drawing
from tsbench.plots.funnel import funnel
from tsbench.plots.lines import series
from tsbench.plots.multiples import matches

__all__ = ["drawing", "funnel", "matches", "series"]
