"""Figures: one template, plotly in and out. Every function takes numbers and returns a plotly Figure."""

from tsbench.plots.coverage import coverage
from tsbench.plots.drawing import drawing
from tsbench.plots.followed import followed
from tsbench.plots.funnel import funnel
from tsbench.plots.lines import series
from tsbench.plots.multiples import matches
from tsbench.plots.odds import needed, nulls, odds
from tsbench.plots.timeline import timeline

__all__ = ["coverage", "drawing", "followed", "funnel", "matches", "needed", "nulls", "odds", "series", "timeline"]
