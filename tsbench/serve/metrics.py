"""What Prometheus may ask: requests by route and status, models in memory, commits, whether the services answer."""

import os
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Where several workers put their numbers, for any of them to sum; `tsbench serve` sets it before they start.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The numbers of one worker."""

    def __init__(self) -> None:
        _bury_the_dead()
        self._own = CollectorRegistry()
        self.requests = Histogram(
            "tsbench_request_seconds",
            "Time to answer a request.",
            ["method", "route", "status"],
            registry=self._own,
            buckets=SECONDS,
        )
        points = Counter("tsbench_points_total", "Values judged or fitted.", ["kind"], registry=self._own)
        self.judged, self.fitted = points.labels("judged"), points.labels("fitted")
        self.refused = Counter("tsbench_refused_total", "Requests refused at the door.", ["reason"], registry=self._own)
        self.commits = Counter("tsbench_fit_commits_total", "Transactions that wrote fits.", registry=self._own)
        self.loads = Counter("tsbench_model_loads_total", "Models read from the database.", registry=self._own)
        self.models = Gauge(
            "tsbench_models_in_memory", "Models in memory.", registry=self._own, multiprocess_mode="livesum"
        )
        self.listening = Gauge(
            "tsbench_listening",
            "Workers told of new versions by the database.",
            registry=self._own,
            multiprocess_mode="livesum",
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one request.

        Parameters
            method, route, status, seconds : of it; `route` is the template, so that there are few.
        """
        key = (method, route, status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self.requests.labels(method, route, str(status))
        child.observe(seconds)

    def text(self) -> tuple[bytes, str]:
        """The page for Prometheus over all workers, and its content type."""
        registry = self._own
        if os.environ.get(SHARED):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST


def _bury_the_dead() -> None:
    """Take killed workers out of the sums of what is so now; what they counted stays."""
    folder = os.environ.get(SHARED)
    for file in Path(folder).glob("gauge_live*_*.db") if folder else ():
        pid = int(file.stem.rsplit("_", 1)[1])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)
