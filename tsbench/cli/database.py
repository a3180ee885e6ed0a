"""`tsbench db` and `tsbench load`: the schema, and what is put into it."""

import sys
from collections.abc import Iterable
from pathlib import Path

from tsbench.cli.output import say, show_json
from tsbench.cli.session import open_store, session


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
        Files, or folders of them. Without any: the companies that come with tsbench, when the embedded database is
        still empty.
    skip_bad
        Leave out bad rows, list them, and load the rest; without it one bad row refuses its file.
    json
        Print the report as JSON.
    """
    settings = session()
    with open_store(settings) as store:
        if not paths:
            from tsbench.jobs.first_run import load_shipped

            if not load_shipped(store, settings, note=say):
                say("the database holds companies; name the files to load")
            return
        report = store.load(_files(paths), skip_bad=skip_bad)
    if json:
        show_json(report.to_dict())
    else:
        print(report)


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and those in the folders named."""
    inside = ("*.csv", "*.csv.gz", "*.parquet")
    return [f for p in paths for f in (sorted(q for glob in inside for q in p.glob(glob)) if p.is_dir() else [p])]
