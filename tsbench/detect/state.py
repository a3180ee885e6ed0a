"""A fitted detector as plain arrays by name, and back: no pickle, no third-party object."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsbench.detect.bank import Where
from tsbench.detect.head import Head
from tsbench.detect.lessons import Lessons
from tsbench.detect.nulls import Heads, OddsTable
from tsbench.detect.odds import Odds
from tsbench.detect.trees import Trees
from tsbench.errors import BadInput
from tsbench.records import State

KIND, VERSION = "pattern_detector", 3


def pack(heads: Heads, odds: OddsTable) -> dict[str, NDArray[Any]]:
    """Every number of the heads and the odds; a head that channels share is kept once."""
    arrays: dict[str, NDArray[Any]] = {}
    for (where, kind, channel), one in odds.items():
        arrays |= {f"odds|{where}|{kind}|{channel}|{f.name}": np.asarray(getattr(one, f.name)) for f in fields(Odds)}
    for where, lanes in heads.items():
        first: dict[int, int] = {}
        for channel, head in lanes.items():
            owner = first.setdefault(id(head), channel)
            arrays[f"lane|{where}|{channel}"] = np.asarray(owner)
            if owner != channel:
                continue
            place = f"{where}|{owner}"
            arrays |= {
                f"head|{place}|{f.name}": np.asarray(getattr(head, f.name))
                for f in fields(Head)
                if f.name not in ("folds", "lessons")
            }
            if head.lessons is not None:
                arrays |= {
                    f"lessons|{place}|{f.name}": np.asarray(getattr(head.lessons, f.name)) for f in fields(Lessons)
                }
            for number, trees in enumerate(head.folds):
                arrays |= {
                    f"trees|{place}|{number}|{f.name}": np.asarray(getattr(trees, f.name)) for f in fields(Trees)
                }
    return arrays


def unpack(state: State) -> tuple[dict[Where, dict[int, Head]], OddsTable]:
    """The inverse of `pack`. Raises BadInput for a state of another kind or version."""
    if state.kind != KIND or state.version != VERSION:
        raise BadInput(
            f"a state of kind {state.kind} v{state.version} is no pattern detector v{VERSION}; train it again"
        )
    parts: dict[tuple[str, ...], dict[str, Any]] = {}
    for key, array in state.arrays.items():
        *where_from, name = key.split("|")
        parts.setdefault(tuple(where_from), {})[name] = array.item() if array.ndim == 0 else array
    odds: OddsTable = {}
    heads: dict[Any, dict[int, Head]] = {}
    for place, values in parts.items():
        if place[0] == "odds":
            _, asked, kind, channel = place
            odds[asked, kind, int(channel)] = Odds(**values)  # type: ignore[index]
        elif place[0] == "lane":
            lanes = heads.setdefault(place[1], {})
            judges = {owner: _head(parts, place[1], owner) for owner in set(values.values())}
            lanes |= {int(channel): judges[owner] for channel, owner in values.items()}
    return heads, odds


def _head(parts: Mapping[tuple[str, ...], dict[str, Any]], where: str, owner: int) -> Head:
    folds = [Trees(**parts[p]) for p in sorted(parts) if p[:3] == ("trees", where, str(owner))]
    taught = parts.get(("lessons", where, str(owner)))
    lessons = None if taught is None else Lessons(**taught | {"names": tuple(map(str, taught["names"]))})
    return Head(**parts["head", where, str(owner)], folds=tuple(folds), lessons=lessons)
