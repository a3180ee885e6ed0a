"""The page of /plot: what it says, what it answers otherwise, how many bytes it takes, what a browser sees of it."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.serve.conftest import Served
from tsbench.detect.anomaly import anomaly_detector

FOUR = [10.0, 11.2, 10.4, 10.8]
MOST_BYTES = 2_000_000


def _figure(text: str) -> Any:
    """The figure that stands in a page."""
    return json.loads(text.partition('<script type="application/json" id="figure">')[2].partition("</script>")[0])


def _spiky(n: int) -> list[float]:
    values = np.random.default_rng(5).normal(20, 1, n)
    values[[n // 4, n // 2, n - 3]] = [40, -3, 41]
    return values.tolist()


def _keep(served: Served, series_id: str, values: np.ndarray, model: str = "zscore") -> None:
    times = 1_705_000_000 + np.arange(values.size)
    served.store.series_versions.put(series_id, anomaly_detector(model).fit(values), times, values)


def _refused(served: Served, **query: Any) -> tuple[int, Any]:
    answer = served.client.get("/plot", params=query)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json()["detail"]


def test_the_page_names_the_series_its_version_and_its_verdict(served: Served) -> None:
    served.fit("page_one", FOUR).raise_for_status()
    answer = served.client.get("/plot", params={"series_id": " page_one "})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<title>page_one, version 1</title>" in answer.text
    title = _figure(answer.text)["layout"]["title"]
    assert title["text"] == "<b>None of 4 values above 11.942</b>"
    assert title["subtitle"]["text"].startswith("page_one, version 1: zscore, fitted 20")


def test_a_version_is_drawn_as_it_was_fitted_and_none_means_the_latest(served: Served) -> None:
    served.fit("page_two", FOUR).raise_for_status()
    served.fit("page_two", [1.0, 2.0, 3.0], model="robust").raise_for_status()
    for asked, version, model in (("1", 1, "zscore"), ("v1", 1, "zscore"), ("V2", 2, "robust"), ("0", 2, "robust")):
        text = served.client.get("/plot", params={"series_id": "page_two", "version": asked}).text
        said = _figure(text)["layout"]["title"]["subtitle"]["text"]
        assert said.startswith(f"page_two, version {version}: {model}, ")
    newest = served.client.get("/plot", params={"series_id": "page_two"}).text
    assert "<title>page_two, version 2</title>" in newest


def test_the_side_decides_what_is_marked_as_it_does_in_predictions(served: Served) -> None:
    values = _spiky(200)
    served.fit("page_side", values).raise_for_status()
    for side in ("upper", "lower", "both"):
        verdicts = served.client.post("/predict/page_side/batch", json={"values": values}, params={"side": side})
        text = served.client.get("/plot", params={"series_id": "page_side", "side": side}).text
        count = verdicts.json()["anomalies"]
        assert _figure(text)["data"][1]["name"] == f"flagged: {count}"
        assert count == {"upper": 2, "lower": 1, "both": 3}[side]
    unasked = served.client.get("/plot", params={"series_id": "page_side"}).text
    assert " values above " in _figure(unasked)["layout"]["title"]["text"]


def test_a_series_or_version_that_is_not_there_is_not_found(served: Served) -> None:
    served.fit("page_three", FOUR).raise_for_status()
    assert _refused(served, series_id="page_none") == (404, "no series 'page_none' was fitted")
    status, detail = _refused(served, series_id="page_three", version="7")
    assert (status, detail) == (404, "series 'page_three' has no version 7; it has 1")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, "series_id"),
        ({"series_id": "a/b"}, "series_id"),
        ({"series_id": "<script>"}, "series_id"),
        ({"series_id": "a", "version": "new"}, "version"),
        ({"series_id": "a", "version": "-1"}, "version"),
        ({"series_id": "a", "side": "left"}, "side"),
    ],
)
def test_what_cannot_be_asked_is_named(served: Served, query: dict[str, str], named: str) -> None:
    status, detail = _refused(served, **query)
    assert status == 422
    assert {"type", "loc", "msg", "input"} == set(detail[0])
    assert detail[0]["loc"] == ["query", named]


@pytest.mark.parametrize("model", ["zscore", "robust"])
def test_the_page_of_a_million_points_takes_less_than_two_megabytes(served: Served, model: str) -> None:
    values = np.random.default_rng(0).standard_t(3, 1_000_000)  # more flagged ones than are marked
    _keep(served, f"million-{model}", values, model)
    answer = served.client.get("/plot", params={"series_id": f"million-{model}", "side": "both"})
    assert answer.status_code == 200
    assert " of 1,000,000 values outside " in answer.text
    assert ", the 2,000 farthest out marked" in answer.text
    assert len(answer.content) < MOST_BYTES


def _open(browser: Any, url: str, **how: Any) -> tuple[Any, list[str]]:
    """The page in a browser that asks nobody but this machine, and what goes wrong on it."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, **how).new_page()
    wrong: list[str] = []

    def pass_on(route: Any) -> None:
        parts = urlsplit(route.request.url)
        if parts.scheme in ("file", "data", "blob") or parts.hostname == "127.0.0.1":
            route.continue_()
        else:
            wrong.append(route.request.url)
            route.abort()

    page.route("**/*", pass_on)
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    page.wait_for_selector("#plot .legend .traces")
    return page, wrong


@pytest.mark.browser
@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_browser_draws_the_page_and_the_page_saved_as_a_file(
    served: Served, browser: Any, tmp_path: Path, look: str
) -> None:
    values = np.array(_spiky(5_000))
    _keep(served, "page_seen", values)
    address = f"{served.url}/plot?series_id=page_seen&side=both"
    saved = tmp_path / "page.html"
    saved.write_bytes(served.client.get(address).content)
    flagged = int(anomaly_detector("zscore").fit(values).judge(values).anomaly.sum())
    assert flagged > 3
    for url in (address, saved.as_uri()):
        page, wrong = _open(browser, url, color_scheme=look)
        line, marks = page.locator("#plot .scatterlayer .trace").all()
        assert line.locator("path.js-line").count() == 1
        assert marks.locator("path.point").count() == flagged
        shapes = page.locator("#plot .shapelayer path")
        assert shapes.count() == 4  # the shade, two limits, the level
        legend = page.locator("#plot .legend").text_content()
        assert f"flagged: {flagged}" in legend
        assert "normal: " in legend
        assert page.locator("h1").inner_text().startswith("page_seen, version ")
        offered = [button.get_attribute("data-title") for button in page.locator("#plot .modebar-btn").all()]
        assert "Zoom" in offered
        assert not any("share" in title.lower() for title in offered)  # it would send the figure elsewhere
        assert wrong == []
        page.context.close()


@pytest.mark.browser
def test_nothing_in_a_narrow_window_lies_on_something_else(served: Served, browser: Any) -> None:
    _keep(served, "page_narrow", np.array(_spiky(5_000)))
    page, wrong = _open(browser, f"{served.url}/plot?series_id=page_narrow")
    page.set_viewport_size({"width": 400, "height": 800})
    page.wait_for_function("document.querySelector('#plot .main-svg').clientWidth < 400")
    parts = [".gtitle", ".gtitle-subtitle", ".nsewdrag", ".xtitle", ".legend"]
    boxes = [page.locator(f"#plot {part}").first.bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"] + 1
    assert wrong == []
    page.context.close()


def test_most_of_the_page_is_the_packed_library(served: Served) -> None:
    """A page that grows is told apart from a library that grew."""
    from plotly.offline import get_plotlyjs

    served.fit("page_small", FOUR).raise_for_status()
    size = len(served.client.get("/plot", params={"series_id": "page_small"}).content)
    assert size - 1.25 * len(gzip.compress(get_plotlyjs().encode())) < 12_000
