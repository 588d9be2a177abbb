from __future__ import annotations

import pytest

from sft.client.local_verify import verify_offline
from sft.client.pins import Pins
from sft.client.profiles import Profiles
from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.signatures import FileSignature, sign_file
from sft.crypto.signed_note import server_note_key
from sft.errors import (
    NotShownError,
    SignatureBadError,
    SignatureInvalidError,
    SignatureMissingError,
    SignerNotPinnedError,
)
from tests.unit.client.memory_server import ADA_KEY, MALLORY_KEY, SERVER, user
from tests.unit.ledger import proved_file


def signed(tmp_path, content=b"content", key=ADA_KEY, **fields):
    path = tmp_path / "contract.pdf"
    path.write_bytes(content)
    values = {
        "server_id": SERVER.server_id,
        "file_id": bytes(16),
        "version": 3,
        "size": len(content),
        "digest": blake2b_512(content).digest(),
        "mtime": 0,
        "name": "finance/contract.pdf",
        "user": 7,
        "prev": bytes(64),
        "ts": 0,
    }
    comment = FileComment(**{**values, **fields})
    signature = sign_file(key, comment).encode()
    path.with_name("contract.pdf.minisig").write_bytes(signature)
    return path


@pytest.fixture
def knowing(state, profile):
    Profiles(state).add(profile)
    Pins(state, profile.server_id).learn([user(7, "ada", ADA_KEY)], now=1000)
    return state


def test_a_file_of_a_pinned_person_holds_and_says_what_was_not_asked(knowing, tmp_path):
    verdict = verify_offline(knowing, signed(tmp_path))
    assert (verdict.state, verdict.signer, verdict.server) == ("verified", "ada", "acme-files")
    assert (verdict.key, verdict.size) == (ADA_KEY.public, 7)
    assert any("finance/contract.pdf, version 3, for acme-files" in s for s in verdict.holds)
    assert any("stolen" in s for s in verdict.not_asked)


def test_a_given_key_is_enough_and_whose_it_is_stays_open(state, tmp_path):
    verdict = verify_offline(state, signed(tmp_path), key=ADA_KEY.public)
    assert (verdict.signer, verdict.server) == (None, None)
    assert any(ADA_KEY.public.text() in sentence for sentence in verdict.holds)
    assert verdict.not_asked[0] == "Whose key that is."


@pytest.mark.parametrize("given", [None, ADA_KEY.public])
def test_other_bytes_do_not_hold(knowing, tmp_path, given):
    path = signed(tmp_path)
    path.write_bytes(b"Content")
    with pytest.raises(SignatureBadError):
        verify_offline(knowing, path, key=given)


def test_a_key_that_nobody_here_has_is_said(knowing, tmp_path):
    with pytest.raises(SignerNotPinnedError):
        verify_offline(knowing, signed(tmp_path, key=MALLORY_KEY))


def test_a_copied_key_id_is_no_key(knowing, tmp_path):
    from sft.crypto.keys import SigningKey

    copied = SigningKey.from_seed(bytes(32), ADA_KEY.public.key_id)
    with pytest.raises(SignatureBadError):
        verify_offline(knowing, signed(tmp_path, key=copied))


def test_a_signature_in_the_name_of_another_user_does_not_hold(knowing, tmp_path):
    with pytest.raises(SignatureBadError):
        verify_offline(knowing, signed(tmp_path, user=8))


def test_a_comment_that_names_another_content_does_not_hold(knowing, tmp_path):
    path = signed(tmp_path, digest=bytes(64))
    whole = path.with_name("contract.pdf.minisig")
    named = FileSignature.parse(whole.read_bytes())
    first = ADA_KEY._sign(blake2b_512(b"content").digest())
    closing = ADA_KEY._sign(first + named.comment.encode())
    whole.write_bytes(FileSignature(named.key_id, first, named.comment, closing).encode())
    with pytest.raises(SignatureBadError):
        verify_offline(knowing, path)


def test_a_file_for_another_server_says_that_the_key_was_pinned_elsewhere(knowing, tmp_path):
    verdict = verify_offline(knowing, signed(tmp_path, server_id=bytes(32), user=8))
    assert any("pinned for another" in sentence for sentence in verdict.not_asked)


def test_a_signature_of_another_tool_holds_for_the_content_alone(knowing, tmp_path):
    path = signed(tmp_path)
    sign_foreign(path, "timestamp:1\tfile:x")
    verdict = verify_offline(knowing, path)
    assert verdict.comment is None
    assert verdict.foreign_comment == "timestamp:1\\u{9}file:x"
    assert any("another tool" in sentence for sentence in verdict.not_asked)


def sign_foreign(path, text):
    """Sign as the stock tool does, with a comment of its own."""
    import base64

    signature = ADA_KEY._sign(blake2b_512(path.read_bytes()).digest())
    lines = [
        "untrusted comment: x",
        base64.b64encode(b"ED" + ADA_KEY.public.key_id + signature).decode(),
        f"trusted comment: {text}",
        base64.b64encode(ADA_KEY._sign(signature + text.encode())).decode(),
    ]
    path.with_name(f"{path.name}.minisig").write_text("\n".join(lines) + "\n")


def test_a_missing_signature_is_told_from_a_damaged_one(knowing, tmp_path):
    path = signed(tmp_path)
    other = tmp_path / "other.sig"
    path.with_name("contract.pdf.minisig").rename(other)
    with pytest.raises(SignatureMissingError):
        verify_offline(knowing, path)
    assert verify_offline(knowing, path, signature=other).signer == "ada"
    other.write_bytes(b"rubbish")
    with pytest.raises(SignatureInvalidError):
        verify_offline(knowing, path, signature=other)


def test_progress_is_told_to_the_end(knowing, tmp_path):
    seen = []
    path = signed(tmp_path, bytes(10_000_000))
    verify_offline(knowing, path, progress=lambda done, size: seen.append((done, size)))
    assert seen[-1] == (10_000_000, 10_000_000)
    assert len(seen) > 1


def proved(tmp_path, text=None):
    path = signed(tmp_path, proved_file.CONTENT, **PROVED)
    proof = tmp_path / "contract.pdf.sftproof"
    proof.write_text(proved_file.proof_text() if text is None else text)
    return path, proof


PROVED = {"server_id": proved_file.SERVER_ID, "file_id": bytes(range(16)), "version": 2, "name": "finance/März.pdf"}


def test_a_log_that_tells_of_the_file_needs_nothing_that_this_computer_knows(state, tmp_path):
    path, proof = proved(tmp_path)
    verdict = verify_offline(state, path, key=ADA_KEY.public, proof=proof)
    assert (verdict.logged.index, verdict.logged.origin) == (proved_file.INDEX, proved_file.ORIGIN)
    assert any("logged by files.example.org at 6" in sentence for sentence in verdict.holds)
    assert any("the server's that the signature names" in sentence for sentence in verdict.holds)
    assert verdict.not_asked[0] == "Whose key that is."
    assert any("same log" in sentence for sentence in verdict.not_asked)


def test_the_logs_key_from_elsewhere(state, tmp_path):
    path, proof = proved(tmp_path)
    log = server_note_key(proved_file.SERVER.public, proved_file.ORIGIN.text())
    verdict = verify_offline(state, path, key=ADA_KEY.public, proof=proof, log=log)
    assert not any("the server's that the signature names" in sentence for sentence in verdict.holds)
    other = server_note_key(proved_file.NEXT_SERVER.public, proved_file.ORIGIN.text())
    with pytest.raises(NotShownError):
        verify_offline(state, path, key=ADA_KEY.public, proof=proof, log=other)


def test_a_proof_of_another_version(state, tmp_path):
    path, proof = proved(tmp_path, proved_file.proof_text(proved_file.FACTS | {"version": 3}))
    with pytest.raises(NotShownError, match="something else"):
        verify_offline(state, path, key=ADA_KEY.public, proof=proof)


def test_a_proof_for_a_file_that_another_tool_signed(state, tmp_path):
    path, proof = proved(tmp_path)
    sign_foreign(path, "timestamp:1")
    with pytest.raises(NotShownError) as raised:
        verify_offline(state, path, key=ADA_KEY.public, proof=proof)
    assert "another tool" in raised.value.values["problem"]


def another_digit(line):
    """Change one character that says something: the last one of a line may be padding."""
    at = len(line) // 2
    return line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]


EDITS = {
    "changed": lambda lines, n: [*lines[:n], another_digit(lines[n]) if lines[n] else "A", *lines[n + 1 :]],
    "gone": lambda lines, n: [*lines[:n], *lines[n + 1 :]],
    "twice": lambda lines, n: [*lines[:n], lines[n], *lines[n:]],
    "longer": lambda lines, n: [*lines[:n], lines[n] + "A", *lines[n + 1 :]],
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("number", range(len(proved_file.proof_text().splitlines())))
@pytest.mark.sampled(5)
def test_a_proof_that_was_edited_in_any_line_shows_nothing(state, tmp_path, number, edit):
    lines = proved_file.proof_text().splitlines()
    text = "\n".join(EDITS[edit](lines, number)) + "\n"
    assert text != proved_file.proof_text()
    path, proof = proved(tmp_path, text)
    with pytest.raises(NotShownError) as raised:
        verify_offline(state, path, key=ADA_KEY.public, proof=proof)
    assert raised.value.exit_status == 7
