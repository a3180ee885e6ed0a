"""Bodies that come and go, as OpenAPI shows them."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    FiniteFloat,
    StrictInt,
    StrictStr,
)

from tsbench.detect.anomaly import DETECTORS, SIDES, Side
from tsbench.errors import BadInput
from tsbench.serve.answers import LARGEST_TIME
from tsbench.serve.warm import LATEST
from tsbench.store.job_requests import Status
from tsbench.store.series_versions import series_name

NUMBER = re.compile(r"([vV]?[0-9]{1,9})?", re.ASCII)
P_VALUE = (
    "zscore: how often a new value would lie as far out, were the values normal and independent of each other; else "
    "it is often too small. robust: the share of training values at least as far out, never below 1 / (points + 1)."
)
Number = Annotated[FiniteFloat, Field(strict=True)]
Moment = Annotated[StrictInt, Field(ge=0, le=LARGEST_TIME)]
Digits = Annotated[StrictStr, Field(pattern=r"^[0-9]{1,18}$")]


def _named(text: Any) -> Any:
    try:
        return series_name(text)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _of_kind(text: str) -> str:
    if text not in DETECTORS:
        raise ValueError(f"no detector {text[:80]!r}; there are {', '.join(DETECTORS)}")
    return text


SeriesId = Annotated[
    str,
    BeforeValidator(_named),
    Path(description="Letters, digits and . _ - without '..'; blanks around it are cut.", examples=["sensor_01"]),
]


def _numbered(text: str) -> str:
    if not NUMBER.fullmatch(text):
        raise ValueError(f"wanted 1, v1 or V1, or 0 or nothing for the latest; got {text[:80]!r}")
    return text


Version = Annotated[
    str,
    AfterValidator(_numbered),
    Query(description="1, v1 or V1; 0 or nothing = the latest.", examples=["v1"]),
]
AskedSide = Annotated[Side, Query(description=f"On which side values count as anomalies: {', '.join(SIDES)}.")]
Model = Annotated[
    str,
    AfterValidator(_of_kind),
    Query(
        json_schema_extra={"enum": list(DETECTORS)},
        description="zscore: mean and three deviations. robust: median and 3.5 scaled median deviations.",
    ),
]


def number_of(version: str) -> int:
    """The number that `version` means; LATEST for the latest."""
    return int(version.lstrip("vV") or LATEST)


class Body(BaseModel):
    """Of a request; keys that are not known are passed over, as they always were."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class TrainingBody(Body):
    """A series to fit on."""

    timestamps: Annotated[list[Moment], FailFast()] = Field(description="Strictly increasing, in any unit.")
    values: Annotated[list[Number], FailFast()] = Field(description="Finite, one per timestamp.")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "timestamps": [1705000000, 1705000001, 1705000002, 1705000003],
                    "values": [10.0, 11.2, 10.4, 10.8],
                }
            ]
        }
    )


class ReadingBody(Body):
    """A value to judge."""

    timestamp: Digits | Moment = Field(description="Digits, as text or number.")
    value: Number
    model_config = ConfigDict(json_schema_extra={"examples": [{"timestamp": "1705000010", "value": 13.0}]})


class ReadingsBody(Body):
    """Values to judge."""

    values: Annotated[list[Number], FailFast()] = Field(min_length=1)
    timestamps: Annotated[list[Moment], FailFast()] = Field([], description="One per value, or left out.")
    model_config = ConfigDict(json_schema_extra={"examples": [{"values": [10.7, 13.0, 11.1]}]})


class FitAnswer(BaseModel):
    """A new version."""

    series_id: str
    version: str
    points_used: int
    model: str


class Verdict(BaseModel):
    """Of one value, with what it rests on."""

    anomaly: bool
    model_version: str
    series_id: str
    model: str
    score: float = Field(description="Distance from `expected` in spreads, positive on the side asked.")
    threshold: float = Field(description="In spreads; beyond it lies an anomaly.")
    side: str
    p_value: float = Field(description=P_VALUE)
    expected: float
    lower: float | None
    upper: float | None


class Verdicts(BaseModel):
    """Of many values; `anomaly`, `score` and `p_value` hold one each, in the order asked."""

    series_id: str
    model_version: str
    model: str
    points: int
    anomalies: int
    threshold: float
    side: str
    expected: float
    lower: float | None
    upper: float | None
    anomaly: list[bool]
    score: list[float]
    p_value: list[float]


class Latency(BaseModel):
    """Of the last requests of one kind over all workers, in milliseconds."""

    avg: float
    p50: float
    p95: float
    p99: float
    count: int


class Healthcheck(BaseModel):
    """How many series have a model, and how long requests took."""

    series_trained: int
    inference_latency_ms: Latency
    training_latency_ms: Latency


class VersionOfSeries(BaseModel):
    """One fitted version."""

    series_id: str
    version: str
    model: str
    points: int
    created_at: datetime


class SeriesPage(BaseModel):
    """The latest version of each series, by name; `next` is the `after` of the next page."""

    series: list[VersionOfSeries]
    next: str | None


class Deleted(BaseModel):
    """How many versions went."""

    series_id: str
    deleted: int


class Job(BaseModel):
    """What is to be done, how far it is, and how it ended."""

    job_id: str
    kind: str = Field(description="fit.")
    status: Status
    stage: str = Field(description="queued, reading, fitting, writing, done; or what it waits for.")
    progress: float = Field(description="Share of the time of such a job that is behind it, 0 to 1.")
    series_id: str
    model: str
    points: int
    version: str | None = Field(description="What it made, once it is completed.")
    reason: str | None = Field(description="Why it failed.")
    attempts: int = Field(description="How often a worker began it.")
    queued_at: datetime
    started_at: datetime | None = Field(description="When the last attempt began.")
    finished_at: datetime | None


class JobsPage(BaseModel):
    """Jobs, newest first; `next` is the `after` of the next page."""

    jobs: list[Job]
    next: str | None


class Refusal(BaseModel):
    """Any error."""

    detail: Any
    request_id: str


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any


class Invalid(BaseModel):
    """Why a request is a 422."""

    detail: list[Wrong]
    request_id: str


class Ready(BaseModel):
    """What the service rests on."""

    status: Literal["ready", "not ready"]
    database: str
    redis: str
    listening: bool
