"""Chart patterns in bars of any width, on the logarithm of the close; a group for data of your own.

The names and what each demands of its peaks and troughs follow the trade's usage, in words that can be measured since
Lo, Mamaysky & Wang (2000), "Foundations of Technical Analysis", section II.A.
"""

from tsbench.patterns.constraints import Constraint
from tsbench.patterns.spec import Channel, Pattern, Point, Polarity

CLOSE = "log(close)"
VOLATILITY = "log(volatility(log(close), 10))"
LOAD = "Load the metric close."


def _price(
    name: str,
    description: str,
    *points: Point,
    length: tuple[int, int],
    channel: str = CLOSE,
    polarity: Polarity = "as_drawn",
    prominence: float = 1.0,
    constraints: tuple[Constraint, ...] = (),
) -> Pattern:
    return Pattern(
        name,
        (Channel(channel, points),),
        length=length,
        polarity=polarity,
        prominence=prominence,
        constraints=constraints,
        description=f"{description} {LOAD}",
    )


PATTERNS = (
    _price(
        "head_and_shoulders",
        "Three peaks, the middle one highest and the outer two alike, over one neckline; it ends within about 10 % of "
        "where it began.",
        (0, 0),
        (0.15, 0.6),
        (0.3, 0.25),
        (0.5, 1),
        (0.7, 0.25),
        (0.85, 0.6),
        (1, 0),
        length=(20, 80),
        constraints=(Constraint(CLOSE, "change", -0.1, 0.1),),
    ),
    _price(
        "inverse_head_and_shoulders",
        "Three troughs, the middle one lowest and the outer two alike, under one neckline; it ends within about 10 % "
        "of where it began.",
        (0, 1),
        (0.15, 0.4),
        (0.3, 0.75),
        (0.5, 0),
        (0.7, 0.75),
        (0.85, 0.4),
        (1, 1),
        length=(20, 80),
        constraints=(Constraint(CLOSE, "change", -0.1, 0.1),),
    ),
    _price(
        "double_top",
        "Two peaks of one height with a dip between them, and a fall back below the dip.",
        (0, 0),
        (0.25, 1),
        (0.5, 0.45),
        (0.75, 1),
        (1, 0),
        length=(16, 80),
    ),
    _price(
        "double_bottom",
        "Two troughs of one depth with a rally between them, and a rise above the rally.",
        (0, 1),
        (0.25, 0),
        (0.5, 0.55),
        (0.75, 0),
        (1, 1),
        length=(16, 80),
    ),
    _price(
        "triple_top",
        "Three peaks of one height with two equal dips between them, and a fall back below the dips.",
        (0, 0),
        (0.17, 1),
        (0.33, 0.45),
        (0.5, 1),
        (0.67, 0.45),
        (0.83, 1),
        (1, 0),
        length=(20, 100),
    ),
    _price(
        "triple_bottom",
        "Three troughs of one depth with two equal rallies between them, and a rise above the rallies.",
        (0, 1),
        (0.17, 0),
        (0.33, 0.55),
        (0.5, 0),
        (0.67, 0.55),
        (0.83, 0),
        (1, 1),
        length=(20, 100),
    ),
    _price(
        "cup_and_handle",
        "A round trough between two rims of one height, a shallow dip, and a rise to the rim.",
        (0, 1),
        (0.1, 0.5),
        (0.22, 0.15),
        (0.36, 0),
        (0.5, 0.15),
        (0.62, 0.5),
        (0.72, 1),
        (0.86, 0.65),
        (1, 1),
        length=(30, 150),
    ),
    _price(
        "ascending_triangle",
        "Peaks that stop at one level while the troughs between them rise towards it.",
        (0, 0),
        (0.2, 1),
        (0.4, 0.4),
        (0.6, 1),
        (0.8, 0.7),
        (1, 1),
        length=(16, 60),
    ),
    _price(
        "descending_triangle",
        "Troughs that stop at one level while the peaks between them fall towards it.",
        (0, 1),
        (0.2, 0),
        (0.4, 0.6),
        (0.6, 0),
        (0.8, 0.3),
        (1, 0),
        length=(16, 60),
    ),
    _price(
        "symmetric_triangle",
        "Falling peaks and rising troughs that close in on one level.",
        (0, 0),
        (0.18, 1),
        (0.38, 0.2),
        (0.56, 0.8),
        (0.72, 0.35),
        (0.87, 0.65),
        (1, 0.5),
        length=(16, 60),
    ),
    _price(
        "bull_flag",
        "A steep rise, the pole, and a small channel that drifts down and gives back less than half of it.",
        (0, 0),
        (0.35, 1),
        (0.5, 0.8),
        (0.6, 0.9),
        (0.75, 0.65),
        (0.85, 0.75),
        (1, 0.55),
        length=(12, 40),
    ),
    _price(
        "channel_break",
        "Swings between two level lines, then a move out of the channel, nearly twice as wide again; up or down.",
        (0, 0),
        (0.14, 0.35),
        (0.28, 0),
        (0.42, 0.35),
        (0.56, 0),
        (0.7, 0.35),
        (0.8, 0.1),
        (1, 1),
        length=(20, 80),
        polarity="either",
    ),
    Pattern(
        "climax_spike",
        (
            Channel(CLOSE, ((0, 0), (0.4, 0.15), (0.65, 0.45), (0.85, 1), (1, 0.6))),
            Channel("log(volume)", ((0, 0), (0.6, 0.1), (0.85, 1), (1, 0.4))),
        ),
        length=(12, 40),
        prominence=0.75,
        description=(
            "A rise that gets ever steeper, tops out on a surge of volume and turns: a buying climax. Load the metrics "
            "close and volume."
        ),
    ),
    _price(
        "volatility_squeeze",
        "The volatility of ten bars falls to half or less and stays low.",
        (0, 1),
        (0.45, 0.25),
        (0.75, 0),
        (1, 0),
        channel=VOLATILITY,
        length=(20, 80),
        prominence=2.0,
        constraints=(Constraint(VOLATILITY, "change", None, -0.7),),
    ),
    _price(
        "gap_and_fill",
        "A jump from one close to the next, up or down, that the following bars give back; it ends within 3 % of where "
        "it began.",
        (0, 0),
        (0.25, 0),
        (0.32, 1),
        (1, 0),
        length=(10, 30),
        polarity="either",
        prominence=1.5,
        constraints=(Constraint(CLOSE, "change", -0.03, 0.03),),
    ),
)
