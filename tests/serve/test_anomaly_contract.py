"""Every documented call of the anomaly pipeline, as its users write it, and every rule that it states."""

import json
import shlex
import subprocess

import numpy as np
import pytest

TRAIN = """curl -X POST http://localhost:8000/fit/sensor_01 \\
  -H "Content-Type: application/json" \\
  -d '{"timestamps":[1705000000,1705000001,1705000002,1705000003],"values":[10.0,11.2,10.4,10.8]}'"""
PREDICT = """curl -X POST http://localhost:8000/predict/sensor_01 \\
  -H "Content-Type: application/json" \\
  -d '{"timestamp":"1705000010","value":13.0}'"""
PREDICT_V1 = """curl -X POST "http://localhost:8000/predict/sensor_01?version=v1" \\
  -H "Content-Type: application/json" \\
  -d '{"timestamp":"1705000011","value":10.3}'"""
HEALTH = "curl http://localhost:8000/healthcheck"
FOUR = [10.0, 11.2, 10.4, 10.8]


def curl(line, served):
    """The JSON that a documented line brings, from this service in place of that port."""
    words = shlex.split(line.replace("\\\n", " ").replace("http://localhost:8000", served.url))
    done = subprocess.run([*words, "-sS", "--fail-with-body"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_documented_lines_as_they_stand(served):
    fit = curl(TRAIN, served)
    assert (fit["series_id"], fit["version"], fit["points_used"]) == ("sensor_01", "1", 4)
    first = curl(PREDICT, served)
    assert (first["anomaly"], first["model_version"]) == (True, "1")
    by_version = curl(PREDICT_V1, served)
    assert (by_version["anomaly"], by_version["model_version"]) == (False, "1")
    health = curl(HEALTH, served)
    assert health["series_trained"] >= 1
    for kind in ("inference_latency_ms", "training_latency_ms"):
        assert {"avg", "p95"} < set(health[kind])
        assert health[kind]["count"] >= 1
        assert 0 < health[kind]["avg"] <= health[kind]["p99"] * 1.001
    page = served.client.get("/plot", params={"series_id": "sensor_01", "version": "1"})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def test_every_verdict_is_the_references_on_the_upper_side(served):
    values = np.random.default_rng(3).normal(50, 4, 40).round(3)
    served.fit("upper", values.tolist()).raise_for_status()
    limit = values.mean() + 3 * values.std()
    for value in (limit - 1e-9, limit + 1e-9, 0.0, 1e9, values.max()):
        assert served.predict("upper", float(value)).json()["anomaly"] == bool(value > limit)


def test_an_answer_says_what_it_rests_on(served):
    served.fit("evidence", FOUR).raise_for_status()
    answer = served.predict("evidence", 13.0, side="both").json()
    mean, deviation = np.mean(FOUR), np.std(FOUR)
    assert answer["anomaly"] is True
    assert answer["side"] == "both"
    assert answer["score"] == pytest.approx((13 - mean) / deviation, rel=1e-12)
    assert (answer["expected"], answer["threshold"]) == (pytest.approx(mean), 3.0)
    assert (answer["lower"], answer["upper"]) == (
        pytest.approx(mean - 3 * deviation),
        pytest.approx(mean + 3 * deviation),
    )
    assert 0 < answer["p_value"] < 0.05


@pytest.mark.parametrize("text", ["1", "v1", "V1"])
def test_a_version_may_be_written_three_ways(served, text):
    served.fit(f"written-{text}", FOUR).raise_for_status()
    served.fit(f"written-{text}", [*FOUR, 99.0]).raise_for_status()
    assert served.predict(f"written-{text}", 13.0, version=text).json()["model_version"] == "1"


@pytest.mark.parametrize("query", [{}, {"version": ""}, {"version": "0"}, {"version": "v0"}])
def test_zero_or_nothing_means_the_latest(served, query):
    name = f"latest-{len(query)}-" + "".join(query.values())
    for expected in ("1", "2", "3"):
        assert served.fit(name, [*FOUR, float(expected)]).json()["version"] == expected
        assert served.predict(name, 13.0, **query).json()["model_version"] == expected


@pytest.mark.parametrize("text", ["one", "-1", "1.0", "vv1", " 1", "v", "1;", "１", "9" * 30])
def test_what_is_no_version_is_a_422(served, text):
    served.fit("odd", FOUR).raise_for_status()
    refused = served.predict("odd", 1.0, version=text)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "version"]


def test_a_series_or_version_that_is_not_there_is_a_404_with_the_reason(served):
    served.fit("there", FOUR).raise_for_status()
    absent = served.predict("nowhere", 1.0)
    assert (absent.status_code, absent.json()["detail"]) == (404, "no series 'nowhere' was fitted")
    absent = served.predict("there", 1.0, version="7")
    assert (absent.status_code, absent.json()["detail"]) == (404, "series 'there' has no version 7; it has 1")
    assert served.client.get("/plot", params={"series_id": "nowhere"}).status_code == 404


@pytest.mark.parametrize(
    "name", ["a%20b", "..", "a..b", "%2e%2e", "a%2Fb", "%00", "caf%C3%A9", "x" * 201, "%20", "a;b", "a%0Ab"]
)
def test_a_name_outside_the_rule_is_refused(served, name):
    # built by hand: a client would tidy the path
    answer = served.client.post(served.url + "/fit/" + name, json={"timestamps": [1, 2, 3], "values": FOUR[:3]})
    assert answer.status_code in (404, 405, 422), answer.text


def test_blanks_around_a_name_are_cut(served):
    assert served.fit("%20trimmed%20", FOUR).json()["series_id"] == "trimmed"
    assert served.predict("trimmed", 13.0).json()["anomaly"] is True


@pytest.mark.parametrize(
    ("timestamps", "values", "words"),
    [
        ([1, 2], [1.0, 2.0, 3.0], "2 timestamps and 3 values"),
        ([1, 2], [1.0, 2.0], "at least 3 are needed"),
        ([], [], "at least 3 are needed"),
        ([1, 3, 3], [1.0, 2.0, 3.0], "timestamps must increase"),
        ([3, 2, 1], [1.0, 2.0, 3.0], "timestamps must increase"),
        ([-1, 2, 3], [1.0, 2.0, 3.0], "greater than or equal to 0"),
        ([1, 2, 3], [5.0, 5.0, 5.0], "all 3 values are 5"),
        ([1, 2, 3], [1.0, True, 3.0], "valid number"),
        ([1, 2, 3], [1.0, "2", 3.0], "valid number"),
        ([1, 2, 3], [1.0, None, 3.0], "valid number"),
        ([1, 2, "3"], [1.0, 2.0, 3.0], "valid integer"),
        ([1, 2, True], [1.0, 2.0, 3.0], "valid integer"),
        ([1, 2, 3.5], [1.0, 2.0, 3.0], "valid integer"),
        ([1, 2, 2**63], [1.0, 2.0, 3.0], "less than or equal to"),
        ([1, 2, 3], [-1e308, 0.0, 1e308], "no spread in float64"),
    ],
)
def test_what_is_no_training_series_is_a_422_that_says_why(served, timestamps, values, words):
    refused = served.client.post("/fit/refused", json={"timestamps": timestamps, "values": values})
    assert refused.status_code == 422
    assert words in refused.json()["detail"][0]["msg"]
    assert set(refused.json()["detail"][0]) == {"type", "loc", "msg", "input"}
    assert served.predict("refused", 1.0).status_code == 404


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e999"])
def test_a_number_that_is_not_finite_is_a_422(served, number):
    body = f'{{"timestamps":[1,2,3],"values":[1.0,2.0,{number}]}}'
    headers = {"content-type": "application/json"}
    refused = served.client.post("/fit/notfinite", content=body, headers=headers)
    assert refused.status_code == 422
    served.fit("finite", FOUR).raise_for_status()
    refused = served.client.post("/predict/finite", content=f'{{"timestamp":"1","value":{number}}}', headers=headers)
    assert refused.status_code == 422


@pytest.mark.parametrize("timestamp", ["1705000010", 1705000010, "0", 0, "000"], ids=repr)
def test_a_timestamp_is_digits_as_text_or_as_a_number(served, timestamp):
    served.fit("moments", FOUR).raise_for_status()
    answer = served.client.post("/predict/moments", json={"timestamp": timestamp, "value": 13.0})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "timestamp", ["", "-1", "1.5", "now", "１２", -1, 1.5, True, None, [], 2**63, "9" * 40], ids=repr
)
def test_any_other_timestamp_is_a_422(served, timestamp):
    served.fit("moments2", FOUR).raise_for_status()
    assert served.client.post("/predict/moments2", json={"timestamp": timestamp, "value": 1.0}).status_code == 422


@pytest.mark.parametrize(
    ("path", "query", "hint"),
    [
        ("/fit/a", {"modle": "robust"}, "did you mean 'model'?"),
        ("/predict/a", {"versoin": "3"}, "did you mean 'version'?"),
        ("/predict/a/batch", {"x": "1"}, "known here: version, side"),
    ],
)
def test_a_mistyped_query_is_refused_for_it_would_get_another_answer(served, path, query, hint):
    sent = {"timestamps": [1, 2, 3, 4], "values": FOUR, "timestamp": 1, "value": 1.0}
    refused = served.client.post(path, json=sent, params=query)
    assert refused.status_code == 422
    assert hint in refused.json()["detail"][0]["msg"]


def test_a_body_without_its_content_type_is_told_what_is_missing(served):
    refused = served.client.post("/predict/a", content=b'{"timestamp":1,"value":1.0}')
    assert refused.status_code == 422
    assert "Content-Type: application/json" in refused.json()["detail"][0]["msg"]


def test_broken_json_is_told_how(served):
    headers = {"content-type": "application/json"}
    refused = served.client.post("/predict/a", content=b'{"timestamp":1,}', headers=headers)
    assert "property name" in refused.json()["detail"][0]["msg"]


def test_keys_that_are_not_known_are_passed_over(served):
    served.fit("more", FOUR).raise_for_status()
    sent = {"timestamp": "1", "value": 13.0, "unit": "bar"}
    assert served.client.post("/predict/more", json=sent).json()["anomaly"] is True


def test_the_limit_of_points_names_itself(serve, empty_template):
    with serve(empty_template, max_points=5, MIN_TRAINING_DATA_POINTS=4) as small:
        assert small.fit("s", [1.0, 2.0, 3.0]).status_code == 422
        assert small.fit("s", [1.0, 2.0, 3.0, 4.0, 5.0]).status_code == 200
        refused = small.fit("s", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        assert refused.status_code == 413
        assert "a request may have 5 (TSBENCH_MAX_POINTS)" in refused.json()["detail"]
        batch = small.client.post("/predict/s/batch", json={"values": [1.0] * 6})
        assert batch.status_code == 413


@pytest.mark.parametrize("model", ["zscore", "robust"])
@pytest.mark.parametrize("side", ["upper", "lower", "both"])
def test_a_batch_answers_as_its_values_one_by_one(served, model, side):
    rng = np.random.default_rng(7)
    name = f"batch-{model}-{side}"
    served.fit(name, rng.normal(5, 2, 80).round(4).tolist(), model=model).raise_for_status()
    values = rng.normal(5, 4, 100).round(4).tolist()
    batch = served.client.post(f"/predict/{name}/batch", json={"values": values}, params={"side": side}).json()
    ones = [served.predict(name, value, side=side).json() for value in values]
    assert batch["anomaly"] == [one["anomaly"] for one in ones]
    assert batch["anomalies"] == sum(batch["anomaly"]) > 0
    np.testing.assert_allclose(batch["score"], [one["score"] for one in ones], rtol=1e-12)
    np.testing.assert_allclose(batch["p_value"], [one["p_value"] for one in ones], rtol=1e-9)
    for key in ("model", "model_version", "series_id", "side", "threshold", "expected", "lower", "upper"):
        assert batch[key] == ones[0][key]


def test_a_batch_of_nothing_or_with_too_few_timestamps_is_a_422(served):
    served.fit("empty", FOUR).raise_for_status()
    assert served.client.post("/predict/empty/batch", json={"values": []}).status_code == 422
    refused = served.client.post("/predict/empty/batch", json={"values": [1.0, 2.0], "timestamps": [1]})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "timestamps"])


def test_a_detector_that_is_not_there_is_named_with_those_that_are(served):
    refused = served.fit("kinds", FOUR, model="prophet")
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "model"]
    assert "zscore, robust" in refused.json()["detail"][0]["msg"]


def test_series_come_in_pages_and_versions_newest_first(serve, empty_template):
    with serve(empty_template) as fresh:
        for name in ("a", "b", "c", "b"):
            fresh.fit(name, FOUR).raise_for_status()
        first = fresh.client.get("/series", params={"limit": 2}).json()
        assert [(one["series_id"], one["version"]) for one in first["series"]] == [("a", "1"), ("b", "2")]
        second = fresh.client.get("/series", params={"limit": 2, "after": first["next"]}).json()
        assert ([one["series_id"] for one in second["series"]], second["next"]) == (["c"], None)
        found = fresh.client.get("/series/b/versions").json()
        assert [(one["version"], one["points"], one["model"]) for one in found] == [
            ("2", 4, "zscore"),
            ("1", 4, "zscore"),
        ]
        assert fresh.client.get("/series/z/versions").status_code == 404


def test_what_is_deleted_is_gone_and_its_number_is_not_given_again(served):
    for _ in range(3):
        served.fit("gone", FOUR).raise_for_status()
    assert served.predict("gone", 1.0).json()["model_version"] == "3"
    assert served.client.delete("/series/gone/versions/v3").json() == {"series_id": "gone", "deleted": 1}
    assert served.predict("gone", 1.0, version="3").status_code == 404
    assert served.predict("gone", 1.0).json()["model_version"] == "2"
    assert served.client.delete("/series/gone").json()["deleted"] == 2
    assert served.predict("gone", 1.0).status_code == 404
    assert served.client.delete("/series/gone").status_code == 404
    assert served.fit("gone", FOUR).json()["version"] == "4"
    assert served.client.delete("/series/gone/versions/x").status_code == 422
    assert served.client.get("/series/gone/versions/4").status_code in (404, 405)
