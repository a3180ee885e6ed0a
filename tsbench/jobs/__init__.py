"""Jobs: long work over the store, kept as it goes, resumable."""

from tsbench.jobs.funnel import funnel
from tsbench.jobs.scan import Scan, data_hash, resolve, scan

__all__ = ["Scan", "data_hash", "funnel", "resolve", "scan"]
