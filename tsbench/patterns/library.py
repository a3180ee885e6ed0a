"""Named patterns that ship with the package.

Fundamentals are looked for in three views of a company, any of which may match: trailing-year revenue and market
cap on a log scale (a shape there is a shape in growth, not in dollars) and return on invested capital.
"""

from functools import cache

from tsbench import checks
from tsbench.patterns.constraints import Constraint
from tsbench.patterns.spec import Channel, Pattern, Point

FUNDAMENTALS = ("log(ttm(revenue))", "roic", "log(market_cap)")


def library() -> dict[str, Pattern]:
    """Every shipped pattern by name."""
    return dict(_library())


def named(name: str) -> Pattern:
    """The shipped pattern of that name. Raises NotFound with the nearest names."""
    return _library()[checks.known(name, "pattern", list(_library()))]


def _fundamental(
    name: str, description: str, *points: Point, length: tuple[int, int] = (8, 24), prominence: float = 3.0
) -> Pattern:
    channels = tuple(Channel(expression, points) for expression in FUNDAMENTALS)
    return Pattern(name, channels, length=length, prominence=prominence, combine="any", description=description)


@cache
def _library() -> dict[str, Pattern]:
    patterns = (
        _fundamental(
            "dip_recovery",
            "A fall of some quarters and a recovery to where it began.",
            (0, 1),
            (0.15, 0.95),
            (0.5, 0),
            (0.85, 0.95),
            (1, 1),
        ),
        _fundamental(
            "failed_recovery",
            "A fall, a partial recovery, and a lower low.",
            (0, 1),
            (0.3, 0.35),
            (0.55, 0.65),
            (1, 0),
        ),
        _fundamental(
            "inflection_up",
            "A slow decline or standstill that turns into a rise.",
            (0, 0.2),
            (0.45, 0),
            (0.7, 0.25),
            (1, 1),
        ),
        _fundamental(
            "step_up",
            "A level, a quick rise, and a new level that holds.",
            (0, 0),
            (0.4, 0.03),
            (0.6, 0.97),
            (1, 1),
        ),
        _fundamental(
            "s_curve",
            "Slow start, fast middle, slow end of a rise.",
            (0, 0),
            (0.2, 0.06),
            (0.35, 0.22),
            (0.5, 0.5),
            (0.65, 0.78),
            (0.8, 0.94),
            (1, 1),
            length=(12, 32),
        ),
        _fundamental(
            "plateau",
            "A rise that has come to a stop.",
            (0, 0),
            (0.5, 0.9),
            (0.6, 0.98),
            (1, 1),
        ),
        _fundamental(
            "fade",
            "A quick rise whose gain slowly melts away.",
            (0, 0),
            (0.25, 1),
            (0.5, 0.75),
            (1, 0.3),
        ),
        _fundamental(
            "erosion",
            "A level that gives way slowly, then faster.",
            (0, 1),
            (0.4, 0.9),
            (0.7, 0.6),
            (1, 0),
        ),
        Pattern(
            "acceleration",
            (Channel("yoy(ttm(revenue))", ((0, 0), (0.3, 0.05), (0.65, 0.4), (1, 1))),),
            length=(6, 14),
            prominence=3.0,
            constraints=(Constraint("yoy(ttm(revenue))", "change", 0.05),),
            description="Trailing-year revenue grows faster and faster; growth gains at least 5 points.",
        ),
        Pattern(
            "overlooked",
            (
                Channel("yoy(ttm(revenue))", ((0, 0), (1, 1))),
                Channel("roic", ((0, 0), (1, 1))),
                Channel("log(market_cap)"),
            ),
            length=(6, 14),
            prominence=1.5,
            constraints=(
                Constraint("yoy(ttm(revenue))", "change", 0.02),
                Constraint("roic", "change", 0.01),
                Constraint("log(market_cap)", "change", -0.1, 0.1),
            ),
            description=(
                "Revenue growth and return on capital both climb while the market cap ends within 10 % of where it "
                "began: improvement that the price has not followed."
            ),
        ),
    )
    return {pattern.name: pattern for pattern in patterns}
