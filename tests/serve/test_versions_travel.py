"""A new version reaches every worker; a warm prediction needs no database; fits share commits."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx2
import numpy as np
import psycopg2
import pytest

from tsbench.errors import NotFound, Unavailable
from tsbench.serve import create_app
from tsbench.serve.metrics import Metrics
from tsbench.serve.warm import WarmModels
from tsbench.serve.writer import FitWriter
from tsbench.store.series_versions import Fit

FOUR = [10.0, 11.2, 10.4, 10.8]


def number(served, name):
    """A counter of the service."""
    return float(re.search(rf"^{name} (\S+)$", served.client.get("/metrics").text, flags=re.M)[1])


def test_a_new_version_is_seen_by_the_other_worker_without_asking(served, listen):
    with listen(create_app(served.settings)) as other, httpx2.Client(base_url=other) as client:
        for expected in range(1, 21):
            assert served.fit("travels", [*FOUR, float(expected)]).json()["version"] == str(expected)
            seen = None
            # the bar is 50 ms and is measured in benchmark/serving.py; here only that it comes
            for _ in range(1_000):
                answer = client.post("/predict/travels", json={"timestamp": 1, "value": 13.0})
                seen = answer.json().get("model_version")
                if seen == str(expected):
                    break
            assert seen == str(expected)


def test_what_is_deleted_in_one_worker_is_gone_in_the_other(served, listen):
    with listen(create_app(served.settings)) as other, httpx2.Client(base_url=other) as client:
        served.fit("vanishes", FOUR).raise_for_status()
        sent = {"timestamp": 1, "value": 13.0}
        assert client.post("/predict/vanishes?version=1", json=sent).status_code == 200
        assert client.post("/predict/vanishes", json=sent).status_code == 200
        served.client.delete("/series/vanishes").raise_for_status()
        for path in ("/predict/vanishes", "/predict/vanishes?version=1"):
            statuses = iter(lambda path=path: client.post(path, json=sent).status_code, 404)
            assert len([status for status, _ in zip(statuses, range(1_000), strict=False)]) < 1_000


def test_a_warm_prediction_asks_the_database_nothing(served):
    served.fit("warm", FOUR).raise_for_status()
    served.predict("warm", 1.0).raise_for_status()
    loads = number(served, "tsbench_model_loads_total")
    for _ in range(50):
        served.predict("warm", 1.0).raise_for_status()
        served.client.post("/predict/warm/batch", json={"values": [1.0, 2.0]}).raise_for_status()
    assert number(served, "tsbench_model_loads_total") == loads


def test_simultaneous_fits_of_one_series_get_every_number_once_and_share_commits(served):
    before = number(served, "tsbench_fit_commits_total")
    values = np.random.default_rng(0).normal(size=(200, 6)).round(4).tolist()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda one: served.fit("crowd", one).json(), values))
    assert sorted(int(answer["version"]) for answer in answers) == list(range(1, 201))
    assert number(served, "tsbench_fit_commits_total") - before < 150
    # each number holds what its own caller sent
    for answer, sent in list(zip(answers, values, strict=True))[::20]:
        _, _, kept = served.store.series_versions.training("crowd", int(answer["version"]))
        assert kept.tolist() == sent


@pytest.mark.parametrize("word", ["x ²", "", " ", "s 99999999999999999999", "s\u00a01"])
def test_a_strange_word_does_not_deafen(served, word):
    served.fit("heard", FOUR).raise_for_status()
    assert served.predict("heard", 13.0).status_code == 200
    with closing(psycopg2.connect(served.store.url.replace("+psycopg2", ""))) as other:
        other.cursor().execute("SELECT pg_notify('tsbench_series', %s)", (word,))
        other.commit()
    fit = served.store.series_versions.put("heard", _fitted(), [1, 2, 3, 4], FOUR)
    versions = iter(lambda: served.predict("heard", 13.0).json()["model_version"], str(fit.version))
    assert len([one for one, _ in zip(versions, range(1_000), strict=False)]) < 1_000


def test_simultaneous_first_questions_load_a_model_once(served, listen):
    served.fit("stampede", FOUR).raise_for_status()
    with listen(create_app(served.settings)) as other, httpx2.Client(base_url=other) as client:
        with ThreadPoolExecutor(20) as pool:
            sent = {"timestamp": 1, "value": 13.0}
            found = pool.map(lambda _: client.post("/predict/stampede", json=sent).status_code, range(40))
            assert set(found) == {200}
        assert "tsbench_model_loads_total 1.0" in client.get("/metrics").text


class Gate:
    """Versions whose reading waits at a gate, so that a test can let other things happen meanwhile."""

    def __init__(self, versions):
        self._versions, self.reading, self.open = versions, threading.Event(), threading.Event()

    def get(self, series_id, version=None):
        found = self._versions.get(series_id, version)
        self.reading.set()
        assert self.open.wait(10)
        return found


def test_a_load_that_a_newer_version_overtakes_is_not_kept(store):
    store.series_versions.put("s", _fitted(), [1, 2, 3, 4], FOUR)
    gate = Gate(store.series_versions)

    async def overtaken():
        models = WarmModels(gate, 10, Metrics())
        asking = asyncio.ensure_future(models.get("s"))
        await asyncio.to_thread(gate.reading.wait, 10)
        await asyncio.to_thread(store.series_versions.put, "s", _fitted(), [1, 2, 3, 4], FOUR)
        models.newer("s", 2)
        gate.open.set()
        first = await asking
        assert models.held("s") is None
        return first.version.version, (await models.get("s")).version.version

    assert asyncio.run(overtaken()) == (1, 2)


def test_the_longest_unused_model_leaves_first(store):
    for name in "abc":
        store.series_versions.put(name, _fitted(), [1, 2, 3, 4], FOUR)

    async def fill():
        models = WarmModels(store.series_versions, 2, Metrics())
        for name in "abac":
            await models.get(name)
        with pytest.raises(NotFound):
            await models.get("d")
        return [name for name in "abc" if models.held(name)]

    assert asyncio.run(fill()) == ["a", "c"]


def test_a_word_of_the_version_at_hand_changes_nothing(store):
    store.series_versions.put("s", _fitted(), [1, 2, 3, 4], FOUR)

    async def hear():
        models = WarmModels(store.series_versions, 10, Metrics())
        await models.get("s")
        models.newer("s", 1)
        kept = models.held("s") is not None
        models.newer("s", 2)
        return kept, models.held("s")

    assert asyncio.run(hear()) == (True, None)


def test_more_fits_than_may_wait_are_refused_and_the_others_written(store):
    async def crowd():
        writer = FitWriter(store.series_versions, Metrics(), waiting=5)
        fits = [Fit.of("s", _fitted(), [1, 2, 3, 4], FOUR) for _ in range(9)]
        return await asyncio.gather(*(writer.put(fit) for fit in fits), return_exceptions=True)

    found = asyncio.run(crowd())
    refused = [one for one in found if isinstance(one, Unavailable)]
    assert 1 <= len(refused) <= 4
    assert [one.version for one in found if not isinstance(one, Unavailable)] == list(range(1, 10 - len(refused)))


def test_who_leaves_before_the_write_takes_nobody_with_him(store):
    async def leave():
        writer = FitWriter(store.series_versions, Metrics())
        tasks = [asyncio.ensure_future(writer.put(Fit.of(n, _fitted(), [1, 2, 3, 4], FOUR))) for n in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        await writer.close()
        return done

    first, second, third = asyncio.run(leave())
    assert (first.series_id, third.series_id) == ("a", "c")
    assert isinstance(second, asyncio.CancelledError)


def _fitted():
    from tsbench.detect.anomaly import ZScore

    return ZScore().fit(FOUR)
