"""Pages that open in a browser without a network."""

from tsbench.detect.anomaly import Side
from tsbench.store.series_versions import SeriesVersions


def training_page(versions: SeriesVersions, series_id: str, number: int, side: Side) -> str:
    """The page of /plot."""
    raise NotImplementedError
