"""A pattern from an example: "where else does what happened to this company happen?" """

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsbench import checks
from tsbench.errors import BadInput, TooShort
from tsbench.patterns.expressions import evaluate_all
from tsbench.patterns.spec import Channel, Pattern
from tsbench.series import Panel
from tsbench.series.frames import moment

MOST_POINTS = 32


def from_example(
    panel: Panel,
    entity: str,
    start: Any,
    end: Any,
    metrics: Sequence[str] | None = None,
    *,
    name: str | None = None,
    prominence: float = 1.5,
) -> Pattern:
    """The stretch of one entity as a pattern; scans leave that entity out of the ranking.

    An example is chosen because it looks remarkable: with hindsight. The odds of a scan speak about the other entities,
    never about the example, and the description says so.

    Parameters
        panel : raw metrics, all entities when an expression compares with peers; flagged values are missing.
        entity : whose stretch. start, end : dates, both included; at least 4 periods.
        metrics : expressions; default every metric that the entity has. All of them must match together.
        name : of the pattern; default the entity and the year of the end.
        prominence : amplitude gate, see `Pattern`.
    Returns
        Pattern; its length range is three quarters to four thirds of the stretch.
    Raises     NotFound: no such entity or metric. TooShort: fewer than 4 periods. BadInput: a value is missing in the
        stretch, or it is constant.
    """
    own = panel.select(entity=entity)
    expressions = tuple(dict.fromkeys(own.index["metric"]) if metrics is None else metrics)
    channels = []
    n = 0
    for channel in evaluate_all(expressions, panel.without_flagged()):
        times, values = channel.series(list(channel.index["entity"]).index(entity))
        inside = (times >= moment(start)) & (times <= moment(end))
        stretch, n = values[inside], int(inside.sum())
        if n < 4:
            raise TooShort(f"{entity} has {n} periods from {start} to {end}; an example needs at least 4")
        if np.isnan(stretch).any():
            raise BadInput(
                f"{channel.index['metric'].iloc[0]} of {entity} misses {int(np.isnan(stretch).sum())} of {n} values "
                f"from {start} to {end} (absent or flagged); choose another stretch or other metrics"
            )
        x = np.linspace(0.0, 1.0, min(n, MOST_POINTS))
        y = np.interp(x, np.linspace(0.0, 1.0, n), stretch)
        channels.append(Channel(channel.index["metric"].iloc[0], tuple(zip(x.tolist(), y.tolist(), strict=True))))
    year = str(np.datetime64(moment(end), "us"))[:4]
    plain = "".join(c if c.isalnum() or c in "_-" else "_" for c in entity)
    return Pattern(
        name or f"like_{plain}_{year}",
        tuple(channels),
        (max(4, round(0.75 * n)), checks.whole(round(4 / 3 * n), "length", 4)),
        prominence=prominence,
        example=entity,
        description=f"Like {entity} from {start} to {end}: chosen with hindsight, and itself left out of the ranking.",
    )
