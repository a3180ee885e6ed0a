"""Conditions in units on a matched stretch: the part of a pattern that z-normalisation cannot see."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput

Kind = Literal["level", "change", "percent_change", "slope"]
KINDS: tuple[Kind, ...] = ("level", "change", "percent_change", "slope")


@dataclass(frozen=True, slots=True)
class Constraint:
    """low <= quantity <= high over the matched stretch of one channel.

    channel : the expression of one of the pattern's channels.
    kind : "level" mean of the stretch; "change" last minus first; "percent_change" the same in percent of the first
        value's size; "slope" least-squares slope per period. Units are the channel's own.
    low, high : finite bounds, both included; None is no bound, and an infinity on its own side becomes None.
    """

    channel: str
    kind: Kind
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        checks.choice(self.kind, "kind", KINDS)
        object.__setattr__(self, "low", _bound(self.low, "low", -np.inf))
        object.__setattr__(self, "high", _bound(self.high, "high", np.inf))
        if self.low is None and self.high is None:
            raise BadInput(f"constraint {self.kind} on {self.channel!r} bounds nothing; give low, high or both")
        if self.bounds[0] > self.bounds[1]:
            raise BadInput(f"constraint {self.kind} on {self.channel!r} needs low <= high, got {self.low}, {self.high}")

    @classmethod
    def flat(cls, channel: str, percent: float) -> "Constraint":
        """The channel ends within +-percent of where it began."""
        return cls(channel, "percent_change", -percent, percent)

    @property
    def bounds(self) -> tuple[float, float]:
        """(low, high) with infinities for absent bounds."""
        return (-np.inf if self.low is None else self.low, np.inf if self.high is None else self.high)

    def __str__(self) -> str:
        unit = " %" if self.kind == "percent_change" else ""
        low, high = self.bounds
        what = f"{self.kind.replace('_', ' ')} of {self.channel}"
        if np.isinf(low):
            return f"{what} at most {high:g}{unit}"
        if np.isinf(high):
            return f"{what} at least {low:g}{unit}"
        return f"{what} from {low:g} to {high:g}{unit}"


def _bound(value: Any, name: str, none: float) -> float | None:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or (isinstance(value, float) and value == none):
        return None
    return checks.between(value, f"{name} of a constraint", -sys.float_info.max, sys.float_info.max)


Encoded = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def encode(constraints: Sequence[Constraint], expressions: Sequence[str]) -> Encoded:
    """(kind, channel, low, high) arrays for the search kernel; kinds by their position in `KINDS`."""
    return (
        np.array([KINDS.index(c.kind) for c in constraints], np.int64),
        np.array([list(expressions).index(c.channel) for c in constraints], np.int64),
        np.array([c.bounds[0] for c in constraints], np.float64),
        np.array([c.bounds[1] for c in constraints], np.float64),
    )
