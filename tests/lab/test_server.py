"""How JupyterLab and the app are started; that they then work, the browser tests see."""

import os
import sys

import pytest

from tsbench.errors import Unavailable
from tsbench.lab import server


def test_a_server_that_does_not_start_says_why(tmp_path):
    with (
        pytest.raises(Unavailable, match=r"(?s)jupyterlab ended with status \d.*encodings"),
        server.jupyterlab(tmp_path, {"PYTHONHOME": "/nowhere"}),
    ):
        raise AssertionError("it started")


@pytest.mark.parametrize(
    ("words", "program"), [(["lab", ".", "--port=9"], "jupyterlab"), (["app", "a.ipynb", "--port=9"], "voila")]
)
def test_what_make_starts_listens_on_loopback_and_asks_for_a_token(words, program, monkeypatch):
    became = []
    monkeypatch.setattr(os, "execve", lambda *given: became.append(given))
    monkeypatch.setattr(sys, "argv", ["server", *words])
    server.main()
    ((_, command, environment),) = became
    assert command[:3] == [sys.executable, "-m", program]
    assert any(word.endswith("ip=127.0.0.1") for word in command)
    assert not any("token=" in word for word in command)
    assert ("--token" in command) == (program == "voila")  # JupyterLab makes one unasked
    assert command[-1] == "--port=9"
    assert environment.items() >= os.environ.items() - {("JUPYTER_PATH", os.environ.get("JUPYTER_PATH"))}


def test_another_word_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["server", "labs", "."])
    with pytest.raises(SystemExit, match="wanted: lab FOLDER"):
        server.main()
