"""Named patterns that ship with the package, in four groups; docs/library.md shows them all.

A definition is its numbers: control points (x, y) with x from 0 to 1 and y in any unit, joined by straight lines.
"""

from functools import cache

from tsbench import checks
from tsbench.patterns.library import fundamentals, joint, prices, sensors
from tsbench.patterns.spec import Pattern

_GROUPS = {
    "fundamentals": fundamentals.PATTERNS,
    "joint": joint.PATTERNS,
    "prices": prices.PATTERNS,
    "sensors": sensors.PATTERNS,
}


def library() -> dict[str, Pattern]:
    """Every shipped pattern by name, group after group."""
    return dict(_library())


def groups() -> dict[str, tuple[str, ...]]:
    """The names of the patterns of each group: fundamentals, joint, prices, sensors."""
    return {group: tuple(pattern.name for pattern in patterns) for group, patterns in _GROUPS.items()}


def named(name: str) -> Pattern:
    """The shipped pattern of that name. Raises NotFound with the nearest names."""
    return _library()[checks.known(name, "pattern", list(_library()))]


@cache
def _library() -> dict[str, Pattern]:
    return {pattern.name: pattern for patterns in _GROUPS.values() for pattern in patterns}
