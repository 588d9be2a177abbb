"""Posting to a witness: over real sockets, to ends that are slow, silent, endless, or have a certificate of their own."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sft import limits
from sft.server.witness_post import WitnessPost, split_url
from sft.transport.http_post import HttpReply

BOUND = 0.4
PATIENCE = 20  # of a machine that has much else to do


class Site:
    """Takes connections one after the other, each as ``answers`` does; remembers what was sent first."""

    def __init__(self, answers: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._answers = answers
        self._context = context
        self.requests: list[bytes] = []
        self.reads = True
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), line:
                secured = line if self._context is None else self._context.wrap_socket(line, server_side=True)
                with secured:
                    secured.settimeout(PATIENCE)
                    if self.reads:
                        self.requests.append(whole_request(secured))
                    self._answers(secured)
            self.ended.set()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def whole_request(line: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < length_of(data):
        piece = line.recv(65536)
        if not piece:
            break
        data += piece
    return data


def length_of(data: bytes) -> int:
    head = data.partition(b"\r\n\r\n")[0].decode().lower()
    return int(head.partition("content-length: ")[2].split("\r\n")[0])


def saying(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda line: line.sendall(answer)


@pytest.fixture
def new_site() -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(answers: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Site:
        made.append(Site(answers, context))
        return made[-1]

    yield make
    for site in made:
        site.close()


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nlines\n"


@pytest.mark.parametrize("prefix", ["", "/", "/w1", "/a/b/"])
def test_a_request_goes_below_the_prefix_and_its_answer_comes_back(new_site: Callable[..., Site], prefix: str):
    site = new_site(saying(GOOD))
    assert WitnessPost()(site.url + prefix, b"old 0\n") == HttpReply(200, b"lines\n")
    head, _, body = site.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(f"POST {prefix.rstrip('/')}/add-checkpoint HTTP/1.1\r\n".encode())
    assert body == b"old 0\n"


def test_a_status_is_an_answer_and_a_redirect_is_not_followed(new_site: Callable[..., Site]):
    elsewhere = new_site(saying(GOOD))
    moved = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
    assert WitnessPost()(new_site(saying(moved)).url, b"").status == 302
    conflict = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n7\n"
    assert WitnessPost()(new_site(saying(conflict)).url, b"") == HttpReply(409, b"7\n")
    assert elsewhere.requests == []


def test_a_proxy_of_the_environment_is_not_asked(new_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch):
    site, proxy = new_site(saying(GOOD)), new_site(saying(GOOD))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    assert WitnessPost()(site.url, b"").status == 200
    assert proxy.requests == []


def test_nobody_there_is_a_fault():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        WitnessPost()(f"http://127.0.0.1:{port}", b"")


@pytest.mark.parametrize("answer", [b"", b"220 mail\r\n", b"\x00" * 99])
def test_what_is_no_whole_answer_is_a_fault(new_site: Callable[..., Site], answer: bytes):
    with pytest.raises(OSError, match=r"HTTP|closed"):
        WitnessPost()(new_site(saying(answer)).url, b"")


def drip(head: bytes) -> Callable[[socket.socket], None]:
    """Answer for ever, a byte now and then: no timeout of a socket ever sees silence."""

    def answers(line: socket.socket) -> None:
        line.sendall(head)
        pause = threading.Event()
        while not pause.wait(BOUND / 20):
            line.sendall(b"x")

    return answers


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX-", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["start", "head", "body"]
)
def test_an_end_that_drips_is_cut_at_the_time(new_site: Callable[..., Site], head: bytes):
    site = new_site(drip(head))
    began = time.monotonic()
    with suppress(OSError):
        reply = WitnessPost(seconds=BOUND)(site.url, b"")
        assert reply.body.strip(b"x") == b""  # what came until then, which nobody believes
    assert time.monotonic() - began < PATIENCE / 2
    assert site.ended.wait(PATIENCE)


def test_an_end_that_drips_where_tls_should_begin_is_cut_at_the_time(new_site: Callable[..., Site]):
    def begins(line: socket.socket) -> None:
        line.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB
        drip(b"")(line)

    site = new_site(begins)
    site.reads = False
    with pytest.raises(OSError, match=r"EOF|SSL|HTTP|[Cc]losed|reset"):
        WitnessPost(seconds=BOUND)(site.url.replace("http", "https"), b"")
    assert site.ended.wait(PATIENCE)


def test_an_address_that_takes_nobody_is_cut_at_the_time(monkeypatch: pytest.MonkeyPatch):
    """A full queue answers no connection: as a host does that drops what comes. Several addresses have one time together."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        queued = [socket.socket() for _ in range(8)]
        for each in queued:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(address)
        place = (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [place] * 100)
        began = time.monotonic()
        with pytest.raises(OSError, match=r".*"):
            WitnessPost(seconds=BOUND)(f"http://127.0.0.1:{address[1]}", b"")
        assert time.monotonic() - began < PATIENCE / 2
        for each in queued:
            each.close()


def test_an_end_that_is_silent_is_cut_at_the_time(new_site: Callable[..., Site]):
    site = new_site(lambda line: line.recv(1) and None)
    with pytest.raises(OSError, match=r"HTTP|timed out|closed"):
        WitnessPost(seconds=BOUND)(site.url, b"")
    assert site.ended.wait(PATIENCE)


def test_no_more_of_a_body_is_read_than_an_answer_can_have(new_site: Callable[..., Site]):
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            line.sendall(b"x" * 65536)

    assert len(WitnessPost()(new_site(endless).url, b"").body) == limits.ADD_CHECKPOINT_BYTES


def test_a_stop_cuts_what_is_under_way_and_all_after_it(new_site: Callable[..., Site]):
    post = WitnessPost(seconds=PATIENCE)
    site = new_site(lambda line: (post.cut(), line.recv(1))[1] and None)
    began = time.monotonic()
    with pytest.raises(OSError, match=r"HTTP|closed"):
        post(site.url, b"")
    assert time.monotonic() - began < PATIENCE / 2
    with pytest.raises(OSError, match="the server stops"):
        post(site.url, b"")
    assert len(site.requests) == 1


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "w")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_a_certificate_has_to_hold(new_site: Callable[..., Site], certificate: Path, monkeypatch: pytest.MonkeyPatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site = new_site(saying(GOOD), context)
    with pytest.raises(ssl.SSLCertVerificationError):
        WitnessPost()(site.url, b"secret")
    assert site.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert WitnessPost()(site.url, b"") == HttpReply(200, b"lines\n")
    with pytest.raises(ssl.SSLCertVerificationError):
        WitnessPost()(site.url.replace("127.0.0.1", "localhost"), b"")


@pytest.mark.parametrize(
    "url", ["http://w.example", "https://w.example:8443/a/b", "http://[::1]:7362", "HTTPS://W.example"]
)
def test_a_prefix_is_a_host_and_perhaps_a_path(url: str):
    assert split_url(url).hostname


@pytest.mark.parametrize(
    "url",
    [
        "", "w.example", "ftp://w.example", "https://", "https:///a", "https://w.example?x=1", "https://w.example#x",
        "https://me@w.example", "https://w.example:port", "https://w.example:0", "https://w.example:70000",
        "https://w.example/a b", "https://w.example/\r\nX: y", "https://w.example/ä", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_what_is_no_prefix_is_refused(url: str):
    with pytest.raises(ValueError, match=r".*"):
        split_url(url)
