"""Fifty people at once, each with files of their own."""

from __future__ import annotations

import hashlib
import random
import resource
from pathlib import Path

import pytest

from sft.crypto.keys import SigningKey
from sft.model.access import Role
from sft.wire import messages as m
from sft.wire.login import Claim
from tests.integration.server_fixture import Person, ServerFixture, content, in_parallel, on_reactor

SESSIONS = 50
SIZES = [0, 1, 3_000, 16_000, 61_440, 61_441, 65_536, 200_000, 524_288, 1_500_000]


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.long
@on_reactor
async def test_fifty_sessions_at_once_store_and_get_different_files_in_bounded_memory(server: ServerFixture):
    operator = await server.operator()
    server_id = server.people["ada"].server_id
    for number in range(SESSIONS):
        name, key = f"user{number}", SigningKey.generate()
        added = await operator.ask(
            m.AddUser, name=name, role=Role.MAINTAINER, public_key=key.public.encode(), device="d"
        )
        server.people[name] = Person(name, added.user.id, key, server_id)
    numbers = random.Random(50)
    plan = {
        f"user{n}": [(f"dir{n % 7}/file-{n}-{k}", numbers.choice(SIZES)) for k in range(3)] for n in range(SESSIONS)
    }
    before = _resident_bytes()
    most = before
    digests: dict[str, bytes] = {}

    async def store(name: str) -> None:
        nonlocal most
        person = server.people[name]
        raw = await server.dial(Claim.login(name, person.key.public), person.key)
        for seed, (path, size) in enumerate(plan[name]):
            data = content(size, hash_of(path) + seed)
            digests[path] = hashlib.sha256(data).digest()
            answer = await server.put(name, path, data, raw)
            assert isinstance(answer, m.FileStored), answer
            most = max(most, _resident_bytes())

    async def fetch(name: str) -> None:
        nonlocal most
        person = server.people[name]
        raw = await server.dial(Claim.login(name, person.key.public), person.key)
        other = f"user{(int(name[4:]) + 17) % SESSIONS}"
        for path, _ in plan[other]:
            data = await server.get(raw, path)
            assert hashlib.sha256(data).digest() == digests[path]
            raw.data.clear()
            most = max(most, _resident_bytes())
        raw.abort()

    await in_parallel([store(name) for name in plan])
    assert len(server.here.sessions.all()) == SESSIONS + 1
    await in_parallel([fetch(name) for name in plan])
    assert most - before < 250_000_000
    report = await server.check()
    assert report.faults == ()
    assert report.files == SESSIONS * 3


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
