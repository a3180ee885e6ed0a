"""Jobs: long work over the store, kept as it goes, resumable."""

from tsbench.jobs.first_run import load_shipped
from tsbench.jobs.funnel import funnel
from tsbench.jobs.named import data_hash, resolve
from tsbench.jobs.scan import Scan, scan
from tsbench.jobs.training import fitted, judged_windows, register, train
from tsbench.jobs.warmup import warm

__all__ = [
    "Scan",
    "data_hash",
    "fitted",
    "funnel",
    "judged_windows",
    "load_shipped",
    "register",
    "resolve",
    "scan",
    "train",
    "warm",
]
