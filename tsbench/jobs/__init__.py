"""Jobs: long work over the store, kept as it goes, resumable."""

from tsbench.jobs.cron import Cron
from tsbench.jobs.first_run import first_models, load_shipped
from tsbench.jobs.funnel import funnel
from tsbench.jobs.named import data_hash, resolve
from tsbench.jobs.scan import Scan, scan
from tsbench.jobs.schedule import add_schedule, due, lateness, run_due, run_now, waiting_since
from tsbench.jobs.serving import Server, at, span, told
from tsbench.jobs.training import fitted, judged_windows, register, train
from tsbench.jobs.warmup import warm

__all__ = [
    "Cron",
    "Scan",
    "Server",
    "add_schedule",
    "at",
    "data_hash",
    "due",
    "first_models",
    "fitted",
    "funnel",
    "judged_windows",
    "lateness",
    "load_shipped",
    "register",
    "resolve",
    "run_due",
    "run_now",
    "scan",
    "span",
    "told",
    "train",
    "waiting_since",
    "warm",
]
