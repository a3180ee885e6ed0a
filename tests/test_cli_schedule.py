"""`tsbench schedule`, driven as a person does: words in, two streams and an exit status out."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.conftest import Tell
from tsbench.store import Store, embedded


@pytest.fixture
def home(home: Path) -> Path:
    """A project folder with one notebook."""
    (home / "notebooks").mkdir()
    cell = nbformat.v4.new_code_cell("count = 0  # how many", metadata={"tags": ["parameters"]})
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel})
    nbformat.write(notebook, home / "notebooks" / "01_counts.ipynb")
    return home


def with_a_company(store: Store, home: Path) -> None:
    """A report needs a store that is not empty."""
    (home / "one.csv").write_text("ticker,metric,date,value\nA,revenue,2019-03-31,1\nA,revenue,2019-06-30,2\n")
    store.load(home / "one.csv", progress=False)


WEEKLY = ("weekly", "--notebook", "1", "--cron", "0 6 * * 1", "--timezone", "Europe/Berlin")


def test_a_schedule_is_added_listed_and_removed(tell: Tell) -> None:
    added = tell("schedule", "add", *WEEKLY, "-p", "count=3")
    assert (added.status, added.err) == (0, "it runs while this does: tsbench schedule serve\n")
    assert added.out.startswith("weekly: 01_counts at 0 6 * * 1 Europe/Berlin, next Mon ")
    # without a notebook of its own, the name is one
    assert tell("schedule", "add", "counts", "--cron", "30 7 * * 0").out.startswith("counts: 01_counts at 30 7 * * 0 ")
    head, first, second = tell("schedule", "list").out.splitlines()
    assert head.split() == ["name", "notebook", "cron", "next", "last", "how", "it", "went"]
    assert first.split()[:7] == ["counts", "01_counts", "30", "7", "*", "*", "0"]
    assert second.split()[:8] == ["weekly", "01_counts", "count=3", "0", "6", "*", "*", "1"]
    assert second.endswith("not run yet")
    told = json.loads(tell("schedule", "list", "--json").out)[1]
    assert (told["name"], told["parameters"], told["due_since"], told["last"]) == ("weekly", {"count": 3}, None, None)
    assert told["next_at"][:10] in second
    assert tell("schedule", "remove", "weekly") == (0, "weekly: removed\n", "")
    assert tell("schedule", "remove", "counts").status == 0
    assert tell("schedule", "list") == (0, "", "nothing is scheduled; run: tsbench schedule add NAME --cron ...\n")
    assert tell("schedule", "history") == (0, "", "nothing has run yet\n")


def test_a_mistake_is_one_message_and_nothing_is_kept(tell: Tell, store: Store) -> None:
    assert tell("schedule", "add", *WEEKLY).status == 0
    wrong = {
        ("add", "other", "--cron", "0 6 * * 1"): "no notebook 'other'; known: 01_counts",
        ("add", "1", "--cron", "0 6 * *"): "five fields",
        ("add", "1", "--cron", "0 6 * * 1", "--timezone", "Europe/Berln"): "did you mean 'Europe/Berlin'",
        ("add", "1", "--cron", "0 6 * * 1", "-p", "cuont=1"): "count = 0  # how many",
        ("add", "1", "--cron", "0 6 * * 1", "-p", "count"): "key=value",
        ("add", *WEEKLY): "take another name, or replace it (--replace)",
        ("run", "weakly"): "no schedule 'weakly'; did you mean 'weekly'?",
        ("remove", "weakly"): "no schedule 'weakly'",
        ("history", "weakly"): "no schedule 'weakly'",
        ("history", "--top", "-1"): "top must be an integer >= 1, got -1",
        ("history", "--top", "0"): "top must be an integer >= 1, got 0",
    }
    for words, message in wrong.items():
        done = tell("schedule", *words)
        assert (done.status, done.out) == (2, ""), words
        assert message in done.err, words
    assert [schedule.name for schedule in store.schedules.list()] == ["weekly"]
    assert tell("schedule", "add", *WEEKLY, "--replace").status == 0


def test_a_run_by_hand_that_fails_says_so_and_is_kept(tell: Tell, store: Store, home: Path) -> None:
    with_a_company(store, home)
    tell("schedule", "add", *WEEKLY)
    (home / "notebooks" / "01_counts.ipynb").rename(home / "notebooks" / "02_other.ipynb")
    done = tell("schedule", "run", "weekly")
    assert (done.status, done.err) == (1, "running weekly ...\n")
    assert done.out.startswith("weekly: failed in 0 s: no notebook '01_counts'")
    assert "failed in 0 s: no notebook '01_counts'" in tell("schedule", "list").out
    head, row = tell("schedule", "history").out.splitlines()
    assert head.split() == ["name", "due", "started", "report", "how", "it", "went"]
    assert row.startswith("weekly  by hand  ")
    assert json.loads(tell("schedule", "run", "weekly", "--json").out)["status"] == "failed"
    # its history outlives it
    tell("schedule", "remove", "weekly")
    assert len(json.loads(tell("schedule", "history", "weekly", "--json").out)) == 2
    assert len(tell("schedule", "history", "weekly", "--top", "1").out.splitlines()) == 2


def test_looking_at_schedules_makes_no_store(tell: Tell, home: Path) -> None:
    for words in (("list",), ("history",), ("run", "x"), ("remove", "x")):
        done = tell("schedule", *words, store=False)
        assert (done.status, done.out) == (2, "")
        assert f"the project {home} has no store" in done.err
    assert not embedded.exists(home)


@pytest.mark.fault
def test_serving_ends_in_order_when_it_is_told_to(store: Store, home: Path, database_url: str) -> None:
    with_a_company(store, home)
    words = [sys.executable, "-m", "tsbench", "schedule", "serve"]
    environment = os.environ | {"DATABASE_URL": database_url}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        assert "serving the schedules of" in server.stdout.readline()
        assert "nothing is scheduled" in server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        assert server.stdout.readline().endswith(" stopped\n")
        assert server.wait(20) == 0
