"""`tsbench serve` refuses what it cannot do before it begins."""

import socket

import pytest


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--port", "99999"), "port must be an integer in [0, 65535], got 99999"),
        (("--workers", "0"), "workers must be an integer in [1, 256], got 0"),
        (("--host", "no.such.host.invalid"), "cannot listen on no.such.host.invalid"),
    ],
)
def test_what_cannot_be_is_refused(tell, words, told):
    done = tell("serve", *words, store=False)
    assert done.status == 2
    assert told in done.err


def test_a_busy_port_is_told_before_anything_is_loaded(tell, home):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        done = tell("serve", "--port", str(busy.getsockname()[1]), store=False)
    assert (done.status, "give another --port" in done.err) == (2, True)
    assert "new store" not in done.err


def test_an_address_of_redis_that_is_none_is_refused(tell, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "localhost:6379")
    done = tell("serve", store=False)
    assert (done.status, "redis://HOST:PORT/0" in done.err) == (2, True)


def test_a_password_in_the_query_of_an_address_is_not_shown(tell, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@127.0.0.1:1/db?password=geheim&connect_timeout=2")
    done = tell("db", "check", store=False)
    assert done.status == 2
    assert "geheim" not in done.err
    assert "127.0.0.1" in done.err
