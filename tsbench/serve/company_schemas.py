"""What the routes of companies take and answer, as OpenAPI shows it."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, RootModel

# What the loader lets a name be, and a bound on its length.
NAME = r"^[^\x00-\x1f|]{1,200}$"
Symbol = Annotated[str, Path(pattern=NAME, description="As in /data; may hold . - :", examples=["MSFT"])]
Metric = Annotated[str, Path(pattern=NAME, description="Any that is stored.", examples=["revenue"])]
AskedMetric = Annotated[str, Query(pattern=NAME, description="Any that is stored.", examples=["roic"])]
Frequency = Annotated[
    Literal["annual", "quarterly", "monthly", "weekly", "daily", "irregular"], Query(description="Of the series.")
]
Basis = Annotated[
    str | None,
    Query(max_length=200, pattern=r"^[^\x00-\x1f|]*$", description="Of the series; nothing = the first there is."),
]
Source = Annotated[
    str | None,
    Query(max_length=200, pattern=r"^[^\x00-\x1f|]*$", description="Of the series; nothing = the first there is."),
]
AskedPattern = Annotated[
    str | None, Query(pattern=NAME, description="Its name; nothing = TSBENCH_PATTERN.", examples=["overlooked"])
]
AskedVersion = Annotated[
    str | None,
    Query(
        pattern=r"^[vV]?[0-9]{1,9}$",
        description="Of its detector: 1, v1 or V1; 0 = the latest. Nothing = TSBENCH_PATTERN_VERSION for the pattern "
        "of the settings, else the latest.",
        examples=["v1"],
    ),
]
AskedWhere = Annotated[
    Literal["now", "history", "forming"],
    Query(
        description="now: a match that ends in the last two periods. history: anywhere. forming: one that has begun "
        "and is not complete."
    ),
]

Values = list[float | None] | None
Times = list[str] | None
Cluster = Literal["Cluster 1: Steady growth", "Cluster 2: Cyclical patterns", "Cluster 3: Declining"] | None
TIMES = Field(description="Ends of the periods as ISO dates, one per value.")
VALUES = Field(description="Quarterly values, oldest first; null = missing. Null in place of the list: no such series.")
CATEGORY = Field(description="By the sign of the mean difference; null with fewer than two values.")


class CompanyItem(BaseModel):
    """A company with its quarterly series."""

    name: str
    sector: str
    revenue: Values = VALUES
    revenue_time: Times = TIMES
    revenue_category: Cluster = CATEGORY
    market_cap: Values = VALUES
    market_cap_time: Times = TIMES
    market_cap_category: Cluster = CATEGORY
    roic: Values = VALUES
    roic_time: Times = TIMES
    roic_category: Cluster = CATEGORY


_GROWING, _FALLING = "Cluster 1: Steady growth", "Cluster 3: Declining"
_TWO_QUARTERS: Any = ["2019-03-31", "2019-06-30"]


class CompaniesAnswer(RootModel[dict[str, CompanyItem]]):
    """Every company, by symbol."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "MSFT": {
                        "name": "Microsoft",
                        "sector": "Technology",
                        "revenue": [3.06e10, 3.37e10],
                        "revenue_time": _TWO_QUARTERS,
                        "revenue_category": _GROWING,
                        "market_cap": [9.0e11, 1.0e12],
                        "market_cap_time": _TWO_QUARTERS,
                        "market_cap_category": _GROWING,
                        "roic": None,
                        "roic_time": None,
                        "roic_category": None,
                    }
                }
            ]
        }
    )


class SeriesAnswer(RootModel[dict[str, dict[str, Values | Times | str]]]):
    """One series of a company, by symbol and metric, in the shape of /data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "MSFT": {
                        "name": "Microsoft",
                        "sector": "Technology",
                        "frequency": "quarterly",
                        "basis": "",
                        "source": "",
                        "roic": [0.25, None, 0.21],
                        "roic_time": ["2018-12-31", *_TWO_QUARTERS],
                        "roic_category": _FALLING,
                    }
                }
            ]
        }
    )


class PatternMatch(BaseModel):
    """A stretch of a company's series that follows the drawing."""

    metric: str = Field(description="What the drawing was found in; several, joined by &, where it is in all at once.")
    start: str = Field(description="End of its first period, an ISO date.")
    end: str = Field(description="End of its last period, an ISO date.")
    score: float = Field(description="From 0 to 1, higher is likelier.")
    p_value: float = Field(description="How often a chance series of the same length scores as high somewhere.")


class PatternAnswer(BaseModel):
    """Whether a company shows a pattern, and how sure that is."""

    symbol: str
    pattern_detected: bool = Field(description="q_value <= q_limit. False too for one that could not be asked: status.")
    pattern: str
    version: str = Field(description="Of the detector.")
    where: str
    as_of: str | None = Field(description="End of the newest period scanned: what `now` means.")
    status: str = Field(description="tested, or why not in a word or two.")
    reason: str | None = Field(description="Why the company could not be asked; null when it was.")
    q_limit: float
    p_value: float | None
    q_value: float | None = Field(description="Share of false finds to expect among all companies as sure as this one.")
    matches: list[PatternMatch] = Field(description="The stretch that makes the pattern detected; else empty.")
    nearest: PatternMatch | None = Field(description="The stretch most like the drawing, detected or not.")
    companies_tested: int = Field(description="Those that share the q-values: all that could be asked.")
    drawings_tried: int = Field(description="Drawings looked for under this name; more than one flatters the q-value.")
    scan_id: str = Field(description="The scan of all companies that says so.")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "symbol": "MSFT",
                    "pattern_detected": False,
                    "pattern": "overlooked",
                    "version": "1",
                    "where": "now",
                    "as_of": "2019-06-30",
                    "status": "tested",
                    "reason": None,
                    "q_limit": 0.1,
                    "p_value": 0.4,
                    "q_value": 0.9,
                    "matches": [],
                    "nearest": {
                        "metric": "roic",
                        "start": "2016-06-30",
                        "end": "2019-06-30",
                        "score": 0.3,
                        "p_value": 0.4,
                    },
                    "companies_tested": 175,
                    "drawings_tried": 1,
                    "scan_id": "serve-overlooked-v1-now-0011223344556677",
                }
            ]
        }
    )
