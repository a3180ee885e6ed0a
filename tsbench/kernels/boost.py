"""Gradient boosting of small regression trees for squared error, on binned features.

Every tree is complete: DEPTH levels, node j of a level splits into 2 j and 2 j + 1, so a tree is three rows of numbers
and an answer takes DEPTH steps without a branch. It exists because it has to train in a moment on a busy machine and be
kept as plain numbers; a test holds it to scikit-learn's boosting.

Source     Friedman (2001), Greedy function approximation, algorithm 2, with row and column sampling (Friedman 2002) and
    split finding on histograms (Ke et al. 2017, LightGBM, section 2.1).
"""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Counts = NDArray[np.uint32]

DEPTH, BINS = 4, 64
ROWS_AT_ONCE = 64
SPLITS, LEAVES = 2**DEPTH - 1, 2**DEPTH


@kernel
def bin_columns(x: Floats, edges: Floats, out: Bytes) -> None:
    """out[f, i] = how many of the BINS - 1 ascending edges[f] are below x[i, f]."""
    # A few rows at a time, so that both they and the edges of one column stay in the cache.
    for i0 in range(0, x.shape[0], ROWS_AT_ONCE):
        for f in range(edges.shape[0]):
            for i in range(i0, min(i0 + ROWS_AT_ONCE, x.shape[0])):
                v = x[i, f]
                low = 0
                step = BINS // 2
                while step > 0:
                    low += step * (edges[f, low + step - 1] < v)
                    step //= 2
                out[f, i] = low


@kernel
def best_splits(
    bins: Bytes, residual: Floats, rows: Counts, node: Counts, columns: Ints, nodes: int, fewest: int, penalty: float,
    split: tuple[Ints, Ints],
) -> None:  # fmt: skip
    """For every node of a level the column and bin after which to split; column -1 where nothing is gained.

    residual, rows, node : of the sampled rows, rows[i] being the column of `bins` that sample i is. columns : those
    that may be used. fewest : samples a side must keep.
    """
    column_of, bin_of = split
    best = np.full(nodes, 1e-12)
    column_of[:nodes] = -1
    sums = np.empty((nodes * BINS, 2))
    for column in columns:
        line = bins[column]
        sums[:] = 0.0
        for i in range(rows.size):
            # Unsigned throughout: numba then drops its test for negative indices.
            at = node[i] * np.uint32(BINS) + np.uint32(line[rows[i]])
            sums[at, 0] += residual[i]
            sums[at, 1] += 1.0
        for j in range(nodes):
            s = n = 0.0
            for b in range(j * BINS, (j + 1) * BINS):
                s += sums[b, 0]
                n += sums[b, 1]
            if n < 2 * fewest:
                continue
            base = s * s / (n + penalty)
            left = below = 0.0
            for b in range(BINS - 1):
                left += sums[j * BINS + b, 0]
                below += sums[j * BINS + b, 1]
                if below < fewest:
                    continue
                if n - below < fewest:
                    break
                gain = left * left / (below + penalty) + (s - left) ** 2 / (n - below + penalty) - base
                if gain > best[j]:
                    best[j] = gain
                    column_of[j] = column
                    bin_of[j] = b


@kernel
def boost(
    bins: Bytes,
    edges: Floats,
    y: Floats,
    samples: tuple[Ints, Ints, int],
    settings: tuple[float, float, int],
    out: tuple[Ints, Floats, Floats],
) -> None:
    """Fit trees one after another to what the earlier ones leave.

    bins : u8[columns, rows]. edges : f8[columns, BINS - 1]. y : f8[rows], without its mean. samples = (columns, order,
    size): columns i8[trees, some] tree by tree; tree t learns from `size` rows of `order` (i8[rows]), one stretch of it
    after another, as on a circle. settings = (rate, penalty, fewest).
    out = (column i8[trees, SPLITS], threshold f8[trees, SPLITS], value f8[trees, LEAVES]); a split that gains nothing
    sends everything left.
    """
    columns, order, size = samples
    rate, penalty, fewest = settings
    column, threshold, value = out
    n = y.size
    answer = np.zeros(n)
    rows = np.empty(size, np.uint32)
    residual = np.empty(size)
    node = np.empty(size, np.uint32)
    split = (np.empty(LEAVES, np.int64), np.empty(LEAVES, np.int64))
    chosen = np.empty(SPLITS, np.int64)
    at = 0
    for t in range(column.shape[0]):
        for i in range(size):
            rows[i] = order[at]
            at = at + 1 if at + 1 < n else 0
            residual[i] = y[rows[i]] - answer[rows[i]]
            node[i] = 0
        for depth in range(DEPTH):
            nodes = 1 << depth
            best_splits(bins, residual, rows, node, columns[t], nodes, fewest, penalty, split)
            for j in range(nodes):
                place = nodes - 1 + j
                if split[0][j] < 0:
                    column[t, place] = 0
                    threshold[t, place] = np.inf
                    chosen[place] = BINS
                else:
                    column[t, place] = split[0][j]
                    threshold[t, place] = edges[split[0][j], split[1][j]]
                    chosen[place] = split[1][j]
            for i in range(size):
                place = nodes - 1 + node[i]
                right = bins[column[t, place], rows[i]] > chosen[place]
                node[i] = np.uint32(2) * node[i] + np.uint32(right)
        total = np.zeros(LEAVES)
        count = np.zeros(LEAVES)
        for i in range(size):
            total[node[i]] += residual[i]
            count[node[i]] += 1.0
        for j in range(LEAVES):
            value[t, j] = rate * total[j] / (count[j] + penalty)
        for i in range(n):
            j = 0
            for depth in range(DEPTH):
                place = (1 << depth) - 1 + j
                j = 2 * j + (1 if bins[column[t, place], i] > chosen[place] else 0)
            answer[i] += value[t, j]


@kernel
def predict_trees(x: Floats, column: Ints, threshold: Floats, value: Floats, out: Floats) -> None:
    """out[i] += the answers of all trees for row i of x, f8[rows, columns]."""
    for i in range(x.shape[0]):
        row = x[i]
        s = 0.0
        for t in range(column.shape[0]):
            j = 0
            for depth in range(DEPTH):
                place = (1 << depth) - 1 + j
                j = 2 * j + (1 if row[column[t, place]] > threshold[t, place] else 0)
            s += value[t, j]
        out[i] += s
