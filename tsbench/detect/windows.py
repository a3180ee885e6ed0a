"""How given windows follow a drawing, without search."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsbench.detect.bank import SIGNS
from tsbench.errors import BadInput
from tsbench.patterns import Pattern


def correlations(pattern: Pattern, windows: ArrayLike) -> NDArray[np.float64]:
    """See `PatternDetector.score_windows`."""
    x = np.asarray(windows, dtype=np.float64)
    x = x[:, None, :] if x.ndim == 2 else x
    if x.ndim != 3 or x.shape[1] != len(pattern.channels):
        raise BadInput(f"windows must have shape (n, {len(pattern.channels)}, window), got {x.shape}")
    centred = x - x.mean(axis=2, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=2))
    shaped = [k for k, channel in enumerate(pattern.channels) if channel.points]
    templates = [pattern.template(k, x.shape[2]) for k in shaped]
    r = np.stack(
        [
            np.divide(centred[:, k] @ t, norm[:, k], out=np.zeros(len(x)), where=norm[:, k] != 0)
            for k, t in zip(shaped, templates, strict=True)
        ]
    )
    joined = np.min if pattern.combine == "all" else np.max
    best: NDArray[np.float64] = np.max([joined(sign * r, axis=0) for sign in SIGNS[pattern.polarity]], axis=0)
    return best
