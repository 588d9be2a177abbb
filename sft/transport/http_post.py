"""One POST over HTTP, bounded in time and bytes whatever the other end does; runs on a thread of its own.

Rules. The whole of it ends after so many seconds: a timer cuts the connection, for a timeout of a socket begins anew with each
byte and each address. To find a name takes what the system's resolver allows itself. Redirects are not followed, proxies of
the environment not asked, and a certificate that does not hold is a fault. What is answered is the other end's word: whoever
calls this believes nothing of it unchecked.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

_PORTS: Final = {"http": 80, "https": 443}


class HttpReply(Struct, frozen=True):
    """What was answered: a status of HTTP, and so many bytes of its body at most as were asked for."""

    status: int
    body: bytes


class HttpPost:
    """Posts; ``cut`` ends what is under way, and everything after it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[_Bounded] = set()
        self._ended = False

    def __call__(
        self, to: SplitResult, body: bytes, headers: Mapping[str, str], *, seconds: float, answer_bytes: int
    ) -> HttpReply:
        """Post to a URL, as ``split_url`` takes it apart; its query goes with it.

        Raises:
            OSError: no answer within the time, or none that is HTTP.
        """
        host, port = to.hostname or "", to.port or _PORTS[to.scheme]
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with self._bounded(seconds) as bounded, bounded.connect(places, seconds) as line:
            try:
                connection = http.client.HTTPConnection(to.netloc)
                connection.sock = _secured(line, host) if to.scheme == "https" else line
                with closing(connection):
                    path = (to.path or "/") + (f"?{to.query}" if to.query else "")
                    connection.request("POST", path, body, {"Connection": "close", **headers})
                    with connection.getresponse() as answer:
                        return HttpReply(answer.status, answer.read(answer_bytes))
            except OSError:  # that of a certificate is a ValueError too
                raise
            except (http.client.HTTPException, ValueError) as fault:  # ValueError: a socket that was shut under it
                raise OSError("no answer that is HTTP") from fault

    def cut(self) -> None:
        """End what is under way: the server stops."""
        with self._lock:
            self._ended = True
            under_way = tuple(self._under_way)
        for each in under_way:
            each.cut()

    @contextmanager
    def _bounded(self, seconds: float) -> Iterator[_Bounded]:
        bounded = _Bounded()
        timer = threading.Timer(seconds, bounded.cut)
        timer.daemon = True
        with self._lock:
            if self._ended:
                raise OSError("the server stops")
            self._under_way.add(bounded)
        timer.start()
        try:
            yield bounded
        finally:
            timer.cancel()
            bounded.cut()
            with self._lock:
                self._under_way.discard(bounded)


class _Bounded:
    """A connection that another thread can cut at any moment, also while it is being made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._is_cut = False

    def connect(self, places: Sequence[tuple[int, int, int, str, tuple[object, ...]]], seconds: float) -> socket.socket:
        """Connect to the first of these addresses that takes it; OSError as the last one has it."""
        failed = OSError("no address")
        for family, kind, protocol, _, address in places:
            line = socket.socket(family, kind, protocol)
            try:
                line.settimeout(seconds)
                self._hold(line)
                line.connect(address)
            except OSError as fault:
                line.close()
                failed = fault
            else:
                return line
        raise failed

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            held, self._held = self._held, None
        if held is not None:
            with suppress(OSError), held:
                held.shutdown(socket.SHUT_RDWR)

    def _hold(self, line: socket.socket) -> None:
        # Another descriptor of the same connection: TLS takes the first for itself, and HTTP lets go of it.
        held = line.dup()
        with self._lock:
            before, self._held = self._held, None if self._is_cut else held
            is_cut = self._is_cut
        if before is not None:
            before.close()
        if is_cut:
            held.close()
            raise OSError("cut")


def split_url(url: str) -> SplitResult:
    """Take a URL apart; ValueError for what nothing can be posted to: http or https, a host, perhaps a path and a query."""
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.scheme not in _PORTS or not parts.hostname or parts.fragment or parts.username is not None:
        raise ValueError("no URL to post to")
    if parts.port == 0:  # asking reads it: ValueError for one that is no number
        raise ValueError("no port")
    return parts


def _secured(line: socket.socket, host: str) -> socket.socket:
    return ssl.create_default_context().wrap_socket(line, server_hostname=host)
