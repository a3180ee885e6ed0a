"""What a fit and a prediction answer: one place for the fast path and the declared routes, so that they agree."""

from typing import Any

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from tsbench.detect.anomaly import LARGEST, Side, anomaly_detector
from tsbench.errors import BadInput, TooShort
from tsbench.serve.warm import Warm
from tsbench.store.series_versions import Fit, SeriesVersion

Floats = NDArray[np.float64]
Series = tuple[NDArray[np.int64], Floats]
LARGEST_TIME = 2**63 - 1


class Answer(msgspec.Struct):
    """Of one value."""

    anomaly: bool
    model_version: str
    series_id: str
    model: str
    score: float
    threshold: float
    side: str
    p_value: float
    expected: float
    lower: float | None
    upper: float | None


encode = msgspec.json.Encoder().encode


def of_value(warm: Warm, value: float, side: Side) -> bytes:
    """The answer to one value, as JSON.

    Parameters
        warm : the model. value : finite. side : on which side values count as anomalies.
    """
    version = warm.version
    anomaly, score, threshold, _, p_value, expected, lower, upper = warm.detector.judge_one(value, side)
    return encode(
        Answer(
            anomaly, str(version.version), version.series_id, version.model, score, threshold, side, p_value, expected,
            lower, upper,
        )
    )  # fmt: skip


def of_values(warm: Warm, values: Floats, side: Side) -> bytes:
    """The answers to many values, as JSON; what is one per value is an array.

    Parameters
        warm : the model. values : finite, shape (n,). side : on which side values count as anomalies.
    """
    judged = warm.detector.judge(values, side=side)
    version = warm.version
    answer: dict[str, Any] = {
        "series_id": version.series_id,
        "model_version": str(version.version),
        "model": version.model,
        "points": values.size,
        "anomalies": int(np.count_nonzero(judged.anomaly)),
        "threshold": judged.threshold,
        "side": side,
        "expected": judged.expected,
        "lower": judged.lower,
        "upper": judged.upper,
        "anomaly": judged.anomaly,
        "score": judged.score,
        "p_value": judged.p_value,
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def fitted(series_id: str, model: str, times: list[int], values: list[float], least: int) -> Fit:
    """A detector fitted on a series that was sent, ready to be kept.

    Parameters
        series_id : its name. model : kind of the detector.
        times : whole numbers, strictly increasing. values : finite, one per time. least : fewest accepted.
    Raises     BadInput, TooShort: what is sent is no such series. NotFound: no such kind.
    """
    moments, known = _series(times, values, least)
    return Fit.of(series_id, anomaly_detector(model).fit(known), moments, known)


def fittable(model: str, times: list[int], values: list[float], least: int) -> Series:
    """The series that was sent, where `fitted` would fit a detector on it.

    Parameters
        model, times, values, least : as there.
    Raises     As there.
    """
    moments, known = _series(times, values, least)
    anomaly_detector(model).measure(known)
    return moments, known


def _series(times: list[int], values: list[float], least: int) -> Series:
    if len(times) != len(values):
        raise BadInput(f"{len(times)} timestamps and {len(values)} values; one timestamp per value is wanted")
    if len(values) < least:
        raise TooShort(f"{len(values)} points; at least {least} are needed (MIN_TRAINING_DATA_POINTS)")
    if min(times) < 0 or max(times) > LARGEST_TIME:
        raise BadInput("timestamps must be whole numbers from 0 to 2^63 - 1")
    moments, known = np.array(times, np.int64), np.array(values, np.float64)
    back = np.flatnonzero(moments[1:] <= moments[:-1])
    if back.size:
        at = int(back[0]) + 1
        raise BadInput(f"timestamps must increase strictly; timestamps[{at}] = {moments[at]} follows {moments[at - 1]}")
    if not np.abs(known).max() <= LARGEST:
        raise BadInput("values must be finite numbers")
    return moments, known


def of_fit(version: SeriesVersion) -> bytes:
    """The answer to a fit, as JSON; the version is text, as it always was."""
    return orjson.dumps(
        {
            "series_id": version.series_id,
            "version": str(version.version),
            "points_used": version.points,
            "model": version.model,
        }
    )
