"""What the page draws of a match: its line, its stretch and the drawing over it, small enough to send at every move."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsbench.detect import Stretches
from tsbench.lab.ranking import Ranking
from tsbench.lab.verdicts import Said
from tsbench.plots.units import amount, unit_of, words
from tsbench.series.calendar import DAY

Floats = NDArray[np.float64]
# Context before and after a match, in its lengths, and at least so many periods.
BEFORE, AFTER, LEAST = 1.0, 0.75, 12
# Heights go to the page as whole numbers from 0 to this.
HEIGHT = 1000
EPOCH = np.datetime64(0, "D")


def cards(ranking: Ranking, stretches: Stretches, said: Said) -> list[dict[str, Any]]:
    """One card per row of the ranking, best first, of plain JSON values.

    Parameters
        stretches : those that were ranked. said : the verdicts on stretches of this pattern.
    Returns
        entity, name, sector, channels, first and last (microseconds), start and end ("2003-06"), score, p and q (None
        without a fitted detector), verdict ("" for none), lanes: per channel shown its title in words, low and high
        ("$1.2B", of all that is drawn), from and to ("2001-03"), line and drawn (whole numbers from 0 to 1000 of that
        range, None where a value is missing), first and count of the match within them.
    """
    out = []
    for place, row in enumerate(ranking.table.to_dict("records")):
        shown = range(len(ranking.pattern.channels)) if row["channel"] < 0 else [row["channel"]]
        out.append(
            {
                "entity": row["entity"],
                "name": _text(row["name"]) or row["entity"],
                "sector": _text(row["sector"]),
                "channels": list(channels_of(ranking, place)),
                "first": int(row["first"]),
                "last": int(row["last"]),
                "score": round(float(row["score"]), 4),
                "p": row.get("p_value"),
                "q": row.get("q_value"),
                "start": month(row["first"]),
                "end": month(row["last"]),
                "verdict": said.of(row["entity"], channels_of(ranking, place), row["first"], row["last"]),
                "lanes": [_lane(ranking, stretches, row, int(k)) for k in shown],
            }
        )
    return out


def match_of(card: dict[str, Any]) -> dict[str, Any]:
    """The match of a card that the page sends back: what the user saw, whatever is ranked by now."""
    ends = (("start", "first"), ("end", "last"))
    moments = {name: pd.Timestamp(int(card[moment]), unit="us", tz="UTC") for name, moment in ends}
    return {name: card[name] for name in ("entity", "channels", "score")} | moments


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)


def channels_of(ranking: Ranking, place: int) -> tuple[str, ...]:
    """The expressions a row matched in: one of several alternatives, or all of a joint pattern."""
    channel = int(ranking.table["channel"].iloc[place])
    expressions = ranking.pattern.expressions
    return expressions if channel < 0 else (expressions[channel],)


def month(moment: Any) -> str:
    """ "2003-06" of microseconds since 1970."""
    return day(moment)[:7]


def day(moment: Any) -> str:
    """ "2003-06-30" of microseconds since 1970."""
    return str(EPOCH + int(moment) // DAY)


def _lane(ranking: Ranking, stretches: Stretches, row: Mapping[Any, Any], channel: int) -> dict[str, Any]:
    start, stop = int(row["start"]), int(row["stop"])
    m = stop - start
    entity = int(np.searchsorted(stretches.offsets, start, side="right") - 1)
    low = max(start - max(LEAST, round(BEFORE * m)), int(stretches.offsets[entity]))
    high = min(stop + max(LEAST, round(AFTER * m)), int(stretches.offsets[entity + 1]))
    values, drawn = stretches.values[channel, low:high], np.full(high - low, np.nan)
    spec = ranking.pattern.channels[channel]
    if spec.points and ranking.where != "forming":
        window = stretches.values[channel, start:stop]
        template = ranking.pattern.template(channel, m)
        drawn[start - low : stop - low] = window.mean() + template * float(template @ window)
    unit = unit_of(spec.expression)
    both = np.concatenate([values, drawn])
    bottom, top = float(np.nanmin(both)), float(np.nanmax(both))
    return {
        "title": words(spec.expression),
        "low": amount(np.exp(bottom) if unit.log else bottom, unit),
        "high": amount(np.exp(top) if unit.log else top, unit),
        "from": month(stretches.times[low]),
        "to": month(stretches.times[high - 1]),
        "line": _whole(values, bottom, top),
        "drawn": _whole(drawn, bottom, top)[start - low : stop - low] if np.isfinite(drawn).any() else [],
        "first": start - low,
        "count": m,
    }


def _whole(values: Floats, low: float, high: float) -> list[int | None]:
    scaled = (values - low) / (high - low) * HEIGHT if high > low else np.where(np.isnan(values), np.nan, HEIGHT / 2)
    return [None if v != v else round(v) for v in scaled.tolist()]
