import os

import pytest

from sft.errors import (
    BadRequestError,
    RoleForbidsError,
    ServerFullError,
    SignatureRefusedError,
)
from sft.limits import CHUNK_BYTES, MIB
from sft.service import trash
from sft.service.files import show_file
from sft.service.uploads import Upload
from sft.vault.backend_memory import MemoryBackend
from sft.vault.vault import Vault
from tests.unit.service.office import (
    GUS,
    KEYRING,
    MAX,
    MIA,
    Office,
    chunks_of,
    digest_of,
    signature_of,
)

FULL = bytes(CHUNK_BYTES)
SIZES = (0, 1, 16_236, 16_237, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES)


def started(office: Office, size: int | None, path: str = "a") -> Upload:
    upload = office.begin(MAX, path, size)
    upload.start()
    return upload


def nothing_is_left(office: Office) -> bool:
    return not (
        list(office.vault.ids())
        or list(office.backend.leftovers())
        or len(office.storage.in_flight)
    )


# -- content ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known_size", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_a_stream_of_any_size_comes_back_whole(
    disk_office: Office, size: int, known_size: bool
) -> None:
    content = os.urandom(size)
    disk_office.commit(disk_office.stream(MAX, "x/a", content, known_size=known_size))
    assert disk_office.get(GUS, "x/a") == content
    assert not len(disk_office.storage.in_flight)


@pytest.mark.parametrize("known_size", [True, False])
@pytest.mark.parametrize(("size", "inline"), [(0, True), (16_236, True), (16_237, False)])
def test_small_contents_touch_no_file(
    office: Office, size: int, known_size: bool, inline: bool
) -> None:
    pending = office.stream(MAX, "a", bytes(size), known_size=known_size)
    assert pending.inline is inline
    office.commit(pending)
    assert len(list(office.vault.ids())) == (0 if inline else 1)
    assert not list(office.backend.leftovers())


def test_a_sidecar_lies_beside_the_object(office: Office) -> None:
    pending = office.stream(MAX, "a/b", bytes(CHUNK_BYTES))
    sidecar = office.vault.read_sidecar(pending.object_id)
    assert sidecar is not None
    assert b"a/b" in sidecar
    assert pending.signed.signature in sidecar


@pytest.mark.parametrize(
    ("chunks", "last"),
    [
        ([], True),
        ([b""], False),
        ([b"x"], False),
        ([FULL, b""], True),
        ([FULL[:-1], FULL], True),
        ([FULL + b"x"], True),
        ([FULL + b"x"], False),
    ],
)
def test_chunks_of_other_lengths_are_refused(
    office: Office, chunks: list[bytes], last: bool
) -> None:
    upload = started(office, None)
    with pytest.raises(BadRequestError):
        upload.seal(chunks, last=last)


def test_an_empty_last_chunk_after_others_is_refused(office: Office) -> None:
    upload = started(office, None)
    upload.seal([FULL], last=False)
    with pytest.raises(BadRequestError):
        upload.seal([b""], last=True)


@pytest.mark.parametrize(
    ("announced", "chunks", "last"),
    [
        (3, [b"four"], True),
        (5, [b"four"], True),
        (CHUNK_BYTES, [FULL, FULL], False),
        (CHUNK_BYTES + 1, [FULL], True),
        (100, [FULL], False),
    ],
)
def test_another_size_than_announced_is_refused(
    office: Office, announced: int, chunks: list[bytes], last: bool
) -> None:
    upload = started(office, announced)
    with pytest.raises(BadRequestError):
        upload.seal(chunks, last=last)


def test_an_empty_batch_changes_nothing(office: Office) -> None:
    upload = started(office, 4)
    assert upload.seal([], last=False) == []
    upload.append([])
    upload.append(upload.seal([b"data"], last=True))
    assert upload.received == 4
    assert upload.finish(digest_of(b"data"), signature_of(MAX, "a", b"data")).inline


def test_a_commit_before_the_last_data_is_refused(office: Office) -> None:
    upload = started(office, None)
    upload.append(upload.seal([FULL], last=False))
    with pytest.raises(BadRequestError):
        upload.finish(digest_of(FULL), signature_of(MAX, "a", FULL))
    assert nothing_is_left(office)


def test_what_is_over_cannot_go_on(office: Office) -> None:
    upload = started(office, None)
    upload.abort()
    upload.abort()
    with pytest.raises(ValueError, match="not open"):
        upload.seal([FULL], last=True)
    with pytest.raises(ValueError, match="over"):
        upload.finish(bytes(64), b"")
    with pytest.raises(ValueError, match="once"):
        upload.start()
    assert nothing_is_left(office)


def test_nothing_is_sealed_before_the_start(office: Office) -> None:
    with pytest.raises(ValueError, match="not open"):
        office.begin(MAX, "a", 4).seal([b"data"], last=True)


@pytest.mark.parametrize("size", [None, 3 * CHUNK_BYTES])
def test_abort_leaves_nothing(disk_office: Office, size: int | None) -> None:
    upload = started(disk_office, size)
    upload.append(upload.seal([FULL], last=False))
    assert len(disk_office.storage.in_flight) == 1
    upload.abort()
    assert nothing_is_left(disk_office)


def test_abort_after_finish_leaves_the_object_to_its_commit(office: Office) -> None:
    content = bytes(CHUNK_BYTES)
    upload = started(office, CHUNK_BYTES)
    office.push(upload, content)
    pending = upload.finish(digest_of(content), signature_of(MAX, "a", content))
    upload.abort()
    office.commit(pending)
    assert office.get(GUS, "a") == content


# -- room ---------------------------------------------------------------------------------------------


def small_vault(office: Office, capacity: int) -> None:
    office.backend = MemoryBackend(capacity_bytes=capacity)
    office.vault = office.storage.vault = Vault(office.backend, KEYRING)


def test_room_is_reserved_at_the_start(office: Office) -> None:
    small_vault(office, 3 * MIB)
    first = started(office, 2 * MIB, "a")
    with pytest.raises(ServerFullError) as refused:
        started(office, 2 * MIB, "b")
    assert refused.value.values == {"size_bytes": 2 * MIB}
    assert len(office.storage.in_flight) == 1
    first.abort()
    started(office, 2 * MIB, "b").abort()
    assert nothing_is_left(office)


def test_an_unknown_size_reserves_64_mib(office: Office) -> None:
    small_vault(office, 64 * MIB - 1)
    with pytest.raises(ServerFullError):
        started(office, None)
    assert nothing_is_left(office)


def test_small_files_leave_the_floor_to_the_database_too(office: Office) -> None:
    small_vault(office, 20_000)
    office.put(MAX, "a", bytes(16_000))
    with pytest.raises(ServerFullError) as refused:
        office.put(MAX, "b", bytes(20_001))
    assert refused.value.values == {"size_bytes": 20_001}
    small_vault(office, 16_000)
    with pytest.raises(ServerFullError) as refused:
        office.put(MAX, "b", bytes(15_999))
    assert refused.value.values == {"size_bytes": 15_999}
    assert office.put(MAX, "a", bytes(16_000)).unchanged
    assert office.get(GUS, "a") == bytes(16_000)
    office.act(trash.delete, trash.Deletion(MAX.caller, "a"))
    assert nothing_is_left(office)


# -- what finish refuses ------------------------------------------------------------------------------

CONTENT = b"four" * 10_000
OTHER = b"five" * 10_000
WRONG_COMMENTS = [
    {"server_id": bytes(32)},
    {"file_id": bytes(16)},
    {"version": 2, "prev": bytes(64)},
    {"size": 3},
    {"name": "b"},
    {"name": "A"},
    {"user": 3},
    {"head": "1.1:" + "0" * 64},
    {"mtime": 2**40 + 1},
    {"mtime": -(2**40) - 1},
]


def finish(office: Office, digest: bytes, signature: bytes) -> str:
    upload = started(office, len(CONTENT))
    office.push(upload, CONTENT)
    with pytest.raises(SignatureRefusedError) as refused:
        upload.finish(digest, signature)
    assert nothing_is_left(office)
    return str(refused.value.values["problem"])


@pytest.mark.parametrize("changes", WRONG_COMMENTS)
def test_a_comment_that_does_not_fit_is_refused(office: Office, changes: dict[str, object]) -> None:
    signature = signature_of(MAX, "a", CONTENT, **changes)
    problem = finish(office, digest_of(CONTENT), signature)
    field = next(iter(changes)).replace("_id", "").replace("mtime", "date")
    assert field in problem


def test_a_signature_by_another_person_is_refused(office: Office) -> None:
    signature = signature_of(MIA, "a", CONTENT, user=MAX.id)
    assert "key" in finish(office, digest_of(CONTENT), signature)


def test_a_signature_of_another_content_is_refused(office: Office) -> None:
    signature = signature_of(MAX, "a", OTHER)
    assert "key" in finish(office, digest_of(CONTENT), signature)


def test_another_digest_than_announced_is_refused(office: Office) -> None:
    assert "digest" in finish(office, digest_of(OTHER), signature_of(MAX, "a", OTHER))


@pytest.mark.parametrize("garbage", [b"", b"\xff\n\n\n\n", b"untrusted comment: x\nRW\nt\n\n"])
def test_garbage_for_a_signature_is_refused(office: Office, garbage: bytes) -> None:
    finish(office, digest_of(CONTENT), garbage)


def test_a_replace_signs_the_version_that_it_saw(office: Office) -> None:
    office.put(MAX, "a", b"one")
    changes = {"version": 2, "prev": digest_of(b"another one")}
    upload = office.begin(MAX, "a", len(CONTENT), version=2)
    upload.start()
    office.push(upload, CONTENT)
    with pytest.raises(SignatureRefusedError) as refused:
        upload.finish(digest_of(CONTENT), signature_of(MAX, "a", CONTENT, **changes))
    assert "prev" in str(refused.value.values["problem"])


@pytest.mark.parametrize(
    "changes", [c for c in WRONG_COMMENTS if "file_id" not in c and "version" not in c]
)
@pytest.mark.parametrize("content", [b"tiny", bytes(30_000)])
def test_a_small_file_is_held_against_its_comment(
    office: Office, content: bytes, changes: dict[str, object]
) -> None:
    with pytest.raises(SignatureRefusedError):
        office.put(MAX, "a", content, **changes)
    assert nothing_is_left(office)


def test_the_untrusted_line_is_not_kept(office: Office) -> None:
    pending = office.pend(MAX, "a", b"x")
    loud = pending.signed.signature.replace(b"signature from sft", b"\x1b[2Jsee evil.example")
    upload = started(office, 1)
    office.push(upload, b"x")
    office.commit(upload.finish(digest_of(b"x"), loud))
    shown = office.ask(show_file, GUS, path="a")
    assert shown.version.signature == pending.signed.signature


def test_nobody_who_may_not_store_makes_the_disk_work(disk_office: Office) -> None:
    pending = disk_office.pend(GUS, "a", bytes(50_000))
    assert not list(disk_office.vault.ids())
    with pytest.raises(RoleForbidsError):
        disk_office.commit(pending)


def test_chunks_reach_the_vault_as_they_come(office: Office) -> None:
    upload = started(office, None)
    for chunk in chunks_of(bytes(10 * CHUNK_BYTES)):
        upload.append(upload.seal([chunk], last=False))
    assert upload.received == 10 * CHUNK_BYTES
    (pieces,) = office.backend.incoming.values()
    assert sum(map(len, pieces)) > 10 * CHUNK_BYTES
    upload.abort()
