"""The board as a user has it: JupyterLab in a real browser, by mouse and by keys."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

CELL = """
from tsbench import Channel, Pattern, Store
from tsbench.lab import PatternDesigner
dip = Pattern("dip", (Channel("roic", ((0, 1), (0.5, 0), (1, 1))),), length=(8, 14), prominence=3.0)
board = PatternDesigner(Store(), pattern=dip)
board
"""


@pytest.fixture(scope="module")
def session(jupyterlab: Any, watched: Any) -> tuple[Any, list[str], Callable[[], None]]:
    """The page after all cells ran, what went wrong on it, and a way to load it anew."""
    jupyterlab.write("board.ipynb", CELL, "board.pattern")
    page, wrong = watched(jupyterlab.url)

    def load() -> None:
        page.goto(f"{jupyterlab.url}/lab/tree/board.ipynb")
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    load()
    run_all(page)
    return page, wrong, load


def run_all(page: Any) -> None:
    page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_selector(".tsb-card")


def names(page: Any) -> list[str]:
    """The companies shown, once the newest drawing is answered."""
    page.wait_for_function("() => document.querySelector('.tsb-designer').resting()")
    return page.locator(".tsb-card header span").all_inner_texts()


def idle(page: Any, text: str) -> None:
    page.locator(".tsb-status", has_text=text).wait_for()
    page.locator(".tsb-cancel").wait_for(state="hidden")


def test_undo_takes_back_what_was_changed_and_a_click_changes_nothing(session):
    page, _, _ = session
    undo, slider = page.get_by_title("undo (Ctrl+Z)"), page.get_by_label("prominence")
    assert undo.is_disabled()
    page.locator(".tsb-dot").nth(1).click()
    assert undo.is_disabled()
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "3.75"
    for _ in range(3):
        undo.click()
    assert slider.input_value() == "3"
    assert undo.is_disabled()


def test_a_corner_dragged_by_mouse_changes_the_companies(session):
    page, _, _ = session
    before = names(page)
    corner = page.locator(".tsb-dot").nth(1)
    corner.scroll_into_view_if_needed()
    box = corner.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] - 40, steps=10)
    page.mouse.up()
    assert names(page) != before
    page.get_by_title("undo (Ctrl+Z)").click()
    assert names(page) == before


def test_a_corner_moved_by_keys_changes_the_companies_and_no_cell(session):
    page, _, _ = session
    before, cells = names(page), page.locator(".jp-Cell").count()
    page.locator(".tsb-dot").nth(1).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    assert names(page) != before
    page.keyboard.press("+")
    assert page.locator(".tsb-dot").count() == 4
    page.keyboard.press("Delete")
    assert page.locator(".tsb-dot").count() == 3
    for _ in range(2 + 3):
        page.keyboard.press("Control+z")
    assert names(page) == before
    assert page.locator(".jp-Cell").count() == cells


def test_what_cannot_be_looked_for_is_told_beside_the_drawing_and_can_be_mended(session):
    page, _, _ = session
    before, expression = names(page), page.get_by_label("expression of channel 1")
    expression.fill("profit")
    expression.press("Enter")
    page.locator(".tsb-headline.tsb-failed", has_text="profit").wait_for()
    assert names(page) == before
    expression.fill("roic")
    expression.press("Enter")
    page.locator(".tsb-headline:not(.tsb-failed)", has_text="nearest").wait_for()
    assert names(page) == before


def test_a_stroke_becomes_corners(session):
    page, _, _ = session
    before = names(page)
    page.get_by_role("button", name="draw", exact=True).click()
    box = page.locator(".tsb-lane").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 25, steps=15)
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 20, steps=15)
    page.mouse.up()
    assert names(page) != before
    assert 3 <= page.locator(".tsb-dot").count() <= 12
    page.get_by_role("button", name="corners", exact=True).click()
    page.get_by_title("undo (Ctrl+Z)").click()
    assert names(page) == before


def test_verdicts_by_key_are_kept_and_learnt(session, companies):
    page, _, _ = session
    cells = page.locator(".jp-Cell").count()
    page.locator(".tsb-card").nth(0).focus()
    page.keyboard.press("a")
    idle(page, "learnt from 1 verdict")
    page.locator(".tsb-card").nth(1).focus()
    page.keyboard.press("r")
    idle(page, "learnt from 2 verdicts")
    assert sorted(companies.labels.of("dip")["verdict"]) == ["accept", "reject"]
    assert "1 ✓ 1 ✗" in page.locator(".tsb-headline").inner_text()
    assert "by the odds" in page.locator(".tsb-headline").inner_text()
    assert page.locator(".jp-Cell").count() == cells


def test_save_and_scan_leave_their_records(session, companies):
    page, _, _ = session
    page.locator("[data-verb=save]").click()
    idle(page, "saved")
    page.locator("[data-verb=scan]").click()
    idle(page, "scan dip-")
    assert "dip" in companies.patterns.names()
    assert len(companies.scans.list("dip")) == 1


def test_the_report_is_written_and_its_link_opens_the_page(session, jupyterlab):
    page, _, _ = session
    page.locator("[data-verb=report]").click()
    link = page.get_by_role("link", name="open the page")
    link.wait_for()
    assert page.locator(".tsb-status", has_text="dip").count() == 1
    with page.context.expect_page() as opened:
        link.click()
    opened.value.locator("h2", has_text="How sure").wait_for()
    assert len(list((jupyterlab.folder / "reports").glob("*/report.html"))) == 1
    opened.value.close()


@pytest.mark.parametrize("width", [1280, 1920])
def test_nothing_reaches_over_its_edge(session, width):
    page, _, _ = session
    page.set_viewport_size({"width": width, "height": 1000})
    over = page.evaluate(
        """() => [...document.querySelectorAll('.tsb-designer, .tsb-designer section, .tsb-card, .tsb-row')]
        .filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.className)"""
    )
    assert over == []


def test_a_saved_notebook_shows_the_board_without_a_kernel(session, jupyterlab):
    """The kernel is shut down, the page loaded anew: the matches and the drawing still stand there."""
    page, _, load = session
    page.set_viewport_size({"width": 1280, "height": 1000})
    before = names(page)
    page.locator(".jp-Notebook").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.evaluate(
        """async () => {
          const token = document.cookie.match('_xsrf=([^;]*)')?.[1] ?? '';
          const asked = await fetch('/api/sessions').then(r => r.json());
          const end = {method: 'DELETE', headers: {'X-XSRFToken': token}};
          for (const one of asked) await fetch(`/api/sessions/${one.id}`, end);
        }"""
    )
    load()
    page.wait_for_selector(".tsb-card")
    assert names(page) == before


def test_after_a_restart_the_board_works_again(session):
    page, _, _ = session
    run_all(page)
    before = names(page)
    page.locator(".tsb-dot").nth(1).focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")
    assert names(page) != before


def test_nothing_went_wrong_and_nothing_outside_was_asked(session):
    _, wrong, _ = session
    assert wrong == []
