"""Notebooks 01 and 02 as a user has them: all cells run in JupyterLab, the explorer used, saved and reopened."""

import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MOST_BYTES = 2_000_000
WIDE = """() => [...document.querySelectorAll('.tsb-explorer, .tsb-explorer section, .tsb-row')]
  .filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.className)"""


def run(page: Any, lab: Any, name: str) -> None:
    """Open a notebook and run all its cells to the end."""
    page.goto(f"{lab.url}/lab/workspaces/{name}/tree/{name}.ipynb")
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    # the record of the run is the last output
    page.locator(".jp-OutputArea-output", has_text="companies.csv").or_(
        page.locator(".jp-OutputArea-output", has_text="nearest.csv")
    ).wait_for(state="attached")


def shown(page: Any) -> Any:
    """The explorer, once all that was asked of it is shown."""
    page.wait_for_function("() => document.querySelector('.tsb-explorer').resting()")
    return page.locator(".tsb-explorer")


@pytest.fixture(scope="module")
def session(jupyterlab: Any, watched: Any) -> tuple[Any, list[str]]:
    for path in NOTEBOOKS.glob("0[12]*.ipynb"):
        shutil.copy(path, jupyterlab.folder)
    page, wrong = watched(jupyterlab.url)
    run(page, jupyterlab, "01_explore_companies")
    return page, wrong


def test_every_cell_of_01_gives_a_result(session):
    page, _ = session
    page.locator(".tsb-chart").first.scroll_into_view_if_needed()
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error], [data-mime-type*=stderr]").count() == 0
    assert shown(page).locator(".tsb-chart").count() == 3


def test_a_search_as_you_type_and_enter_set_a_company_beside_the_others(session):
    page, _ = session
    cells = page.locator(".jp-Cell").count()
    # faster than the answer
    page.get_by_label("search companies").fill("micro")
    page.get_by_label("search companies").press("Enter")
    shown(page).locator(".tsb-fact", has_text="Microsoft").wait_for()
    assert shown(page).locator(".tsb-fact").count() == 4
    page.get_by_label("search companies").press("ArrowDown")
    page.keyboard.press("Enter")
    assert shown(page).locator(".tsb-fact").count() == 3
    assert page.locator(".jp-Cell").count() == cells


def test_a_filter_shows_what_each_condition_costs_and_a_wrong_one_what_is_wrong(session):
    page, _ = session
    page.get_by_label("search companies").fill("")
    query = shown(page).get_by_role("textbox", name="filter")
    query.fill("not live and roic > 0.1")
    query.press("Enter")
    shown(page).locator(".tsb-stage", has_text="not live").wait_for()
    assert shown(page).locator(".tsb-stage").count() == 3
    assert "of those dead" in shown(page).locator(".tsb-stage").nth(2).inner_text()
    query.fill("roi > 0.1")
    query.press("Enter")
    page.locator(".tsb-failed", has_text="did you mean 'roic'").wait_for()
    query.fill("live")
    query.press("Enter")
    page.wait_for_function("() => document.querySelector('.tsb-explorer .tsb-failed').textContent === ''")


def test_a_channel_is_added_scaled_and_read_by_the_pointer(session):
    page, _ = session
    addition = page.get_by_label("one more channel")
    addition.fill("yoy(ttm(revenue))")
    addition.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.tsb-chart').length === 4")
    shown(page).get_by_role("button", name="start = 100").click()
    chart = shown(page).locator(".tsb-chart").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    assert "COST" in page.locator(".tsb-reading").first.inner_text()
    assert "index100" in shown(page).locator("code").inner_text()


def test_a_mistyped_channel_is_told_and_can_be_mended_where_it_stands(session):
    page, _ = session
    channel = page.get_by_label("channel 1", exact=True)
    channel.fill("revenu")
    channel.press("Enter")
    page.locator(".tsb-series .tsb-failed", has_text="revenu").wait_for()
    assert channel.input_value() == "revenu"
    shown(page).get_by_role("button", name="in units").click()
    channel.fill("ttm(revenue)")
    channel.press("Enter")
    page.wait_for_function("() => document.querySelector('.tsb-series .tsb-failed').textContent === ''")
    assert "12-month revenue" in shown(page).inner_text()
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "channel 1"


def test_a_watchlist_is_kept_and_chosen(session, companies):
    page, _ = session
    page.get_by_label("name of the watchlist").fill("mine")
    shown(page).get_by_role("button", name="keep", exact=True).click()
    page.wait_for_function("() => document.querySelector('.tsb-explorer select').value === 'mine'")
    assert "on the watchlist mine" in shown(page).locator(".tsb-funnel").inner_text()
    assert len(companies.watchlists.get("mine")) == 3
    companies.watchlists.delete("mine")


@pytest.mark.parametrize("width", [700, 950, 1280, 1920])
def test_nothing_reaches_over_its_edge(session, width):
    page, _ = session
    page.set_viewport_size({"width": width, "height": 1000})
    assert page.evaluate(WIDE) == []


def test_every_cell_of_02_gives_a_result_in_a_small_file_that_shows_it_without_a_kernel(session, jupyterlab):
    page, _ = session
    run(page, jupyterlab, "02_design_pattern")
    page.locator(".tsb-card").first.wait_for()
    assert page.locator(".jp-OutputArea-output[data-mime-type*=error]").count() == 0
    page.locator(".jp-Notebook").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    saved = jupyterlab.folder / "02_design_pattern.ipynb"
    assert '"text/html"' in saved.read_text("utf-8")
    assert saved.stat().st_size < MOST_BYTES


def test_nothing_went_wrong_and_nothing_outside_was_asked(session):
    _, wrong = session
    assert wrong == []
