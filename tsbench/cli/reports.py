"""`tsbench report`: notebooks become pages."""

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from tsbench.cli.output import say
from tsbench.cli.session import open_store, session
from tsbench.errors import BadInput

DEFAULT = (
    "01_explore_companies",
    "02_design_pattern",
    "03_train_detector",
    "04_evaluate_detector",
    "05_scan_companies",
)


def report(
    *names: str,
    parameters: Annotated[tuple[str, ...], Parameter(name=["--parameter", "-p"], negative="")] = (),
    deadline: float | None = None,
    top: int = 10,
) -> None:
    """Run notebooks and write their pages and the index; without a name those that make up the full report.

    On an empty embedded database the shipped companies are loaded first. Exit status 1 when a notebook fails; the
    page then shows how far it came.

    Parameters
    ----------
    names
        Notebooks by name or number: 05_scan_companies, scan_companies, 5.
    parameters
        key=value, once per parameter of the notebook; only with one name.
    deadline
        Seconds each may take. Default: TSBENCH_REPORT_DEADLINE.
    top
        Matches of the newest scan to print.
    """
    from tsbench.jobs import load_shipped
    from tsbench.report import run_many

    began = time.monotonic()
    given = dict(pair(text) for text in parameters)
    if given and len(names) != 1:
        raise BadInput(f"parameters belong to one notebook, {len(names)} are named; run them one by one")
    settings = session()
    folder = settings.home / "notebooks"
    with open_store(settings) as store:
        load_shipped(store, settings, note=say)
        wanted = names or DEFAULT
        say(f"running {', '.join(wanted)} ...")
        # the store stays open: the embedded services it holds then serve every notebook
        runs = run_many(
            [(name, given) for name in wanted],
            out=settings.reports_folder,
            deadline=settings.report_deadline if deadline is None else deadline,
            notebooks=folder,
        )
        for run in runs:
            store.runs.put(run.to_json())
            print(f"{run.notebook}: {run.status} in {run.seconds:.0f} s. {run.headline if run.ok else run.error}")
        scanned = [run.scan_id for run in runs if run.scan_id]
        if scanned and top:
            from tsbench.cli.scanning import show_matches

            print()
            show_matches(store.scans.matches(scanned[-1]), top=top, q_limit=settings.q_limit)
    print(f"\nopen {_shown(settings.reports_folder / 'index.html')}  ({time.monotonic() - began:.0f} s)")
    sys.exit(0 if all(run.ok for run in runs) else 1)


def pair(text: str) -> tuple[str, str]:
    """("key", "value") of "key=value"."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise BadInput(f"a parameter is written key=value, got {text!r}")
    return key.strip(), value


def _shown(path: Path) -> Path:
    """`path` as seen from the current folder, when it lies in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
