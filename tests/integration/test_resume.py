"""Uploads that were cut off, and go on."""

from __future__ import annotations

from sft.crypto.digests import blake2b_512
from sft.limits import CHUNK_BYTES
from sft.wire import messages as m
from tests.integration.server_fixture import RawUpload, ServerFixture, content, on_reactor

LARGE = content(1_200_000)


@on_reactor
async def test_an_upload_that_nobody_keeps_is_begun_anew(server: ServerFixture):
    raw = await server.raw("max")
    assert (await raw.ask(m.FindUpload, upload_id=bytes(16))).code == "UPLOAD_GONE"
    upload = RawUpload(raw, server.people["max"], "big", LARGE)
    point = m.ResumePoint(2, blake2b_512(LARGE[: 2 * CHUNK_BYTES]).digest())
    refusal = await upload.begin(resume=point).answer()
    assert (refusal.code, refusal.values["path"]) == ("RESUME_REFUSED", "big")
    upload.cancel()
    assert isinstance(await RawUpload(raw, server.people["max"], "big", LARGE).begin().whole(), m.FileStored)
