"""POST /fit?async=true and what it leads to, as a client sees it."""

import pytest

from tsbench.jobs.working import work
from tsbench.store.embedded.daemon import wait_until
from tsbench.store.engine import transaction

FOUR = [10.0, 11.2, 10.4, 10.8]
WAITING = "waiting for a worker; run: tsbench worker"


def later(served, series_id, values=FOUR, **query):
    return served.fit(series_id, values, **{"async": "true"} | query)


def worked(served):
    work(served.store, note=lambda line: None, wait=False)


def test_a_fit_is_accepted_done_and_used(served):
    answer = later(served, "later", model="robust")
    assert answer.status_code == 202
    asked = answer.json()
    where = answer.headers["location"]
    assert where == f"/jobs/{asked['job_id']}"
    assert (asked["status"], asked["progress"], asked["version"], asked["kind"]) == ("pending", 0.0, None, "fit")
    assert (asked["series_id"], asked["model"], asked["points"], asked["attempts"]) == ("later", "robust", 4, 0)
    assert served.client.get(where).json() == asked
    assert served.predict("later", 13.0).status_code == 404
    worked(served)
    ended = served.client.get(where).json()
    assert (ended["status"], ended["stage"], ended["progress"]) == ("completed", "done", 1.0)
    assert (ended["version"], ended["attempts"], ended["reason"]) == ("1", 1, None)
    assert asked["queued_at"] == ended["queued_at"] <= ended["started_at"] <= ended["finished_at"]
    judged = served.predict("later", 13.0).json()
    assert (judged["model"], judged["model_version"]) == ("robust", ended["version"])


def test_a_model_in_memory_gives_way_to_one_that_a_worker_made(served):
    served.fit("warm", FOUR).raise_for_status()
    assert served.predict("warm", 13.0).json()["model_version"] == "1"
    later(served, "warm").raise_for_status()
    worked(served)
    assert wait_until(lambda: served.predict("warm", 13.0).json()["model_version"] == "2", 20)


def test_without_a_worker_a_job_says_what_it_waits_for_and_with_one_it_is_queued(served):
    where = later(served, "waits").headers["location"]
    assert served.client.get(where).json()["stage"] == WAITING
    with transaction(served.store.engine) as cursor:
        cursor.execute("INSERT INTO tsbench_queue.procrastinate_workers DEFAULT VALUES")
    assert served.client.get(where).json()["stage"] == "queued"
    with transaction(served.store.engine) as cursor:
        cursor.execute("DELETE FROM tsbench_queue.procrastinate_workers")


@pytest.mark.parametrize(
    ("name", "sent", "query"),
    [
        ("s", {"timestamps": [1, 2], "values": [1.0, 2.0, 3.0]}, {}),
        ("s", {"timestamps": [1, 2], "values": [1.0, 2.0]}, {}),
        ("s", {"timestamps": [3, 2, 1], "values": [1.0, 2.0, 3.0]}, {}),
        ("s", {"timestamps": [1, 2, 3], "values": [5.0, 5.0, 5.0]}, {}),
        ("s", {"timestamps": [1, 2, 3], "values": [-1e308, 0.0, 1e308]}, {}),
        ("s", {"timestamps": [1, 2, 3], "values": [1.0, True, 3.0]}, {}),
        ("s", {"timestamps": [1, 2, 2**63], "values": [1.0, 2.0, 3.0]}, {}),
        ("s", {"values": [1.0, 2.0, 3.0]}, {}),
        ("s", {"timestamps": [1, 2, 3], "values": [1.0, 2.0, 3.0]}, {"model": "prophet"}),
        ("a..b", {"timestamps": [1, 2, 3], "values": [1.0, 2.0, 3.0]}, {}),
    ],
)
def test_what_is_refused_at_once_is_refused_alike(served, name, sent, query):
    known = len(served.client.get("/jobs").json()["jobs"])
    at_once = served.client.post(f"/fit/{name}", json=sent, params=query)
    refused = served.client.post(f"/fit/{name}", json=sent, params=query | {"async": "true"})
    assert refused.status_code == at_once.status_code == 422
    assert refused.json()["detail"] == at_once.json()["detail"]
    assert len(served.client.get("/jobs").json()["jobs"]) == known


def test_more_values_than_allowed_are_refused(serve, empty_template):
    with serve(empty_template, max_points=5) as small:
        assert later(small, "s", [1.0, 2.0, 3.0, 4.0, 5.0]).status_code == 202
        assert later(small, "s", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).status_code == 413


@pytest.mark.parametrize("word", ["false", "0", "no"])
def test_a_fit_that_is_not_to_wait_is_done_at_once(served, word):
    answer = served.fit(f"now-{word}", FOUR, **{"async": word})
    assert (answer.status_code, answer.json()["version"]) == (200, "1")


def test_a_word_that_is_neither_yes_nor_no_is_a_422(served):
    refused = served.fit("maybe", FOUR, **{"async": "maybe"})
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["query", "async"])


def test_a_job_that_has_not_ended_can_be_cancelled(served):
    where = later(served, "cancelled").headers["location"]
    for _ in range(2):
        answer = served.client.delete(where)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    worked(served)
    assert served.client.get(where).json()["status"] == "cancelled"
    assert served.predict("cancelled", 1.0).status_code == 404


def test_a_job_that_has_ended_cannot(served):
    where = later(served, "ended").headers["location"]
    worked(served)
    refused = served.client.delete(where)
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"job {where.rpartition('/')[2]} is completed already",
    )
    assert served.predict("ended", 13.0).json()["anomaly"] is True


def test_jobs_are_listed_newest_first_in_pages(serve, empty_template):
    with serve(empty_template) as fresh:
        ids = [later(fresh, f"s{i}").json()["job_id"] for i in range(3)]
        fresh.client.delete(f"/jobs/{ids[1]}")
        first = fresh.client.get("/jobs", params={"limit": 2}).json()
        assert ([job["job_id"] for job in first["jobs"]], first["next"]) == ([ids[2], ids[1]], ids[1])
        second = fresh.client.get("/jobs", params={"limit": 2, "after": first["next"]}).json()
        assert ([job["job_id"] for job in second["jobs"]], second["next"]) == ([ids[0]], None)
        pending = fresh.client.get("/jobs", params={"status": "pending"}).json()["jobs"]
        assert [job["job_id"] for job in pending] == [ids[2], ids[0]]
        assert pending[0] == fresh.client.get(f"/jobs/{ids[2]}").json()


@pytest.mark.parametrize("query", [{"status": "lost"}, {"limit": 0}, {"limit": 1_001}, {"after": "x"}, {"after": 0}])
def test_a_list_that_cannot_be_is_a_422(served, query):
    assert served.client.get("/jobs", params=query).status_code == 422


def test_a_job_that_is_not_there_is_a_404_and_what_is_no_number_a_422(served):
    for ask in (served.client.get, served.client.delete):
        absent = ask("/jobs/999999999")
        assert (absent.status_code, absent.json()["detail"]) == (
            404,
            "no job 999999999; what ended is forgotten after a week",
        )
        for text in ("0", "-1", "x", str(2**63)):
            assert ask(f"/jobs/{text}").status_code == 422
