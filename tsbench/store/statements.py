"""The named statements of queries.sql.

A statement starts with a line `-- name: NAME`; the comment lines after it say what it does. Values are always bound
parameters, `%(name)s`; no statement is ever put together from text.
"""

from functools import cache
from importlib.resources import files

MARK = "-- name:"


@cache
def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    text = files("tsbench.store").joinpath("queries.sql").read_text(encoding="utf-8")
    for block in text.split(MARK)[1:]:
        name, _, body = block.partition("\n")
        lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
        if name.strip() in found:
            raise ValueError(f"queries.sql names {name.strip()!r} twice")
        found[name.strip()] = "\n".join(lines).strip().rstrip(";")
    return found


def statement(name: str) -> str:
    """The text of one statement. KeyError for an unknown name: the names are code, not input."""
    return _statements()[name]


def names() -> list[str]:
    """The names of all statements, in the order of the file."""
    return list(_statements())
