"""PatternDesigner: draw a shape, and every company answers while you draw."""

import time
from typing import TYPE_CHECKING, Any

import pandas as pd
import traitlets

from tsbench import checks
from tsbench.detect import WHERE, PatternDetector, Where
from tsbench.detect.lessons import labelled_windows
from tsbench.errors import BadInput
from tsbench.evaluate import VERDICTS, Verdict
from tsbench.lab.assets import script, style
from tsbench.lab.board import Board
from tsbench.lab.cards import cards, channels_of
from tsbench.lab.ranking import Companies, Ranking
from tsbench.lab.static import designer_page
from tsbench.lab.tasks import VERBS, idle
from tsbench.lab.verdicts import Verdicts
from tsbench.patterns import Pattern, groups, named
from tsbench.patterns.constraints import KINDS
from tsbench.series import Panel

if TYPE_CHECKING:
    from tsbench.jobs import Scan
    from tsbench.report import Run
    from tsbench.store import ModelVersion, Store

REPORT = "05_scan_companies"
# What a report of all shipped companies may take.
DEADLINE = 600.0
# Series that stand for chance, and how many of them do for a first answer to a verdict.
SURROGATES, PREVIEW = 6_000, 600
# So long a cell waits for the answer to the newest drawing.
PATIENCE = 30.0


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

    _esm = script("lanes", "matches", "controls", "designer")
    _css = style("designer")
    spec = traitlets.Dict().tag(sync=True)
    where = traitlets.Enum(WHERE).tag(sync=True)
    choices = traitlets.Dict().tag(sync=True)
    found = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)

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
        self._detector: PatternDetector | None = None
        self._ranking: Ranking | None = None
        self._serial = self._tried = 0
        drawing = self._named(pattern)
        super().__init__(spec=drawing.to_json(), where=where, choices=self._choices(panel))
        self._companies = Companies(panel, self._pool)
        self._answers = self._thread(self._answer)
        self.observe(self._changed, ["spec", "where"])
        self._answer((0, self.spec, self.where, False))

    # ---- what is on the board ---------------------------------------------------------------------------

    @property
    def pattern(self) -> Pattern:
        """The drawing. Raises BadInput where it is not one yet, e.g. two channels of the same expression."""
        return Pattern.from_json(self.spec)

    @pattern.setter
    def pattern(self, drawing: Pattern | str) -> None:
        self.spec = self._named(drawing).to_json()

    @property
    def matches(self) -> pd.DataFrame:
        """The matches shown, best first: entity, name, sector, channels, start, end, score; after `train` p and q."""
        ranking = self._ranked()
        table = ranking.table.drop(columns=["channel", "start", "stop", "first", "last"])
        moments = (pd.to_datetime(ranking.table[end], unit="us", utc=True) for end in ("first", "last"))
        table.insert(3, "channels", [list(channels_of(ranking, i)) for i in range(len(table))])
        for place, (name, moment) in enumerate(zip(("start", "end"), moments, strict=True)):
            table.insert(4 + place, name, moment)
        return table

    @property
    def labels(self) -> pd.DataFrame:
        """What was said of matches of a pattern of this name."""
        return self._verdicts.of(self.pattern.name)

    def _ranked(self) -> Ranking:
        """The answer to the newest drawing."""
        self._answers.wait(PATIENCE)
        if self._ranking is None:
            raise BadInput("no company is ranked yet; give the board a pattern that can be looked for")
        return self._ranking

    # ---- verbs --------------------------------------------------------------------------------------------

    def judge(self, place: int, verdict: Verdict) -> None:
        """Say of the match at `place` (from 0) whether it shows the pattern: "accept", "reject" or "unsure"."""
        ranking = self._ranked()
        checks.choice(verdict, "verdict", VERDICTS)
        checks.whole(place, "place", 0, len(ranking.table) - 1)
        match = self.matches.iloc[place]
        wanted = ("entity", "channels", "start", "end", "score")
        self._verdicts.put(ranking.pattern.name, {name: match[name] for name in wanted}, verdict)
        self._show(ranking, self._serial)

    def train(self, *, preview: bool = False) -> PatternDetector:
        """Train a judge of this drawing and learn its odds, verdicts included; the matches then show p and q.

        preview : show what the verdicts teach with coarse odds first.
        """
        drawing = self.pattern
        detector, labels = self._fitted(drawing), self._verdicts.of(drawing.name)
        labels = labels[labels["verdict"] != "unsure"]
        first = PREVIEW if preview and len(labels) else SURROGATES
        if detector is None:
            stretches = self._companies.stretches(drawing)
            seen = labelled_windows(drawing, stretches, labels) if len(labels) else None
            detector = PatternDetector(drawing, surrogates=first)
            self._use(detector.fit_stretches(stretches, seen=seen, executor=self._long))
        elif len(labels):
            self._use(self._taught(detector, labels, first))
        if first < SURROGATES:
            self._use(self._taught(detector, labels, SURROGATES))
        return self._detector or detector

    def _taught(self, detector: PatternDetector, labels: pd.DataFrame, surrogates: int) -> PatternDetector:
        return detector.refit(labels, self._companies.panel, surrogates=surrogates, executor=self._long)

    def _use(self, detector: PatternDetector) -> None:
        self._detector = detector
        self._ask()

    def save(self) -> "ModelVersion | int":
        """Keep the pattern in the store, and its trained detector, if any, as a new version of that name."""
        store, drawing = self._need_store(), self.pattern
        version = store.patterns.save(drawing)
        detector = self._fitted(drawing)
        if detector is None:
            return version
        from tsbench.jobs import data_hash

        stretches = self._companies.stretches(drawing)
        metrics = {"companies": len(stretches.index), "stretches": int(stretches.start.size)}
        hashed = data_hash(store.series_of(metric=drawing.metrics, frequency=self._frequency))
        return store.registry.put(drawing.name, detector, metrics=metrics, data_hash=hashed, seed=detector.seed)

    def scan(self) -> "Scan":
        """Scan every company of the store with the board's detector, else a new one; the pattern is saved first."""
        from tsbench.jobs import scan

        store, drawing = self._need_store(), self.pattern
        where: Where = self.where
        asked: dict[str, Any] = {"frequency": self._frequency, "detector": self._fitted(drawing)}
        store.patterns.save(drawing)
        return scan(store, drawing, where=where, progress=False, executor=self._long, **asked)

    def report(self) -> "Run":
        """Run the notebook of the scan with this pattern and where; its page lies in the reports folder."""
        from tsbench.report import run
        from tsbench.settings import read_settings

        store, drawing, settings = self._need_store(), self.pattern, read_settings()
        store.patterns.save(drawing)
        given = {"pattern": drawing.name, "where": self.where}
        folders = {"out": settings.reports_folder, "notebooks": settings.home / "notebooks"}
        return run(REPORT, given, deadline=DEADLINE, **folders)

    def to_static(self) -> str:
        """The board as HTML that needs neither kernel nor script: the drawing and the matches."""
        return designer_page(self.spec, self.found)

    # ---- the page speaks ----------------------------------------------------------------------------------

    def _heard(self, _: Any, message: dict[str, Any], buffers: Any) -> None:
        what = message.get("do")
        if what == "draw":
            self._serial = int(message["serial"])
            self._answers.ask((self._serial, message["spec"], message["where"], bool(message.get("moving"))))
        elif what == "preset":
            self._tasks.ask(("", lambda: setattr(self, "pattern", message["name"])))
        elif what == "example":
            self._tasks.ask(("", lambda: self._take(int(message["place"]))))
        elif what == "judge":
            self._tasks.ask(("learning from your verdicts", lambda: self._learn(message)))
        elif what == "cancel":
            self._long.cancel()
        elif what in VERBS:
            self._tasks.ask((VERBS[what], getattr(self, what)))

    def _learn(self, message: dict[str, Any]) -> str:
        self.judge(int(message["place"]), message["verdict"])
        if message["verdict"] == "unsure":
            return "kept; unsure teaches nothing"
        self.train(preview=True)
        told = int((self.labels["verdict"] != "unsure").sum())
        return f"learnt from {told} verdict{'s' * (told > 1)}"

    def _take(self, place: int) -> None:
        """The stretch of a match as the pattern."""
        ranking, match = self._ranked(), self.matches.iloc[place]
        self.pattern = Pattern.from_example(
            self._companies.panel, match["entity"], match["start"], match["end"], match["channels"],
            name=f"like_{''.join(c if c.isalnum() else '_' for c in match['entity'])}",
            prominence=ranking.pattern.prominence,
        )  # fmt: skip

    # ---- the companies answer -----------------------------------------------------------------------------

    def _changed(self, _: Any) -> None:
        """A cell, a preset, or a drawing that came to rest."""
        self._ask()

    def _ask(self) -> None:
        self._answers.ask((self._serial, self.spec, self.where, False))

    def _answer(self, asked: tuple[int, dict[str, Any], Where, bool]) -> None:
        serial, spec, where, moving = asked
        begin = time.perf_counter()
        drawing = Pattern.from_json(spec)
        detector = self._fitted(drawing)
        if detector is None:
            ranking = self._companies.rank(drawing, where=where, top=self._top, preview=moving)
        else:
            ranking = self._companies.rank_by_odds(detector, where=where, top=self._top)
        self._ranking = ranking
        if not moving and self._store is not None:
            # Whoever looks at matches of a drawing has tried it, whether or not it is scanned afterwards.
            self._tried = self._store.drawings.tried(drawing)
        self._show(ranking, serial, milliseconds=1e3 * (time.perf_counter() - begin))
        if self.status.get("failed"):
            self.status = idle()

    def _show(self, ranking: Ranking, serial: int, milliseconds: float | None = None) -> None:
        said = self._verdicts.said(ranking.pattern.name)
        self.found = {
            "serial": serial,
            "cards": cards(ranking, self._companies.stretches(ranking.pattern), said),
            "tested": ranking.tested,
            "companies": ranking.companies,
            "where": ranking.where,
            "said": said.count(),
            "tried": self._tried,
            "by": "odds" if "p_value" in ranking.table else "correlation",
            "milliseconds": self.found.get("milliseconds") if milliseconds is None else round(milliseconds, 1),
        }

    def _fitted(self, drawing: Pattern) -> PatternDetector | None:
        """The detector, if it is of this very drawing."""
        return self._detector if self._detector is not None and self._detector.pattern == drawing else None

    def _named(self, pattern: Pattern | str) -> Pattern:
        if isinstance(pattern, Pattern) or self._store is None:
            return pattern if isinstance(pattern, Pattern) else named(pattern)
        from tsbench.jobs import resolve

        return resolve(self._store, pattern)

    def _choices(self, panel: Panel) -> dict[str, Any]:
        saved = [] if self._store is None else self._store.patterns.names()
        return {
            "presets": {"saved": saved, **{group: list(names) for group, names in groups().items()}},
            "metrics": sorted(set(panel.index["metric"])),
            "kinds": list(KINDS),
            "store": self._store is not None,
        }

    def _need_store(self) -> "Store":
        if self._store is None:
            raise BadInput("this board was opened on a panel; open it on a Store to save, scan or report")
        return self._store
