"""How well matches find planted or labelled stretches."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput

NEEDED = {"entity", "start", "end"}


def overlap(a_start: float, a_end: float, b_start: float, b_end: float) -> float:
    """Intersection over union of two half-open intervals, in [0, 1]; 0 when they do not touch."""
    shared = min(a_end, b_end) - max(a_start, b_start)
    return max(shared, 0.0) / (max(a_end, b_end) - min(a_start, b_start))


def hits(truth: pd.DataFrame, matches: pd.DataFrame, *, iou: float = 0.5) -> NDArray[np.bool_]:
    """Which matches find a true stretch, best score first; each stretch is found once.

    Parameters
        truth : columns entity, start, end (half-open positions), one row per true stretch.
        matches : the same columns and score. NaN scores come last and never hit.
        iou : least intersection over union.
    Returns
        bool, shape (len(matches),), in the order of `matches`. A second match of a stretch that was found is no hit.
    Raises     BadInput: a column is missing.
    """
    return found_stretches(truth, matches, iou=iou) >= 0


def found_stretches(truth: pd.DataFrame, matches: pd.DataFrame, *, iou: float = 0.5) -> NDArray[np.int64]:
    """Which true stretch each match finds, as its position in `truth`; -1 for none. Arguments as in `hits`."""
    checks.between(iou, "iou", 1e-9, 1)
    for name, frame, wanted in (("truth", truth, NEEDED), ("matches", matches, NEEDED | {"score"})):
        if wanted - set(frame.columns):
            raise BadInput(f"{name} lacks {', '.join(sorted(wanted - set(frame.columns)))}")
    open_stretches: dict[object, list[tuple[float, float, int]]] = {}
    for i, (entity, start, end) in enumerate(truth[["entity", "start", "end"]].itertuples(index=False)):
        open_stretches.setdefault(entity, []).append((start, end, i))
    found = np.full(len(matches), -1)
    score = matches["score"].to_numpy(np.float64)
    rows = list(matches[["entity", "start", "end"]].itertuples(index=False))
    for i in np.argsort(-score, kind="stable"):
        entity, start, end = rows[i]
        left = open_stretches.get(entity)
        if not left or np.isnan(score[i]):
            continue
        shares = [overlap(start, end, a, b) for a, b, _ in left]
        best = int(np.argmax(shares))
        if shares[best] >= iou:
            found[i] = left.pop(best)[2]
    return found


def average_precision(truth: pd.DataFrame, matches: pd.DataFrame, *, iou: float = 0.5) -> float:
    """Mean, over the true stretches, of the precision at the rank where each was found; 0 for one never found.

    Not interpolated, so a detector that returns few matches is not flattered. NaN when there is no true stretch.

    Parameters
        truth, matches, iou : as in `hits`.
    Source     Everingham et al. (2010), The Pascal VOC challenge, section 4.2, on intervals and without interpolation.
    """
    if not len(truth):
        return float("nan")
    found = hits(truth, matches, iou=iou)
    order = np.argsort(-matches["score"].to_numpy(np.float64), kind="stable")
    ranked = found[order]
    precision = np.cumsum(ranked) / np.arange(1, ranked.size + 1)
    return float(precision[ranked].sum() / len(truth))
