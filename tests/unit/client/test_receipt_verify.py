"""A receipt and a file, without the server: under keys that were pinned for it, and for this content."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.client.profiles import Profiles
from sft.client.receipt_verify import verify_receipt
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import ServerKey
from sft.crypto.notes import Receipt, sign_receipts
from sft.errors import LocalFileError, NotShownError

FIRST = ServerKey.from_seed(bytes(range(32)))
SECOND = ServerKey.from_seed(bytes(range(1, 33)))
SERVER_ID = FIRST.public.server_id()


@pytest.fixture
def joined(state, profile):
    kept = replace(profile, server_id=SERVER_ID, server_key=SECOND.public.point, earlier_keys=(FIRST.public.point,))
    Profiles(state).add(kept)
    return state


def receipt(version=3, content=b"content", **changes):
    fields = {
        "server_id": SERVER_ID,
        "file_id": bytes(16),
        "version": version,
        "size": len(content),
        "digest": blake2b_512(content).digest(),
        "user": 7,
        "name": "finance/contract.pdf",
        "stored_at": 1_777_816_800,
        "leaf": 18_190 + version,
    }
    return Receipt(**(fields | changes))


def written(tmp_path, *lines, key=SECOND):
    file, note = tmp_path / "contract.pdf", tmp_path / "receipt"
    file.write_bytes(b"content")
    note.write_text(sign_receipts(key, lines or [receipt()]))
    return file, note


@pytest.mark.parametrize("key", [FIRST, SECOND], ids=["a key that was followed", "the pinned key"])
def test_what_a_server_acknowledged(joined, tmp_path, key):
    verdict = verify_receipt(joined, *written(tmp_path, key=key))
    assert (verdict.server, verdict.receipt) == ("acme-files", receipt())
    assert any("as finance/contract.pdf, version 3, on 2026-05-03" in sentence for sentence in verdict.holds)
    assert any("in its log at 18,193" in sentence for sentence in verdict.holds)
    assert any("author" in sentence for sentence in verdict.not_asked)
    assert any("a leaked one" in sentence for sentence in verdict.not_asked) == (key is FIRST)


def test_the_newest_line_for_the_content_counts(joined, tmp_path):
    lines = [receipt(2), receipt(4), receipt(5, b"another"), receipt(3)]
    assert verify_receipt(joined, *written(tmp_path, *lines)).receipt.version == 4


@pytest.mark.parametrize(
    ("problem", "line", "key"),
    [
        ("for another content", receipt(content=b"Content"), SECOND),
        ("for another content", receipt(size=8), SECOND),
        ("not signed by the server", receipt(), ServerKey.from_seed(bytes(32))),
        ("has not joined", receipt(server_id=bytes(32)), SECOND),
    ],
)
def test_what_a_receipt_does_not_show(joined, tmp_path, problem, line, key):
    with pytest.raises(NotShownError, match=problem):
        verify_receipt(joined, *written(tmp_path, line, key=key))


def test_a_key_that_a_person_replaced_counts_no_more(joined, tmp_path):
    from sft.model.links import ServerLink

    profile = Profiles(joined).all()[0]
    link = ServerLink(profile.host, profile.port, bytes(FIRST.public.point), profile.server_name, server_id=SERVER_ID)
    Profiles(joined).accept_link(profile.name, link.text(), now=1)
    with pytest.raises(NotShownError):
        verify_receipt(joined, *written(tmp_path))


@pytest.mark.parametrize("text", [b"sft receipt 1\n", b"\xff", b""])
def test_what_is_no_receipt(joined, tmp_path, text):
    file, note = written(tmp_path)
    note.write_bytes(text)
    with pytest.raises((NotShownError, LocalFileError)):
        verify_receipt(joined, file, note)
