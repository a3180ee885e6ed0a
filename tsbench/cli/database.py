"""`tsbench db` and `tsbench load`: the schema, and what is put into it."""

import sys
from pathlib import Path

from tsbench.cli.output import show_json
from tsbench.cli.session import open_store, session
from tsbench.errors import BadInput


def upgrade() -> None:
    """Bring the schema to the one of this version. Safe to run again; rows stay."""
    with open_store(session(), ready=False) as store:
        store.upgrade()
    print("the database is up to date")


def check() -> None:
    """Tell what is wrong with the database: its version, its schema. Exit status 1 when something is."""
    with open_store(session(), ready=False) as store:
        problems = store.check()
    print("\n".join(problems) or "the database is up to date")
    sys.exit(1 if problems else 0)


def load(*paths: Path, skip_bad: bool = False, json: bool = False) -> None:
    """Load company series from CSV or Parquet files, each as a whole or not at all. Loading again changes nothing.

    Long files have the columns ticker, name, sector, metric, date, value and may have frequency, basis, source and
    available_at; wide CSV files have a column per date. Gzip is read as it is.

    Parameters
    ----------
    paths
        Files, or folders of them.
    skip_bad
        Leave out bad rows, list them, and load the rest; without it one bad row refuses its file.
    json
        Print the report as JSON.
    """
    if not paths:
        raise BadInput("no file is named; run e.g.: tsbench load data/companies")
    with open_store(session()) as store:
        report = store.load(list(paths), skip_bad=skip_bad)
    if json:
        show_json(report.to_dict())
    else:
        print(report)
