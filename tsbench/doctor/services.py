"""Compiled kernels, the store, Redis."""

import importlib
import pkgutil
import socket
import ssl
from urllib.parse import unquote, urlsplit

from tsbench.doctor.findings import Told

SECONDS = 5.0


def compiled() -> Told:
    """Whether the kernels are compiled, and kept where later processes find them."""
    from numba.core.registry import CPUDispatcher

    from tsbench import kernels
    from tsbench.kernels.compile import cache_folder

    folder = cache_folder()
    if folder is None:
        return "wrong", (
            "no folder for compiled code can be written, so every process compiles for some seconds; "
            "name one that can by NUMBA_CACHE_DIR"
        )
    cold = []
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        for loop in vars(importlib.import_module(module.name)).values():
            if isinstance(loop, CPUDispatcher) and loop.__module__ == module.name:
                code = loop.py_func.__code__
                kept = folder.glob(f"*/*.{code.co_qualname}-{code.co_firstlineno}.*.nbi")
                if not any(str(index.parent) == loop.stats.cache_path for index in kept):
                    cold.append(loop.__name__)
    if cold:
        return "wrong", f"{len(cold)} kernels are not compiled yet, the first use waits for it; run: tsbench warmup"
    return "ok", f"ready in {folder}"


def store() -> Told:
    """Whether the store that the settings name answers, has the tables of this version, and holds companies."""
    from tsbench.settings import read_settings
    from tsbench.store import Store, embedded

    settings = read_settings()
    if settings.database is None and not embedded.exists(settings.home):
        return "not checked", f"the project {settings.home} has no store yet; the first `tsbench load` makes one"
    with Store(settings.database, project=settings.home) as opened:
        problems = opened.check()
        if problems:
            return "wrong", f"{opened!r}: {'; '.join(problems)}; run: tsbench db upgrade"
        count = len(opened.companies())
        hint = "" if count else "; for some, run: tsbench load"
        return "ok", f"{opened!r} holds {count} companies{hint}"


def redis() -> Told:
    """Whether the Redis of the settings answers."""
    from tsbench.settings import read_settings

    url = read_settings().redis_url
    if url is None:
        return "not checked", "REDIS_URL is not set; without it nothing needs one"
    answer = _ping(url.get_secret_value())
    if answer.startswith("+PONG"):
        return "ok", "it answers"
    return "wrong", f"the server of REDIS_URL answered {answer[:80]!r}, wanted PONG; mend REDIS_URL or unset it"


def _ping(url: str) -> str:
    """What a Redis says to PING; the URL may be redis://, rediss:// or unix://, with or without a password."""
    parts = urlsplit(url)
    words = [["PING"]]
    if parts.password:
        words.insert(0, ["AUTH", *([unquote(parts.username)] if parts.username else []), unquote(parts.password)])
    try:
        with _connected(parts.scheme, parts.hostname or "127.0.0.1", parts.port or 6379, unquote(parts.path)) as line:
            answer = ""
            for command in words:
                sent = [f"*{len(command)}", *(part for word in command for part in (f"${len(word.encode())}", word))]
                line.sendall("".join(f"{part}\r\n" for part in sent).encode())
                answer = line.recv(256).decode(errors="replace").strip()
                if answer.startswith("-"):
                    break
            return answer
    except OSError as error:
        return f"nothing ({error})"


def _connected(scheme: str, host: str, port: int, path: str) -> socket.socket:
    if scheme == "unix":
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(SECONDS)
        line.connect(path)
        return line
    line = socket.create_connection((host, port), SECONDS)
    return ssl.create_default_context().wrap_socket(line, server_hostname=host) if scheme == "rediss" else line
