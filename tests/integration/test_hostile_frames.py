"""Connections that say nothing, rubbish, or the right thing wrongly, to a real listener; honest logins go on meanwhile."""

from __future__ import annotations

import random

import pytest
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from sft.crypto.keys import InvitationKey, ServerKey, SigningKey
from sft.limits import EARLY_FRAME_BYTES
from sft.model.access import Role
from sft.wire import messages as m
from sft.wire.connection import Connection
from sft.wire.events import LoginRefused, Welcomed
from sft.wire.framing import frame
from sft.wire.login import Claim
from sft.wire.states import FrameType
from tests.fakes.signed_acts import signed_request
from tests.integration.server_fixture import ServerFixture, on_reactor, until
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, tag_of


class Stranger(Protocol):
    def __init__(self) -> None:
        self.heard = b""
        self.over = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason=None) -> None:
        self.over = True


async def _stranger(server: ServerFixture) -> Stranger:
    from twisted.internet import reactor

    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", server.port)
    return await connectProtocol(endpoint, Stranger())


def _hello(server: ServerFixture) -> bytes:
    person = server.people["max"]
    claim = Claim.login("max", person.key.public)
    return Connection.client(server.server_key, claim, person.key).data_to_send()


@on_reactor
@pytest.mark.every_run
async def test_strangers_of_every_kind_are_cut_with_a_reason_and_honest_logins_go_on(server: ServerFixture):
    numbers = random.Random(1)
    hello = _hello(server)
    said = {
        "rubbish": numbers.randbytes(200),
        "too long": (EARLY_FRAME_BYTES + 1).to_bytes(4, "big"),
        "http": b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
        "another magic": hello.replace(b"SFT1", b"SFT9"),
        "a hello twice": hello + hello,
        "a low-order key": hello[:43] + bytes(32) + hello[75:],
        "empty frames": frame(b"") * 3,
    }
    silent = [await _stranger(server) for _ in range(100)]
    half = [await _stranger(server) for _ in range(20)]
    for stranger in half:
        stranger.transport.write(hello[:600])
    for what, data in said.items():
        stranger = await _stranger(server)
        stranger.transport.write(data)
        await until(lambda: stranger.over, what)  # noqa: B023 - called at once
        assert b"max" not in stranger.heard
    assert isinstance(await (await server.raw("gus")).ask(m.ShowSelf), m.SelfShown)
    reasons = [line for line in server.lines if line.startswith("no-login")]
    assert len(reasons) == len(said)
    assert all("why=" in line for line in reasons)
    assert server.here.admission.waiting == 120
    for stranger in silent + half:
        stranger.transport.loseConnection()
    await until(lambda: server.here.admission.waiting == 0)


@on_reactor
async def test_rubbish_after_the_login_ends_that_session_alone(server: ServerFixture):
    numbers = random.Random(2)
    good = await server.raw("ada")
    for number in range(150):
        raw = await server.raw("max") if number % 10 == 0 or raw.gone else raw  # noqa: F821
        kind = numbers.choice([0x10, 0x11, 0x12, 0x20, 0x21, 0x01, 0x03, 0x04, 0x05, 0x99])
        plaintext = bytes([kind]) + numbers.randbytes(numbers.randrange(64))
        line = raw.connection._records
        raw.link.outbox.write(frame(line._sealer._key.seal(plaintext)))
        await until(lambda: raw.gone)  # noqa: B023 - called at once
    assert isinstance(await good.ask(m.ShowSelf), m.SelfShown)
    assert not any("fault" in line for line in server.lines)


@on_reactor
async def test_fuzzed_messages_of_every_kind_never_cause_a_fault(server: ServerFixture):
    numbers = random.Random(3)
    raw, next_id = await server.raw("max"), 1
    tags = [tag_of(kind) for kind in CLIENT_MESSAGES] + [0, 99, 128]
    for _ in range(400):
        if raw.gone:
            raw, next_id = await server.raw("max"), 1
        body = _fuzzed(numbers, numbers.choice(tags), next_id)
        next_id += 1
        raw.link.outbox.write(raw.connection._records.seal(FrameType.MESSAGE, bytes([FrameType.MESSAGE]) + body))
        if numbers.random() < 0.3:
            await until(lambda: raw.gone or raw.inbox)  # noqa: B023 - called at once
    assert isinstance(await (await server.raw("gus")).ask(m.ShowSelf), m.SelfShown)
    assert not any("fault" in line for line in server.lines)


def _fuzzed(numbers: random.Random, tag: int, request_id: int) -> bytes:
    import msgspec

    values = [
        "", "a", "docs/../x", "\0", "\u202eevil", "x" * 300, 0, 1, -1, 2**40, 2**63, None, True,
        b"", bytes(16), bytes(64), bytes(42), "admin", "guest", [], {}, 1.5,
    ]  # fmt: skip
    fields = [numbers.choice(values) for _ in range(numbers.randrange(7))]
    return msgspec.msgpack.encode([tag, request_id, *fields])


@on_reactor
@pytest.mark.every_run
async def test_names_cannot_be_probed_without_a_proof(server: ServerFixture):
    stranger = SigningKey.generate()
    answers = []
    for name in ("ada", "nobody"):
        raw = await server.dial(Claim.login(name, stranger.public), stranger)
        (refused,) = [event for event in raw.inbox if isinstance(event, LoginRefused)]
        answers.append((refused.code, refused.values))
    assert answers[0] == answers[1]


@on_reactor
async def test_an_invitation_that_nobody_made_says_so_and_nothing_of_names(server: ServerFixture):
    key, invitation = SigningKey.generate(), InvitationKey.generate()
    for name in ("ada", "nobody"):
        raw = await server.dial(Claim.join(name, key.public, "d", invitation), key, invitation)
        (refused,) = [event for event in raw.inbox if isinstance(event, LoginRefused)]
        assert refused.code == "INVITE_UNKNOWN"
    raw = await server.dial(Claim("join", "nobody", key.public.encode(), "d", None), key)
    (refused,) = [event for event in raw.inbox if isinstance(event, LoginRefused)]
    assert refused.code == "REGISTRATION_CLOSED"


@on_reactor
async def test_two_connections_never_share_keys(server: ServerFixture):
    first, second = await server.raw("max"), await server.raw("max")
    taken = first.connection.send(m.ShowSelf(1))
    second.link.outbox.write(taken)
    await second.until_gone()
    assert not second.answers(1)


@on_reactor
@pytest.mark.every_run
async def test_frames_of_a_session_cannot_be_played_again(server: ServerFixture):
    raw = await server.raw("max")
    sealed = raw.connection.send(signed_request(m.MakeFolder(1, "once"), raw.key, raw.welcome))
    raw.link.outbox.write(sealed)
    await raw.answer(1)
    raw.link.outbox.write(sealed)
    await raw.until_gone()
    assert any("does not open" in line for line in server.lines)


@on_reactor
async def test_the_servers_own_key_and_a_known_key_join_nobody(server: ServerFixture):
    ada = await server.raw("ada")
    for key, code in ((server.people["mia"].key.public.encode(), "KEY_TAKEN"),):
        answer = await ada.ask(m.AddUser, name="new", role=Role.GUEST, public_key=key, device="d")
        assert answer.code == code
    own = b"Ed" + bytes(8) + server.server_key.point
    answer = await ada.ask(m.AddUser, name="new", role=Role.GUEST, public_key=own, device="d")
    assert answer.code == "KEY_TAKEN"
    assert ServerKey.generate().public.point != server.server_key.point
    assert (await server.raw("mia")).inbox_has(Welcomed)
