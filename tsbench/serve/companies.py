"""Companies: their series, their charts, and whether they show a pattern."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, Response

from tsbench.serve import company_answers
from tsbench.serve.company_schemas import (
    AskedMetric,
    AskedPattern,
    AskedVersion,
    AskedWhere,
    Basis,
    CompaniesAnswer,
    Frequency,
    Metric,
    PatternAnswer,
    SeriesAnswer,
    Source,
    Symbol,
)
from tsbench.serve.schemas import Refusal, number_of
from tsbench.serve.shared import Shared

JSON = "application/json"
DOWN: dict[int | str, dict[str, Any]] = {503: {"model": Refusal, "description": "The database does not answer."}}
ABSENT: dict[int | str, dict[str, Any]] = {
    404: {"model": Refusal, "description": "Not there; the message names what is spelled most like it."}
}
router = APIRouter(tags=["companies"], responses=DOWN)


@router.get(
    "/data",
    response_model=CompaniesAnswer,
    responses={304: {"description": "No company changed since the answer whose ETag the caller has."}},
)
async def data(service: Shared, if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """Every company: its quarterly revenue, market cap and ROIC, its sector, and which way each series went.

    Where a company has several quarterly series of one metric, the first by basis, then by source is meant. The answer
    has an ETag; a caller who sends it as If-None-Match gets an empty 304 until a company changes.
    """
    everything = await service.all_companies.get()
    headers = {"etag": everything.tag, "cache-control": "private, no-cache"}
    if company_answers.unchanged(if_none_match, everything.tag):
        return Response(status_code=304, headers=headers)
    return Response(everything.content, media_type=JSON, headers=headers)


@router.get("/data/{metric}/normalized/{symbol:path}", response_model=SeriesAnswer, responses=ABSENT)
def normalized(
    metric: Metric,
    symbol: Symbol,
    service: Shared,
    frequency: Frequency = "quarterly",
    basis: Basis = None,
    source: Source = None,
) -> Response:
    """One series of a company, moved and scaled to run from 0 to 1; all 0 where all values are the same."""
    company = service.companies.one(symbol, metric, frequency=frequency, basis=basis, source=source)
    return Response(company_answers.one(company, metric, normalized=True), media_type=JSON)


@router.get("/data/{metric}/{symbol:path}", response_model=SeriesAnswer, responses=ABSENT)
def series(
    metric: Metric,
    symbol: Symbol,
    service: Shared,
    frequency: Frequency = "quarterly",
    basis: Basis = None,
    source: Source = None,
) -> Response:
    """One series of a company. Of several, the first by basis, then by source, unless the query names one."""
    company = service.companies.one(symbol, metric, frequency=frequency, basis=basis, source=source)
    return Response(company_answers.one(company, metric, normalized=False), media_type=JSON)


@router.get("/plot/{symbol:path}", response_class=HTMLResponse, responses=ABSENT)
def plot(
    symbol: Symbol,
    service: Shared,
    metric: AskedMetric = "revenue",
    frequency: Frequency = "quarterly",
    basis: Basis = None,
    source: Source = None,
) -> HTMLResponse:
    """A chart of one series of a company, a page that needs no network.

    Bars are blue for the first value, green for a rise, orange for a fall of up to 7 %, red for a larger one or a value
    below zero.
    """
    company = service.companies.one(symbol, metric, frequency=frequency, basis=basis, source=source)
    return HTMLResponse(company_answers.chart(company, metric))


@router.get("/pattern/{symbol:path}", response_model=PatternAnswer, responses=ABSENT)
async def pattern(
    symbol: Symbol,
    service: Shared,
    pattern: AskedPattern = None,
    version: AskedVersion = None,
    where: AskedWhere = "now",
) -> Response:
    """Whether a company shows a pattern: whether its q-value among all companies is at most TSBENCH_Q_LIMIT.

    The first question about a detector after a change of the companies scans them all, which takes seconds; what it
    finds is kept, in memory and in the store. `status` and `reason` tell of a company that could not be asked.
    """
    number = None if version is None else number_of(version)
    return Response(await service.patterns.answer(symbol, pattern, number, where), media_type=JSON)
