"""Fit a detector on a series, ask whether values are anomalies, look at what it was fitted on."""

import asyncio
from time import perf_counter
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from tsbench.serve import answers, fit_jobs
from tsbench.serve.schemas import (
    NUMBER,
    AskedSide,
    Deleted,
    FitAnswer,
    Healthcheck,
    Job,
    Model,
    ReadingBody,
    ReadingsBody,
    Refusal,
    SeriesId,
    SeriesPage,
    TrainingBody,
    Verdict,
    Verdicts,
    Version,
    VersionOfSeries,
    number_of,
)
from tsbench.serve.shared import Service, Shared
from tsbench.store.series_versions import SeriesVersion

REFUSALS: dict[int | str, dict[str, Any]] = {
    404: {"model": Refusal, "description": "No such series or version."},
    413: {"model": Refusal, "description": "More bytes or values than allowed."},
    503: {"model": Refusal, "description": "The database does not answer or is busy."},
}
router = APIRouter(responses=REFUSALS)
JSON = "application/json"


@router.post(
    "/fit/{series_id}",
    response_model=FitAnswer,
    responses={202: {"model": Job, "description": "With async=true: the job that will fit it."}},
    tags=["anomalies"],
)
async def fit(
    series_id: SeriesId,
    sent: TrainingBody,
    service: Shared,
    model: Model = "zscore",
    later: Annotated[bool, Query(alias="async", description="Have a worker do it: `tsbench worker`.")] = False,
) -> Response:
    """Fit a detector on a series and keep both as its next version."""
    began = perf_counter()
    _check_points(service, len(sent.values))
    if later:
        return await asyncio.to_thread(fit_jobs.accepted, service, series_id, model, sent)
    least = service.settings.min_training_points
    made = await asyncio.to_thread(answers.fitted, series_id, model, sent.timestamps, sent.values, least)
    content = answers.of_fit(await service.keep(made))
    service.latencies.training.append(1000 * (perf_counter() - began))
    return Response(content, media_type=JSON)


@router.post("/predict/{series_id}", response_model=Verdict, tags=["anomalies"])
async def predict(
    series_id: SeriesId, sent: ReadingBody, service: Shared, version: Version = "0", side: AskedSide = "upper"
) -> Response:
    """Whether a value is an anomaly, by the latest version or the one named."""
    began = perf_counter()
    warm = await service.models.get(series_id, number_of(version))
    content = answers.of_value(warm, float(sent.value), side)
    service.metrics.judged.inc()
    service.latencies.inference.append(1000 * (perf_counter() - began))
    return Response(content, media_type=JSON)


@router.post("/predict/{series_id}/batch", response_model=Verdicts, tags=["anomalies"])
async def predict_batch(
    series_id: SeriesId, sent: ReadingsBody, service: Shared, version: Version = "0", side: AskedSide = "upper"
) -> Response:
    """Which of many values are anomalies; one answer each, in columns."""
    began = perf_counter()
    _check_points(service, len(sent.values))
    if sent.timestamps and len(sent.timestamps) != len(sent.values):
        raise _wrong("timestamps", f"{len(sent.timestamps)} of them for {len(sent.values)} values")
    warm = await service.models.get(series_id, number_of(version))
    content = answers.of_values(warm, np.array(sent.values, np.float64), side)
    service.metrics.judged.inc(len(sent.values))
    service.latencies.inference.append(1000 * (perf_counter() - began))
    return Response(content, media_type=JSON)


@router.get("/healthcheck", response_model=Healthcheck, tags=["health"])
async def healthcheck(service: Shared) -> dict[str, Any]:
    """How many series have a model, and how long the last fits and predictions took, over all workers."""
    taken = await service.latencies.summary()
    trained = await asyncio.to_thread(service.store.series_versions.count)
    return {
        "series_trained": trained,
        "inference_latency_ms": taken["inference"],
        "training_latency_ms": taken["training"],
    }


@router.get("/plot", response_class=HTMLResponse, tags=["anomalies"])
def plot(
    series_id: Annotated[SeriesId, Query(description="As of /fit.", examples=["sensor_01"])],
    service: Shared,
    version: Version = "0",
    side: AskedSide = "upper",
) -> HTMLResponse:
    """The series that a version was fitted on, with the band of its detector and the values outside it."""
    from tsbench.serve.pages import training_page

    return HTMLResponse(training_page(service.store.series_versions, series_id, number_of(version), side))


@router.get("/series", response_model=SeriesPage, tags=["series"])
def series(
    service: Shared,
    after: Annotated[str, Query(max_length=200, description="The last name of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """The latest version of each series, by name, a page at a time."""
    found = service.store.series_versions.latest(after=after.replace("\x00", ""), limit=limit)
    return {
        "series": [_shown(version) for version in found],
        "next": found[-1].series_id if len(found) == limit else None,
    }


@router.get("/series/{series_id}/versions", response_model=list[VersionOfSeries], tags=["series"])
def versions(series_id: SeriesId, service: Shared) -> list[dict[str, Any]]:
    """Every version of a series, newest first."""
    return [_shown(version) for version in service.store.series_versions.versions(series_id)]


@router.delete("/series/{series_id}", response_model=Deleted, tags=["series"])
async def delete_series(series_id: SeriesId, service: Shared) -> dict[str, Any]:
    """Forget every version of a series. Its numbers are not given again."""
    return await _delete(service, series_id, None)


@router.delete("/series/{series_id}/versions/{version}", response_model=Deleted, tags=["series"])
async def delete_version(series_id: SeriesId, version: str, service: Shared) -> dict[str, Any]:
    """Forget one version of a series."""
    if not NUMBER.fullmatch(version) or not number_of(version):
        raise _wrong("version", f"wanted 1, v1 or V1; got {version[:80]!r}", "path")
    return await _delete(service, series_id, number_of(version))


async def _delete(service: Service, series_id: str, number: int | None) -> dict[str, Any]:
    deleted = await asyncio.to_thread(service.store.series_versions.delete, series_id, number)
    service.models.gone(series_id)
    return {"series_id": series_id, "deleted": deleted}


def _shown(version: SeriesVersion) -> dict[str, Any]:
    return {
        "series_id": version.series_id,
        "version": str(version.version),
        "model": version.model,
        "points": version.points,
        "created_at": version.created_at,
    }


def _check_points(service: Service, points: int) -> None:
    most = service.settings.max_points
    if points > most:
        raise HTTPException(413, f"{points} values; a request may have {most} (TSBENCH_MAX_POINTS)")


def _wrong(name: str, message: str, where: str = "body") -> RequestValidationError:
    return RequestValidationError([{"type": "value_error", "loc": (where, name), "msg": message, "input": None}])
