"""`tsbench doctor`: what works here, and what does not."""

import sys
from dataclasses import asdict
from pathlib import Path

from tsbench.cli.output import say, show_json


def doctor(*, screenshot: Path | None = None, json: bool = False) -> None:
    """Check everything from the packages to a board in a browser, and say what to do.

    Each line is ok, wrong, or not checked; exit status 1 when something is wrong. The last check starts JupyterLab in a
    temporary folder and looks at a figure and a board with a headless browser; it needs the extra `browser`.

    Parameters
    ----------
    screenshot
        PNG file to keep what the browser showed.
    json
        Print JSON.
    """
    from tsbench.doctor import checkup

    found = []
    for finding in checkup(screenshot=screenshot):
        found.append(finding)
        if not json:
            first, *more = finding.told.splitlines() or [""]
            print(f"{finding.state:<11}  {finding.name:<13}  {first}", *(f"{'':28}{line}" for line in more), sep="\n")
            sys.stdout.flush()
    if json:
        show_json([asdict(finding) for finding in found])
    if screenshot is not None and screenshot.exists():
        say(f"the picture: {screenshot}")
    sys.exit(any(finding.state == "wrong" for finding in found))
