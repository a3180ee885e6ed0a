"""Committed notebooks are clean and keep to the house rules; whether they run is tested with the reports."""

import ast
import shutil
import subprocess
import sys
import tokenize
from io import StringIO
from pathlib import Path

import nbformat
import pytest

from tsbench.report import parameters

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALL = [*SHIPPED, *sorted(Path(__file__).parent.glob("*.ipynb"))]
LONGEST_CELL = 12


def _name(path: Path) -> str:
    return path.stem


def _code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, nbformat.NO_CONVERT).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_no_outputs_counts_or_stray_metadata_are_committed(path: Path) -> None:
    beside = Path(sys.executable).with_name("nb-clean")
    tool = str(beside) if beside.exists() else shutil.which("nb-clean")
    assert tool, "nb-clean is part of the test requirements"
    check = [tool, "check", "--preserve-cell-metadata-field", "tags", str(path)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_the_file_is_valid_and_its_cells_keep_their_ids(path: Path) -> None:
    notebook = nbformat.read(path, nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_the_title_is_a_question_and_the_second_cell_holds_the_parameters(path: Path) -> None:
    first, second, third, *_ = nbformat.read(path, nbformat.NO_CONVERT).cells
    assert first.source.startswith("# ")
    assert first.source.partition("\n")[0].endswith("?")
    assert second.metadata["tags"] == ["parameters"]
    assert all(line.startswith(("import ", "from ")) for line in third.source.splitlines())


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_every_parameter_is_a_literal_with_a_comment_and_known_to_the_runner(path: Path) -> None:
    source = _code(path)[0].source
    assigned = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    comments = [t for t in tokenize.generate_tokens(StringIO(source).readline) if t.type == tokenize.COMMENT]
    assert len(assigned) == len(ast.parse(source).body) == len(comments)
    known = parameters(path)
    assert {node.targets[0].id: ast.literal_eval(node.value) for node in assigned} == {  # type: ignore[attr-defined]
        name: parameter.default for name, parameter in known.items()
    }
    assert all(parameter.help for parameter in known.values())


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_cells_are_short_and_only_call(path: Path) -> None:
    for cell in _code(path):
        assert len(cell.source.splitlines()) <= LONGEST_CELL
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda), (
                "definitions belong to the package"
            )
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert "/" not in node.value, "no paths in notebooks"


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_only_tsbench_is_imported(path: Path) -> None:
    for cell in _code(path):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.Import)
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] == "tsbench"


@pytest.mark.parametrize("path", SHIPPED, ids=_name)
def test_the_last_cell_writes_the_record(path: Path) -> None:
    assert _code(path)[-1].source.startswith("report.record(")
