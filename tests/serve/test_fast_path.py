"""The fast path and the declared routes give one answer, byte by byte, to whatever comes.

A content type with a charset is not plain, so the same body goes the declared way: that is how both are asked.
"""

import json
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PLAIN, DECLARED = "application/json", "application/json; charset=utf-8"
FOUR = [10.0, 11.2, 10.4, 10.8]
# What may stand where a number should: every trap of two JSON readers.
LITERALS = [
    "13.0", "13", "-0", "-0.0", "0", "1e3", "1E+3", "1e-400", "1e400", "-1e400", "1.7976931348623157e308", "5e-324",
    "2.5e-324",
    "9007199254740993", "123456789012345678901234567890", "1" + "0" * 400, "0.1000000000000000055511151231257827",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551616", "1.0", "1.5e0",
    "01", "+1", ".5", "1.", "1e", "--1", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "null", "true", "false",
    '"13.0"', '"1"', '"0001"', '""', '" 1"', '"\\u0031"', '"１"', '"\\ud800"', '"1e3"', '"-1"', '"' + "9" * 19 + '"',
    '"' + "9" * 18 + '"', "[]", "[1]", "{}", '{"a":1}', "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000,
]  # fmt: skip
valid = st.floats(allow_nan=False, allow_infinity=False).map(repr)
literals = st.one_of(valid, valid, st.sampled_from(LITERALS), st.integers(-(2**70), 2**70).map(str))
moments = st.one_of(st.integers(0, 2**63 - 1).map(str), st.integers(0, 10**18).map('"{}"'.format), literals)
lists = st.lists(literals, max_size=6).map(lambda parts: "[" + ",".join(parts) + "]")
numbers = st.lists(st.floats(-1e9, 1e9).map(repr), min_size=1, max_size=90).map(lambda parts: f"[{','.join(parts)}]")
rising = st.lists(st.integers(0, 2**62), min_size=1, max_size=90, unique=True).map(sorted).map(json.dumps)
spaces = st.sampled_from(["", " ", "\n", "\t\r\n "])


@st.composite
def bodies(draw, keys, values):
    """A JSON object, nearly: keys may be twice, missing, unknown; then perhaps cut or with something around it."""
    known = [(f'"{key}"', draw(values[key])) for key in keys if draw(st.integers(0, 19))]
    extra = draw(
        st.lists(st.tuples(st.sampled_from(['"x"', f'"{keys[0]}"', "x", '"\\u0076alue"']), literals), max_size=1)
    )
    members = draw(st.permutations(known + (extra if not draw(st.integers(0, 3)) else [])))
    gap = draw(spaces)
    text = "{" + ",".join(f"{gap}{key}{gap}:{gap}{value}" for key, value in members) + gap + "}"
    raw = text.encode("utf-8")
    match draw(st.integers(0, 29)):
        case 0:
            return raw[: draw(st.integers(0, len(raw)))]
        case 1:
            return raw + draw(st.sampled_from([b"x", b"{}", b"\x00", b" ", b","]))
        case 2:
            return draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b" "])) + raw
        case 3:
            return text.encode("utf-16")
        case 4:
            return draw(st.binary(max_size=40))
    return raw


readings = bodies(["timestamp", "value"], {"timestamp": moments, "value": literals})
batches = bodies(["values", "timestamps"], {"values": lists | numbers, "timestamps": lists | rising})
trainings = bodies(["timestamps", "values"], {"timestamps": lists | rising, "values": lists | numbers})
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def both(served, path, body):
    """Status, content type and body of the two ways, without what must differ."""
    answers = []
    for kind in (PLAIN, DECLARED):
        answer = served.client.post(path, content=body, headers={"content-type": kind})
        text = re.sub(rb'"request_id":"[^"]*"|"version":"\d+"', b"", answer.content)
        answers.append((answer.status_code, answer.headers.get("content-type"), text))
    return answers


@pytest.fixture(scope="module", autouse=True)
def fitted(served):
    served.fit("s", FOUR).raise_for_status()
    served.predict("s", 1.0).raise_for_status()


def routed(served, route, status):
    """How many requests a route answered with a status so far."""
    found = re.search(
        rf'tsbench_request_seconds_count{{method="POST",route="{re.escape(route)}",status="{status}"}} (\d+)',
        served.client.get("/metrics").text,
    )
    return int(found[1]) if found else 0


@given(body=readings)
@settings(relaxed, max_examples=400)
def test_one_value(served, body):
    fast, declared = both(served, "/predict/s", body)
    assert fast == declared
    assert fast[0] < 500


def test_every_trap_alone(served):
    """Each where a number should be, all else being right."""
    for trap in LITERALS:
        for path, body in (
            ("/predict/s", f'{{"timestamp":{trap},"value":13.0}}'),
            ("/predict/s", f'{{"timestamp":"1","value":{trap}}}'),
            ("/predict/s", f'{{"timestamp":"1","value":13.0,"x":{trap}}}'),
            ("/predict/s/batch", f'{{"values":[1.0,{trap}],"timestamps":[1,2]}}'),
            ("/predict/s/batch", f'{{"values":[1.0,2.0],"timestamps":[1,{trap}]}}'),
            ("/fit/f", f'{{"timestamps":[1,2,3],"values":[1.0,2.0,{trap}]}}'),
            ("/fit/f", f'{{"timestamps":[1,2,{trap}],"values":[1.0,2.0,3.0]}}'),
        ):
            fast, declared = both(served, path, body.encode())
            assert fast == declared, body
            assert fast[0] < 500, body


@given(body=batches)
@settings(relaxed, max_examples=250)
def test_many_values(served, body):
    fast, declared = both(served, "/predict/s/batch", body)
    assert fast == declared
    assert fast[0] < 500


@given(body=trainings)
@settings(relaxed, max_examples=250)
def test_a_training_series(served, body):
    fast, declared = both(served, "/fit/f", body)
    assert fast == declared
    assert fast[0] < 500


QUERIES = [
    "",
    "?version=1",
    "?version=v1",
    "?version=0",
    "?version=9",
    "?version=",
    "?version=1&version=2",
    "?side=both",
]
PATHS = ["/predict/%73", "/predict/ s", "/predict/s/", "/predict/s/batch/", "/predict//batch", "/predict/none"]


@pytest.mark.parametrize("path", [*(f"/predict/s{query}" for query in QUERIES), *PATHS])
def test_every_way_to_write_a_path(served, path):
    fast, declared = both(served, path, b'{"timestamp":"1","value":13.0}')
    assert fast == declared


def test_the_plain_request_does_take_the_fast_path(served):
    """Otherwise the tests above would compare the declared routes with themselves."""
    from tsbench.serve import fast

    calls = []
    original = fast.FastPath._judged
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast.FastPath, "_judged", lambda *given: calls.append(original(*given)) or calls[-1])
        both(served, "/predict/s", b'{"timestamp":"1","value":13.0}')
        both(served, "/predict/s/batch", b'{"values":[13.0]}')
        assert [call is not None for call in calls] == [True, True]
        both(served, "/predict/s", b'{"timestamp":"1","value":"13.0"}')
        assert calls[-1] is None


def test_batch_is_a_segment_not_a_suffix(served):
    """A series may be called so."""
    served.fit("batch", FOUR).raise_for_status()
    assert served.predict("batch", 13.0).json()["series_id"] == "batch"
    answer = served.client.post("/predict/batch/batch", json={"values": [13.0]})
    assert answer.json()["series_id"] == "batch"


def test_a_body_in_pieces_is_one_body(served):
    body = json.dumps({"values": np.arange(5000.0).tolist()}).encode()

    def pieces():
        yield from (body[i : i + 777] for i in range(0, len(body), 777))

    answer = served.client.post("/predict/s/batch", content=pieces(), headers={"content-type": PLAIN})
    assert answer.json()["points"] == 5000


def test_requests_are_counted_under_their_template(served):
    before = routed(served, "/predict/{series_id}", 200)
    both(served, "/predict/s", b'{"timestamp":"1","value":13.0}')
    assert routed(served, "/predict/{series_id}", 200) == before + 2
