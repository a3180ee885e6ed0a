"""Validation of what callers hand in: one place, one wording."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsbench.errors import BadInput, NotFound, TooShort

T = TypeVar("T")


def vector(values: ArrayLike, name: str, *, min_length: int = 0) -> NDArray[np.float64]:
    """`values` as a contiguous float64 vector; NaN passes, infinity and other shapes do not."""
    try:
        array = np.ascontiguousarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{name} must hold numbers, got {type(values).__name__}: {error}") from error
    if array.ndim != 1:
        raise BadInput(f"{name} must be one-dimensional, got shape {array.shape}; pass one series at a time")
    if np.isinf(array).any():
        where = int(np.flatnonzero(np.isinf(array))[0])
        raise BadInput(f"{name} holds infinity at position {where}; write missing values as NaN")
    if array.size < min_length:
        raise TooShort(f"{name} has {array.size} values, at least {min_length} are needed")
    return array


def between(value: Any, name: str, low: float, high: float) -> float:
    """`value` when low <= value <= high."""
    if not isinstance(value, int | float | np.number) or isinstance(value, bool) or not low <= value <= high:
        raise BadInput(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")
    return float(value)


def whole(value: Any, name: str, low: int, high: int | None = None) -> int:
    """`value` when it is an integer with low <= value (<= high)."""
    wanted = f"an integer >= {low}" if high is None else f"an integer in [{low}, {high}]"
    if (
        not isinstance(value, int | np.integer)
        or isinstance(value, bool)
        or value < low
        or (high is not None and value > high)
    ):
        raise BadInput(f"{name} must be {wanted}, got {value!r}")
    return int(value)


def choice(value: T, name: str, allowed: Iterable[T]) -> T:
    """`value` when it is one of `allowed`."""
    options = list(allowed)
    if value not in options:
        raise BadInput(f"{name} must be one of {', '.join(map(repr, options))}; got {value!r}")
    return value


def known(name: str, what: str, names: Sequence[str]) -> str:
    """`name` when it is in `names`; otherwise NotFound with the nearest spelling."""
    if name in names:
        return name
    import difflib

    if not names:
        raise NotFound(f"no {what} {name!r}; there is none yet")
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(names[:12])}"
    raise NotFound(f"no {what} {name!r}; {hint}")
