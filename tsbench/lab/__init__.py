"""The lab: widgets for a notebook that never keep the kernel waiting, and `.tsb` on pandas objects."""

from tsbench.lab import accessor as accessor
from tsbench.lab.designer import PatternDesigner

__all__ = ["PatternDesigner"]
