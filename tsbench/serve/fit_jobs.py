"""Fits that a worker does later: asked for, looked at, cancelled."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tsbench.jobs.fits import ask_fit
from tsbench.serve import answers
from tsbench.serve.schemas import Job, JobsPage, Refusal, TrainingBody
from tsbench.serve.shared import Service, Shared
from tsbench.store.job_requests import JobRequest, Status

WAITING = "waiting for a worker; run: tsbench worker"
router = APIRouter(
    tags=["jobs"], responses={503: {"model": Refusal, "description": "The database does not answer or is busy."}}
)
ABSENT: dict[int | str, dict[str, Any]] = {404: {"model": Refusal, "description": "No such job, or not any more."}}
ENDED: dict[int | str, dict[str, Any]] = {409: {"model": Refusal, "description": "It has ended."}}
JobId = Annotated[int, Path(ge=1, le=2**63 - 1, description="As POST /fit/{series_id}?async=true answered.")]


def accepted(service: Service, series_id: str, model: str, sent: TrainingBody) -> Response:
    """The answer to a fit that is to be done later, once it is safe on disk.

    Parameters
        service : its settings and store. series_id, model, sent : of the request.
    Raises     BadInput, TooShort, NotFound: as a fit done at once.
    """
    times, values = answers.fittable(model, sent.timestamps, sent.values, service.settings.min_training_points)
    request = ask_fit(service.store, series_id, model, times, values)
    headers = {"location": f"/jobs/{request.id}"}
    return Response(Job(**_shown(request)).model_dump_json(), 202, headers=headers, media_type="application/json")


@router.get("/jobs", response_model=JobsPage)
def jobs(
    service: Shared,
    status: Annotated[Status | None, Query(description="Only such.")] = None,
    after: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="The last id of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> dict[str, Any]:
    """Jobs, newest first, a page at a time. What has ended is forgotten after a week."""
    found = service.store.job_requests.newest(status=status, after=after, limit=limit)
    return {"jobs": [_shown(one) for one in found], "next": str(found[-1].id) if len(found) == limit else None}


@router.get("/jobs/{job_id}", response_model=Job, responses=ABSENT)
def job(job_id: JobId, service: Shared) -> dict[str, Any]:
    """How far a job is, and how it ended."""
    return _shown(service.store.job_requests.get(job_id))


@router.delete("/jobs/{job_id}", response_model=Job, responses=ABSENT | ENDED)
def cancel(job_id: JobId, service: Shared) -> dict[str, Any]:
    """Cancel a job that has not ended. Of one that runs too nothing will come; its worker notices at its next step."""
    request = service.store.job_requests.cancel(job_id)
    if request.status != "cancelled":
        raise HTTPException(409, f"job {job_id} is {request.status} already")
    return _shown(request)


def _shown(request: JobRequest) -> dict[str, Any]:
    waits = request.status in ("pending", "running") and not request.served
    return {
        "job_id": str(request.id),
        "kind": request.kind,
        "status": request.status,
        "stage": WAITING if waits else request.stage,
        "progress": request.progress,
        "series_id": request.series_id,
        "model": request.model,
        "points": request.points,
        "version": None if request.version is None else str(request.version),
        "reason": request.reason,
        "attempts": request.attempts,
        "queued_at": request.queued_at,
        "started_at": request.started_at,
        "finished_at": request.finished_at,
    }
