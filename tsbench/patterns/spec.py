"""Pattern: a named shape over one or several channels, with its tolerances; plain JSON inside and out."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tsbench import checks
from tsbench.errors import BadInput
from tsbench.patterns.constraints import Constraint
from tsbench.patterns.expressions import metrics_of
from tsbench.series import Panel

Polarity = Literal["as_drawn", "inverted", "either"]
Point = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Channel:
    """One expression over metrics and the shape it should draw.

    expression : such as "revenue", "ttm(revenue)", "yoy(revenue)", "net_income / revenue"; see `evaluate`.
    points : control points (x, y), x ascending from 0 to 1, y in any unit (only the shape counts). Empty = the
        channel has no shape and only takes part in constraints.
    """

    expression: str
    points: tuple[Point, ...] = ()

    def __post_init__(self) -> None:
        metrics_of(self.expression)
        try:
            points = tuple((float(x), float(y)) for x, y in self.points)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInput(
                f"points of channel {self.expression!r} must be pairs of numbers (x, y), got {self.points!r}"
            ) from error
        object.__setattr__(self, "points", points)
        if not points:
            return
        xs, ys = np.array([p[0] for p in points]), np.array([p[1] for p in points])
        if not np.isfinite([xs, ys]).all() or xs.size < 2 or xs[0] != 0 or xs[-1] != 1 or (np.diff(xs) <= 0).any():
            raise BadInput(
                f"points of channel {self.expression!r} must run from x = 0 to x = 1 in ascending order with finite "
                f"y, got {list(points)}"
            )
        if ys.max() / 2 - ys.min() / 2 > sys.float_info.max / 2:
            raise BadInput(f"points of channel {self.expression!r} span more than a number holds; take smaller y")
        if np.ptp(ys) == 0:
            raise BadInput(
                f"points of channel {self.expression!r} are a flat line, which has no shape to correlate with; leave "
                "points empty and add Constraint.flat(channel, percent)"
            )

    @property
    def drawing(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(x, y) of the control points, y moved and scaled to run from 0 to 1: its unit does not count."""
        x, y = np.array(self.points, dtype=np.float64).reshape(-1, 2).T
        return (x, (y - y.min()) / np.ptp(y)) if y.size else (x, y)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape to look for.

    name : letters, digits, '_' and '-'.
    channels : one or more. With combine="all" every channel must show its shape over the same stretch (a joint
        pattern); with "any" they are alternatives and the least likely by chance counts, paid for as one hypothesis.
    length : (shortest, longest) in periods, both included.
    warp, jitter : relative tolerance of the control points in time and height. They shape generated examples only
        (`synthesize`); the search compares with the drawing as it is, at every length of `scales`.
    polarity : look for the drawing, its mirror image in height ("inverted"), or "either".
    prominence : the amplitude gate: height of the shape, in units of one-step noise times the square root of the
        length (so far a random walk strays), below which a match is discounted in proportion; 0 = pure correlation.
    constraints : conditions in units on the matched stretch, one `Constraint` each.
    example : the entity whose stretch the drawing is, left out of every ranking; "" for a drawing of no one.
    """

    name: str
    channels: tuple[Channel, ...]
    length: tuple[int, int]
    warp: float = 0.2
    jitter: float = 0.1
    polarity: Polarity = "as_drawn"
    prominence: float = 0.0
    constraints: tuple[Constraint, ...] = ()
    combine: Literal["all", "any"] = "all"
    example: str = ""
    description: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not all(c.isalnum() or c in "_-" for c in _text(self.name, "name")) or not self.name:
            raise BadInput(f"a pattern's name holds letters, digits, '_' and '-' only, got {self.name!r}")
        object.__setattr__(self, "channels", _all(self.channels, Channel, "channels"))
        object.__setattr__(self, "constraints", _all(self.constraints, Constraint, "constraints"))
        _text(self.description, "description")
        _text(self.example, "example")
        if not any(channel.points for channel in self.channels):
            raise BadInput(f"pattern {self.name!r} needs at least one channel with points, a shape to look for")
        try:
            low, high = self.length
        except (TypeError, ValueError):
            raise BadInput(f"length must be (shortest, longest), got {self.length!r}") from None
        low, high = checks.whole(low, "length", 4, 10_000), checks.whole(high, "length", 4, 10_000)
        if low > high:
            raise BadInput(f"length must be (shortest, longest), got {self.length}")
        object.__setattr__(self, "length", (low, high))
        for tolerance, most in (("warp", 1), ("jitter", 1), ("prominence", 1e6)):
            object.__setattr__(self, tolerance, checks.between(getattr(self, tolerance), tolerance, 0, most))
        checks.choice(self.polarity, "polarity", ("as_drawn", "inverted", "either"))
        checks.choice(self.combine, "combine", ("all", "any"))
        if self.combine == "any" and not all(channel.points for channel in self.channels):
            raise BadInput(f"pattern {self.name!r}: with combine='any' every channel needs points of its own")
        if len({c.expression for c in self.channels}) != len(self.channels):
            raise BadInput(f"pattern {self.name!r} names the same expression twice")
        for constraint in self.constraints:
            if constraint.channel not in self.expressions:
                raise BadInput(
                    f"pattern {self.name!r}: constraint on {constraint.channel!r}, which is none of its channels "
                    f"({', '.join(self.expressions)})"
                )

    def __repr__(self) -> str:
        return f"Pattern({self.name!r}, {f' {self.joiner} '.join(self.expressions)}, {self.length[0]}-{self.length[1]})"

    @property
    def expressions(self) -> tuple[str, ...]:
        """The channels' expressions, in order."""
        return tuple(channel.expression for channel in self.channels)

    @property
    def joiner(self) -> str:
        """The sign between channels in prose: '&' when all must match, '|' when any may."""
        return "&" if self.combine == "all" else "|"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that the expressions need, sorted."""
        return tuple(sorted({m for channel in self.channels for m in metrics_of(channel.expression)}))

    def scales(self, ratio: float = 1.15) -> NDArray[np.int64]:
        """The window lengths a search tries: both ends and geometric steps of `ratio` between, ascending."""
        low, high = self.length
        steps = max(int(np.ceil(np.log(high / low) / np.log(ratio))), 0)
        return np.unique(np.rint(np.geomspace(low, high, steps + 1)).astype(np.int64))

    def template(self, channel: int | str, m: int, *, complete: float = 1.0) -> NDArray[np.float64]:
        """The channel's shape on m points: mean zero, Euclidean norm one, so a dot product is an amplitude.

        Parameters
            channel : its position or its expression.
            m : number of points, >= 3.
            complete : the first part of the drawing only, e.g. 0.6 for one still forming.
        Returns
            float64, shape (m,). The shape is the straight line between control points, sampled at both ends.
        Raises     BadInput: unknown channel, a channel without points, or too few points to show the shape.
        """
        position = self.expressions.index(channel) if channel in self.expressions else channel
        if not isinstance(position, int) or not 0 <= position < len(self.channels):
            raise BadInput(f"pattern {self.name!r} has no channel {channel!r}; it has {', '.join(self.expressions)}")
        if not self.channels[position].points:
            raise BadInput(f"channel {self.channels[position].expression!r} has no points and so no template")
        x, y = self.channels[position].drawing
        shape: NDArray[np.float64] = np.interp(
            np.linspace(0.0, checks.between(complete, "complete", 0.1, 1), checks.whole(m, "m", 3)), x, y
        )
        shape -= shape.mean()
        norm = np.sqrt(shape @ shape)
        if norm < 1e-9:
            raise BadInput(f"the first {complete:.0%} of {self.name!r} is a flat line, which has no shape to look for")
        return shape / norm

    @classmethod
    def from_example(
        cls, panel: Panel, entity: str, start: Any, end: Any, metrics: Sequence[str] | None = None, **settings: Any
    ) -> "Pattern":
        """A stretch of one entity as a pattern, which scans then leave out of the ranking.

        `panel`, `entity`, `start`, `end`, `metrics` and `settings` (name, prominence) as in `patterns.example`.
        """
        from tsbench.patterns.example import from_example

        return from_example(panel, entity, start, end, metrics, **settings)

    # ---- JSON -----------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The pattern as plain JSON values; `from_json` gives an equal pattern back."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "length": list(self.length),
            "channels": [{"expression": c.expression, "points": [list(p) for p in c.points]} for c in self.channels],
            "constraints": [asdict(c) for c in self.constraints],
        }

    @classmethod
    def from_json(cls, spec: Mapping[str, Any]) -> "Pattern":
        """A pattern from `to_json`'s layout. Raises BadInput on missing, unknown or malformed fields."""
        if not isinstance(spec, Mapping):
            raise BadInput(f"a pattern spec must be an object with fields such as name and channels, got {spec!r}")
        unknown = set(spec) - {*_PLAIN, "length", "channels", "constraints"}
        missing = {"name", "length", "channels"} - set(spec)
        if unknown or missing:
            raise BadInput(
                f"pattern spec: unknown fields {sorted(unknown)}, missing fields {sorted(missing)}; known fields are "
                f"{', '.join([*_PLAIN, 'length', 'channels', 'constraints'])}"
            )
        try:
            channels = [Channel(c["expression"], tuple(map(_point, c.get("points", ())))) for c in spec["channels"]]
            constraints = [Constraint(**c) for c in spec.get("constraints", ())]
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"pattern spec of {spec['name']!r} is malformed: {error!r}") from error
        plain = {name: spec[name] for name in _PLAIN if name in spec}
        return cls(**plain, channels=tuple(channels), constraints=tuple(constraints), length=spec["length"])

    def _repr_html_(self) -> str:
        import html

        rows = "".join(f"<tr><td>{html.escape(c.expression)}</td><td>{_sparkline(c)}</td></tr>" for c in self.channels)
        rules = "".join(f"<li>{html.escape(str(c))}</li>" for c in self.constraints)
        return (
            f"<b>{html.escape(self.name)}</b> ({self.length[0]} to {self.length[1]} periods, {self.combine} of the "
            f"channels)<br>{html.escape(self.description)}<table>{rows}</table><ul>{rules}</ul>"
        )


_PLAIN = ("name", "warp", "jitter", "polarity", "prominence", "combine", "example", "description")


def _point(pair: Sequence[float]) -> Point:
    x, y = pair
    return (float(x), float(y))


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{name} of a pattern must be text, got {value!r}")
    return value


def _all(items: Any, kind: type[T], name: str) -> tuple[T, ...]:
    found = tuple(items) if isinstance(items, Iterable) else (items,)
    if not all(isinstance(item, kind) for item in found):
        raise BadInput(f"{name} must be {kind.__name__} objects, got {items!r}")
    return found


def _sparkline(channel: Channel) -> str:
    if not channel.points:
        return "<i>constraints only</i>"
    x, y = channel.drawing
    path = " ".join(f"{4 + 112 * a:.1f},{4 + 32 * (1 - b):.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<svg width="120" height="40"><polyline points="{path}" fill="none" stroke="#0072B2" stroke-width="2"/></svg>'
    )
