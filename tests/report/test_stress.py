"""The stress bench in a notebook: which record is shown, what is said of it, and what happens when nothing answers."""

import copy
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tsbench.errors import BadInput, NotFound, Unavailable
from tsbench.report import run, stress
from tsbench.report.stress import short, told

ROOT = Path(__file__).parents[2]
TIMES = {"p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0}
FOUND = {"wrong": 0, "unanswered": 0}


def _rate(asked: float, kept: bool) -> dict[str, Any]:
    sent = {**TIMES, "p99": 2.5}
    return {"asked": asked, "answered": asked - 0.4, "kept": kept, "from_due": TIMES, "from_send": sent, **FOUND}


RECORD: dict[str, Any] = {
    "made_at": "2026-05-01T10:00:00+00:00",
    "machine": {"cpu": "Small <CPU>", "cores": 2, "load_at_end": 0.5, "platform": "Linux", "python": "3.11.7"},
    "versions": {"locust": "2.47.0"},
    "seed": 0,
    "results": {
        "service": {"own": True, "url": "", "workers": 1},
        "cold": {"cold": TIMES, "warm": TIMES, "first_page_ms": 900.0, "page_ms": 30.0, "wrong": 0},
        "peak": {"rate": 9_000.0, **TIMES, **FOUND},
        "sweep": [_rate(1_000.0, True), _rate(8_000.0, True), _rate(9_000.0, False)],
        "stall": {
            "open": {**TIMES, "requests": 1_500, "late": 150, **FOUND},
            "closed": {**TIMES, "requests": 1_300, "late": 2, **FOUND},
        },
        "payload": [{"values": 1, "timestamps": False, "rate": 9.0, "values_per_second": 9.0, **TIMES, **FOUND}],
        "mix": {
            "users": 20,
            "seconds": 20,
            "requests": [{"name": "predict", "requests": 90, "failures": 0, "rate": 4.5, **TIMES}],
            "together": {"name": "Aggregated", "requests": 90, "failures": 0, "rate": 4.5, **TIMES},
            "failures": [],
        },
        "bars": [{"what": "speed", "value": 8_000.0, "wanted": ">= 10", "met": True}],
    },
}


def _other(made_at: str, **bar: Any) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    record["made_at"] = made_at
    record["results"]["bars"][0] |= bar
    return record


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a bench and no record yet."""
    (tmp_path / "benchmark" / "results").mkdir(parents=True)
    (tmp_path / "benchmark" / "stress.py").write_text("raise SystemExit('not to be run')")
    (tmp_path / "reports" / "stress").mkdir(parents=True)
    monkeypatch.setenv("TSBENCH_HOME", str(tmp_path))
    return tmp_path


def _keep(project: Path, record: dict[str, Any], *, stored: bool) -> None:
    folder = project / "benchmark" / "results" if stored else project / "reports" / "stress"
    (folder / "stress.json").write_text(json.dumps(record))


def test_without_a_run_of_ones_own_the_stored_record_is_shown(project: Path) -> None:
    _keep(project, RECORD, stored=True)
    found = stress()
    assert found.lead.startswith("The stored record of 2026-05-01 on Small <CPU>, 2 cores")
    assert found.stored_sweep is None
    assert found.limits.frame["stored"].isna().all()


def test_a_newer_run_is_shown_beside_the_stored_record(project: Path) -> None:
    _keep(project, RECORD, stored=True)
    _keep(project, _other("2026-05-02T10:00:00+00:00", value=5.0, met=False), stored=False)
    found = stress()
    assert found.lead.startswith("A run of 2026-05-02")
    assert found.note == "Missed: speed."
    assert found.limits.frame[["value", "stored"]].to_numpy().tolist() == [[5.0, 8_000.0]]
    assert list(found.machine.columns) == ["", "this record", "stored record"]
    assert found.stored_mix is not None


def test_a_run_older_than_the_stored_record_is_not_news(project: Path) -> None:
    _keep(project, RECORD, stored=True)
    _keep(project, _other("2026-04-30T10:00:00+00:00"), stored=False)
    assert stress().lead.startswith("The stored record of 2026-05-01")


def test_without_any_record_the_command_that_makes_one_is_named(project: Path) -> None:
    with pytest.raises(NotFound, match="run: make stress"):
        stress()


def test_without_the_bench_it_is_said_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSBENCH_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match=r"no benchmark/stress\.py"):
        stress()


def test_the_headline_tells_the_highest_rate_kept_up_and_what_the_mix_found() -> None:
    assert told(RECORD).headline == (
        "8,000 predictions per second are kept up, 99 % answered within 25 ms; "
        "a mix of 4 requests per second was answered, none of them wrong"
    )
    failing = copy.deepcopy(RECORD)
    failing["results"]["mix"]["together"]["failures"] = 1_200
    failing["results"]["mix"]["failures"] = [{"name": "plot", "times": 1_200, "error": "status 500"}]
    assert told(failing).headline.endswith("1,200 of them wrong or failed")
    assert told(failing).errors.to_numpy().tolist() == [["plot", 1_200, "status 500"]]


def test_the_frames_hold_what_the_record_says() -> None:
    found = told(RECORD)
    assert found.sweep[["asked", "answered", "p99", "sent_p99", "kept"]].to_numpy().tolist()[0] == [
        1_000, 1_000, 3.0, 2.5, True,
    ]  # fmt: skip
    assert list(found.loops["loop"]) == ["open loop", "closed loop"]
    assert list(found.loops["late"]) == [150, 2]
    assert found.cold["p50"].tolist() == [1.0, 1.0, 900.0, 30.0]
    assert found.cold["p99"].isna().tolist() == [False, False, True, True]


def test_a_service_that_is_not_ours_was_not_stopped_and_is_named() -> None:
    record = copy.deepcopy(RECORD)
    record["results"] |= {"stall": None, "service": {"own": False, "url": "http://there:1", "workers": None}}
    found = told(record)
    assert found.loops.empty
    assert "the service at http://there:1" in found.lead


def test_the_table_of_limits_marks_what_is_missed_and_escapes_what_it_shows() -> None:
    record = _other("2026-05-02", what="<b>fast</b>", met=False)
    html = told(record, record).limits._repr_html_()
    assert "&lt;b&gt;fast" in html
    assert "<strong>missed</strong>" in html
    assert "stored record" in html
    assert "stored record" not in told(RECORD).limits._repr_html_()


@pytest.mark.parametrize(
    ("value", "text"), [(7_900.4, "7,900"), (6e6, "6,000,000"), (11.49, "11.5"), (0.0, "0"), (float("nan"), "–")]
)
def test_figures_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_a_service_that_does_not_answer_is_an_error_and_leaves_the_record_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSBENCH_HOME", str(ROOT))
    monkeypatch.setenv("TSBENCH_REPORTS", str(project / "reports"))
    with socket.socket() as taken:
        # bound and never listening: nobody can answer there
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unavailable, match=rf"ended with 2: could not be measured: {re.escape(address)}"):
            stress(address)
    assert not list((project / "reports" / "stress").iterdir())


@pytest.mark.parametrize("given", [{"users": 0}, {"seconds": 0}])
def test_a_mix_of_nobody_or_of_no_time_is_refused(project: Path, given: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        stress(run=True, **given)


@pytest.mark.notebook
def test_the_notebook_shows_the_stored_record_when_nothing_was_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSBENCH_HOME", str(tmp_path))
    done = run("10_stress", out=tmp_path / "reports", deadline=60, notebooks=ROOT / "notebooks")
    assert done.error == ""
    stored = json.loads((ROOT / "benchmark" / "results" / "stress.json").read_text("utf-8"))
    assert done.headline == told(stored).headline
    assert set(done.tables) == {"limits", "sweep", "mix", "payload"}
    page = done.page.read_text("utf-8")
    assert stored["made_at"] in page
    order = ["Waiting at growing rates</h2>", "What a closed loop does not tell</h2>", "Cold and warm</h2>"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert page.count('<figure class="plot') == 4
