"""A notebook's own record: shown by Jupyter, found by the runner."""

import nbformat
import pandas as pd
import pytest

from tsbench.errors import BadInput
from tsbench.report import record
from tsbench.report.results import MIME, recorded


def _executed(*records: object) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook()
    for said in records:
        bundle = said._repr_mimebundle_()  # type: ignore[attr-defined]
        output = nbformat.v4.new_output("execute_result", bundle, execution_count=1)
        notebook.cells.append(nbformat.v4.new_code_cell("record()", outputs=[output]))
    return notebook


def test_a_record_survives_the_way_through_a_notebook() -> None:
    said = record("two of three", scan_id="s1", data_hash="h", tables={"rows": pd.DataFrame({"a": [1, 2]})})
    assert recorded(_executed(said)) == said
    assert said.tables == {"rows": "a\n1\n2\n"}


def test_the_last_record_counts() -> None:
    assert recorded(_executed(record("first"), record("second"))).headline == "second"


def test_a_notebook_without_record_has_none() -> None:
    assert recorded(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])) is None


def test_jupyter_shows_the_headline_with_html_escaped() -> None:
    bundle = record("1 < 2 & 3")._repr_mimebundle_()
    assert bundle["text/plain"] == "1 < 2 & 3"
    assert "1 &lt; 2 &amp; 3" in bundle["text/html"]
    assert bundle[MIME]["headline"] == "1 < 2 & 3"


def test_lists_in_a_table_become_json() -> None:
    frame = pd.DataFrame({"channels": [["roic", "revenue"]]})
    assert record("x", tables={"t": frame}).tables["t"] == 'channels\n"[""roic"", ""revenue""]"\n'


@pytest.mark.parametrize("name", ["../up", "a/b", "", "a.b"])
def test_a_table_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no plain name"):
        record("x", tables={name: pd.DataFrame({"a": [1]})})


def test_an_empty_headline_is_refused() -> None:
    with pytest.raises(BadInput, match="needs a headline"):
        record("  ")
