"""Pages that open in a browser without a network."""

from tsbench import plots
from tsbench.detect.anomaly import Side, restored
from tsbench.plots.page import standalone
from tsbench.store.series_versions import SeriesVersions


def training_page(versions: SeriesVersions, series_id: str, number: int, side: Side) -> str:
    """The page of /plot: the series that a version was fitted on, the band of its detector, the values outside it.

    Parameters
        versions : where it is kept. series_id : its name. number : of the version, 0 = the latest.
        side : on which side values count as anomalies.
    Returns    HTML of less than 2 MB, however long the series.
    Raises     NotFound: no such series or version.
    """
    version, times, values = versions.training(series_id, number or None)
    # by its number: the latest may be another one by now
    _, state = versions.get(series_id, version.version)
    figure = plots.anomalies(version, times, values, restored(state).judge(values, side=side))
    return standalone(figure, f"{version.series_id}, version {version.version}")
