"""Boosted regression trees: fit, ask, and nothing but arrays inside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.boost import BINS, LEAVES, SPLITS, bin_columns, boost, predict_trees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# Learning rate, penalty on a leaf's answer, samples a leaf needs, and the shares of rows and columns a tree sees.
RATE, PENALTY, FEWEST = 0.07, 5.0, 30
ROWS, COLUMNS = 0.33, 0.3
EDGE_ROWS = 4000


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees; see `kernels.boost`. base : what their answers are added to."""

    column: Ints
    threshold: Floats
    value: Floats
    base: float

    @classmethod
    def fit(cls, x: Floats, y: Floats, trees: int, *, seed: int | list[int] = 0) -> "Trees":
        """Least-squares boosting.

        Parameters
            x : float64 (rows, columns), no NaN. y : float64 (rows,). trees : how many. seed : of the sampling.
        """
        rng = np.random.default_rng(seed)
        n, width = x.shape
        some = x[rng.permutation(n)[:EDGE_ROWS]]
        edges = np.ascontiguousarray(np.quantile(some, np.arange(1, BINS) / BINS, axis=0).T)
        bins = np.empty((width, n), np.uint8)
        bin_columns(np.ascontiguousarray(x), edges, bins)
        few = max(1, round(COLUMNS * width))
        columns = np.argsort(rng.random((trees, width)), axis=1)[:, :few]
        base = float(y.mean())
        out = (np.zeros((trees, SPLITS), np.int64), np.zeros((trees, SPLITS)), np.zeros((trees, LEAVES)))
        # Samples in at most two ascending stretches: their rows are then read one after another.
        order = np.concatenate([np.sort(part) for part in np.array_split(rng.permutation(n), round(1 / ROWS))])
        samples = (np.ascontiguousarray(columns), order, max(1, round(ROWS * n)))
        boost(bins, edges, y - base, samples, (RATE, PENALTY, FEWEST), out)
        return cls(*out, base)

    def predict(self, x: Floats) -> Floats:
        """The answer for every row of x, float64 (rows, columns)."""
        out = np.full(len(x), self.base)
        predict_trees(np.ascontiguousarray(x), self.column, self.threshold, self.value, out)
        return out
