"""At home in a notebook: boards to draw a pattern on and to look at series, and `.tsb` on pandas objects."""

from tsbench.lab.accessor import FrameTsb, SeriesTsb
from tsbench.lab.designer import PatternDesigner
from tsbench.lab.explorer import SeriesExplorer

__all__ = ["FrameTsb", "PatternDesigner", "SeriesExplorer", "SeriesTsb"]
