"""The committed notebooks, run by the runner on the shipped companies, and their pages in a browser."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tsbench.report import Run, run_many
from tsbench.report.page import write_index
from tsbench.store import Store

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = (
    "01_explore_companies",
    "02_design_pattern",
    "03_train_detector",
    "04_evaluate_detector",
    "05_scan_companies",
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def shipped(companies: Store, out: Path) -> dict[str, Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", companies.url)
        runs = run_many([(name, {}) for name in NAMES], out=out, deadline=300, notebooks=NOTEBOOKS, workers=2)
    return {run.notebook: run for run in runs}


@pytest.mark.notebook
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_notebook_runs_and_records_its_answer(shipped: dict[str, Run], name: str) -> None:
    run = shipped[name]
    assert run.error == ""
    assert run.headline
    assert run.data_hash
    assert run.page.stat().st_size < 6_000_000


@pytest.mark.notebook
def test_the_scan_report_answers_from_the_scan_it_kept(shipped: dict[str, Run], companies: Store) -> None:
    run = shipped["05_scan_companies"]
    kept = companies.scans.matches(run.scan_id)
    tested = int((kept["status"] == "tested").sum())
    assert f"the {tested} live companies tested" in run.headline
    assert companies.scans.get(run.scan_id).data_hash == run.data_hash
    assert (run.folder / "matches.csv").read_text("utf-8").count("\n") == len(kept) + 1


@pytest.mark.notebook
def test_the_scan_report_says_what_it_cannot_tell(shipped: dict[str, Run]) -> None:
    page = shipped["05_scan_companies"].page.read_text("utf-8")
    for told in (
        "It resembles; it does not predict",
        "understated for indebted firms",
        "Survivors",
        "relative to a model",
    ):
        assert told in page


@pytest.mark.notebook
def test_the_scan_report_tells_how_sure_then_what_followed_then_its_limits(shipped: dict[str, Run]) -> None:
    run = shipped["05_scan_companies"]
    page = run.page.read_text("utf-8")
    order = ["Near misses</h2>", "How sure</h2>", "decides</span>", "When they ended.", "What followed</h2>"]
    order += ["What this cannot tell</h2>", "About this run</h2>", "tsbench report 05_scan_companies"]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    assert (run.folder / "followed.csv").read_text("utf-8").startswith("entity,name,episode,known_at,horizon,outcome")


@pytest.mark.notebook
def test_designing_shows_what_would_be_picked_then_the_examples_and_saves_nothing(
    shipped: dict[str, Run], companies: Store
) -> None:
    run = shipped["02_design_pattern"]
    page = run.page.read_text("utf-8")
    order = ["Which companies it would pick</h2>", "What the detector learns from</h2>", "What it must tell apart</h2>"]
    order += ["A pattern of your own</h2>", "Keep it</h2>", "The library</h2>", "What this cannot tell</h2>"]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    assert "chosen with hindsight" in page
    assert companies.patterns.names() == []
    assert (run.folder / "nearest.csv").read_text("utf-8").count("\n") == len(companies.companies()) + 1


@pytest.mark.notebook
def test_the_detector_beats_correlation_the_recipe_and_chance_where_it_is_evaluated(shipped: dict[str, Run]) -> None:
    run = shipped["04_evaluate_detector"]
    table = pd.read_csv(run.folder / "compared.csv").pivot(index="set", columns="detector", values="average_precision")
    assert set(table.index) == {"SNR 6", "SNR 3"}
    assert (table["detector"] > 2 * table.drop(columns="detector").max(axis=1)).all()
    assert (table["random"] < 0.1).all()
    page = run.page.read_text("utf-8")
    assert f"{table.loc['SNR 6', 'detector']:.2f} at SNR 6" in run.headline
    for told in ("Planted is not natural", "A lower bound", "Is the score a probability?</h2>"):
        assert told in page


@pytest.mark.notebook
@pytest.mark.parametrize("name", ["02_design_pattern", "04_evaluate_detector"])
def test_an_executed_notebook_stays_small(shipped: dict[str, Run], name: str) -> None:
    assert (shipped[name].folder / "notebook.ipynb").stat().st_size < 2_000_000


@pytest.mark.notebook
def test_the_detector_is_kept_in_the_registry(shipped: dict[str, Run], companies: Store) -> None:
    version, _ = companies.registry.get("overlooked")
    assert version.data_hash == shipped["03_train_detector"].data_hash


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 1920])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_drawn_whole_and_asks_nothing_of_the_network(
    shipped: dict[str, Run], browser: Any, name: str, width: int
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(shipped[name].page.as_uri())
    page.wait_for_selector("figure.plot .main-svg")
    figures = page.locator("figure.plot")
    for i in range(figures.count()):
        # a line, a bar or a filled band: something with ink in every figure
        figures.nth(i).locator("path:is(.js-line, .js-fill, .point path, .point)").first.wait_for(state="attached")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert page.evaluate(OUTSIDE) == []
    page.close()


@pytest.mark.browser
def test_the_index_leads_to_every_page(shipped: dict[str, Run], out: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(write_index(out).as_uri())
    assert page.locator("tbody tr").count() == len(NAMES)
    page.get_by_role("link", name="05_scan_companies").click()
    page.wait_for_selector(".headline")
    assert page.locator(".headline").inner_text() == shipped["05_scan_companies"].headline + "."
    page.close()


@pytest.mark.browser
def test_the_answer_comes_first_then_the_table_then_near_misses(shipped: dict[str, Run], browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(shipped["05_scan_companies"].page.as_uri())
    page.wait_for_selector("figure.plot .main-svg")
    order = page.evaluate("[...document.querySelectorAll('.headline, table.matches, .page-two')].map(e => e.className)")
    assert order[:2] == ["headline", "matches"]
    assert "page-two" in order[2]
    page.close()


# What sticks out of its own figure: words cut off at the edge of the picture.
OUTSIDE = """
[...document.querySelectorAll('figure.plot')].flatMap(figure => {
  const frame = figure.getBoundingClientRect();
  return [...figure.querySelectorAll('text')]
    .map(text => [text.textContent, text.getBoundingClientRect()])
    .filter(([_, box]) => box.width && (box.left < frame.left - 1 || box.right > frame.right + 1))
    .map(([words]) => words);
})
"""
