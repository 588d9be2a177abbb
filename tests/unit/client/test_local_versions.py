"""Which version of a file lies here: by digests and receipts that were kept, never by reading."""

from __future__ import annotations

import os

import pytest

from sft.client import local_versions
from sft.client.local_versions import AskedVersion, LocalVersions
from sft.client.receipts import ReceiptNote, keep_receipts
from sft.client.state import StateFolder
from sft.client.transfers import local_file
from sft.client.transfers.digest_cache import DigestCache
from sft.client.transfers.local_file import seen_as
from sft.crypto.digests import blake2b_512
from tests.unit.client.test_receipts import SENT, SERVER, stored

LATER = 2**33  # long after any file of a test
OLD, NEW = (blake2b_512(content).digest() for content in (b"content", b"newest!"))


@pytest.fixture
def state(tmp_path):
    return StateFolder(tmp_path / "state", tmp_path / "state")


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    return path


def asked(path, digest: bytes, version: int = SENT.version) -> AskedVersion:
    return AskedVersion(str(path), SENT.file_id, version, digest[:32])


def read(state, path) -> None:
    """Have a file read as a transfer reads it."""
    cache = DigestCache(state, lambda: LATER)
    cache.read(seen_as(str(path), "", path.lstat()))
    cache.save()


def find(state, *asked_of):
    return LocalVersions(state, lambda: LATER).find(SENT.server_id, asked_of)


def test_what_was_never_read_is_not_known_and_is_not_read_now(state, local, monkeypatch):
    monkeypatch.setattr(local_file, "read_digest", None)
    monkeypatch.setattr(os, "open", _refuse(os.open, local))
    (found,) = find(state, asked(local, OLD))
    assert (found.size, found.is_newest, found.older) == (7, None, 0)
    assert (found.modified_at, found.changed_ns) == (int(local.stat().st_mtime), local.stat().st_ctime_ns)


def _refuse(opens, refused):
    def opened(path, *args, **kwargs):
        assert str(path) != str(refused), "it was opened"
        return opens(path, *args, **kwargs)

    return opened


def test_what_was_read_is_the_newest_or_is_not(state, local):
    read(state, local)
    same, other = find(state, asked(local, OLD), asked(local, NEW))
    assert (same.is_newest, same.older) == (True, 0)
    assert (other.is_newest, other.older) == (False, 0)


def test_an_earlier_version_that_was_stored_from_here_is_known_by_its_receipt(state, local):
    keep_receipts(state, ReceiptNote(SERVER.public, stored().receipt), [SENT])
    read(state, local)
    for version, older in ((3, SENT.version), (SENT.version + local_versions._LOOKED_BACK, SENT.version), (99, 0)):
        (found,) = find(state, asked(local, NEW, version))
        assert (found.is_newest, found.older) == (False, older)
    (here,) = state.path("receipts").glob("*/*")
    here.write_bytes(b"\xff damaged")
    assert find(state, asked(local, NEW, 3))[0].older == 0


def test_what_a_transfer_reads_meanwhile_is_known_at_once(state, local):
    versions = LocalVersions(state, lambda: LATER)
    assert versions.find(SENT.server_id, [asked(local, OLD)])[0].is_newest is None
    read(state, local)
    assert versions.find(SENT.server_id, [asked(local, OLD)])[0].is_newest is True
    local.write_bytes(b"changed")
    assert versions.find(SENT.server_id, [asked(local, OLD)])[0].is_newest is None


def test_what_is_no_file_has_no_version(state, tmp_path, local):
    (tmp_path / "link").symlink_to(local)
    (tmp_path / "folder").mkdir()
    assert find(state, *(asked(tmp_path / name, OLD) for name in ("link", "folder", "gone"))) == [None] * 3
