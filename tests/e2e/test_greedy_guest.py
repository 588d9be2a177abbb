"""One guest takes all that a guest can get, on a server that may open few files: nobody else is kept out."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.crypto import key_file
from sft.crypto.keys import SigningKey
from sft.limits import SESSIONS_PER_PERSON
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import LoginRefused, Welcomed
from sft.wire.handshake import Claim
from tests.processes import Person, ServerProcess

CONNECTIONS = 66
DESCRIPTORS = 256


def identity(person: Person) -> tuple[Profile, SigningKey]:
    folder = person.folder / "state"
    profile = Profiles(StateFolder(folder, folder)).choose()
    return profile, key_file.decode((folder / profile.key_file).read_text(), lambda: "")


def logged_in(line: socket.socket, profile: Profile, key: SigningKey) -> Connection | None:
    """Log in by hand; None where the server says no."""
    wire = Connection.client(profile.server, Claim.login(profile.user_name, key.public, "x"), key)
    while True:
        line.sendall(wire.data_to_send())
        said = line.recv(65_536)
        assert said, "the server closed without a word"
        for event in wire.receive(said):
            if isinstance(event, Welcomed):
                return wire
            if isinstance(event, LoginRefused):
                assert event.code == "TOO_MANY_SESSIONS"
                return None


@pytest.mark.long
def test_a_guest_who_takes_everything_keeps_neither_an_admin_nor_the_operator_out(
    new_server: Callable[..., ServerProcess], new_person: Callable[[str], Person]
) -> None:
    server = new_server(descriptors=DESCRIPTORS)
    server.start()
    ada, gus = new_person("ada"), new_person("gus")
    ada.join(server, "admin")
    gus.join(server, "guest")
    (ada.folder / "large.bin").write_bytes(bytes(5_000_000))
    assert ada.sft("put", "large.bin").returncode == 0
    profile, key = identity(gus)
    with contextlib.ExitStack() as opened:
        lines, wires = [], []
        for _ in range(CONNECTIONS):
            line = socket.socket()
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.settimeout(30)
            line.connect(("127.0.0.1", server.port))
            lines.append(opened.enter_context(line))
            wires.append(logged_in(line, profile, key))
        assert sum(wire is not None for wire in wires) == SESSIONS_PER_PERSON
        for line, wire in zip(lines, wires, strict=True):
            if wire is not None:
                asked = [wire.send(m.GetFile(wire.next_request_id, "large.bin", 0, 8)) for _ in range(64)]
                asked += [wire.send(m.ListUsers(wire.next_request_id, 0)) for _ in range(60)]
                line.sendall(b"".join(asked))
        assert ada.sft_json("whoami")["user"] == "ada"
        listed = server.operate("session", "list")
        assert listed.returncode == 0, listed.stderr
        assert listed.stdout.count("gus") >= SESSIONS_PER_PERSON
        held = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        assert held < DESCRIPTORS // 2
    assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log, log[log.find("Traceback") - 500 :]
