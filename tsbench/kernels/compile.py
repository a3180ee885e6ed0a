"""The one numba decorator, and where compiled code is kept between processes.

Numba notices an edited file but not an edited callee in another file, and would then answer with the old code.
So the cache folder's name is a hash over all kernel sources, numba's version and the CPU: any edit starts a new
folder. Without a writable folder (read-only install, no home) the kernels compile in every process instead.
"""

import hashlib
import os
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
from numba.core import config

Loop = TypeVar("Loop", bound=Callable[..., Any])


@cache
def cache_folder() -> Path | None:
    """The folder that holds compiled kernels, or None when no folder can be written."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()} {_cpu()}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    root = config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(root) / "tsbench" / "numba" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _cpu() -> str:
    import llvmlite.binding as llvm

    return f"{llvm.get_host_cpu_name()} {platform.machine()}"


@overload
def kernel(loop: Loop) -> Loop: ...
@overload
def kernel(*, reassociate: bool) -> Callable[[Loop], Loop]: ...
def kernel(loop: Loop | None = None, *, reassociate: bool = False) -> Loop | Callable[[Loop], Loop]:
    """Compile a loop on its first call for each set of argument types: nogil, numpy error model, cached.

    Parameters
        reassociate : let LLVM reorder and fuse additions. A kernel that asks for it says why; NaN and infinity keep
            their meaning either way.
    """
    if loop is None:
        return lambda wrapped: _compile(wrapped, reassociate)
    return _compile(loop, reassociate)


def _compile(loop: Loop, reassociate: bool) -> Loop:
    folder = cache_folder()
    before = config.CACHE_DIR
    # Numba reads the folder when the decorator runs; set it for this moment only, so that other numba code in
    # the process keeps its own.
    config.CACHE_DIR = str(folder) if folder else before
    try:
        compiled: Loop = numba.njit(
            nogil=True,
            error_model="numpy",
            cache=folder is not None,
            fastmath={"reassoc", "contract"} if reassociate else False,
        )(loop)
    finally:
        config.CACHE_DIR = before
    return compiled
