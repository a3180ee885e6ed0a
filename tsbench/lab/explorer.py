"""SeriesExplorer: find companies, filter them by a query, and look at their series side by side."""

import contextlib
import copy
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd
import traitlets

from tsbench import checks
from tsbench.errors import BadInput, NotFound, TsbenchError
from tsbench.lab.assets import script, style
from tsbench.lab.board import Board
from tsbench.lab.lines import SCALES, Scale, chart, lines
from tsbench.lab.listing import facts, rows, searched
from tsbench.lab.newest import Newest
from tsbench.lab.static import explorer_page
from tsbench.lab.tasks import idle
from tsbench.plots.channels import View, view
from tsbench.report import Screen, screen, universe
from tsbench.series import Panel

if TYPE_CHECKING:
    from tsbench.store import Store

# Companies that a reader can tell apart, channels that fit on a screen, and rows of the list sent to the page.
MOST_COMPANIES, MOST_CHANNELS, LISTED = 8, 6, 60
# Channels kept evaluated over all companies.
KEPT = 12
# So long a cell waits for the answer to what was asked last.
PATIENCE = 30.0
# What a chart is made from.
DRAWN = ("symbols", "channels", "scale")
FRAME = ["symbol", "channel", "time", "value", "doubted"]
# What is looked at first, as far as it is there.
USUAL = ("revenue", "roic", "market_cap", "close", "value")


def _asked(name: str, told: str) -> Any:
    """A property: what is asked of this `name`; setting it shows the answer before it returns, or raises."""

    def read(self: "SeriesExplorer") -> Any:
        return copy.copy(self.asked[name])

    def ask(self: "SeriesExplorer", value: Any) -> None:
        self._set(**{name: _names(value) if name in ("symbols", "channels") else str(value or "")})

    return property(read, ask, doc=told)


class SeriesExplorer(Board):
    """Companies to search and filter on the left, the series of those that are picked on the right.

    What is shown can be set from a cell as well: `symbols`, `channels`, `scale`, `query`, `watchlist`; `companies` and
    `funnel` say who passes the filter, `frame` holds the values drawn, `line` the code that makes the same again.

    Parameters
        source : a Store, or a Panel of raw metrics; without a store there are no watchlists.
        symbols : companies drawn, at most 8; the first by default.
        channels : metrics or expressions over them, at most 6; revenue, roic and market_cap by default.
        scale : "values", "log", "index100" or "zscore"; see `tsbench.lab.lines.chart`.
        query : a filter of the list; see `tsbench.report.screen`.
        frequency, as_of : of series read from a store; see `Store.series_of`.
    Raises     NotFound: no such company or metric. BadInput: a query or an expression that cannot be read.
    """

    _esm = script("elements", "chart", "explorer")
    _css = style("board", "explorer")
    asked = traitlets.Dict().tag(sync=True)
    shown = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        source: "Panel | Store",
        *,
        symbols: str | Iterable[str] | None = None,
        channels: str | Iterable[str] | None = None,
        scale: Scale = "values",
        query: str = "",
        frequency: str = "quarterly",
        as_of: Any = None,
    ) -> None:
        self._store = None if isinstance(source, Panel) else source
        self._panel = source if isinstance(source, Panel) else source.series_of(frequency=frequency, as_of=as_of)
        self._asked_store = {"frequency": frequency, "as_of": None if as_of is None else str(as_of)}
        if not len(self._panel):
            raise BadInput("there is no series to look at; load some, or take another frequency or as_of")
        self._universe = universe(self._panel)
        self._seen: OrderedDict[str, View] = OrderedDict()
        self._screened: tuple[str, Screen] | None = None
        self._showing, self._evaluating, self._shown_for = threading.Lock(), threading.Lock(), dict[str, Any]()
        metrics = list(dict.fromkeys(self._panel.index["metric"]))
        usual = [name for name in USUAL if name in metrics][:3] or [name for name in metrics if name.isidentifier()][:1]
        super().__init__(
            asked={
                "serial": 0,
                "search": "",
                "query": query,
                "watchlist": "",
                "symbols": _names(symbols) or self._panel.entities[:1],
                "channels": _names(channels) or usual,
                "scale": scale,
            },
            shown={"metrics": metrics, "store": self._store is not None},
        )
        self._answers: Newest[dict[str, Any]] = Newest(self._answer, self._not_answered)
        try:
            self._show(self.asked)
        except TsbenchError:
            self.close()
            raise
        self.observe(self._changed, "asked")

    # ---- what is shown ------------------------------------------------------------------------------------

    symbols = _asked("symbols", "The companies drawn.")
    channels = _asked("channels", "The metrics and expressions drawn, a lane each.")
    scale = _asked("scale", '"values", "log", "index100" or "zscore".')
    query = _asked("query", "The filter of the list.")
    watchlist = _asked("watchlist", 'The watchlist that the list is limited to; "" for none.')

    @property
    def companies(self) -> pd.DataFrame:
        """The companies that pass filter and watchlist, as `tsbench.report.universe` describes them."""
        return self._filtered(self.asked).companies

    @property
    def funnel(self) -> pd.DataFrame:
        """What each condition of the filter drops; see `tsbench.report.Screen`."""
        return self._filtered(self.asked).funnel

    @property
    def frame(self) -> pd.DataFrame:
        """The values drawn: symbol, channel, time, value (on the scale shown, a logarithm undone), doubted."""
        parts = [
            pd.DataFrame(
                {
                    "symbol": line.symbol,
                    "channel": channel,
                    "time": pd.to_datetime(line.times, unit="us", utc=True),
                    "value": line.values,
                    "doubted": line.doubted,
                }
            )
            for channel, view in self._views(self.channels).items()
            for line in lines(view, self.symbols, self.scale)
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=FRAME)

    @property
    def line(self) -> str:
        """Code that gives `frame` again: this explorer, opened anew."""
        return self._line(self.asked)

    def _line(self, asked: dict[str, Any]) -> str:
        source = "panel" if self._store is None else "Store()"
        told = {name: asked[name] for name in ("symbols", "channels", "scale")}
        told |= {} if self._store is None else self._asked_store
        left_out = (("scale", "values"), ("frequency", "quarterly"), ("as_of", None))
        given = ", ".join(f"{name}={value!r}" for name, value in told.items() if (name, value) not in left_out)
        return f"SeriesExplorer({source}, {given}).frame"

    def to_static(self) -> str:
        """The explorer as HTML that needs neither kernel nor script: the lines, and what is known of each company."""
        return explorer_page(self.shown)

    def close(self) -> None:
        """As every board's."""
        if "_answers" in self.__dict__:
            self._answers.close()
        super().close()

    def wait(self, timeout: float | None = None) -> None:
        """As every board's; what was asked last is shown then."""
        super().wait(timeout)
        if not self._answers.wait(timeout):
            raise TimeoutError("what was asked last is not shown yet")

    # ---- watchlists ---------------------------------------------------------------------------------------

    def keep(self, name: str) -> None:
        """Keep the companies drawn as the watchlist `name`, in place of what was there."""
        self._need_store().watchlists.put(name, self.symbols)
        self._set(watchlist=name.strip())

    def forget(self, name: str) -> None:
        """Forget the watchlist `name`; one that is gone already is no error."""
        with contextlib.suppress(NotFound):
            self._need_store().watchlists.delete(name)
        self._set(watchlist="" if self.watchlist == name else self.watchlist)

    # ---- the page speaks ----------------------------------------------------------------------------------

    def _heard(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        if message.get("do") in ("keep", "forget"):
            self._soon(lambda: self._kept(message["do"], str(message["name"])))

    def _kept(self, verb: str, name: str) -> None:
        getattr(self, verb)(name)
        # what went wrong before is mended
        self._say(**idle())

    def _set(self, **news: Any) -> None:
        """What a cell sets is shown before it returns, or refused."""
        asked = {**self.asked, **news, "serial": self.asked["serial"] + 1}
        self._show(asked)
        self.asked = asked

    # ---- the answer ---------------------------------------------------------------------------------------

    def _changed(self, _: Any) -> None:
        """The page asks; what a cell asked is answered already."""
        if self.asked != self._shown_for:
            self._answers.ask(self.asked)

    def _answer(self, asked: dict[str, Any]) -> None:
        self._show(asked, raising=False)

    def _not_answered(self, error: Exception) -> None:
        trouble = {"chart": f"{type(error).__name__}: {error}"}
        self.shown = {**self.shown, "serial": self.asked["serial"], "troubles": trouble}

    def _show(self, asked: dict[str, Any], *, raising: bool = True) -> None:
        """List and chart; where one of them cannot be made the one before stays, with the reason beside it."""
        with self._showing:
            news: dict[str, Any] = {"serial": asked["serial"], "troubles": {}}
            for part, made in (("list", self._list), ("chart", self._chart)):
                try:
                    news |= made(asked)
                except TsbenchError as error:
                    if raising:
                        raise
                    news["troubles"][part] = str(error)
            if "chart" in news["troubles"]:
                # what cannot be drawn is not asked any longer: the next click is about what is seen
                asked = {**asked, **{name: self._shown_for[name] for name in DRAWN}}
            self._shown_for = asked
            self.shown = {**self.shown, **news}
        if not raising and self.asked["serial"] == asked["serial"]:
            self.asked = asked

    def _filtered(self, asked: dict[str, Any]) -> Screen:
        query, name = asked["query"], asked["watchlist"]
        if self._screened is None or self._screened[0] != query:
            self._screened = query, screen(self._panel, query, self._universe)
        passed = self._screened[1]
        return passed.limited(f"on the watchlist {name}", self._need_store().watchlists.get(name)) if name else passed

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        passed = self._filtered(asked)
        found = searched(passed.companies, asked["search"])
        return {
            "companies": rows(found.head(LISTED)),
            "found": len(found),
            "funnel": passed.funnel.to_dict("records"),
            "watchlists": [] if self._store is None else self._store.watchlists.names(),
        }

    def _chart(self, asked: dict[str, Any]) -> dict[str, Any]:
        checks.choice(asked["scale"], "scale", SCALES)
        symbols, channels = asked["symbols"], asked["channels"]
        for what, most, given in (("companies", MOST_COMPANIES, symbols), ("channels", MOST_CHANNELS, channels)):
            if not 0 < len(given) <= most:
                raise BadInput(f"{len(given)} {what} to draw; pick 1 to {most}")
        entities = self._panel.entities
        for symbol in symbols:
            checks.known(symbol, "company", entities)
        views = self._views(channels)
        return {
            "chart": chart(list(views.values()), symbols, asked["scale"]),
            "facts": facts(self._universe, views, symbols),
            "line": self._line(asked),
        }

    def _views(self, channels: list[str]) -> dict[str, View]:
        """Channels over all companies, evaluated once."""
        with self._evaluating:
            for channel in channels:
                if channel not in self._seen:
                    # each on its own dates
                    self._seen |= view([channel], self._panel)
                self._seen.move_to_end(channel)
            while len(self._seen) > KEPT:
                self._seen.popitem(last=False)
            return {channel: self._seen[channel] for channel in channels}


def _names(names: str | Iterable[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(dict.fromkeys(map(str, names or ())))
