"""Reports: run notebooks under deadlines, and turn each into one page that says what was found and how sure it is."""

from tsbench.report.notebooks import Parameter, find, parameters
from tsbench.report.results import Record, record
from tsbench.report.runner import run, run_many
from tsbench.report.runs import Run, history, latest

__all__ = ["Parameter", "Record", "Run", "find", "history", "latest", "parameters", "record", "run", "run_many"]
