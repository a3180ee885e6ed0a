"""The lab: widgets for a notebook that never keep the kernel waiting."""

from tsbench.lab.designer import PatternDesigner

__all__ = ["PatternDesigner"]
