"""Keys that live, over a real server: two devices of one person, one that follows another, one that was lost or stolen."""

from __future__ import annotations

import dataclasses

import pytest

from sft.crypto.keys import SigningKey
from sft.model.records import KeyEnd
from sft.wire import messages as m
from tests.integration.server_fixture import Raw, RawUpload, ServerFixture, content, on_reactor, until

LARGE = content(300_000)


async def second_device(server: ServerFixture, name: str) -> tuple[Raw, SigningKey]:
    """Add a key to somebody's, and log in with it."""
    key = SigningKey.generate()
    added = await (await server.raw(name)).ask(m.AddKey, public_key=key.public.encode(), device="phone")
    assert isinstance(added, m.UserShown), added
    return await log_in(server, name, key), key


async def log_in(server: ServerFixture, name: str, key: SigningKey) -> Raw:
    first = server.people[name]
    server.people[name] = dataclasses.replace(first, key=key)
    try:
        return await server.raw(name)
    finally:
        server.people[name] = first


@on_reactor
async def test_two_devices_of_one_person_work_side_by_side(server: ServerFixture):
    phone, key = await second_device(server, "max")
    laptop = await server.raw("max")
    by_phone = dataclasses.replace(server.people["max"], key=key)
    stored = await phone.put("a", by_phone.sign("a", b"by phone"), b"by phone")
    assert isinstance(stored, m.FileStored)
    shown = await laptop.ask(m.ShowFile, path="a")
    assert (shown.file.version.author, shown.file.version.public_key) == ("max", key.public.encode())
    assert [each.device for each in (await laptop.ask(m.ShowSelf)).user.keys] == ["laptop", "phone"]


@on_reactor
@pytest.mark.every_run
async def test_a_revoked_key_is_out_at_once_and_the_other_goes_on(server: ServerFixture):
    phone, key = await second_device(server, "max")
    laptop = await server.raw("max")
    by_phone = dataclasses.replace(server.people["max"], key=key)
    upload = RawUpload(phone, by_phone, "large", LARGE).begin()
    await upload.admitted()
    revoked = await laptop.ask(m.RevokeKey, public_key=key.public.encode(), reason=KeyEnd.RETIRED)
    assert isinstance(revoked, m.UserShown)
    await until(lambda: phone.gone)
    assert (await upload.answer()).code == "RIGHTS_CHANGED"
    assert [(each.kind, each.values["why"]) for each in phone.notices] == [("ended", "key")]
    assert not isinstance(await laptop.ask(m.ShowSelf), m.Refusal)
    assert (await laptop.ask(m.ShowFile, path="large")).code == "NOT_FOUND"
    assert (await log_in(server, "max", key)).welcome is None


@on_reactor
async def test_who_rotates_hears_that_it_was_done_and_comes_back_with_the_new_key(server: ServerFixture):
    raw, key = await server.raw("max"), SigningKey.generate()
    old = server.people["max"].key
    answer = await raw.ask(m.RotateKey, public_key=key.public.encode(), device="laptop")
    assert isinstance(answer, m.UserShown)
    await until(lambda: raw.gone)
    assert (await log_in(server, "max", old)).welcome is None
    again = await log_in(server, "max", key)
    keys = (await again.ask(m.ShowSelf)).user.keys
    assert [(each.end_reason, bool(each.endorsement)) for each in keys] == [(KeyEnd.RETIRED, False), (None, True)]


@on_reactor
async def test_a_reset_key_ends_every_session_and_others_see_that_nobody_vouched(server: ServerFixture):
    phone, _ = await second_device(server, "max")
    laptop, ada, key = await server.raw("max"), await server.raw("ada"), SigningKey.generate()
    reset = {
        "name": "max",
        "public_key": key.public.encode(),
        "device": "new",
        "reason": KeyEnd.COMPROMISED,
        "cut_off": 1,
    }
    answer = await ada.ask(m.ResetKey, **reset)
    assert isinstance(answer, m.UserShown), answer
    await until(lambda: phone.gone and laptop.gone)
    assert [each.values["by"] for raw in (phone, laptop) for each in raw.notices] == ["ada", "ada"]
    *ended, new = (await ada.ask(m.ShowUser, user_id=0, name="max")).user.keys
    assert {each.end_reason for each in ended} == {KeyEnd.COMPROMISED}
    assert [each.cut_off_leaf for each in ended] == [each.start_leaf for each in ended]
    assert (new.endorsement, new.public_key) == (b"", key.public.encode())
    assert (await log_in(server, "max", key)).welcome is not None
