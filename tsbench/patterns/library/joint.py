"""Shapes that several metrics of a company must show together, in quarters."""

from tsbench.patterns.constraints import Constraint
from tsbench.patterns.spec import Channel, Pattern

REVENUE = "log(ttm(revenue))"
GROWTH = "yoy(ttm(revenue))"
CAP = "log(market_cap)"
PRICE_TO_SALES = "log(market_cap / ttm(revenue))"
CHEAPNESS = "rank_in(market_cap / ttm(revenue), universe)"
EARLIER_ROIC = "lag(roic, 2)"
RISE, FALL = ((0, 0), (1, 1)), ((0, 1), (1, 0))
TROUGH = ((0, 1), (0.5, 0), (1, 0.8))

PATTERNS = (
    Pattern(
        "overlooked",
        (Channel(GROWTH, RISE), Channel("roic", RISE), Channel(CAP)),
        length=(6, 14),
        prominence=1.5,
        constraints=(
            Constraint(GROWTH, "change", 0.02),
            Constraint("roic", "change", 0.01),
            Constraint(CAP, "change", -0.1, 0.1),
        ),
        description=(
            "Revenue growth and return on capital both climb while the market cap ends within 10 % of where it "
            "began: improvement that the price has not followed."
        ),
    ),
    Pattern(
        "turnaround",
        (Channel(EARLIER_ROIC, TROUGH), Channel(REVENUE, TROUGH)),
        length=(8, 24),
        prominence=1.5,
        description=(
            "Return on capital falls and recovers, and trailing-year revenue does the same about two quarters later: "
            "the return is read two quarters before the date of the match."
        ),
    ),
    Pattern(
        "rerating",
        (Channel(PRICE_TO_SALES, RISE), Channel(GROWTH)),
        length=(6, 14),
        prominence=1.5,
        constraints=(Constraint(PRICE_TO_SALES, "change", 0.2), Constraint(GROWTH, "change", None, 0.01)),
        description=(
            "The market cap climbs against trailing-year revenue, by at least 22 %, while revenue growth gains no more "
            "than a point: the market pays more for the same."
        ),
    ),
    Pattern(
        "value_trap",
        (Channel(PRICE_TO_SALES, FALL), Channel("roic", FALL), Channel(CHEAPNESS)),
        length=(6, 16),
        prominence=1.5,
        constraints=(
            Constraint(PRICE_TO_SALES, "change", None, -0.2),
            Constraint("roic", "change", None, -0.02),
            Constraint(CHEAPNESS, "level", None, 0.5),
        ),
        description=(
            "The market cap falls against trailing-year revenue by at least 18 %, to less than the median company's on "
            "average, which looks cheap, while return on capital loses at least 2 points."
        ),
    ),
    Pattern(
        "growth_without_return",
        (Channel(REVENUE, RISE), Channel("roic", FALL)),
        length=(8, 20),
        prominence=1.5,
        constraints=(Constraint(REVENUE, "change", 0.1), Constraint("roic", "change", None, -0.02)),
        description=(
            "Trailing-year revenue climbs by at least 10.5 % while return on capital loses at least 2 points: growth "
            "that costs more than it earns."
        ),
    ),
    Pattern(
        "dilution",
        (Channel("log(shares)", RISE), Channel("log(ttm(revenue) / shares)")),
        length=(6, 16),
        prominence=1.5,
        constraints=(
            Constraint("log(shares)", "change", 0.05),
            Constraint("log(ttm(revenue) / shares)", "change", None, 0.01),
        ),
        description=(
            "The number of shares climbs by at least 5 % while trailing-year revenue per share gains no more than one. "
            "Load the metric shares (outstanding at the end of the quarter), which the shipped companies lack."
        ),
    ),
)
