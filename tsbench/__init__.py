"""tsbench: a research workbench for time series.

A shape, a model or a question goes in; evidence over every series comes out.
Names are loaded on first use, so `import tsbench` opens nothing and costs little.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from tsbench.detect import PatternDetector as PatternDetector
    from tsbench.patterns import Channel as Channel
    from tsbench.patterns import Constraint as Constraint
    from tsbench.patterns import Pattern as Pattern
    from tsbench.series import Panel as Panel
    from tsbench.store import Store as Store

_HOMES = {
    "Panel": "tsbench.series",
    "Pattern": "tsbench.patterns",
    "Channel": "tsbench.patterns",
    "Constraint": "tsbench.patterns",
    "PatternDetector": "tsbench.detect",
    "Store": "tsbench.store",
}
_ROOMS = ("detect", "evaluate", "jobs", "lab", "patterns", "plots", "report", "series", "store")
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(f"tsbench.{name}")
    raise AttributeError(f"module 'tsbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
