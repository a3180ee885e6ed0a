"""What followed the matches: every one of them, beside other companies from the same dates on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from tsbench.errors import BadInput
from tsbench.evaluate import Followed
from tsbench.plots.theme import BLUE, ORANGE, PALE_BLUE, PALE_GREY, QUIET, UNIVERSE, figure, label
from tsbench.plots.units import Unit, amount, ticks, unit_of, words

PERIODS = {"quarterly": "quarters", "annual": "years", "monthly": "months", "weekly": "weeks", "daily": "days"}
MATCH, ENDED = "a match", "a match that stopped reporting, at its last value"
HALF, CONTROLS = "middle half and median of the matches", "middle half and median of the controls"
LEGEND = (MATCH, ENDED, HALF, CONTROLS)
# Shares that a change of a logarithm is marked at.
SHARES = (-0.99, -0.95, -0.9, -0.75, -0.5, -0.25, -0.1, -0.05, 0, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 9, 24, 99)
COLUMNS, TICKS = 3, 5
TITLE_PIXELS, GAP_PIXELS, TOP_PIXELS, BOTTOM_PIXELS = 26, 56, 34, 38
# Where the dots and bars of a horizon stand beside its place on the axis, and how wide.
DOTS, OWN, OTHERS, SPREAD, BAR = -0.24, 0.08, 0.28, 0.26, 0.16


def spoken(change: float, unit: Unit) -> str:
    """A change of a channel in words: "+12%" of a logarithm, "+3.1 points" of a share; missing is a dash."""
    if not np.isfinite(change):
        return "–"
    if unit.log:
        text = f"{100 * np.expm1(change):+.0f}%"
    elif unit.kind == "share":
        text = f"{100 * change:+.1f} points"
    else:
        text = f"{'+' if change > 0 else ''}{amount(change, unit)}"
    if not any(digit in text for digit in "123456789"):
        return text.lstrip("+-\N{MINUS SIGN}")  # what rounds to nothing has no direction
    return text.replace("-", "\N{MINUS SIGN}")


def followed(results: Followed | Sequence[Followed], *, height: int = 220) -> go.Figure:
    """The change of every match and of the controls, by horizon; a small figure per channel.

    A dot is a match, a cross one that stopped reporting before the horizon. The bars hold the middle half, with the
    median, of the matches and of the controls. What lies out of range stands at the edge; the pointer tells its value.

    Parameters
        results : what `tsbench.evaluate.followed` found, for one channel or several.
        height : pixels of one small figure.
    Raises     BadInput: no match has reached a horizon in any of them.
    """
    results = [results] if isinstance(results, Followed) else list(results)
    if not any(result.summary["n"].any() for result in results):
        raise BadInput("no match has reached a horizon, so there is no change to draw")
    row = height + TITLE_PIXELS + GAP_PIXELS
    inner = -(-len(results) // COLUMNS) * row - GAP_PIXELS
    fig = figure(height=inner + TOP_PIXELS + BOTTOM_PIXELS)
    for i, result in enumerate(results):
        number, (down, across) = str(i + 1) if i else "", divmod(i, COLUMNS)
        left, top = across / COLUMNS, 1 - (down * row + TITLE_PIXELS) / inner
        fig.update_layout(
            {
                f"xaxis{number}": {"domain": [left + 0.046, left + 1 / COLUMNS - 0.012], "anchor": f"y{number}"},
                f"yaxis{number}": {
                    "domain": [max(top - height / inner, 0), top],
                    "anchor": f"x{number}",
                    "automargin": False,
                },
            }
        )
        title = words(result.expression)
        label(fig, f"<b>{title[:1].upper()}{title[1:]}</b>", left, top, yshift=4)
        if result.summary["n"].any():
            _Pane(fig, number, result).draw()
    fig.update_layout(margin={"t": TOP_PIXELS, "b": BOTTOM_PIXELS, "l": 4, "r": 4}, showlegend=True)
    return fig.update_layout(legend={"y": 1 + 4 / inner, "itemclick": False, "itemdoubleclick": False})


class _Pane:
    """One small figure: one channel over its horizons."""

    def __init__(self, fig: go.Figure, number: str, result: Followed) -> None:
        self.fig, self.number, self.result = fig, number, result
        self.unit = unit_of(result.expression)
        self.place = {h: i for i, h in enumerate(result.summary["horizon"])}
        self.low, self.high = _range(result)

    def draw(self) -> None:
        self._axes()
        self._bars(OTHERS, "control_", CONTROLS, UNIVERSE, PALE_GREY)
        self._bars(OWN, "", HALF, BLUE, PALE_BLUE)
        dot = {"color": BLUE, "size": 5, "opacity": 0.5}
        cross = {"color": ORANGE, "size": 7, "symbol": "x-thin", "line": {"color": ORANGE, "width": 2}}
        for outcome, name, marker in (("reached", MATCH, dot), ("ended", ENDED, cross)):
            self._dots(self.result.rows[self.result.rows["outcome"] == outcome], name, marker)

    def _bars(self, beside: float, prefix: str, name: str, colour: str, pale: str) -> None:
        names = [f"{prefix}{quartile}" for quartile in ("q25", "median", "q75")]
        part = self.result.summary[self.result.summary[names[1]].notna()]
        low, middle, high = (part[name].clip(self.low, self.high) for name in names)
        said = [
            f"{spoken(b, self.unit)}, half of them {spoken(a, self.unit)} to {spoken(c, self.unit)}"
            for a, b, c in part[names].itertuples(index=False)
        ]
        at = {"x": part["horizon"].map(self.place) + beside, "hovertext": said, "hoverinfo": "text"}
        self._add("bar", name, y=high - low, base=low, width=BAR, marker={"color": pale, "line_width": 0}, **at)
        mark = {"color": colour, "symbol": "line-ew", "size": 10, "line": {"color": colour, "width": 3}}
        self._add("scatter", name, False, y=middle, mode="markers", marker=mark, **at)

    def _dots(self, part: pd.DataFrame, name: str, marker: dict[str, Any]) -> None:
        if part.empty:
            return
        # the golden ratio spreads the dots evenly, and the same way each time
        spread = (np.arange(len(part)) * 0.6180339887 % 1 - 0.5) * SPREAD
        said = [
            f"{name or entity}: {spoken(change, self.unit)}, {begin:%b %Y} – {end:%b %Y}"
            for name, entity, change, begin, end in part[["name", "entity", "change", "from", "to"]].itertuples(
                index=False
            )
        ]
        x, y = part["horizon"].map(self.place) + DOTS + spread, np.clip(part["change"], self.low, self.high)
        self._add("scatter", name, x=x, y=y, mode="markers", marker=marker, hovertext=said, hoverinfo="text")

    def _add(self, kind: str, name: str, legend: bool = True, /, **trace: Any) -> None:
        new = legend and all(t.name != name or not t.showlegend for t in self.fig.data)
        axes = {"xaxis": f"x{self.number}", "yaxis": f"y{self.number}"}
        getattr(self.fig, f"add_{kind}")(
            name=name, showlegend=new, legendgroup=name, legendrank=LEGEND.index(name), **axes, **trace
        )

    def _axes(self) -> None:
        period = PERIODS.get(self.result.frequency, "periods")
        n = len(self.place)
        places, texts = self._ticks()
        reach = 0.05 * (self.high - self.low)
        x = {"tickvals": list(range(n)), "ticktext": [f"{h} {period}<br>later" for h in self.place]}
        y = {"tickvals": places, "ticktext": texts, "range": [self.low - reach, self.high + reach]}
        zero = {"zeroline": True, "zerolinecolor": QUIET, "zerolinewidth": 1}
        self.fig.update_layout({f"xaxis{self.number}": {**x, "range": [-0.5, n - 0.5], "fixedrange": True}})
        self.fig.update_layout({f"yaxis{self.number}": {**y, **zero, "fixedrange": True}})

    def _ticks(self) -> tuple[list[float], list[str]]:
        kept = [0.0]
        if self.unit.log:
            gap, middle = (self.high - self.low) / TICKS, SHARES.index(0)
            for share in (*SHARES[middle + 1 :], *reversed(SHARES[:middle])):
                place = float(np.log1p(share))
                if self.low <= place <= self.high and min(abs(place - other) for other in kept) >= gap:
                    kept.append(place)
        else:
            kept = ticks(self.low, self.high, self.unit)[0]
        return kept, [spoken(place, self.unit).replace(".0 points", " points") for place in kept]


def _range(result: Followed) -> tuple[float, float]:
    """The changes shown in range: nearly all, every quartile, and none."""
    shown = ["q25", "q75", "control_q25", "control_q75"]
    most = result.rows["change"].quantile([0.03, 0.97])
    values = np.r_[0.0, most, result.summary[shown].to_numpy(float).ravel()]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return (low, high) if high > low else (low - 1e-3, high + 1e-3)
