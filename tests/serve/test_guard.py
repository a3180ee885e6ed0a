"""What holds at the door: ids, token, limits of size and rate, headers, logs, numbers for Prometheus."""

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from tsbench.serve import logs, rates

FOUR = [10.0, 11.2, 10.4, 10.8]
SECRET = "s3cret-token"
KINDS = ("fitted", "judged")
OPEN = ["/health/live", "/health/ready", "/healthcheck", "/metrics", "/docs", "/openapi.json"]


@pytest.fixture(scope="module")
def locked(serve, empty_template):
    """A service that wants a token, with small limits."""
    with serve(empty_template, api_token=SECRET, max_body_bytes=2_000) as running:
        yield running


def with_token(token=SECRET):
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/healthcheck", "/metrics", "/docs", "/openapi.json"]
)
def test_health_numbers_and_docs_need_no_token(locked, path):
    assert locked.client.get(path).status_code == 200


@pytest.mark.parametrize("headers", [{}, with_token("wrong"), with_token(SECRET + "x"), {"authorization": SECRET}])
def test_everything_else_does(locked, headers):
    for method, path in (("POST", "/fit/s"), ("POST", "/predict/s"), ("GET", "/series"), ("GET", "/nowhere")):
        refused = locked.client.request(method, path, json={}, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert set(refused.json()) == {"detail", "request_id"}


def test_with_the_token_it_works(locked):
    sent = {"timestamps": [1, 2, 3, 4], "values": FOUR}
    assert locked.client.post("/fit/s", json=sent, headers=with_token()).status_code == 200


def test_a_body_that_says_it_is_too_long_is_a_413_that_names_the_limit(locked):
    refused = locked.client.post("/predict/s", content=b" " * 2_001, headers=with_token())
    assert refused.status_code == 413
    assert "2000 bytes (TSBENCH_MAX_BODY_BYTES)" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/predict/s", "/fit/s"])
def test_so_is_one_that_does_not_say(locked, path):
    def pieces():
        for _ in range(5):
            yield b" " * 500

    headers = with_token() | {"content-type": "application/json"}
    refused = locked.client.post(path, content=pieces(), headers=headers)
    assert refused.status_code == 413
    assert locked.client.get("/health/live").status_code == 200


def test_a_request_id_is_taken_or_made_and_stands_in_every_answer(served):
    given = served.client.get("/series", headers={"x-request-id": "mine-1.2_3"})
    assert given.headers["x-request-id"] == "mine-1.2_3"
    made = {served.client.get("/series").headers["x-request-id"] for _ in range(5)}
    assert len(made) == 5
    strange = served.client.get("/series", headers={"x-request-id": "a b" * 40})
    assert strange.headers["x-request-id"] != "a b" * 40
    refused = served.predict("nowhere", 1.0)
    assert refused.json()["request_id"] == refused.headers["x-request-id"]


def test_every_answer_bears_the_security_headers(served):
    for path in ("/series", "/nowhere", "/docs", "/health/live"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["referrer-policy"] == "no-referrer"
        assert ("content-security-policy" in headers) == headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/nowhere", "/fit", "/predict", "/series/a/b/c", "//", "/%00", "/health"])
def test_a_path_that_is_not_there_is_a_404_in_the_same_shape(served, path):
    answer = served.client.get(path)
    assert answer.status_code in (404, 405)
    assert set(answer.json()) == {"detail", "request_id"}


def test_nothing_is_changed_by_get(served):
    for path in ("/fit/s", "/predict/s", "/predict/s/batch"):
        assert served.client.get(path).status_code == 405


def test_a_client_over_its_rate_is_told_to_wait_by_every_worker(serve, listen, empty_template, monkeypatch):
    # the minute must not end while the test counts
    monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_010.0)
    with serve(empty_template, rate_limit=40) as one:
        passed = [one.client.get("/series") for _ in range(45)]
        assert [answer.status_code for answer in passed] == [200] * 40 + [429] * 5
        assert passed[0].headers["x-ratelimit-limit"] == "40"
        assert passed[39].headers["x-ratelimit-remaining"] == "0"
        refused = passed[-1]
        assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"] == "50"
        assert "TSBENCH_RATE_LIMIT" in refused.json()["detail"]
        assert one.client.get("/health/live").status_code == 200
        # a second worker knows the same Redis
        from tests.serve.conftest import listening
        from tsbench.serve import create_app

        with listening(create_app(one.settings)) as other:
            assert one.client.get(other + "/series").status_code == 429
        monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_070.0)
        assert one.client.get("/series").status_code == 200


def test_simultaneous_requests_never_pass_the_limit(serve, empty_template, monkeypatch):
    monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_010.0)
    with serve(empty_template, rate_limit=60) as one, ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: one.client.get("/series").status_code, range(200)))
    assert statuses.count(200) == 60
    assert statuses.count(429) == 140


def test_without_redis_a_worker_counts_alone(serve, empty_template, monkeypatch):
    monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_010.0)
    with serve(empty_template, rate_limit=20, REDIS_URL="unix:///nowhere/valkey.sock") as one:
        assert [one.client.get("/series").status_code for _ in range(22)] == [200] * 20 + [429] * 2


def test_nor_do_simultaneous_requests_pass_it_without_redis(serve, empty_template, monkeypatch):
    monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_010.0)
    with (
        serve(empty_template, rate_limit=60, REDIS_URL="unix:///nowhere/valkey.sock") as one,
        ThreadPoolExecutor(16) as pool,
    ):
        statuses = list(pool.map(lambda _: one.client.get("/series").status_code, range(200)))
    assert statuses.count(200) == 60


def test_wrong_tokens_count_too(serve, empty_template, monkeypatch):
    monkeypatch.setattr(rates.time, "time", lambda: 1_800_000_010.0)
    with serve(empty_template, rate_limit=20, api_token=SECRET) as one:
        statuses = [one.client.get("/series", headers=with_token("guess")).status_code for _ in range(22)]
        assert statuses == [401] * 20 + [429] * 2


def test_the_docs_offer_a_place_for_the_token(locked, served):
    assert "securitySchemes" in locked.client.get("/openapi.json").json()["components"]
    assert "securitySchemes" not in served.client.get("/openapi.json").json()["components"]


def test_head_is_get_without_a_body(served):
    for path in ("/health/live", "/series", "/nowhere"):
        head, got = served.client.head(path), served.client.get(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-length"] == str(len(got.content))


def test_what_takes_too_long_is_a_503(serve, empty_template):
    with serve(empty_template, request_timeout=0.3) as one:
        one.fit("s", FOUR).raise_for_status()
        with closing(psycopg2.connect(one.store.url.replace("+psycopg2", ""))) as holder:
            holder.cursor().execute("LOCK TABLE series_version")
            late = one.predict("s", 1.0), one.fit("s", FOUR)
            holder.rollback()
        for answer in late:
            assert answer.status_code == 503
            assert "TSBENCH_REQUEST_TIMEOUT" in answer.json()["detail"]
        assert one.predict("s", 1.0).status_code == 200


def test_pages_of_other_origins_are_let_in_only_when_said_so(serve, empty_template):
    asked = {"origin": "https://board.example", "access-control-request-method": "POST"}
    with serve(empty_template) as closed:
        assert "access-control-allow-origin" not in closed.client.options("/predict/s", headers=asked).headers
    with serve(
        empty_template, cors_origins="https://board.example, https://b.example", trusted_hosts="127.0.0.1"
    ) as one:
        allowed = one.client.options("/predict/s", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == "https://board.example"
        assert one.client.get("/series", headers={"host": "evil.example"}).status_code == 400
        one.fit("s", FOUR).raise_for_status()
        warm = one.client.post(
            "/predict/s", json={"timestamp": 1, "value": 1.0}, headers={"origin": "https://b.example"}
        )
        assert warm.headers["access-control-allow-origin"] == "https://b.example"


def test_the_log_holds_ids_and_paths_and_neither_bodies_nor_secrets(serve, empty_template, capfd):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        with serve(empty_template, api_token=SECRET, log_level="debug") as one:
            logs.set_up(one.settings)
            headers = with_token() | {"x-request-id": "find-me"}
            body = {"timestamps": [1, 2, 3], "values": [123.456789, 2.0, 3.0], "note": "body-secret"}
            assert one.client.post("/fit/s?key=query-secret", json=body, headers=headers).status_code == 422
            assert one.client.post("/fit/s", json=body, headers=headers).status_code == 200
            wrong = body | {"values": ["body-secret"] * 3}
            assert one.client.post("/fit/s", json=wrong, headers=headers).status_code == 422
            one.client.post("/predict/s", json={"timestamp": 1, "value": 123.456789}, headers=headers)
            one.client.get("/series", headers=with_token("wrong-secret"))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tsbench.serve.anomaly.answers.fitted", _fail_with_secret)
                failed = one.client.post("/fit/s?model=robust", json=body, headers=headers)
                assert failed.status_code == 500
                assert set(failed.json()) == {"detail", "request_id"}
                assert "body-secret" not in failed.text
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    # the client of this test logs too
    lines = [line for line in lines if not line["logger"].startswith("http")]
    written = json.dumps(lines)
    seen = [line for line in lines if line.get("request_id") == "find-me"]
    assert {line.get("status") for line in seen} >= {200, 422, 500}
    assert any(line["event"] == "a route failed with ValueError" and line["frames"] for line in seen)
    for secret in (SECRET, "body-secret", "query-secret", "wrong-secret", "123.456789"):
        assert secret not in written, secret


def _fail_with_secret(*_):
    raise ValueError("body-secret")


def test_successes_are_sampled_and_failures_never(caplog):
    caplog.set_level(logging.INFO, "tsbench.access")
    log = logs.AccessLog(per_second=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs.time, "monotonic", lambda: 5.0)
        for number in range(10):
            log.note(f"r{number}", "GET", "/x", 200, 0.001)
        log.note("bad", "GET", "/x", 503, 0.001)
        patch.setattr(logs.time, "monotonic", lambda: 6.0)
        log.note("next", "GET", "/x", 200, 0.001)
    assert [record.request_id for record in caplog.records] == ["r0", "r1", "r2", "bad", "next"]
    assert caplog.records[3].unlogged_before == 7


def test_prometheus_reads_the_numbers(served):
    served.fit("numbers", FOUR).raise_for_status()
    text = served.client.get("/metrics").text
    assert re.search(
        r'tsbench_request_seconds_count\{method="POST",route="/fit/\{series_id\}",status="200"\} \d+', text
    )
    assert re.search(r"tsbench_listening 1\.0", text)
    fitted, judged = (re.search(rf'tsbench_points_total{{kind="{kind}"}} (\S+)', text)[1] for kind in KINDS)
    served.fit("numbers", FOUR).raise_for_status()
    served.predict("numbers", 1.0).raise_for_status()
    served.predict("numbers", 1.0).raise_for_status()
    served.client.post("/predict/numbers/batch", json={"values": [1.0] * 7}).raise_for_status()
    text = served.client.get("/metrics").text
    later = [float(re.search(rf'tsbench_points_total{{kind="{kind}"}} (\S+)', text)[1]) for kind in KINDS]
    assert later == [float(fitted) + 4, float(judged) + 9]


def test_docs_open_without_a_network(served):
    page = served.client.get("/docs").text
    assert "http://" not in page.replace(served.url, "")
    assert "https://" not in page
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert served.client.get(path).status_code == 200, path


def test_every_route_is_described(served):
    spec = served.client.get("/openapi.json").json()
    assert {"/fit/{series_id}", "/predict/{series_id}", "/predict/{series_id}/batch", "/plot", "/healthcheck"} <= set(
        spec["paths"]
    )
    for path, methods in spec["paths"].items():
        for method, route in methods.items():
            assert route.get("description"), (path, method)
