from __future__ import annotations

import pytest

from sft.crypto.keys import ServerKey
from sft.crypto.succession import sign_succession
from sft.errors import LogDamagedError, SignatureInvalidError
from sft.ledger.checkpoints import open_checkpoint
from sft.service.log.heads import HeadSigner, log_host, read_kept_head

OLD, NEW, OTHER = (ServerKey.from_seed(bytes([number]) * 32) for number in (1, 2, 3))
SERVER_ID = OLD.public.server_id()
ROOT = b"r" * 32


def test_a_name_of_any_script_can_begin_an_origin() -> None:
    for name in ("acme", "acme files", "Bücher+Co", "事務所", "a:b@c"):
        origin = HeadSigner(log_host(name), SERVER_ID, OLD).origin(1)
        assert origin.text().endswith(f"/sft/{SERVER_ID.hex()[:8]}/1")
    assert log_host("acme.example") == "acme.example"
    assert log_host("事務所") != log_host("事務")


def test_a_head_is_signed_by_the_key_in_use_and_by_those_that_sessions_were_shown() -> None:
    signer = HeadSigner("acme", SERVER_ID, OLD)
    before = signer.sign(7, ROOT, 1)
    signer.follow(NEW)
    signer.follow(NEW)
    note = signer.sign(8, ROOT, 1)
    origin = signer.origin(1)
    assert note.count("\n— ") == 2
    for key in (OLD, NEW):
        assert open_checkpoint(note, origin, key.public).size == 8
    assert open_checkpoint(before, origin, OLD.public).size == 7
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(note, origin, OTHER.public)
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(before, origin, NEW.public)


def test_the_kept_head_may_be_of_a_key_that_the_servers_one_followed() -> None:
    signer = HeadSigner("acme", SERVER_ID, OLD)
    elsewhere = HeadSigner("acme", bytes(32), OLD)
    note = signer.sign(7, ROOT, 1)
    followed = sign_succession(OLD, SERVER_ID, NEW.public, made_at=5)
    assert read_kept_head(note, signer, OLD.public, ()).size == 7
    assert read_kept_head(note, signer, NEW.public, (followed,)).size == 7
    assert read_kept_head(signer.sign(7, ROOT, 3), signer, OLD.public, ()).origin == signer.origin(3)
    for refused in (
        lambda: read_kept_head(note, signer, NEW.public, ()),
        lambda: read_kept_head(note, signer, OTHER.public, (followed.replace("made-at 5", "made-at 6"),)),
        lambda: read_kept_head(note, elsewhere, OLD.public, ()),
        lambda: read_kept_head(None, signer, OLD.public, ()),
        lambda: read_kept_head("", signer, OLD.public, ()),
    ):
        with pytest.raises((LogDamagedError, SignatureInvalidError)):
            refused()
