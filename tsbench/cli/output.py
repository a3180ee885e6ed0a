"""What commands print: answers and JSON to stdout, progress and remarks to stderr."""

import sys
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def say(line: str) -> None:
    """A remark for the person who waits; stdout stays free for the answer."""
    print(line, file=sys.stderr, flush=True)


def show_json(answer: Any) -> None:
    """`answer` as one JSON document on stdout; NaN and missing times become null."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(answer, default=_plain, option=options).decode())


def records(frame: "pd.DataFrame") -> list[dict[Hashable, Any]]:
    """The rows of a frame as dicts that JSON can hold."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def show_table(columns: Mapping[str, list[str]], *, right: frozenset[str] = frozenset()) -> None:
    """Aligned columns of text under their names; `right` names the columns that are flush right."""
    widths = {name: max(map(len, [name, *cells])) for name, cells in columns.items()}
    for row in ([*columns], *zip(*columns.values(), strict=True)):
        cells = (
            text.rjust(width) if name in right else text.ljust(width)
            for text, (name, width) in zip(row, widths.items(), strict=True)
        )
        print("  ".join(cells).rstrip())


def _plain(value: Any) -> Any:
    """What orjson does not know: pandas times, paths, sets."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
