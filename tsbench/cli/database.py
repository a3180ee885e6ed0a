"""`tsbench db` and `tsbench load`: the schema, and what is put into it."""

import sys
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


def load(
    *paths: Path,
    skip_bad: bool = False,
    metric: str | None = None,
    frequency: str | None = None,
    basis: str = "",
    source: str = "",
    json: bool = False,
) -> None:
    """Load company series from CSV or Parquet files, all of them or nothing. Loading again changes nothing.

    Long files have the columns ticker, metric, date, value and may have name, sector, frequency, basis, source and
    available_at; wide CSV files have a first column date and one column per ticker. Gzip is read as it is.

    Parameters
    ----------
    paths
        Files, or folders of them. Without any: the companies that come with tsbench, when the embedded database is
        still empty.
    skip_bad
        Leave out bad rows, list them, and load the rest; without it one bad row refuses everything.
    metric
        Of a file without that column; default for a wide one: its file name.
    frequency
        Of rows that do not say; default: inferred per series.
    basis
        Of rows that do not say, e.g. net_income or nopat; another basis is another series.
    source
        Of rows that do not say; another source is another series.
    json
        Print the report as JSON.
    """
    settings = session()
    with open_store(settings) as store:
        if not paths:
            from tsbench.jobs import load_shipped

            if not load_shipped(store, settings, note=say):
                say("the database holds companies; name the files to load")
            return
        report = store.load(
            list(paths), skip_bad=skip_bad, metric=metric, frequency=frequency, basis=basis, source=source
        )
    if json:
        show_json(report.to_dict())
    else:
        print(report)
