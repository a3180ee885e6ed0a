"""Statistics of one-step differences, for many stretches at once."""

import numpy as np
from numpy.typing import NDArray

from tsbench.kernels.compile import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def step_size(x: Floats) -> float:
    """Gaussian-consistent scale of one-step differences; 0 for fewer than two values."""
    if x.size < 2:
        return 0.0
    s = 0.0
    for i in range(1, x.size):
        s += abs(x[i] - x[i - 1])
    return 1.2533141373155003 * s / (x.size - 1)


@kernel
def step_statistics(
    values: Floats, start: Ints, stop: Ints, match_start: Ints, match_stop: Ints, fewest: int, out: Floats
) -> None:
    """Memory, tails and drift of the one-step differences of every run outside its match.

    values : f8[channels, total]; out : f8[runs, 3], means over the channels. Where fewer than `fewest` differences lie
    outside [match_start, match_stop), the whole run counts. Memory is the lag-1 autocorrelation, tails the log ratio
    of mean absolute value to root mean square, drift the t-statistic of the mean.
    """
    channels = values.shape[0]
    for r in range(start.size):
        n = stop[r] - start[r]
        low, high = match_start[r], match_stop[r]
        # Differences d[i] = x[i] - x[i - 1] with both ends outside the open match are kept.
        if low < 0 or n - 1 - (high - low - 1) < fewest:
            low, high = stop[r], stop[r]
        memory = 0.0
        tails = 0.0
        drift = 0.0
        for k in range(channels):
            x = values[k, start[r] : stop[r]]
            a = low - start[r]
            b = high - start[r]
            count = 0
            s = 0.0
            ss = 0.0
            size = 0.0
            for i in range(1, n):
                if a < i < b:
                    continue
                d = x[i] - x[i - 1]
                s += d
                ss += d * d
                size += abs(d)
                count += 1
            mean = s / count
            power = max(ss - s * mean, 1e-300)
            products = 0.0
            for i in range(2, n):
                if a < i < b or a < i - 1 < b:
                    continue
                products += (x[i] - x[i - 1] - mean) * (x[i - 1] - x[i - 2] - mean)
            memory += products / power
            tails += np.log(max(size / count, 1e-150) / max(np.sqrt(ss / count), 1e-150))
            drift += mean * count / np.sqrt(power)
        out[r, 0] = memory / channels
        out[r, 1] = tails / channels
        out[r, 2] = drift / channels
