"""Pages from notebooks made by hand: what is shown, what is hidden, what is escaped, and in which colours."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tsbench import plots
from tsbench.plots.theme import DARK, INK, PAPER, QUIET, RULE
from tsbench.report import Run, record
from tsbench.report.html import asset
from tsbench.report.page import LARGEST_EMBEDDED_TABLE, PLOTLY, failure, render, write_index


def _shown(*outputs: Any, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cell = new_code_cell("secret_source()", outputs=list(outputs), execution_count=1, metadata={"tags": list(tags)})
    return new_notebook(cells=[new_markdown_cell("# A question?"), cell])


def _data(**bundle: Any) -> nbformat.NotebookNode:
    return new_output("display_data", {name.replace("__", "/"): value for name, value in bundle.items()})


def _figure(title: str = "") -> nbformat.NotebookNode:
    return new_output("display_data", {PLOTLY: {"data": [], "layout": {"title": {"text": title}, "height": 321}}})


def test_the_page_has_the_title_of_the_notebook_and_no_source(finished_run: Run) -> None:
    page = render(_shown(_data(text__html="<b>answer</b>")), finished_run)
    assert "<title>A question?</title>" in page
    assert "<b>answer</b>" in page
    assert "secret_source" not in page


def test_every_figure_is_data_and_plotly_stands_once(finished_run: Run) -> None:
    notebook = _shown(_figure("one"), _figure("two"))
    page = render(notebook, finished_run)
    assert page.count('<figure class="plot"') == 2
    assert page.count("plotly.js v") == 1
    assert "min-height:321px" in page


def test_a_page_without_figures_carries_no_plotly(finished_run: Run) -> None:
    assert len(render(_shown(_data(text__plain="42")), finished_run)) < 20_000


def test_text_in_a_figure_cannot_end_its_script(finished_run: Run) -> None:
    page = render(_shown(_figure("</script><script>alert(1)</script>")), finished_run)
    assert "<script>alert(1)" not in page
    assert "\\u003c/script>" in page


def test_parameters_and_headline_are_escaped(finished_run: Run) -> None:
    page = render(_shown(), replace(finished_run, headline="<i>x</i>", scan_id="<u>"))
    assert "<script>alert" not in page
    assert "&lt;u&gt;" in page


def test_the_best_form_of_an_output_is_shown(finished_run: Run) -> None:
    page = render(_shown(_data(text__plain="plain form", text__html="<em>rich form</em>")), finished_run)
    assert "rich form" in page
    assert "plain form" not in page


def test_progress_bars_and_stderr_of_a_good_run_are_hidden(finished_run: Run) -> None:
    bar = new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "50%|bar"})
    noise = new_output("stream", name="stderr", text="a warning")
    said = new_output("stream", name="stdout", text="a remark")
    page = render(_shown(bar, noise, said), finished_run)
    assert "a remark" in page
    assert "50%|bar" not in page
    assert "a warning" not in page


def test_a_board_is_shown_as_it_was_left(finished_run: Run) -> None:
    left = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<b>the board</b>", "text/plain": "Board()"}
    page = render(_shown(new_output("execute_result", left)), finished_run)
    assert "<b>the board</b>" in page
    assert "Board()" not in page


def test_stderr_of_the_cell_that_failed_is_shown(finished_run: Run) -> None:
    noise = new_output("stream", name="stderr", text="the reason")
    error = new_output(
        "error", ename="ValueError", evalue="\x1b[31mno\x1b[0m", traceback=["\x1b[31mTrace\x1b[0m <here>"]
    )
    notebook = _shown(noise, error)
    page = render(notebook, replace(finished_run, status="failed", error=failure(notebook, "failed", 1)))
    for told in ("the reason", "secret_source()", "Trace &lt;here&gt;", "Code cell 1: ValueError: no"):
        assert told in page
    assert "\x1b" not in page


def test_papermills_own_marks_are_left_out(finished_run: Run) -> None:
    notebook = _shown()
    notebook.cells.insert(0, new_markdown_cell("An Exception was", metadata={"tags": ["papermill-error-cell-tag"]}))
    assert "An Exception was" not in render(notebook, finished_run)


def test_tags_of_a_cell_become_classes(finished_run: Run) -> None:
    assert 'class="cell half"' in render(_shown(_figure(), tags=("half",)), finished_run)


def test_a_small_table_travels_in_the_page_and_a_large_one_lies_beside_it(finished_run: Run) -> None:
    page = render(_shown(), finished_run, {"small": "a\n1\n", "large": "a\n" + "1\n" * LARGEST_EMBEDDED_TABLE})
    assert 'href="data:text/csv;base64,YQoxCg==" download="made-small.csv"' in page
    assert 'href="large.csv"' in page


def test_the_record_of_a_notebook_is_told_at_the_end_not_in_place(finished_run: Run) -> None:
    said = new_output("execute_result", record("the answer")._repr_mimebundle_(), execution_count=1)
    page = render(_shown(said), finished_run)
    assert "the answer" not in page
    assert "tsbench report made -p length=3" in page


def test_markdown_is_rendered_and_dollars_stay_dollars(finished_run: Run) -> None:
    notebook = new_notebook(cells=[new_markdown_cell("**bold** from $3B to $4B")])
    page = render(notebook, finished_run)
    assert "<strong>bold</strong>" in page
    assert "$3B to $4B" in page


def test_a_real_figure_of_plots_is_drawn_from_its_json(finished_run: Run, panel: Any) -> None:
    drawn = json.loads(plots.series(panel.select(entity="C01")).to_json())
    page = render(_shown(new_output("display_data", {PLOTLY: drawn})), finished_run)
    assert "return on capital" in page


def test_a_run_that_lost_its_process_is_listed_as_interrupted(finished_run: Run, tmp_path: Any) -> None:
    (tmp_path / "old").mkdir()
    replace(finished_run, status="running", folder=tmp_path / "old").save()
    (tmp_path / "new").mkdir()
    young = datetime.now(UTC).isoformat()
    replace(finished_run, id="29990101-x", status="running", started=young, folder=tmp_path / "new").save()
    index = write_index(tmp_path).read_text("utf-8")
    assert index.index('class="running"') < index.index('class="interrupted"')


def test_an_empty_folder_of_reports_says_how_to_make_one(tmp_path: Any) -> None:
    assert "make report" in write_index(tmp_path).read_text("utf-8")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("timeout", "when the deadline of 9 s passed"),
        ("interrupted", "when the run was stopped"),
        ("failed", "its process ended"),
    ],
)
def test_an_unfinished_cell_is_named_with_what_stopped_it(status: Any, told: str) -> None:
    cell = new_code_cell("x", metadata={"papermill": {"start_time": "2026-01-01"}})
    assert told in failure(new_notebook(cells=[cell]), status, 9)


def test_the_page_is_written_in_the_colours_of_its_figures() -> None:
    light, dark = re.findall(r"--ink: (.+?); --quiet: (.+?); --rule: (.+?); --paper: (.+?);", asset("page.css"))
    assert list(light) == [colour.lower() for colour in (INK, QUIET, RULE, PAPER)]
    assert list(dark) == [DARK[colour].lower() for colour in (INK, QUIET, RULE, PAPER)]


# The colour of the paper under each figure, of the first line drawn, of the page, and of words in a table of others.
SEEN = """
[...document.querySelectorAll('.main-svg:first-of-type')].map(svg => getComputedStyle(svg).backgroundColor).concat(
  ['.js-line', 'main', '#told'].map(one => document.querySelector(one)).map((element, i) =>
    getComputedStyle(element)[['stroke', 'backgroundColor', 'color'][i]]))
"""


@pytest.mark.browser
def test_figures_and_page_follow_the_reader_and_print_is_light(
    finished_run: Run, panel: Any, browser: Any, tmp_path: Path
) -> None:
    drawn = plots.series(panel.select(entity="C01", metric="roic"))
    foreign = {"data": [{"y": [1, 2]}], "layout": {"paper_bgcolor": PAPER, "height": 200}}
    figures = [json.loads(figure.to_json()) for figure in (drawn, plots.dark(drawn))]
    told = _data(text__html=f"<p id='told' style='color:{QUIET}'>words</p>")
    notebook = _shown(told, *(_data(**{PLOTLY: figure}) for figure in (*figures, foreign)))
    path = tmp_path / "page.html"
    path.write_text(render(notebook, finished_run), "utf-8")
    light = ["rgb(255, 255, 255)"] * 3 + ["rgb(0, 114, 178)", "rgb(255, 255, 255)", "rgb(102, 114, 127)"]
    dark = ["rgb(22, 25, 29)"] * 2 + ["rgb(255, 255, 255)", "rgb(63, 151, 230)", "rgb(22, 25, 29)"]
    dark += ["rgb(163, 173, 183)"]
    page = browser.new_page(color_scheme="dark")
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.wait_for_selector("figure.plot .js-line")
    for scheme, colours in (("dark", dark), ("light", light), ("dark", dark)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"colours => JSON.stringify({SEEN.strip()}) === JSON.stringify(colours)", arg=colours)
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {SEEN.strip()} }})")
    page.pdf()
    assert page.evaluate("window.printed")[:4] == light[:4]
    assert page.evaluate(SEEN) == dark
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == "rgb(255, 255, 255)"
    assert said == []
    page.close()
