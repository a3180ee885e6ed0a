"""The compile cache: kept between processes, new after any edit, absent rather than fatal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tsbench.kernels

SOURCES = Path(tsbench.kernels.__file__).parent


def run(code, cwd=None, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_edited_kernel_source_means_another_cache_folder(tmp_path):
    package = tmp_path / "tsbench"
    (package / "kernels").mkdir(parents=True)
    for source in SOURCES.glob("*.py"):
        (package / "kernels" / source.name).write_text(source.read_text())
    (package / "__init__.py").write_text("")
    code = "from tsbench.kernels.compile import cache_folder; print(cache_folder())"
    place = {"cwd": tmp_path, "XDG_CACHE_HOME": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": ""}
    first = run(code, **place)
    assert first == run(code, **place)
    with (package / "kernels" / "search.py").open("a") as source:
        source.write("\n# edited\n")
    assert run(code, **place) != first


def test_kernels_answer_without_a_writable_cache():
    code = (
        "import numpy as np, tsbench.kernels.compile as c; from tsbench.kernels.steps import step_size;"
        "print(c.cache_folder(), step_size(np.arange(5.0)))"
    )
    folder, noise = run(code, XDG_CACHE_HOME="/proc/no", HOME="/proc/no", NUMBA_CACHE_DIR="").split()
    assert folder == "None"
    assert float(noise) == pytest.approx(1.2533141)


def test_numba_code_of_others_keeps_its_own_cache_setting():
    before = run("from numba.core import config; print(config.CACHE_DIR)")
    after = run("import tsbench.kernels.search; from numba.core import config; print(config.CACHE_DIR)")
    assert before == after


def test_the_next_process_loads_what_this_one_compiled():
    code = (
        "from tsbench.kernels.steps import step_size as k; import numpy as np; k(np.arange(4.0));"
        "print(sum(k.stats.cache_hits.values()))"
    )
    run(code)
    assert run(code) == "1"
