"""Fitted versions of series as plain files, for those who read folders instead of a database."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import orjson

from tsbench.store.series_versions import SeriesVersion, SeriesVersions

PAGE = 500


def export(
    versions: SeriesVersions, *, models: Path, training: Path, series: Iterable[str] | None = None
) -> Iterator[tuple[SeriesVersion, bool]]:
    """Write every version that is not there yet: MODELS/series/v1.json, TRAINING/series/v1.csv.

    A version never changes, so one that is there is left alone, unless it is of another database: a version is known by
    the moment it was made. A file is whole or not there.

    Parameters
        versions : where they are kept. models, training : folders, made when needed.
        series : names; None = all.
    Returns
        Iterator of each version and whether it was written now.
    Raises     NotFound: a series named has no version.
    """
    for name in _names(versions) if series is None else series:
        for version in reversed(versions.versions(name)):
            # of the one name that is no folder of its own
            folder = "%2E" if version.series_id == "." else version.series_id
            state_file = models / folder / f"v{version.version}.json"
            training_file = training / folder / f"v{version.version}.csv"
            if training_file.exists() and _is_of(state_file, version):
                yield version, False
                continue
            _write(training_file, _training(versions, version))
            _write(state_file, _state(versions, version))
            yield version, True


def _is_of(state_file: Path, version: SeriesVersion) -> bool:
    """Whether a file is that version, not one of the same number in a database before."""
    try:
        told = orjson.loads(state_file.read_bytes())
        return datetime.fromisoformat(told["created_at"]) == version.created_at
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _names(versions: SeriesVersions) -> Iterator[str]:
    after = ""
    while page := versions.latest(after=after, limit=PAGE):
        yield from (version.series_id for version in page)
        after = page[-1].series_id


def _state(versions: SeriesVersions, version: SeriesVersion) -> bytes:
    _, state = versions.get(version.series_id, version.version)
    document = {
        "series_id": version.series_id,
        "version": str(version.version),
        "model": version.model,
        "points": version.points,
        "created_at": version.created_at,
        "layout": state.version,
        "meta": state.meta,
        "arrays": {name: array.tolist() for name, array in state.arrays.items()},
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _training(versions: SeriesVersions, version: SeriesVersion) -> bytes:
    _, times, values = versions.training(version.series_id, version.version)
    lines = [f"{time},{value!r}" for time, value in zip(times.tolist(), values.tolist(), strict=True)]
    return "\n".join(["timestamp,value", *lines, ""]).encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
