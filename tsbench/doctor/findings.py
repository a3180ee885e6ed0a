"""What a check found. Nothing foreign is imported here: what is foreign may be what is broken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tsbench.errors import MissingExtra, TsbenchError

State = Literal["ok", "wrong", "not checked"]
Told = tuple[State, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    name : what was looked at.
    state : "ok", "wrong", or "not checked" where something that the check needs is not there.
    told : what is there; of a fault what is wrong and what to do; else why it was not checked.
    """

    name: str
    state: State
    told: str


def examined(name: str, check: Callable[[], Told]) -> Finding:
    """The finding of `check` under its `name`; what it raises is a fault, a missing extra means not checked."""
    try:
        return Finding(name, *check())
    except MissingExtra as error:
        return Finding(name, "not checked", str(error))
    except TsbenchError as error:
        return Finding(name, "wrong", str(error))
    # SystemExit is what some packages leave with when they find themselves broken
    except (Exception, SystemExit) as error:
        return Finding(name, "wrong", f"{type(error).__name__}: {error}")
