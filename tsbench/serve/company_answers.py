"""What is answered about companies: their series as JSON, all of them from memory while none has changed."""

import asyncio
import hashlib
from typing import Any, Literal, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from tsbench.series.growth import Growth, growth_category
from tsbench.series.scaling import scale
from tsbench.serve.once import Once
from tsbench.store.companies import Companies, Company, Series

# Those that every company is shown with.
METRICS = ("revenue", "market_cap", "roic")
CLUSTERS: dict[Growth, str] = {
    "Steady growth": "Cluster 1: Steady growth",
    "Cyclical patterns": "Cluster 2: Cyclical patterns",
    "Declining": "Cluster 3: Declining",
}
SECOND, DAY = 1_000_000, 86_400_000_000
Floats = NDArray[np.float64]


class Everything(NamedTuple):
    """The answer about all companies: of which state of them, its tag, its bytes."""

    fingerprint: str
    tag: str
    content: bytes


class AllCompanies:
    """The answer about all companies, made when it is first asked for and again after any of them has changed.

    Parameters
        companies : where they are read.
    """

    def __init__(self, companies: Companies) -> None:
        self._companies = companies
        self._held: Everything | None = None
        self._once: Once[str, Everything] = Once()

    async def get(self) -> Everything:
        """The answer as of now: one short statement asks whether the one in memory still holds. Raises Unavailable."""
        fingerprint = await asyncio.to_thread(self._companies.fingerprint)
        if self._held is None or self._held.fingerprint != fingerprint:
            self._held = await self._once.do(fingerprint, lambda: asyncio.to_thread(self._made, fingerprint))
        return self._held

    def _made(self, fingerprint: str) -> Everything:
        # read after the fingerprint was taken: it may already be newer, never older, and is then made once more
        content = orjson.dumps({c.symbol: _shown(c) for c in self._companies.all(METRICS)})
        return Everything(fingerprint, f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"', content)


def unchanged(told: str | None, tag: str) -> bool:
    """Whether a caller has what `tag` names already, by the If-None-Match that was `told`."""
    known = [part.strip().removeprefix("W/") for part in (told or "").split(",")]
    return tag in known or "*" in known


def one(company: Company, metric: str, *, normalized: bool) -> bytes:
    """The answer about one series of a company, in the shape of that about all of them.

    Parameters
        company : with that series. metric : its metric.
        normalized : its values moved and scaled to run from 0 to 1; all 0 where they are all the same.
    """
    series = company.series[metric]
    key = series.key
    shown: dict[str, Any] = {"name": company.name, "sector": company.sector}
    shown |= {"frequency": key.frequency, "basis": key.basis, "source": key.source}
    shown |= {metric: series.values, f"{metric}_time": _dates(series.times), f"{metric}_category": _category(series)}
    if normalized:
        values = numbers(series)
        shown[metric] = scale(values, np.array([0, values.size]), "minmax")
    return orjson.dumps({company.symbol: shown}, option=orjson.OPT_SERIALIZE_NUMPY)


def chart(company: Company, metric: str) -> str:
    """The page with the bars of one series of a company.

    Parameters
        company : with that series. metric : its metric.
    """
    from tsbench.plots import bars
    from tsbench.plots.page import standalone
    from tsbench.plots.units import words

    series = company.series[metric]
    figure = bars(np.array(series.times, np.int64), numbers(series), metric=metric)
    return standalone(figure, f"{company.name} ({company.symbol}), {series.key.frequency} {words(metric)}")


def numbers(series: Series) -> Floats:
    """Its values, NaN where missing."""
    return np.array(series.values, np.float64)


def _shown(company: Company) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": company.name, "sector": company.sector}
    for metric in METRICS:
        series = company.series.get(metric)
        there = (None, None, None) if series is None else (series.values, _dates(series.times), _category(series))
        shown |= dict(zip((metric, f"{metric}_time", f"{metric}_category"), there, strict=True))
    return shown


def _category(series: Series) -> str | None:
    """The cluster of the sign of its mean difference; None with fewer than two values."""
    category = growth_category(numbers(series))
    return None if category is None else CLUSTERS[category]


def _dates(times: list[int]) -> list[str]:
    """Ends of periods as ISO dates; where one of them is not at midnight UTC, all with the time of day."""
    moments = np.array(times, np.int64)
    unit: Literal["D", "s", "us"] = "us" if (moments % SECOND).any() else "s" if (moments % DAY).any() else "D"
    zone = "" if unit == "D" else "Z"
    return [f"{text}{zone}" for text in np.datetime_as_string(moments.astype("M8[us]"), unit=unit).tolist()]
