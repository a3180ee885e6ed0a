"""The command line, driven as a person does: a process, its two streams, its exit status."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tsbench
from tests.conftest import Tell, Told, told
from tsbench.cli import app
from tsbench.cli.scanning import show_matches
from tsbench.patterns import Channel, Pattern
from tsbench.settings import table
from tsbench.store import Store, embedded

pytestmark = pytest.mark.usefixtures("small_detectors")

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "tsbench")


def _environment(home: Path, **more: str) -> dict[str, str]:
    """This environment without any setting of its own, working in `home`."""
    ours = {name for setting in table() for name in (setting.name, *setting.aliases)}
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return clean | {"TSBENCH_HOME": str(home), "COLUMNS": "120"} | more


def _run(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, cwd=home, env=_environment(home, **more), timeout=180
    )


def _walks(companies: int, quarters: int) -> pd.DataFrame:
    """A long file of random companies, one of them with an obvious dip and recovery."""
    rng = np.random.default_rng(5)
    dates = pd.date_range("2008-03-31", periods=quarters, freq="QE")
    frames = []
    for i in range(companies):
        for metric, level in (("revenue", 100.0), ("market_cap", 1000.0), ("roic", 0.1)):
            steps = rng.normal(0, 0.02, quarters)
            if i == 0 and metric == "market_cap":
                steps[-12:-6] -= 0.2
                steps[-6:] += 0.2
            walk = np.exp(np.cumsum(steps)) * level
            frames.append(
                pd.DataFrame(
                    {"ticker": f"C{i:02d}", "name": f"Company {i}", "sector": ("Metal", "Paper")[i % 2]}
                    | {"metric": metric, "date": dates, "value": walk}
                )
            )
    return pd.concat(frames)


@pytest.fixture
def tell(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """A command in this process, which saves the start of another."""

    def run(*words: str, at: Path = home, **more: str) -> Told:
        with monkeypatch.context() as patch:
            environment = _environment(at, **more)
            for name in os.environ.keys() - environment.keys():
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.chdir(at)
            return told(capsys, *words)

    return run


@pytest.fixture(scope="module")
def database(server_url: str, empty_template: str) -> Iterator[str]:
    """A database of the user's own, for all commands."""
    name = empty_template.rsplit("/", 1)[1].split("?")[0]
    with embedded.fresh_database(server_url, template=name) as url:
        yield url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, database: str) -> Path:
    """A project folder of its own, whose `.env` names the database."""
    folder = tmp_path_factory.mktemp("project")
    (folder / ".env").write_text(f"DATABASE_URL={database}\n")
    _walks(16, 48).to_csv(folder / "walks.csv", index=False)
    with Store(database) as store:
        store.load(folder / "walks.csv", progress=False)
        valley = Channel("log(market_cap)", points=((0, 1), (0.5, 0), (1, 1)))
        store.patterns.save(Pattern("valley", (valley,), length=(8, 14)))
    return folder


def _commands() -> list[tuple[str, ...]]:
    """Every command and subcommand as words."""
    found: list[tuple[str, ...]] = []
    for name in app:
        if name.startswith("-"):
            continue
        inner = [sub for sub in app[name] if not sub.startswith("-")]
        found += [(name, sub) for sub in inner] or [(name,)]
    return found


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_every_command_and_option_has_help_and_stands_in_the_manual(words: tuple[str, ...]) -> None:
    command = app
    for word in words:
        command = command[word]
    assert command.help.strip()
    arguments = command.assemble_argument_collection(parse_docstring=True)
    assert [a.name for a in arguments if not a.parameter.help] == []
    manual = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert f"# tsbench {' '.join(words)}\n" in manual
    for argument in arguments:
        assert argument.name.upper().lstrip("-") in manual.upper()


def test_there_are_the_commands_of_this_version() -> None:
    named = {" ".join(words) for words in _commands()}
    assert {"services start", "services stop", "services status", "db upgrade", "db check"} <= named
    assert {"load", "scan", "train", "patterns", "report", "warmup"} <= named


def test_the_version_is_told(tmp_path: Path) -> None:
    assert _run(tmp_path, "--version").stdout.strip() == tsbench.__version__


def test_an_unknown_option_names_the_nearest(tmp_path: Path) -> None:
    done = _run(tmp_path, "scan", "--patern", "x")
    assert done.returncode == 2
    assert "--pattern" in done.stderr


def test_a_mistake_is_one_line_and_status_2(tmp_path: Path) -> None:
    done = _run(tmp_path, "db", "check", TSBENCH_QLIMIT="1")
    assert done.returncode == 2
    assert done.stderr == "tsbench: unknown setting TSBENCH_QLIMIT; did you mean TSBENCH_Q_LIMIT?\n"
    assert done.stdout == ""


def test_debugging_shows_the_traceback(tmp_path: Path) -> None:
    done = _run(tmp_path, "db", "check", TSBENCH_QLIMIT="1", TSBENCH_LOG_LEVEL="debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://ada:hunter2@/n?host={tmp_path}"
    done = _run(tmp_path, "db", "check", DATABASE_URL=url)
    assert done.returncode == 2
    assert "tsbench: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_services_start_tell_and_stop(tell: Tell, tmp_path: Path) -> None:
    folder = embedded.status(tmp_path).folder
    try:
        assert tell("services", "status", at=tmp_path).status == 1
        # a process of its own, which ends: the services must outlive it
        started = _run(tmp_path, "services", "start")
        assert started.returncode == 0, started.stderr
        assert f"new store for the project {tmp_path} (set TSBENCH_HOME for another)\n" in started.stderr
        told = json.loads(tell("services", "status", "--json", at=tmp_path).out)
        assert told["running"]
        assert told["kept"]
        assert "new store" not in tell("db", "upgrade", at=tmp_path).err
        assert tell("services", "stop", at=tmp_path).out == "stopped\n"
        assert tell("services", "stop", at=tmp_path) == (0, "nothing to stop\n", "")
        assert not embedded.status(tmp_path).running
    finally:
        embedded.stop(tmp_path, force=True)
        shutil.rmtree(folder, ignore_errors=True)


def test_an_upgraded_database_is_up_to_date(tell: Tell) -> None:
    assert tell("db", "check") == (0, "the database is up to date\n", "")
    assert tell("db", "upgrade").status == 0


def test_a_database_of_ones_own_is_upgraded_and_filled_only_when_asked(server_url: str, tell: Tell) -> None:
    with embedded.fresh_database(server_url) as url:
        refused = tell("patterns", DATABASE_URL=url)
        assert refused.status == 2
        assert "tsbench db upgrade" in refused.err
        assert tell("db", "check", DATABASE_URL=url).status == 1
        assert tell("db", "upgrade", DATABASE_URL=url).status == 0
        assert tell("db", "check", DATABASE_URL=url).status == 0
        for command in ("load", "scan", "train"):
            empty = tell(command, DATABASE_URL=url)
            assert empty.status == 2
            assert re.search(
                r"holds no companies; run: tsbench load FILE, e.g. tsbench load .*data/companies", empty.err
            )


def test_loading_again_changes_nothing(tell: Tell) -> None:
    again = json.loads(tell("load", "walks.csv", "--json").out)
    (file,) = again["files"]
    assert (file["added"], file["revised"]) == (0, 0)
    assert file["unchanged"] == 16 * 3 * 48


def test_a_file_with_a_bad_row_is_refused_with_its_line(tell: Tell, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("ticker,name,sector,metric,date,value\nZ,Zed,Metal,revenue,2019-03-31,abc\n")
    done = tell("load", str(bad))
    assert done.status == 2
    assert re.search(r"\b2: .*abc", done.err)


def test_patterns_are_listed_and_shown(tell: Tell) -> None:
    listed = tell("patterns").out
    assert re.search(r"^dip_recovery +shipped +\w+", listed, flags=re.M)
    assert re.search(r"^valley +database", listed, flags=re.M)
    assert json.loads(tell("patterns", "valley").out)["name"] == "valley"
    unknown = tell("patterns", "dip_recovry")
    assert unknown.status == 2
    assert "did you mean 'dip_recovery'" in unknown.err


def test_looking_at_patterns_makes_no_store(tell: Tell, tmp_path: Path) -> None:
    listed = tell("patterns", at=tmp_path)
    assert re.search(r"^dip_recovery +shipped", listed.out, flags=re.M)
    assert "database" not in listed.out
    assert json.loads(tell("patterns", "erosion", at=tmp_path).out)["name"] == "erosion"
    assert "did you mean 'erosion'" in tell("patterns", "erosoin", at=tmp_path).err
    assert not embedded.status(tmp_path).folder.exists()
    assert not embedded.exists(tmp_path)


def test_a_scan_prints_funnel_and_table(tell: Tell) -> None:
    done = tell("scan", "--pattern", "valley", "--top", "3")
    assert done.status == 0, done.err
    assert re.search(r"^in the store +16 companies", done.out, flags=re.M)
    assert "tested companies" in done.out
    rows = re.findall(r"^[123] +(C\d\d) +Company \d+ ", done.out, flags=re.M)
    assert len(rows) == 3
    assert rows[0] == "C00"


def test_a_scan_as_json_is_alone_on_stdout_and_equals_the_csv(home: Path, tmp_path: Path) -> None:
    csv = tmp_path / "matches.csv"
    done = _run(home, "scan", "--pattern", "valley", "--where", "history", "--json", "--csv", str(csv))
    document = json.loads(done.stdout)
    assert document["pattern"] == "valley"
    assert document["parameters"]["where"] == "history"
    table = pd.read_csv(csv)
    assert [row["entity"] for row in document["matches"]] == list(table["entity"])
    assert len(table) == 16
    assert [row["evidence"] for row in document["matches"]] == [json.loads(cell) for cell in table["evidence"]]
    assert set(table["channels"].dropna()) == {"log(market_cap)"}
    tested = [row for row in document["matches"] if row["status"] == "tested"]
    assert tested
    assert all(0 < row["p_value"] <= row["q_value"] <= 1 for row in tested)


def test_a_sector_scan_tests_only_that_sector(tell: Tell) -> None:
    document = json.loads(tell("scan", "--pattern", "valley", "--sector", "Paper", "--json").out)
    assert {row["sector"] for row in document["matches"]} == {"Paper"}
    unknown = tell("scan", "--pattern", "valley", "--sector", "Glass")
    assert unknown.status == 2
    assert "Metal, Paper" in unknown.err


def test_a_finished_scan_is_told_again_by_its_name(tell: Tell) -> None:
    words = ("scan", "--pattern", "valley", "--scan-id", "again", "--json")
    first, second = json.loads(tell(*words).out), json.loads(tell(*words).out)
    assert second["matches"] == first["matches"]
    assert "fit" in first["seconds"]
    assert "fit" not in second["seconds"]
    assert tell("scan", "--pattern", "step_up", "--scan-id", "again").status == 2


def test_a_finished_scan_given_again_says_so_and_a_new_one_does_not(tell: Tell) -> None:
    words = ("scan", "--pattern", "valley", "--scan-id", "told")
    assert "already finished" not in tell(*words).err
    assert "scan told: already finished, shown as stored\n" in tell(*words).err
    other = tell(*words, "--where", "history", "--seed", "3").err
    assert "exists with other parameters (seed: 0 -> 3, where: now -> history); give" in other


def test_a_file_that_cannot_be_written_is_refused_before_the_scan(tell: Tell, database: str, tmp_path: Path) -> None:
    before = _scan_names(database)
    absent = tell("scan", "--pattern", "valley", "--csv", str(tmp_path / "none" / "x.csv"))
    assert absent == (
        2,
        "",
        f"tsbench: --csv {tmp_path}/none/x.csv: the folder {tmp_path}/none does not exist\n",
    )
    assert "is a folder; name a file" in tell("scan", "--pattern", "valley", "--csv", str(tmp_path)).err
    assert _scan_names(database) == before


def test_a_date_may_be_written_as_one_likes_and_a_wrong_one_is_told_the_format(tell: Tell) -> None:
    for text in ("2015/06/30", "30 June 2015", "2015-06-30"):
        done = tell("scan", "--pattern", "valley", "--as-of", text, "--json")
        assert json.loads(done.out)["parameters"]["as_of"] == "2015-06-30"
    for text in ("June 31", "2015-06-31", "soon", ""):
        wrong = tell("scan", "--pattern", "valley", "--as-of", text)
        assert (wrong.status, wrong.err) == (2, f"tsbench: --as-of {text!r} is no date; write it as 2015-06-30\n")


def test_those_that_pass_are_counted_against_their_own_series(capsys: pytest.CaptureFixture[str]) -> None:
    day = pd.Timestamp("2019-06-30", tz="UTC")
    rows = pd.DataFrame(
        {"entity": list("ABCDE"), "name": "x", "metric": "roic", "start": day, "end": day, "score": 0.9}
        | {"status": "tested", "null": "sign_flip", "p_value": 0.001, "q_value": [0.01, 0.02, 0.1, 0.05, 0.2]}
        | {"p_confirmed": [0.05, 0.2, 0.06, np.nan, 0.01], "evidence": [{"p_floor": 0.001}, {}, {}, {}, {}]}
    )
    sentence = "against chance versions of its own series, 1 of the 3 that pass hold too (own p <= 0.05)"
    show_matches(rows, top=3, q_limit=0.1)
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == sentence
    assert [line.count("< 0.0010") for line in told if " roic " in line] == [1, 0, 0]
    show_matches(rows, top=3, q_limit=0.001)
    assert "own series" not in capsys.readouterr().out


def test_training_registers_versions(tell: Tell) -> None:
    told = [tell("train", "valley").out for _ in range(2)]
    assert [text.partition(" (")[0] for text in told] == ["valley version 1", "valley version 2"]


@pytest.mark.fault
def test_ctrl_c_says_how_to_go_on_and_the_scan_goes_on(home: Path, database: str) -> None:
    words = ("scan", "--pattern", "valley", "--where", "history", "--scan-id", "stopped")
    going = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=home, env=_environment(home)
    )
    # the row of the scan appears when it begins
    deadline = time.monotonic() + 60
    while "stopped" not in _scan_names(database) and going.poll() is None:
        assert time.monotonic() < deadline, "the scan did not begin"
    going.send_signal(signal.SIGINT)
    _, said = going.communicate(timeout=60)
    if going.returncode == 0:
        pytest.fail("the scan was over before Ctrl-C reached it")
    assert going.returncode == 130, said
    assert "--scan-id stopped" in said
    done = _run(home, *words, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["matches"]) == 16


def _scan_names(database: str) -> list[str]:
    with Store(database) as store:
        return list(store.scans.list()["id"])


def test_a_report_needs_key_value_pairs_and_one_name(tell: Tell) -> None:
    assert "key=value" in tell("report", "05", "-p", "pattern").err
    both = tell("report", "01", "05", "-p", "pattern=step_up")
    assert both.status == 2
    assert "one notebook" in both.err


@pytest.mark.notebook
def test_a_report_leaves_a_page_and_a_failure_shows_in_the_status(home: Path, database: str) -> None:
    shutil.copytree(ROOT / "tests" / "notebooks", home / "notebooks")
    done = _run(home, "report", "ok")
    assert done.returncode == 0, done.stderr
    assert "ok: done in" in done.stdout
    assert "open reports/index.html" in done.stdout
    assert (home / "reports" / "index.html").is_file()
    failed = _run(home, "report", "fails")
    assert failed.returncode == 1
    assert "fails: failed in" in failed.stdout
    with Store(database) as store:
        assert [(run["notebook"], run["status"]) for run in store.runs.list()] == [("fails", "failed"), ("ok", "done")]
