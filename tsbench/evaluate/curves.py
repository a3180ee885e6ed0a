"""Precision and recall along a ranked list of matches."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench import checks
from tsbench.evaluate.retrieval import average_precision, found_stretches, hits


def precision_recall(truth: pd.DataFrame, matches: pd.DataFrame, *, iou: float = 0.5) -> pd.DataFrame:
    """How many of the first matches are right, and how many of the true stretches they find, rank by rank.

    `average_precision` is the mean over the true stretches of the precision at the ranks where recall rises.

    Parameters
        truth, matches, iou : as in `hits`.
    Returns
        DataFrame, a row per match, best score first: score, hit, precision (share of hits down to here), recall (share
        of the true stretches found down to here; NaN when there is none).
    Raises     BadInput: a column is missing.
    """
    return _curve(matches, hits(truth, matches, iou=iou), len(truth), 1.0)


def by_length(
    truth: pd.DataFrame, matches: pd.DataFrame, *, parts: int = 3, iou: float = 0.5
) -> dict[str, pd.DataFrame]:
    """`precision_recall` for the short, the middle and the long true stretches on their own.

    A match that finds a stretch of another part is left out. One that finds nothing belongs to no part: it weighs in
    each with that part's share of the stretches, so that the parts compare with each other and with the whole.

    Parameters
        truth, matches, iou : as in `hits`.
        parts : into how many parts the true stretches are divided, about equal in number. Stretches of one length stay
            together, so there may be fewer.
    Returns
        the curve of each part by its range of lengths, "8 to 11 periods", shortest first.
    """
    checks.whole(parts, "parts", 1)
    found = found_stretches(truth, matches, iou=iou)
    length = (truth["end"] - truth["start"]).to_numpy(np.float64)
    edges = np.quantile(length, np.arange(1, parts) / parts, method="inverted_cdf") if length.size else np.zeros(0)
    part = np.searchsorted(edges, length)
    curves = {}
    for i in np.unique(part):
        inside = part == i
        hit = np.isin(found, np.flatnonzero(inside))
        counted = hit | (found < 0)
        size = length[inside]
        curve = _curve(matches[counted], hit[counted], size.size, size.size / length.size)
        curves[f"{size.min():g} to {size.max():g} periods"] = curve
    return curves


def compare(
    truths: Mapping[str, pd.DataFrame], found: Mapping[str, Mapping[str, pd.DataFrame]], *, iou: float = 0.5
) -> pd.DataFrame:
    """Several detectors on several sets, as a table.

    Parameters
        truths : the true stretches by name of the set, as in `hits`.
        found : the matches by detector and set.
        iou : as in `hits`.
    Returns
        DataFrame, a row per detector and set: detector, set, stretches, average_precision, found (share of the true
        stretches found at any rank).
    """
    rows = [
        {
            "detector": detector,
            "set": name,
            "stretches": len(truths[name]),
            "average_precision": average_precision(truths[name], matches, iou=iou),
            "found": float(hits(truths[name], matches, iou=iou).sum() / max(len(truths[name]), 1)),
        }
        for detector, of_sets in found.items()
        for name, matches in of_sets.items()
    ]
    return pd.DataFrame(rows, columns=["detector", "set", "stretches", "average_precision", "found"])


def _curve(matches: pd.DataFrame, hit: NDArray[np.bool_], stretches: int, weight: float) -> pd.DataFrame:
    """The rows of `precision_recall`; a match that is wrong weighs `weight`."""
    order = np.argsort(-matches["score"].to_numpy(np.float64), kind="stable")
    hit = hit[order]
    right, wrong = np.cumsum(hit), np.cumsum(~hit)
    recall = right / stretches if stretches else np.full(hit.size, np.nan)
    precision = right / np.maximum(right + weight * wrong, 1e-300)
    return pd.DataFrame(
        {"score": matches["score"].to_numpy()[order], "hit": hit, "precision": precision, "recall": recall}
    )
