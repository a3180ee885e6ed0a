"""All checks, the cheap ones first."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tsbench.doctor import browser, installed, jupyter, services
from tsbench.doctor.findings import Finding, Told, examined


def checkup(*, screenshot: Path | None = None) -> Iterator[Finding]:
    """Look at everything a board or a report needs, one finding at a time as it is made.

    Takes some seconds: the last check starts JupyterLab and a browser. A store that exists is opened, none is made.

    Parameters
        screenshot : file for a picture (PNG) of what the browser showed; None = none.
    """
    checks: dict[str, Callable[[], Told]] = {
        "python": installed.python,
        "packages": installed.packages,
        "compiled code": services.compiled,
        "store": services.store,
        "redis": services.redis,
        "extensions": jupyter.extensions,
        "kernel": jupyter.kernel,
        "browser": partial(browser.drawn, screenshot),
    }
    for name, check in checks.items():
        yield examined(name, check)
