"""Of requests that come faster than they are answered, the newest is answered."""

import threading

from tsbench.lab.newest import Newest


def test_what_waits_gives_way_to_what_is_newer():
    done, begun, go = [], threading.Event(), threading.Event()

    def work(request):
        begun.set()
        go.wait(10)
        done.append(request)

    newest = Newest(work, failed=done.append)
    newest.ask(0)
    begun.wait(10)
    for request in range(1, 50):
        newest.ask(request)
    go.set()
    assert newest.wait(10)
    assert done == [0, 49]
    newest.close()


def test_an_error_is_told_and_the_next_request_is_done():
    done, told = [], []

    def work(request):
        if request == "bad":
            raise ValueError("no")
        done.append(request)

    newest = Newest(work, told.append)
    newest.ask("bad")
    assert newest.wait(10)
    newest.ask("good")
    assert newest.wait(10)
    assert (done, [str(error) for error in told]) == (["good"], ["no"])
    newest.close()


def test_a_closed_one_does_nothing_more():
    done = []
    newest = Newest(done.append, done.append)
    newest.close()
    newest.ask(1)
    assert newest.wait(1)
    assert not done
