"""What is kept in numbered versions: patterns, and fitted models with all that says where they come from."""

import io
import platform
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import orjson
import pandas as pd
import sqlalchemy as sa
from numpy.typing import NDArray

from tsbench.errors import BadInput, NotFound
from tsbench.records import State
from tsbench.store.documents import nulls_as_nan, to_json
from tsbench.store.engine import transaction
from tsbench.store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from tsbench.patterns import Pattern

# What a model's numbers may depend on.
LIBRARIES = ("tsbench", "numpy", "scipy", "numba", "scikit-learn", "pandas")
# A zip entry must have a date; a fixed one makes equal arrays equal bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


class Stateful(Protocol):
    """A fitted model."""

    def to_state(self) -> State: ...


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model: its number, its quality, and what it was made of."""

    name: str
    version: int
    kind: str
    metrics: dict[str, Any]
    data_hash: str
    library_versions: dict[str, str]
    seed: int | None
    created_at: datetime

    def __str__(self) -> str:
        return f"{self.name} version {self.version} ({self.kind}, {self.created_at:%Y-%m-%d %H:%M})"


class Patterns:
    """Saved patterns. A changed shape is a new version; nothing is overwritten."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def save(self, pattern: "Pattern | Mapping[str, Any]") -> int:
        """The version the pattern is kept under; saving what the latest version says changes nothing.

        Parameters
            pattern : a Pattern, or what its `to_json()` gives.
        Raises     BadInput: it is no pattern, or bears the name of a shipped one, which it would hide.
        """
        from tsbench.patterns import Pattern, library

        if not isinstance(pattern, Pattern):
            pattern = Pattern.from_json(pattern)
        name = pattern.name
        if name in library():
            raise BadInput(f"{name!r} is a shipped pattern; give yours another name")
        text = to_json(pattern.to_json())
        with transaction(self._engine) as cursor:
            latest = _lock(cursor, "pattern", name)
            cursor.execute(statement("get_pattern"), {"name": name, "version": latest})
            row = cursor.fetchone()
            if row is not None and row[1] == orjson.loads(text):
                return latest
            number = _next(cursor, "pattern", name)
            cursor.execute(statement("put_pattern"), {"name": name, "version": number, "spec": text})
        return number

    def get(self, name: str, version: int | None = None) -> dict[str, Any]:
        """The spec of a version, the latest by default. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("get_pattern"), {"name": name, "version": version})
            row = cursor.fetchone()
        if row is None:
            raise NotFound(f"no pattern {name!r}{_of(version)} is saved; saved are {', '.join(self.names()) or 'none'}")
        spec: dict[str, Any] = row[1]
        return spec

    def delete(self, name: str) -> None:
        """Forget every version of a saved pattern; scans keep the pattern they asked. Raises NotFound.

        Numbers are not given twice: saved again, the name goes on counting.
        """
        with transaction(self._engine) as cursor:
            cursor.execute(statement("delete_pattern"), {"name": name})
            gone = cursor.rowcount
        if not gone:
            raise NotFound(f"no pattern {name!r} is saved; saved are {', '.join(self.names()) or 'none'}")

    def names(self) -> list[str]:
        """The names of all saved patterns, sorted."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("pattern_names"))
            return [name for (name,) in cursor.fetchall()]


class Registry:
    """Fitted models. A version is whole or it is not there; simultaneous puts get consecutive numbers."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(
        self, name: str, model: Stateful | State, *, metrics: dict[str, Any], data_hash: str, seed: int | None
    ) -> ModelVersion:
        """A new version of a model.

        Parameters
            name : any text.
            model : has `to_state()`, or is a State. Arrays of objects and numbers that are not finite in its meta
                are refused: the first would need pickle, the second come back as None.
            metrics : measured quality; NaN is kept.
            data_hash : of the data it was fitted on. seed : of its randomness.
        """
        if not name:
            raise BadInput("a model needs a name")
        state = model if isinstance(model, State) else model.to_state()
        meta = to_json(state.meta)
        if _differs(orjson.loads(meta), state.meta):
            raise BadInput(f"meta of {name!r} holds a number that is not finite; keep it in an array")
        libraries = {library: installed(library) for library in LIBRARIES} | {"python": platform.python_version()}
        row = {
            "name": name,
            "kind": state.kind,
            "layout": state.version,
            "meta": meta,
            "arrays": pack(state.arrays),
            "metrics": to_json(metrics),
            "data_hash": data_hash,
            "library_versions": to_json(libraries),
            "seed": None if seed is None else int(seed),
        }
        with transaction(self._engine) as cursor:
            _lock(cursor, "model", name)
            number = _next(cursor, "model", name)
            cursor.execute(statement("put_model"), row | {"version": number})
            ((created_at,),) = cursor.fetchall()
        return ModelVersion(name, number, state.kind, metrics, data_hash, libraries, seed, created_at)

    def get(self, name: str, version: int | None = None) -> tuple[ModelVersion, State]:
        """A version and its state, the latest by default. Raises NotFound."""
        with transaction(self._engine) as cursor:
            cursor.execute(statement("get_model"), {"name": name, "version": version})
            row = cursor.fetchone()
        if row is None:
            known = sorted(set(self.list()["name"]))
            raise NotFound(
                f"no model {name!r}{_of(version)} is registered; there are {', '.join(known[:12]) or 'none'}"
            )
        number, kind, layout, meta, arrays, metrics, data_hash, libraries, seed, created_at = row
        record = ModelVersion(name, number, kind, nulls_as_nan(metrics), data_hash, libraries, seed, created_at)
        return record, State(kind, layout, meta, unpack(bytes(arrays)))

    def list(self) -> pd.DataFrame:
        """One row per version, newest first within a name."""
        columns = ["name", "version", "kind", "metrics", "data_hash", "library_versions", "seed", "created_at"]
        with transaction(self._engine) as cursor:
            cursor.execute(statement("list_models"))
            return pd.DataFrame(cursor.fetchall(), columns=columns)


def pack(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """Arrays as the bytes of an .npz file, without pickle; equal arrays give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            array = np.asanyarray(arrays[name])
            if array.dtype.hasobject:
                raise BadInput(f"array {name!r} holds Python objects; only numbers, dates and text are kept")
            with archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return out.getvalue()


def unpack(content: bytes) -> dict[str, NDArray[np.generic]]:
    """The inverse of `pack`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _lock(cursor: "Cursor", kind: str, name: str) -> int:
    """The last version of a name; nobody else takes the next until this transaction ends."""
    cursor.execute(statement("lock_version"), {"kind": kind, "name": name})
    ((number,),) = cursor.fetchall()
    return int(number)


def _next(cursor: "Cursor", kind: str, name: str) -> int:
    cursor.execute(statement("next_version"), {"kind": kind, "name": name})
    ((number,),) = cursor.fetchall()
    return int(number)


def _of(version: int | None) -> str:
    return "" if version is None else f" version {version}"


def _differs(read: Any, written: Any) -> bool:
    """Whether a null stands where a number was."""
    if isinstance(written, dict):
        return any(_differs(read[k], v) for k, v in written.items())
    if isinstance(written, list | tuple):
        return any(_differs(r, w) for r, w in zip(read, written, strict=True))
    return read is None and written is not None
