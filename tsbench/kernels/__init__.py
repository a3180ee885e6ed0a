"""Compiled loops over float64 arrays: no checks, no I/O, no randomness; callers validate and prepare.

Every loop is compiled by the one decorator `kernel`: it releases the GIL (threads over independent pieces are
the parallelism), uses numpy's error model (x / 0 is inf, not an exception) and no fast-math, because NaN is data.
"""

from tsbench.kernels.compile import kernel

__all__ = ["kernel"]
