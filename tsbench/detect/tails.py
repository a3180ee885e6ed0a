"""The tail of Student's t, exactly for a few values and from a table for many."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from tsbench.kernels.tails import student_tail as _from_table

Floats = NDArray[np.float64]
# From so many values on, the table pays.
MANY = 64
# Entries of the table per unit of z, and the z where exp(-z^2 / 2) is no number any more.
PER_UNIT, LARGEST_Z = 128, 38.5


def student_tail(t: Floats, dof: int) -> Floats:
    """P(T >= t) of Student's t with `dof` degrees of freedom; of 64 values and more within 1e-9 of itself.

    Parameters
        t : shape (n,); NaN stays NaN. dof : at least 1.
    Source     Wallace (1959), Bounds on normal approximations to Student's and the chi-square distributions: in
        z = sqrt(dof log(1 + t^2 / dof)) the tail is nearly normal, so that its ratio to exp(-z^2 / 2) is smooth enough
        to be read from a table.
    """
    if t.size < MANY:
        tail: Floats = stdtr(dof, -t)
        return tail
    tail = np.empty(t.size)
    _from_table(np.ascontiguousarray(t), float(dof), _table(dof), float(PER_UNIT), tail)
    return tail


@lru_cache(256)
def _table(dof: int) -> Floats:
    z = np.arange(-1, int(LARGEST_Z * PER_UNIT) + 4) / PER_UNIT
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        t = np.sign(z) * np.sqrt(dof * np.expm1(z * z / dof))
        table: Floats = stdtr(dof, -t) * np.exp(z * z / 2)
    # below the smallest number the ratio is lost; such tails are nothing
    return np.where(np.isfinite(table), table, 0.0)
