"""Connections that never log in: bounded, refused with a reason, and no hindrance to those who do."""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sft.crypto.keys import ServerPublic, SigningKey
from sft.limits import EARLY_FRAME_BYTES, LIMITED_LINES_PER_CAUSE, UNAUTHENTICATED
from sft.model.links import parse_link
from sft.wire.connection import Connection
from sft.wire.handshake import Claim
from tests.processes import Person, ServerProcess

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc for the server's memory")

MIB = 1024 * 1024
Connect = Callable[[bytes], socket.socket]


@pytest.fixture
def connect(server: ServerProcess) -> Iterator[Connect]:
    """Opens connections that have sent so many bytes; they stay open until the test ends."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    with contextlib.ExitStack() as opened:

        def make(data: bytes) -> socket.socket:
            made = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
            if data:
                made.sendall(data)
            return made

        yield make
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def hello(server: ServerProcess) -> bytes:
    """Make the first message of an honest client, who will say nothing more."""
    link = parse_link(str(server.operate_json("link")["link"]))
    key = SigningKey.generate()
    claim = Claim("login", "nobody", key.public.encode(), "", None)
    return Connection.client(ServerPublic(link.server_key), claim, key).data_to_send()


def peak_bytes(server: ServerProcess) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def until_closed(connection: socket.socket) -> bytes:
    """Read until the server ends the connection; gives what it said."""
    said = b""
    try:
        while more := connection.recv(65_536):
            said += more
    except ConnectionResetError:
        pass  # aborted: that is how it ends whoever broke a rule
    return said


def reasons(server: ServerProcess) -> list[str]:
    lines = [line for line in server.log.read_text().splitlines() if "] no-login " in line]
    assert all("source=local" in line for line in lines)
    return [line.partition("why=")[2].strip('"') for line in lines]


def left_out(log: str) -> int:
    """Add up the lines that stand for others."""
    return sum(int(line.rpartition("=")[2]) for line in log.splitlines() if "] strangers source=local " in line)


@pytest.mark.long
def test_half_open_slow_and_garbled_connections_cost_little_and_hinder_nobody(
    server: ServerProcess, joined: Callable[..., Person], connect: Connect
) -> None:
    max_ = joined("max")
    (max_.folder / "a.bin").write_bytes(b"a" * 300_000)
    assert max_.sft("put", "a.bin").returncode == 0
    first = hello(server)
    before = peak_bytes(server)

    ways = (b"", b"\0", struct.pack(">I", EARLY_FRAME_BYTES) + b"x" * 100, first[:-1], first)
    silent = [connect(ways[number % len(ways)]) for number in range(200)]
    assert max_.sft("get", "a.bin", "--to", "got").returncode == 0  # an honest login goes on

    # Over-long lengths are refused by their fourth byte; whatever is no hello, when it is whole.
    for length in (EARLY_FRAME_BYTES + 1, 1 << 24, (1 << 32) - 1):
        assert until_closed(connect(struct.pack(">I", length))) == b""
    draw = random.Random(1)
    for _ in range(100):
        length = draw.randrange(EARLY_FRAME_BYTES + 1)
        assert until_closed(connect(struct.pack(">I", length) + draw.randbytes(length))) == b""
    http = connect(b"GET / HTTP/1.1\r\nHost: files.example.org\r\n\r\n")
    assert until_closed(http) == b""
    # One who goes away in the middle, and one who speaks again after a refused hello, are no news either.
    connect(first[:50]).close()
    assert max_.sft("ls").returncode == 0

    # More of an honest hello do not put off the end: it counts from the first byte.
    slow = silent[3]
    slow.sendall(first[-1:])
    for connection in silent:
        until_closed(connection)
    assert max_.sft("ls").returncode == 0  # and after all that, the log is written
    assert peak_bytes(server) - before < 32 * MIB

    assert server.stop() == 0
    why = reasons(server)
    assert 0 < len(why) < 50, "a few lines a minute"
    assert all(why)
    log = server.log.read_text()
    assert len(why) + left_out(log) == 200 + 3 + 100 + 1 + 1
    assert "Traceback" not in log
    assert "fault" not in log


@pytest.mark.long
def test_a_flood_of_connections_crowds_itself_out(
    server: ServerProcess, joined: Callable[..., Person], connect: Connect
) -> None:
    max_ = joined("max")
    before = peak_bytes(server)
    first = hello(server)
    flood = [connect(first) for _ in range(UNAUTHENTICATED + 50)]
    assert max_.sft("whoami").returncode == 0
    # The oldest went for the newest, and only as many as had to.
    for connection in flood[:40]:
        until_closed(connection)
    assert peak_bytes(server) - before < 64 * MIB
    for connection in flood:
        connection.close()
    assert server.stop() == 0
    log = server.log.read_text()
    assert log.count("] crowded-out source=local") == LIMITED_LINES_PER_CAUSE
    assert left_out(log) > 0
    assert "Traceback" not in log
