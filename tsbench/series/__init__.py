"""Series: their identity, their fiscal time, and Panel, the many of them."""

from tsbench.series.identity import KEY_COLUMNS, SeriesKey
from tsbench.series.panel import Panel, Runs
from tsbench.series.splice import SpliceReport, splice

__all__ = ["KEY_COLUMNS", "Panel", "Runs", "SeriesKey", "SpliceReport", "splice"]
