"""A pattern seen elsewhere: its drawing in another expression, or measured against a company's peers."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.patterns.expressions import GROUPS
from tsbench.patterns.spec import Channel, Pattern

Peers = Literal["universe", "sector"]
_MEDIANS = {"universe": "the median of all companies", "sector": "the median of its sector"}


def on(pattern: Pattern, expression: str) -> Pattern:
    """The drawing of a single-channel pattern, looked for in another expression; its constraints go with it.

    The constraints keep their bounds, so a pattern with any belongs on an expression of like unit: log(close) on
    another logarithm.

    Parameters
        pattern : with one channel.
        expression : such as "log(market_cap)"; see `evaluate`.
    Returns
        Pattern, named after both: double_top_on_log_market_cap.
    Raises     BadInput: several channels, or no valid expression.
    """
    if len(pattern.channels) != 1:
        raise BadInput(
            f"{pattern.name!r} has {len(pattern.channels)} channels ({', '.join(pattern.expressions)}); only the "
            "drawing of a single one can be looked for in another expression"
        )
    moved = _moved(pattern, {pattern.expressions[0]: expression})
    return replace(
        moved,
        name=f"{pattern.name}_on_{'_'.join(re.findall(r'[A-Za-z0-9_]+', expression))}",
        description=f"{pattern.description} Looked for in {expression} instead.".strip(),
    )


def relative(pattern: Pattern, peers: Peers = "universe") -> Pattern:
    """The pattern in what sets a company apart from its peers, so that what happens to all of them cancels out.

    In a crisis every company draws a V; less the median company's, only those remain that fell or recovered
    unlike the others. Every channel with a shape becomes `minus_median(expression, peers)`, and its constraints bound
    that; channels without one are left as they are.

    Parameters
        pattern : any whose shaped channels carry no percent_change, which a distance from the median does not have.
        peers : "universe" = all companies of the panel, "sector" = those of the same sector.
    Returns
        Pattern, its name with the suffix _relative.
    Raises     BadInput: unknown peers, or a constraint on the percent_change of a channel with a shape.
    """
    checks.choice(peers, "peers", GROUPS)
    shaped = {channel.expression for channel in pattern.channels if channel.points}
    for constraint in pattern.constraints:
        if constraint.kind == "percent_change" and constraint.channel in shaped:
            raise BadInput(
                f"{pattern.name!r} bounds the percent change of {constraint.channel}, and a distance from the median "
                "has none (it may begin at zero); bound its change instead"
            )
    moved = _moved(pattern, {old: f"minus_median({old}, {peers})" for old in shaped})
    return replace(
        moved,
        name=f"{pattern.name}_relative",
        description=f"{pattern.description} Measured against {_MEDIANS[peers]}.".strip(),
    )


def _moved(pattern: Pattern, expressions: Mapping[str, str]) -> Pattern:
    """The pattern with some of its expressions replaced, in channels and constraints alike."""
    return replace(
        pattern,
        channels=tuple(Channel(expressions.get(c.expression, c.expression), c.points) for c in pattern.channels),
        constraints=tuple(replace(c, channel=expressions.get(c.channel, c.channel)) for c in pattern.constraints),
    )
