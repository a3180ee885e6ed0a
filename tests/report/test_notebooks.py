"""Notebooks are found by name, and their parameters are typed, known and explained."""

from pathlib import Path

import nbformat
import pytest

from tsbench.errors import BadInput, NotFound
from tsbench.report import find, parameters
from tsbench.report.notebooks import resolve

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("01_explore", "05_scan_companies", "10_stress"):
        (tmp_path / f"{name}.ipynb").write_text("{}")
    return tmp_path


@pytest.mark.parametrize("name", ["05_scan_companies", "scan_companies", "5", "05", "05_scan_companies.ipynb"])
def test_a_notebook_goes_by_full_name_words_or_number(folder: Path, name: str) -> None:
    assert find(name, folder).name == "05_scan_companies.ipynb"


def test_a_path_is_taken_as_it_is(folder: Path) -> None:
    assert find(folder / "10_stress.ipynb", Path("elsewhere")) == (folder / "10_stress.ipynb").resolve()


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(NotFound, match="05_scan_companies"):
        find("05_scan_company", folder)


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no notebooks in"):
        find("1", tmp_path)


def test_parameters_come_with_default_and_help_in_order() -> None:
    known = parameters(NOTEBOOKS / "ok.ipynb")
    assert list(known) == ["length", "label", "noisy", "step"]
    assert (known["length"].default, known["length"].help) == (40, "points of the line")
    assert str(known["noisy"]) == "noisy = False  # add noise"


def test_text_takes_the_type_of_the_default() -> None:
    given = {"length": "7", "label": "7", "noisy": "yes", "step": "1"}
    assert resolve(NOTEBOOKS / "ok.ipynb", given) == {"length": 7, "label": "7", "noisy": True, "step": 1.0}


def test_values_left_out_take_their_default() -> None:
    assert resolve(NOTEBOOKS / "ok.ipynb", {"step": 2})["step"] == 2.0
    assert resolve(NOTEBOOKS / "ok.ipynb", {})["length"] == 40


def test_an_unknown_parameter_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no parameter 'lenght'.*\n  length = 40  # points of the line\n  label"):
        resolve(NOTEBOOKS / "ok.ipynb", {"lenght": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("length", "many"),
        ("length", 1.5),
        ("length", True),
        ("noisy", "perhaps"),
        ("noisy", 1),
        ("label", 3),
        ("step", "fast"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: object) -> None:
    with pytest.raises(BadInput, match=f"parameter {name} must be of type"):
        resolve(NOTEBOOKS / "ok.ipynb", {name: value})


def test_lists_are_read_as_literals(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    notebook.cells = [nbformat.v4.new_code_cell('metrics = ["a"]  # some', metadata={"tags": ["parameters"]})]
    nbformat.write(notebook, tmp_path / "n.ipynb")
    assert resolve(tmp_path / "n.ipynb", {"metrics": "['b', 'c']"}) == {"metrics": ["b", "c"]}
    with pytest.raises(BadInput, match="must be of type list"):
        resolve(tmp_path / "n.ipynb", {"metrics": "b, c"})


def test_a_default_that_is_no_literal_is_refused(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    notebook.cells = [nbformat.v4.new_code_cell("day = today()", metadata={"tags": ["parameters"]})]
    nbformat.write(notebook, tmp_path / "n.ipynb")
    with pytest.raises(BadInput, match=r"default of day must be a literal, got today\(\)"):
        parameters(tmp_path / "n.ipynb")


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text("not json")
    with pytest.raises(BadInput, match="cannot be read as a notebook"):
        parameters(tmp_path / "n.ipynb")
