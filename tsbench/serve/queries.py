"""Names in the query of a request: one that the route does not know is refused, not passed over."""

import difflib

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request


def only_known(request: Request) -> None:
    """Nothing, when the route declares every name in the query.

    A mistyped `?version=` would otherwise be answered by another version, in silence.

    Parameters
        request : to a declared route.
    Raises     RequestValidationError: it does not; the nearest name is told.
    """
    given = list(request.query_params)
    if not given:
        return
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    wrong = [
        {"type": "unknown_parameter", "loc": ("query", name), "msg": _told(name, known), "input": None}
        for name in given
        if name not in known
    ]
    if wrong:
        raise RequestValidationError(wrong)


def _told(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known) or 'none'}"
    return f"no parameter {name[:80]!r}; {hint}"
