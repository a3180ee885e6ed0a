"""The doctor: what is sound is called so, and every fault is found, told, and told how to mend."""

import json
import os
import socket
import sys
from pathlib import Path

import jupyter_core.paths
import pytest
import sqlalchemy as sa
from numba.core import config

from tsbench import jobs
from tsbench.cli import main
from tsbench.doctor import browser, installed, jupyter, services
from tsbench.doctor.findings import examined
from tsbench.kernels import compile as compiling
from tsbench.settings import table
from tsbench.store.embedded.place import Place
from tsbench.store.embedded.servers import Valkey

BROKEN = "PatternDesigner._esm = \"export default { render() { throw new Error('broken on purpose'); } }\""


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No settings but those of the test."""
    for name in {name for setting in table() for name in (setting.name, *setting.aliases)} & os.environ.keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("TSBENCH_HOME", str(tmp_path))


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    """Folders of Jupyter that hold nothing: (data, settings)."""
    data, settings = tmp_path / "share", tmp_path / "etc"
    monkeypatch.setattr(jupyter_core.paths, "ENV_JUPYTER_PATH", [str(data)])
    monkeypatch.setattr(jupyter_core.paths, "SYSTEM_JUPYTER_PATH", [])
    monkeypatch.setattr(jupyter_core.paths, "ENV_CONFIG_PATH", [str(settings)])
    monkeypatch.setattr(jupyter_core.paths, "SYSTEM_CONFIG_PATH", [])
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "own"))
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    return data, settings


# ---- packages and compiled code ---------------------------------------------------------------------------


@pytest.fixture
def warm():
    """Compiled kernels, as after `tsbench warmup`; that takes its time only where they are not yet."""
    if services.compiled()[0] != "ok":
        jobs.warm()


def test_this_environment_is_sound(warm):
    for check in (installed.python, installed.packages, services.compiled, jupyter.extensions, jupyter.kernel):
        assert examined("it", check).state == "ok", check()


def test_a_package_that_is_missing_or_old_is_named(monkeypatch, tmp_path):
    about = tmp_path / "patient-1.dist-info" / "METADATA"
    about.parent.mkdir()
    wanted = ("numpy>=99", "pandas", "no-such-package>=2", "playwright; extra == 'browser'", "x; python_version < '3'")
    lines = [f"Requires-Dist: {line}" for line in wanted]
    about.write_text("\n".join(["Name: patient", "Version: 1", "Requires-Python: >=3.99", *lines]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(installed, "DISTRIBUTION", "patient")
    state, told = installed.packages()
    assert state == "wrong"
    assert "numpy is " in told
    assert "wanted >=99; no-such-package is missing; run: pip install" in told
    assert "pandas" not in told
    state, told = installed.python()
    assert state == "wrong"
    assert "wanted >=3.99" in told


def test_without_a_distribution_the_finding_says_so(monkeypatch):
    monkeypatch.setattr(installed, "DISTRIBUTION", "no-such-distribution")
    found = examined("packages", installed.packages)
    assert found.state == "wrong"
    assert "no-such-distribution" in found.told


def test_a_folder_that_cannot_be_written_is_told(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder can be made in a file")
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(compiling, "cache_folder", compiling.cache_folder.__wrapped__)
    state, told = services.compiled()
    assert state == "wrong"
    assert "NUMBA_CACHE_DIR" in told


def test_kernels_that_are_not_compiled_yet_are_told(monkeypatch, tmp_path):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiling, "cache_folder", compiling.cache_folder.__wrapped__)
    state, told = services.compiled()
    assert state == "wrong"
    assert "run: tsbench warmup" in told


# ---- the store, Redis -------------------------------------------------------------------------------------


def test_a_store_is_opened_and_its_companies_counted(companies, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", companies.url)
    state, told = services.store()
    assert state == "ok"
    assert "holds 221 companies" in told


def test_where_there_is_no_store_none_is_made(tmp_path):
    state, told = services.store()
    assert state == "not checked"
    assert "tsbench load" in told
    assert list(tmp_path.iterdir()) == []


def test_a_stale_schema_is_told(store, monkeypatch):
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE tsbench_version SET version_num = '0001'"))
    monkeypatch.setenv("DATABASE_URL", store.url)
    state, told = services.store()
    assert state == "wrong"
    assert "version 0001" in told
    assert "run: tsbench db upgrade" in told


def test_a_server_that_does_not_answer_and_a_mistyped_setting_are_told(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://somebody:secret@127.0.0.1:{_closed_port()}/x")
    found = examined("store", services.store)
    assert found.state == "wrong"
    assert "secret" not in found.told
    monkeypatch.setenv("TSBENCH_DATABSE_URL", "x")
    assert "did you mean TSBENCH_DATABASE_URL?" in examined("store", services.store).told


def test_a_redis_is_asked_only_where_one_is_set(monkeypatch):
    assert services.redis()[0] == "not checked"
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{_closed_port()}/0")
    state, told = services.redis()
    assert state == "wrong"
    assert "mend REDIS_URL" in told


def test_a_redis_answers_whoever_has_its_password(monkeypatch, tmp_path):
    place = Place.of(tmp_path)
    place.prepare(tmp_path)
    valkey = Valkey(place)
    url = valkey.start(lambda _: None)
    if url is None:
        pytest.skip("no Valkey or Redis for this machine")
    try:
        monkeypatch.setenv("REDIS_URL", url)
        assert services.redis() == ("ok", "it answers")
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(valkey.socket))
            line.sendall(b"CONFIG SET requirepass s3cret\r\n")
            assert line.recv(16).startswith(b"+OK")
        assert "NOAUTH" in services.redis()[1]
        monkeypatch.setenv("REDIS_URL", url.replace("unix://", "unix://:wrong@"))
        assert "WRONGPASS" in services.redis()[1]
        monkeypatch.setenv("REDIS_URL", url.replace("unix://", "unix://:s3cret@"))
        assert services.redis() == ("ok", "it answers")
    finally:
        valkey.stop()


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


# ---- Jupyter ----------------------------------------------------------------------------------------------


def test_an_extension_that_is_missing_or_not_whole_is_told(nothing_installed):
    data, _ = nothing_installed
    state, told = jupyter.extensions()
    assert state == "wrong"
    for name, package in jupyter.EXTENSIONS.items():
        assert f"{name} is not installed; run: pip install --force-reinstall {package}" in told
    _install(data)
    assert jupyter.extensions()[0] == "ok"
    (data / "labextensions" / "anywidget" / "static" / "begin.js").unlink()
    state, told = jupyter.extensions()
    assert state == "wrong"
    assert "anywidget in" in told
    assert "is not whole" in told


@pytest.mark.parametrize("disabled", ["anywidget", "@jupyter-widgets/jupyterlab-manager:plugin"])
def test_a_disabled_extension_is_told(nothing_installed, disabled):
    data, settings = nothing_installed
    _install(data)
    page = settings / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True)
    page.write_text(json.dumps({"disabledExtensions": {disabled: True}}))
    state, told = jupyter.extensions()
    assert state == "wrong"
    assert told == f"{disabled} is disabled; run: jupyter labextension enable {disabled}"
    page.write_text(json.dumps({"disabledExtensions": {disabled: False, "something-else": True}}))
    assert jupyter.extensions()[0] == "ok"


def _install(data: Path) -> None:
    for name in jupyter.EXTENSIONS:
        folder = data / "labextensions" / name
        (folder / "static").mkdir(parents=True)
        (folder / "static" / "begin.js").touch()
        about = {"name": name, "version": "1.0", "jupyterlab": {"_build": {"load": "static/begin.js"}}}
        (folder / "package.json").write_text(json.dumps(about))


def test_a_kernel_of_another_python_is_told(monkeypatch, tmp_path):
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    program = tmp_path / "python"
    spec.write_text(json.dumps({"argv": [str(program), "-m", "x"], "display_name": "x", "language": "python"}))
    state, told = jupyter.kernel()
    assert state == "wrong"
    assert "does not start" in told
    program.write_text("#!/bin/sh\necho /another\n")
    program.chmod(0o755)
    state, told = jupyter.kernel()
    assert state == "wrong"
    assert f"runs the Python of /another, not of {sys.prefix}" in told
    assert str(spec.parent) in told
    program.write_text("#!/bin/sh\necho ModuleNotFoundError: ipykernel >&2\nexit 1\n")
    assert "ModuleNotFoundError: ipykernel" in jupyter.kernel()[1]


# ---- the browser, the command -----------------------------------------------------------------------------


def test_without_playwright_or_a_browser_nothing_is_drawn_and_nothing_called_wrong(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    state, told = browser.drawn()
    assert state == "not checked"
    assert "playwright install chromium" in told
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    found = examined("browser", browser.drawn)
    assert found.state == "not checked"
    assert "pip install 'tsbench[browser]'" in found.told


def test_a_check_that_breaks_is_a_finding():
    def breaks():
        raise SystemExit("no license")

    assert examined("it", breaks).told == "SystemExit: no license"
    assert examined("it", breaks).state == "wrong"


def test_the_command_tells_each_finding_and_leaves_with_status_1_where_something_is_wrong(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{_closed_port()}/x")
    with pytest.raises(SystemExit) as left:
        main(["doctor"])
    assert left.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("wrong        store") for line in lines)
    assert any(line.startswith("ok           python") for line in lines)
    assert any(line.startswith("not checked  browser") for line in lines)


@pytest.mark.browser
def test_a_sound_installation_passes_the_whole_doctor(warm, companies, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATABASE_URL", companies.url)
    with pytest.raises(SystemExit) as left:
        main(["doctor", "--json", "--screenshot", str(tmp_path / "seen.png")])
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert left.value.code == 0, found
    assert {name for name, one in found.items() if one["state"] != "ok"} == {"redis"}
    assert "the board answered" in found["browser"]["told"]
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.browser
def test_a_widget_that_breaks_in_the_browser_is_told(monkeypatch):
    monkeypatch.setattr(browser, "PANEL", f"{browser.PANEL}\n{BROKEN}")
    monkeypatch.setattr(browser, "DRAWING", 3.0)
    state, told = browser.drawn()
    assert state == "wrong"
    assert told.splitlines()[0] == "the board was not drawn"
    assert "the console:" in told
    assert "broken on purpose" in told
