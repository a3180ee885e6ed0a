"""Jobs: long work over the store, kept as it goes, resumable."""

from tsbench.jobs.first_run import load_shipped
from tsbench.jobs.funnel import funnel
from tsbench.jobs.scan import Scan, data_hash, resolve, scan
from tsbench.jobs.training import train
from tsbench.jobs.warmup import warm

__all__ = ["Scan", "data_hash", "funnel", "load_shipped", "resolve", "scan", "train", "warm"]
