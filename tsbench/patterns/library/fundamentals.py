"""Shapes of a company's fundamentals, in quarters.

They are looked for in three views of a company, any of which may match: trailing-year revenue and market cap on a log
scale (a shape there is a shape in growth, not in dollars) and return on invested capital.
"""

from tsbench.patterns.constraints import Constraint
from tsbench.patterns.spec import Channel, Pattern, Point, Polarity

FUNDAMENTALS = ("log(ttm(revenue))", "roic", "log(market_cap)")
VOLATILITIES = tuple(f"log(volatility({view}, 6))" for view in FUNDAMENTALS)


def _fundamental(
    name: str,
    description: str,
    *points: Point,
    views: tuple[str, ...] = FUNDAMENTALS,
    length: tuple[int, int] = (8, 24),
    prominence: float = 3.0,
    polarity: Polarity = "as_drawn",
    constraints: tuple[Constraint, ...] = (),
) -> Pattern:
    return Pattern(
        name,
        tuple(Channel(view, points) for view in views),
        length=length,
        polarity=polarity,
        prominence=prominence,
        constraints=constraints,
        combine="any",
        description=description,
    )


PATTERNS = (
    _fundamental(
        "inflection_up",
        "A slow decline or standstill that turns into a rise.",
        (0, 0.2),
        (0.45, 0),
        (0.7, 0.25),
        (1, 1),
    ),
    Pattern(
        "acceleration",
        (Channel("yoy(ttm(revenue))", ((0, 0), (0.3, 0.05), (0.65, 0.4), (1, 1))),),
        length=(6, 14),
        prominence=3.0,
        constraints=(Constraint("yoy(ttm(revenue))", "change", 0.05),),
        description="Trailing-year revenue grows faster and faster; growth gains at least 5 points.",
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
        "fade",
        "A quick rise whose gain slowly melts away.",
        (0, 0),
        (0.25, 1),
        (0.5, 0.75),
        (1, 0.3),
    ),
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
        "step_up",
        "A level, a quick rise, and a new level that holds, at least 10.5 % higher (return on capital: 2 points).",
        (0, 0),
        (0.4, 0.03),
        (0.6, 0.97),
        (1, 1),
        constraints=(
            Constraint("log(ttm(revenue))", "change", 0.1),
            Constraint("roic", "change", 0.02),
            Constraint("log(market_cap)", "change", 0.1),
        ),
    ),
    _fundamental(
        "erosion",
        "A level that gives way slowly, then faster.",
        (0, 1),
        (0.4, 0.9),
        (0.7, 0.6),
        (1, 0),
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
        "cycle",
        "Two full swings up and down, of equal length and height, that begin and end at the same level.",
        (0, 0),
        (0.25, 1),
        (0.5, 0),
        (0.75, 1),
        (1, 0),
        length=(16, 40),
        polarity="either",
        prominence=1.5,
    ),
    _fundamental(
        "regime_volatility",
        "Calm gives way to quarterly moves at least twice as large, and they stay large.",
        (0, 0),
        (0.4, 0),
        (0.65, 1),
        (1, 1),
        views=VOLATILITIES,
        length=(16, 36),
        prominence=2.0,
        constraints=tuple(Constraint(view, "change", 0.7) for view in VOLATILITIES),
    ),
)
