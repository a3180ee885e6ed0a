"""The store: PostgreSQL tables of companies, patterns, models and scans, embedded by default."""

from tsbench.store.load_report import FileReport, LoadReport
from tsbench.store.scans import ScanRow
from tsbench.store.schedules import Schedule, ScheduledRun
from tsbench.store.series_versions import SeriesVersion
from tsbench.store.store import Store
from tsbench.store.versions import ModelVersion

__all__ = ["FileReport", "LoadReport", "ModelVersion", "ScanRow", "Schedule", "ScheduledRun", "SeriesVersion", "Store"]
