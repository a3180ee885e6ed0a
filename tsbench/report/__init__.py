"""Reports: run notebooks under deadlines, and turn each into one page that says what was found and how sure it is."""

from tsbench.report.followed import FollowedTable, followed
from tsbench.report.holdings import companies, doubts, sectors
from tsbench.report.judged import Judged, judged
from tsbench.report.notebooks import Parameter, find, parameters
from tsbench.report.nulls import BaseRates, NullTable, Timing, base_rates, nulls, timing
from tsbench.report.results import Record, record
from tsbench.report.runner import run, run_many
from tsbench.report.runs import Run, history, latest
from tsbench.report.stress import Limits, Stress, stress
from tsbench.report.tables import MatchTable, changes, match_table
from tsbench.report.universe import Screen, screen, universe
from tsbench.report.verdict import Headline, Verdict, verdict

__all__ = [
    "BaseRates",
    "FollowedTable",
    "Headline",
    "Judged",
    "Limits",
    "MatchTable",
    "NullTable",
    "Parameter",
    "Record",
    "Run",
    "Screen",
    "Stress",
    "Timing",
    "Verdict",
    "base_rates",
    "changes",
    "companies",
    "doubts",
    "find",
    "followed",
    "history",
    "judged",
    "latest",
    "match_table",
    "nulls",
    "parameters",
    "record",
    "run",
    "run_many",
    "screen",
    "sectors",
    "stress",
    "timing",
    "universe",
    "verdict",
]
