"""PatternDesigner: draw a shape, and every company answers while you draw."""

import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd
import traitlets

from tsbench import checks
from tsbench.detect import WHERE, PatternDetector, Where
from tsbench.errors import BadInput, TsbenchError
from tsbench.evaluate import VERDICTS, Verdict
from tsbench.lab.assets import script, style
from tsbench.lab.board import Board
from tsbench.lab.cards import cards, channels_of, match_of
from tsbench.lab.newest import Newest
from tsbench.lab.offer import offer, on_offer
from tsbench.lab.ranking import Companies, Ranking
from tsbench.lab.static import designer_page
from tsbench.lab.tasks import STOPPABLE, VERBS
from tsbench.lab.teaching import Teacher
from tsbench.lab.verdicts import Verdicts
from tsbench.patterns import Pattern
from tsbench.series import Panel
from tsbench.store.engine import address

if TYPE_CHECKING:
    from tsbench.jobs import Scan
    from tsbench.report import Run
    from tsbench.store import ModelVersion, Store

REPORT = "05_scan_companies"
# What a report of all shipped companies may take.
DEADLINE = 600.0
# So long a cell waits for the answer to the newest drawing, and a training until its first answer is shown.
PATIENCE, SHOWN = 30.0, 2.0


class PatternDesigner(Board):
    """A drawing board for a pattern, with the companies nearest to it beside.

    While the shape changes every company is searched anew and the best are shown: exploration, marked as such. `train`
    adds a judge, p and q; a verdict on a match teaches it. Each button is a method of the same name, to be called from
    a cell as well; `pattern`, `matches` and `labels` say what is on the board.

    Parameters
        companies : a Store, or a Panel of raw metrics; without a store nothing can be saved, scanned or reported.
        pattern : where to begin: a Pattern, or the name of one that is saved in the store or shipped.
        where : "now", "history" or "forming", as in `PatternDetector.scan`.
        top : matches shown. frequency : of the series read from a store.
    Raises     NotFound: no such pattern, or the companies lack what it needs.
    """

    _esm = script("elements", "lanes", "matches", "controls", "designer")
    _css = style("board", "designer")
    spec = traitlets.Dict().tag(sync=True)
    where = traitlets.Enum(WHERE).tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        companies: "Panel | Store",
        *,
        pattern: Pattern | str = "dip_recovery",
        where: Where = "history",
        top: int = 15,
        frequency: str = "quarterly",
    ) -> None:
        checks.choice(where, "where", WHERE)
        self._store = None if isinstance(companies, Panel) else companies
        self._frequency = frequency
        panel = companies if isinstance(companies, Panel) else companies.series_of(frequency=frequency)
        self._top = checks.whole(top, "top", 1, 60)
        self._verdicts = Verdicts(self._store)
        self._ranking: Ranking | None = None
        self._trouble = ""
        self._serial = self._tried = self._judged = 0
        self._drawn: tuple[dict[str, Any], str] = ({}, "")
        drawing = on_offer(pattern, self._store)
        super().__init__(spec=drawing.to_json(), where=where, choices=offer(panel, self._store))
        self._companies = Companies(panel, self._pool)
        self._pool.submit(import_module, "sklearn.linear_model")  # 2 s that the first verdict would wait
        self._teacher = Teacher(self._companies, self._long, self._learnt)
        self._answers: Newest[tuple[int, dict[str, Any], Where, bool]] = Newest(self._answer, self._not_answered)
        try:
            self._find(0, self.spec, where, moving=False)
        except TsbenchError:
            self.close()
            raise
        self.observe(self._changed, ["spec", "where"])

    # ---- what is on the board ---------------------------------------------------------------------------

    @property
    def pattern(self) -> Pattern:
        """The drawing. Raises BadInput where it is not one yet, e.g. two channels of the same expression."""
        return Pattern.from_json(self.spec)

    @pattern.setter
    def pattern(self, drawing: Pattern | str) -> None:
        self.spec = on_offer(drawing, self._store).to_json()

    @property
    def matches(self) -> pd.DataFrame:
        """The matches shown, best first: entity, name, sector, channels, start, end, score; after `train` p and q."""
        ranking = self._ranked()
        table = ranking.table.drop(columns=["channel", "start", "stop", "first", "last"])
        table.insert(3, "channels", [list(channels_of(ranking, i)) for i in range(len(table))])
        for place, (name, end) in enumerate((("start", "first"), ("end", "last"))):
            table.insert(4 + place, name, pd.to_datetime(ranking.table[end], unit="us", utc=True))
        return table

    @property
    def labels(self) -> pd.DataFrame:
        """What was said of matches of a pattern of this name."""
        return self._verdicts.of(self.pattern.name)

    def _ranked(self) -> Ranking:
        """The answer to the newest drawing."""
        if not self._answers.wait(PATIENCE):
            raise BadInput(f"the newest drawing is not answered after {PATIENCE:.0f} s; try again")
        if self._ranking is None:
            raise BadInput(self._trouble)
        return self._ranking

    def wait(self, timeout: float | None = None) -> None:
        """As every board's; the newest drawing is answered then."""
        super().wait(timeout)
        if not self._answers.wait(timeout):
            raise TimeoutError("the newest drawing is not answered yet")

    # ---- verbs --------------------------------------------------------------------------------------------

    def judge(self, place: int, verdict: Verdict) -> None:
        """Say of the match at `place` (from 0): does it show the pattern? `verdict`: "accept", "reject" or "unsure"."""
        ranking = self._ranked()
        checks.whole(place, "place", 0, len(ranking.table) - 1)
        match = self.matches.iloc[place]
        wanted = ("entity", "channels", "start", "end", "score")
        self._put(ranking.pattern.name, {name: match[name] for name in wanted}, verdict)

    def train(self, *, preview: bool = False) -> PatternDetector:
        """Train a judge of this drawing and learn its odds, verdicts included; the matches then show p and q.

        preview : show what the verdicts teach with coarse odds first.
        """
        drawing = self.pattern
        return self._teacher.train(drawing, self._verdicts.of(drawing.name), preview=preview)

    def save(self) -> "ModelVersion | int":
        """Keep the pattern in the store, and its trained detector, if any, as a new version of that name."""
        store, detector = self._need_store(), self._teacher.of(self.pattern)
        drawing = detector.pattern if detector is not None else self.pattern
        version = store.patterns.save(drawing)
        self.choices = offer(self._companies.panel, self._store)
        if detector is None:
            return version
        from tsbench.jobs import register

        panel = store.series_of(metric=drawing.metrics, frequency=self._frequency)
        return register(store, detector, self._companies.stretches(drawing), panel)

    def scan(self) -> "Scan":
        """Scan every company of the store with the board's detector, else a new one; the pattern is saved first."""
        from tsbench.jobs import scan

        store, detector = self._need_store(), self._teacher.of(self.pattern)
        drawing = detector.pattern if detector is not None else self.pattern
        asked: dict[str, Any] = {"where": self.where, "frequency": self._frequency, "detector": detector}
        store.patterns.save(drawing)
        return scan(store, drawing, progress=False, executor=self._long, **asked)

    def report(self) -> "Run":
        """Scan anew in the notebook of the scan, with this pattern and where; its page lies in the reports folder.

        The notebook reads quarterly series of the store that the settings name.
        """
        from tsbench.report import run
        from tsbench.settings import read_settings

        store, drawing, settings = self._need_store(), self.pattern, read_settings()
        if self._frequency != "quarterly" or (settings.database and address(settings.database) != address(store.url)):
            raise BadInput("the report reads quarterly series of the store of the settings; this board reads others")
        store.patterns.save(drawing)
        given = {"pattern": drawing.name, "where": self.where}
        folders = {"out": settings.reports_folder, "notebooks": settings.home / "notebooks"}
        made = run(REPORT, given, deadline=DEADLINE, **folders)
        store.runs.put(made.to_json())
        return made

    def to_static(self) -> str:
        """The board as HTML that needs neither kernel nor script: the drawing and the matches."""
        return designer_page(self.spec, self.found)

    def close(self) -> None:
        """As every board's."""
        if "_answers" in self.__dict__:
            self._answers.close()
        super().close()

    # ---- the page speaks ----------------------------------------------------------------------------------

    def _heard(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        what = message.get("do")
        if what == "draw":
            self._serial, self._drawn = int(message["serial"]), (message["spec"], message["where"])
            self._answers.ask((self._serial, message["spec"], message["where"], bool(message.get("moving"))))
        elif what == "preset":
            self._soon(lambda: setattr(self, "pattern", message["name"]))
        elif what == "example":
            self._soon(lambda: self._take(match_of(message)))
        elif what == "judge":
            self._soon(lambda: self._hear_verdict(message))
        elif what == "cancel":
            self._cancel()
        elif what in VERBS:
            self._later(VERBS[what], getattr(self, what), stoppable=what in STOPPABLE)

    def _hear_verdict(self, message: dict[str, Any]) -> None:
        """Keep it at once; then learn, unless a newer verdict comes before that begins."""
        self._put(message["pattern"], match_of(message), message["verdict"])
        if message["verdict"] != "unsure":
            number = self._judged = self._judged + 1
            self._later("learning from your verdicts", lambda: self._learn(number))

    def _learn(self, number: int) -> str:
        if number < self._judged:
            return ""
        self.train(preview=True)
        told = self._teacher.learnt
        return f"learnt from {told} verdict{'s' * (told != 1)} on these channels"

    def _put(self, pattern: str, match: dict[str, Any], verdict: Verdict) -> None:
        checks.choice(verdict, "verdict", VERDICTS)
        self._verdicts.put(pattern, match, verdict)
        self._ask()

    def _take(self, match: dict[str, Any]) -> None:
        """The stretch of a match as the pattern."""
        self.pattern = Pattern.from_example(
            self._companies.panel, match["entity"], match["start"], match["end"], match["channels"],
            name=f"like_{''.join(c if c.isalnum() else '_' for c in match['entity'])}",
            prominence=self.spec["prominence"],
        )  # fmt: skip

    # ---- the companies answer -----------------------------------------------------------------------------

    def _changed(self, _: Any) -> None:
        """A cell or a preset drew; what the page drew it has asked about already."""
        if self._drawn != (self.spec, self.where):
            self._ask()

    def _ask(self) -> None:
        self._answers.ask((self._serial, self.spec, self.where, False))

    def _learnt(self) -> None:
        self._ask()
        self._answers.wait(SHOWN)

    def _answer(self, asked: tuple[int, dict[str, Any], Where, bool]) -> None:
        serial, spec, where, moving = asked
        self._ranking, self._trouble = None, ""
        try:
            self._find(serial, spec, where, moving=moving)
        except TsbenchError as error:
            self._trouble = str(error)
            self.found = {**self.found, "serial": serial, "trouble": self._trouble}

    def _not_answered(self, error: Exception) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        self.found = {**self.found, "serial": self._serial, "trouble": self._trouble}

    def _find(self, serial: int, spec: dict[str, Any], where: Where, *, moving: bool) -> None:
        begin = time.perf_counter()
        drawing = Pattern.from_json(spec)
        detector = self._teacher.of(drawing)
        if detector is None:
            ranking = self._companies.rank(drawing, where=where, top=self._top, preview=moving)
        else:
            ranking = self._companies.rank_by_odds(detector, where=where, top=self._top)
        self._ranking = ranking
        if not moving and self._store is not None:
            # Whoever looks at matches of a drawing has tried it, whether or not it is scanned afterwards.
            self._tried = self._store.drawings.tried(drawing)
        said = self._verdicts.said(drawing.name)
        self.found = {
            "serial": serial,
            "trouble": "",
            "pattern": drawing.name,
            "cards": cards(ranking, self._companies.stretches(ranking.pattern), said),
            "tested": ranking.tested,
            "companies": ranking.companies,
            "where": ranking.where,
            "said": said.count(),
            "tried": self._tried,
            "by": "odds" if "p_value" in ranking.table else "correlation",
            "milliseconds": round(1e3 * (time.perf_counter() - begin), 1),
        }
