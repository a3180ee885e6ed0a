"""Notebook 02 as an app without code: alive, as wide as the window, with nothing from elsewhere."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tsbench.lab import server

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "02_design_pattern.ipynb"
WIDE = """width => document.querySelector('.tsb-designer').getBoundingClientRect().width > 0.93 * width
  && document.documentElement.scrollWidth <= width"""
DRAWN = "wanted => document.querySelectorAll('.js-plotly-plot:has(.main-svg)').length === wanted"


@pytest.fixture(scope="module")
def session(companies: Any, watched: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, list[str]]]:
    """The page once the notebook has run, and what went wrong on it."""
    project = {"TSBENCH_HOME": str(ROOT), "DATABASE_URL": companies.url}
    with server.app(NOTEBOOK, tmp_path_factory.mktemp("app"), project) as url:
        page, wrong = watched(url)
        page.goto(url)
        page.wait_for_selector(".tsb-card")
        # the notebook's last cell
        page.get_by_text("nearest.csv").wait_for()
        yield page, wrong


def names(page: Any) -> list[str]:
    """The companies shown, once the newest drawing is answered."""
    page.wait_for_function("() => document.querySelector('.tsb-designer').resting()")
    return page.locator(".tsb-card header span").all_inner_texts()


def test_a_corner_moved_by_keys_changes_the_companies(session):
    page, _ = session
    before = names(page)
    page.locator(".tsb-dot").nth(1).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert names(page) != before


def test_every_figure_is_drawn_and_no_code_is_shown(session):
    page, _ = session
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    page.wait_for_function(DRAWN, arg=sum("plots." in source for source in cells[1:]))
    assert page.get_by_text("PatternDesigner(").count() == 0


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_board_is_as_wide_as_the_window(session, width):
    page, _ = session
    page.set_viewport_size({"width": width, "height": 1000})
    page.wait_for_function(WIDE, arg=width)


def test_nothing_went_wrong_and_nothing_outside_was_asked(session):
    _, wrong = session
    assert wrong == []
