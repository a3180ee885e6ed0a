"""The command line: each command is a plain function whose docstring is its help.

Only this package and the argument parser are imported to start; a command imports the rooms it works with.
"""

import os
import sys
from collections.abc import Sequence

from cyclopts import App, Parameter

from tsbench import __version__
from tsbench.cli.database import check, load, upgrade
from tsbench.cli.detector import patterns, train, warmup
from tsbench.cli.doctor import doctor
from tsbench.cli.exporting import export
from tsbench.cli.labelling import label, labels
from tsbench.cli.reports import report
from tsbench.cli.scanning import scan
from tsbench.cli.schedules import add, history, list_, remove, run
from tsbench.cli.schedules import serve as serve_schedule
from tsbench.cli.services import start, status, stop
from tsbench.cli.serving import serve
from tsbench.cli.working import worker
from tsbench.errors import TsbenchError

__all__ = ["app", "main"]

app = App(
    name="tsbench",
    help="A shape, a model or a question goes in; evidence over every series comes out.",
    version=__version__,
    help_format="plaintext",
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
)
services = App(name="services", help="The project's own PostgreSQL and Valkey.")
database = App(name="db", help="The schema of the database.")
schedule = App(name="schedule", help="Reports that run by the clock.")
for parent, commands in (
    (services, (start, stop, status)),
    (database, (upgrade, check)),
    (schedule, (add, list_, run, remove, history, serve_schedule)),
    (app, (services, database, load, scan, label, labels, train, patterns, report)),
    (app, (schedule, serve, worker, export, warmup, doctor)),
):
    for command in commands:
        parent.command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit status: 0 done, 1 found a fault, 2 wrong input, 130 stopped by Ctrl-C.

    Parameters
        arguments : words of the command line; None = those of this program.
    """
    try:
        app(arguments)
    except TsbenchError as error:
        # the environment itself, for the settings may be what is wrong
        if os.environ.get("TSBENCH_LOG_LEVEL", "").lower() == "debug":
            raise
        print(f"tsbench: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stopped:
        print(f"\ntsbench: {str(stopped) or 'stopped; run the same command again'}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # the reader (head, less) has seen enough; without this Python complains once more while it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
