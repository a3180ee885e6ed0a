"""Parameters of a notebook: which there are, their defaults and meaning, and the values a run gives them."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsbench import checks
from tsbench.errors import BadInput, NotFound

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the cell tagged `parameters`: `name = default  # help`."""

    name: str
    default: Any
    help: str

    def __str__(self) -> str:
        return f"{self.name} = {self.default!r}" + (f"  # {self.help}" if self.help else "")


def find(name: str | Path, folder: Path) -> Path:
    """The notebook of that name.

    Parameters
        name : the stem ("05_scan_companies"), its number ("05", "5") or its words ("scan_companies"), with or without
            `.ipynb`; or the path of any notebook.
        folder : where the notebooks lie.
    Raises     NotFound: no notebook, or more than one, has that name; the message lists the known ones.
    """
    if (path := Path(name)).suffix == ".ipynb" and path.is_file():
        return path.resolve()
    stems = {p.stem: p for p in sorted(folder.glob("*.ipynb"))}
    if not stems:
        raise NotFound(f"no notebooks in {folder.resolve()}; name the folder that holds them")
    wanted = Path(name).name.removesuffix(".ipynb")
    if wanted in stems:
        return stems[wanted].resolve()
    fits = [s for s in stems if wanted == s.partition("_")[2] or (wanted.isdigit() and s[:2] == wanted.zfill(2))]
    if len(fits) > 1:
        raise NotFound(f"notebook {name!r} may be {' or '.join(fits)}; give the full name")
    return stems[fits[0] if fits else checks.known(wanted, "notebook", list(stems))].resolve()


def parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in the order of its cell tagged `parameters`.

    Raises     BadInput: the file is no notebook of a known kernel, or a default is not a literal.
    """
    import papermill

    try:
        found = papermill.inspect_notebook(str(notebook))
    except Exception as error:  # papermill raises whatever its readers and translators raise
        raise BadInput(f"{notebook.name} cannot be read as a notebook: {error}") from error
    return {
        name: Parameter(name, _literal(about["default"], name, notebook), about["help"])
        for name, about in found.items()
    }


def resolve(notebook: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter with the value it takes in this run: the given one, in the type of its default, or the default.

    Parameters
        given : by name. Text (from a command line) is converted to the type of the default; other values must fit it.
    Raises     BadInput: a name the notebook does not have, with the list of those it has; or a value of another type.
    """
    known = parameters(notebook)
    strange = [name for name in given if name not in known]
    if strange:
        names = "\n  ".join(map(str, known.values())) or "(none: no cell is tagged 'parameters')"
        raise BadInput(f"{notebook.stem} has no parameter {', '.join(map(repr, strange))}; it has\n  {names}")
    return {name: _typed(given[name], about) if name in given else about.default for name, about in known.items()}


def _literal(text: str, name: str, notebook: Path) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise BadInput(f"{notebook.name}: the default of {name} must be a literal, got {text}") from error


def _typed(value: Any, about: Parameter) -> Any:
    """`value` in the type of the default."""
    kind = type(about.default)
    wanted = f"parameter {about.name} must be of type {kind.__name__} (default {about.default!r}), got {value!r}"
    if about.default is None or (type(value) is kind and kind is not str):
        return value
    if kind is float and type(value) is int:
        return float(value)
    if not isinstance(value, str):
        raise BadInput(wanted)
    if kind is str:
        return value
    if kind is bool:
        if value.lower() in TRUE + FALSE:
            return value.lower() in TRUE
        raise BadInput(f"{wanted}; write true or false")
    try:
        read = kind(value) if kind in (int, float) else ast.literal_eval(value)
    except (ValueError, SyntaxError) as error:
        raise BadInput(wanted) from error
    if type(read) is not kind:
        raise BadInput(wanted)
    return read
