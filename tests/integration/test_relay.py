"""Somebody on the wire: what they see, and what becomes of what they touch."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from urllib.parse import quote

import pytest

from sft.client.api.files import list_folder
from sft.client.profiles import Profiles
from sft.client.session import Session
from sft.client.transfers.batch import get_all, put_all
from sft.client.transfers.plan import GetItem, PutItem
from sft.client.transfers.progress import TransferStage
from sft.crypto.keys import ServerKey
from sft.errors import ServerKeyChangedError, SftError
from sft.wire.framing import HEADER_BYTES
from tests.integration.relay import DOWN, UP, Relay, drop, flip, repeat, swap
from tests.integration.server_fixture import ServerFixture, content, on_reactor, until

NAME = "Quartalsbericht-Zürich.xlsx"
CANARY = b"the canary sings in the content of this file, again and again. "


async def _relay(server: ServerFixture) -> Relay:
    from twisted.internet import reactor

    return await Relay(reactor, server.port).start()


async def _put(session: Session, source: Path, path: str) -> None:
    (result,) = await put_all(session, [PutItem(source, path, source.stat().st_size)])
    if result.error is not None:
        raise result.error


async def _get(session: Session, path: str, to: Path) -> bytes:
    (result,) = await get_all(session, [GetItem(path, (path,), 0)], to=to)
    if result.error is not None:
        raise result.error
    assert result.stage is TransferStage.VERIFIED
    return result.local.read_bytes()


def _encodings(canary: bytes) -> list[bytes]:
    """Spell a canary in every way in which it might lie on a wire."""
    text = canary.decode()
    spelled = [canary, canary[::-1], canary.hex().encode(), canary.hex().upper().encode()]
    spelled += [quote(text).encode(), text.encode("utf-16-le"), text.encode("utf-16-be")]
    # In base64 what does not begin at a third byte looks otherwise: three alignments, without their edges.
    spelled += [base64.b64encode(b"\0" * pad + canary)[4:-4] for pad in range(3)]
    return spelled


@on_reactor
@pytest.mark.every_run
async def test_who_records_the_wire_sees_no_content_no_name_and_no_user(server: ServerFixture, tmp_path: Path):
    relay = await _relay(server)
    session = await server.session("max", port=relay.port)
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(CANARY)
    large.write_bytes(CANARY * 5000)
    await _put(session, small, NAME)
    await _put(session, large, f"big-{NAME}")
    assert await _get(session, NAME, tmp_path / "out") == CANARY
    assert await _get(session, f"big-{NAME}", tmp_path / "out") == CANARY * 5000
    await list_folder(session, "")
    await session.close()
    await relay.stop()
    person = server.people["max"]
    seen = bytes(relay.seen[UP]) + bytes(relay.seen[DOWN])
    assert len(seen) > 4 * len(CANARY) * 1000
    canaries = [CANARY[:16], NAME[:13].encode(), "Zürich".encode(), b"laptop of max", b"maintainer"]
    for canary in canaries:
        for spelled in _encodings(canary):
            assert len(spelled) > 3
            assert spelled not in seen, canary
    key = person.key.public
    for secret in (key.point, key.key_id, key.encode(), person.server_id, server.server_key.point):
        for spelled in (secret, secret.hex().encode(), base64.b64encode(secret)):
            assert spelled not in seen
    # Only the first hello and its answer are not sealed, and they have no place for a name.
    assert b"max" not in relay.seen[UP][:1300]


@on_reactor
@pytest.mark.every_run
async def test_a_server_with_another_key_is_refused_before_anything_identifying_was_sent(server: ServerFixture):
    relay = await _relay(server)
    profiles = Profiles(server.state_of("max"))
    profiles.update(profiles.choose().name, server_key=ServerKey.generate().public.point)
    with pytest.raises(ServerKeyChangedError):
        await server.session("max", port=relay.port)
    await until(lambda: server.here.admission.waiting == 0)
    await relay.stop()
    sent = bytes(relay.seen[UP])
    first = HEADER_BYTES + int.from_bytes(sent[:HEADER_BYTES], "big")
    assert len(sent) == first, "one frame was sent: the hello of ephemeral keys"
    assert relay.connections == 1, "never tried again"
    key = server.people["max"].key.public
    for identifying in (key.point, key.key_id, b"max", b"laptop"):
        assert identifying not in sent


# How many bytes go each way in each phase, at least, whatever the times: places of damage lie below.
PHASES = {
    ("login", UP): 1390,
    ("login", DOWN): 1400,
    ("put", UP): 300_000,
    ("put", DOWN): 500,
    ("get", UP): 30,
    ("get", DOWN): 300_000,
}
DAMAGES = {"changed": flip, "dropped": drop, "repeated": repeat, "swapped": swap, "cut": None}
PLACES = 3


def _at_once() -> float:
    return -0.5  # what makes a wait before another try none


@pytest.mark.parametrize("damage", DAMAGES)
@on_reactor
async def test_touched_bytes_are_an_error_and_nothing_partial_stays(server: ServerFixture, tmp_path: Path, damage: str):
    source, out = tmp_path / "source", tmp_path / "out"
    out.mkdir()
    source.write_bytes(content(300_000))
    honest = await server.session("max")
    await _put(honest, source, "there")
    relay = await _relay(server)
    numbers = random.Random(f"relay {damage}")
    acknowledged = {"there"}
    for (phase, way), length in PHASES.items():
        for place in [numbers.randrange(length) for _ in range(PLACES)]:
            case = f"{phase}, {way}, {place}"
            path = f"{phase}-{place}-{way[:6]}"
            if phase == "login":
                relay.arm_each(way, DAMAGES[damage], place)
            with pytest.raises(SftError):
                session = await server.session("max", port=relay.port, random=_at_once)
                if phase != "login":
                    relay.arm(way, DAMAGES[damage], place)
                    if phase == "put":
                        await _put(session, source, path)
                    else:
                        await _get(session, "there", out)
                pytest.fail(f"nobody noticed: {case}")
            assert relay.disarm(), f"never came so far: {case}"
            assert list(out.iterdir()) == [], case
            if phase == "put" and way is DOWN:
                acknowledged.add(path)  # perhaps stored whole, and its answer lost
    await until(lambda: len(server.here.sessions.all()) == 1, "the broken sessions are over")
    listed = {file.path for file in (await list_folder(honest, "")).files}
    assert listed <= acknowledged
    for path in sorted(listed):
        assert await _get(honest, path, tmp_path / "honest") == source.read_bytes()
    await relay.stop()
    await server.clean()
