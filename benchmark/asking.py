"""Single requests: as bytes for a load, asked at once for a set-up, and looked at before a load repeats them."""

import json
import socket
import ssl
import urllib.request
from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Asked(NamedTuple):
    """A request as bytes, and the body that answers it."""

    request: bytes
    right: bytes


def ask(url: str, path: str, sent: Any = None, *, token: str | None = None, method: str | None = None) -> bytes:
    """The body that one request brings: a POST of `sent`, else a GET or `method`. Raises OSError where it is no 200."""
    body = None if sent is None else json.dumps(sent).encode()
    request = urllib.request.Request(url + path, body, _headers(token), method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        said: bytes = answer.read()
    return said


def asked(url: str, path: str, sent: Any, right: Callable[[Any], bool], *, token: str | None = None) -> Asked:
    """A request whose answer was looked at once; from now on only the same bytes are right.

    Parameters
        url, path, sent, token : as of `ask`. right : told the answer's JSON.
    Raises     ValueError: the answer is wrong.
    """
    body = ask(url, path, sent, token=token)
    if not right(json.loads(body)):
        raise ValueError(f"wrong answer of {url}{path}: {body[:300]!r}")
    return Asked(as_bytes(url, path, sent, token=token), body)


def as_bytes(url: str, path: str, sent: Any, *, token: str | None = None, close: bool = False) -> bytes:
    """A POST of JSON as it goes over the wire.

    Parameters
        url, path, sent, token : as of `ask`. close : whether the connection ends with the answer.
    """
    body, parts = json.dumps(sent).encode(), urlsplit(url)
    lines = [f"POST {parts.path.rstrip('/')}{path} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in _headers(token).items()]
    lines += ["connection: close"] if close else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def body_of(heard: bytes) -> bytes | None:
    """The body of an answer with a content-length; None while it is not whole."""
    head = heard.find(b"\r\n\r\n")
    if head < 0:
        return None
    at = heard[:head].lower().find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError(f"an answer without content-length is not understood: {heard[:200]!r}")
    length = int(heard[at + 17 : heard.find(b"\r\n", at + 2)])
    return heard[head + 4 :] if len(heard) >= head + 4 + length else None


def place_of(url: str) -> tuple[str, int, ssl.SSLContext | None]:
    """Host, port and, of https, the context of a server."""
    parts = urlsplit(url)
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    return parts.hostname or "", parts.port or (443 if secure else 80), secure


def _headers(token: str | None) -> dict[str, str]:
    return {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})


class Line:
    """One keep-alive connection, asked one request after the other."""

    def __init__(self, url: str) -> None:
        host, port, secure = place_of(url)
        plain = socket.create_connection((host, port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = secure.wrap_socket(plain, server_hostname=host) if secure else plain
        self.head, self.seconds = b"", 0.0

    def ask(self, request: bytes) -> bytes:
        """The body that answers; `head` and `seconds` tell of this answer afterwards. Raises OSError at its end."""
        began, heard = perf_counter(), b""
        self._socket.sendall(request)
        while (body := body_of(heard)) is None:
            more = self._socket.recv(1 << 20)
            if not more:
                raise ConnectionError("the server closed the connection")
            heard += more
        self.seconds = perf_counter() - began
        self.head = heard[: heard.find(b"\r\n\r\n")]
        return body

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
