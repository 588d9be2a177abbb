import os

import pytest

from sft.errors import BadRequestError, RoleForbidsError, ServerFullError, SignatureRefusedError
from sft.limits import CHUNK_BYTES, MIB
from sft.service import trash
from sft.service.files import show_file
from sft.service.upload import Upload
from sft.service.upload_life import Ending
from sft.vault.vault import Vault
from tests.fakes.memory_backend import MemoryBackend
from tests.unit.service.service_fixture import (
    GUS,
    KEYRING,
    MAX,
    MIA,
    ServiceFixture,
    chunks_of,
    digest_of,
    signature_of,
)

FULL = bytes(CHUNK_BYTES)
SIZES = (0, 1, 16_340, 16_341, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES)


def started(services: ServiceFixture, size: int | None, path: str = "a") -> Upload:
    upload = services.begin(MAX, path, size)
    services.start(upload)
    return upload


def nothing_is_left(services: ServiceFixture) -> bool:
    return not (list(services.vault.ids()) or list(services.backend.leftovers()))


# -- content ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("known_size", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_a_stream_of_any_size_comes_back_whole(disk_services: ServiceFixture, size: int, known_size: bool) -> None:
    content = os.urandom(size)
    disk_services.commit(disk_services.stream(MAX, "x/a", content, known_size=known_size))
    assert disk_services.get(GUS, "x/a") == content
    assert not disk_services.open_uploads()


@pytest.mark.parametrize("known_size", [True, False])
@pytest.mark.parametrize(("size", "inline"), [(0, True), (16_340, True), (16_341, False)])
def test_small_contents_touch_no_file(services: ServiceFixture, size: int, known_size: bool, inline: bool) -> None:
    pending = services.stream(MAX, "a", bytes(size), known_size=known_size)
    assert pending.inline is inline
    services.commit(pending)
    assert len(list(services.vault.ids())) == (0 if inline else 1)
    assert not list(services.backend.leftovers())


def test_a_sidecar_lies_beside_the_object(services: ServiceFixture) -> None:
    pending = services.stream(MAX, "a/b", bytes(CHUNK_BYTES))
    sidecar = services.vault.read_sidecar(pending.object_id)
    assert sidecar is not None
    assert b"a/b" in sidecar.content
    assert pending.signed.signature in sidecar.content


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
def test_chunks_of_other_lengths_are_refused(services: ServiceFixture, chunks: list[bytes], last: bool) -> None:
    upload = started(services, None)
    with pytest.raises(BadRequestError):
        upload.seal(chunks, last=last)


def test_an_empty_last_chunk_after_others_is_refused(services: ServiceFixture) -> None:
    upload = started(services, None)
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
    services: ServiceFixture, announced: int, chunks: list[bytes], last: bool
) -> None:
    upload = started(services, announced)
    with pytest.raises(BadRequestError):
        upload.seal(chunks, last=last)


def test_an_empty_batch_changes_nothing(services: ServiceFixture) -> None:
    upload = started(services, 4)
    assert upload.seal([], last=False) == []
    upload.append([])
    upload.append(upload.seal([b"data"], last=True))
    assert upload.received == 4
    assert upload.finish(digest_of(b"data"), signature_of(MAX, "a", b"data")).inline


def test_a_commit_before_the_last_data_is_refused(services: ServiceFixture) -> None:
    upload = started(services, None)
    upload.append(upload.seal([FULL], last=False))
    with pytest.raises(BadRequestError):
        upload.finish(digest_of(FULL), signature_of(MAX, "a", FULL))
    assert nothing_is_left(services)


def test_what_is_over_cannot_go_on(services: ServiceFixture) -> None:
    upload = started(services, None)
    upload.end(Ending.GIVEN_UP)
    upload.end(Ending.GIVEN_UP)
    with pytest.raises(ValueError, match="not open"):
        upload.seal([FULL], last=True)
    with pytest.raises(ValueError, match="not open"):
        upload.finish(bytes(64), b"")
    with pytest.raises(ValueError, match="once"):
        upload.start()
    assert nothing_is_left(services)


def test_nothing_is_sealed_before_the_start(services: ServiceFixture) -> None:
    with pytest.raises(ValueError, match="not open"):
        services.begin(MAX, "a", 4).seal([b"data"], last=True)


@pytest.mark.parametrize("size", [None, 3 * CHUNK_BYTES])
def test_abort_leaves_nothing(disk_services: ServiceFixture, size: int | None) -> None:
    upload = started(disk_services, size)
    upload.append(upload.seal([FULL], last=False))
    assert len(disk_services.open_uploads()) == 1
    upload.end(Ending.GIVEN_UP)
    assert nothing_is_left(disk_services)


def test_abort_after_finish_leaves_the_object_to_its_commit(services: ServiceFixture) -> None:
    content = bytes(CHUNK_BYTES)
    upload = started(services, CHUNK_BYTES)
    services.push(upload, content)
    pending = upload.finish(digest_of(content), signature_of(MAX, "a", content))
    upload.end(Ending.GIVEN_UP)
    services.commit(pending)
    assert services.get(GUS, "a") == content


# -- room ---------------------------------------------------------------------------------------------


def small_vault(services: ServiceFixture, capacity: int) -> None:
    services.backend = MemoryBackend(capacity_bytes=capacity)
    services.vault = services.storage.vault = Vault(services.backend, KEYRING)


def test_an_announced_size_takes_nothing_and_one_that_cannot_fit_is_refused(services: ServiceFixture) -> None:
    small_vault(services, 3 * MIB)
    first, second = (started(services, 2 * MIB, path) for path in ("a", "b"))
    with pytest.raises(ServerFullError) as refused:
        started(services, 4 * MIB, "c")
    assert refused.value.values == {"size_bytes": 4 * MIB}
    first.append(first.seal([FULL] * 16, last=False))  # from its first byte on there is room for all of it
    with pytest.raises(ServerFullError):
        second.append(second.seal([FULL] * 20, last=False))
    first.end(Ending.GIVEN_UP)
    started(services, 2 * MIB, "b").end(Ending.GIVEN_UP)
    assert nothing_is_left(services)


def test_a_pipe_needs_room_for_one_step(services: ServiceFixture) -> None:
    small_vault(services, 64 * MIB - 1)
    with pytest.raises(ServerFullError):
        started(services, None)
    assert nothing_is_left(services)


def test_small_files_leave_the_floor_to_the_database_too(no_free_pages: None, services: ServiceFixture) -> None:
    small_vault(services, 20_000)
    services.put(MAX, "a", bytes(16_000))
    with pytest.raises(ServerFullError) as refused:
        services.put(MAX, "b", bytes(20_001))
    assert refused.value.values == {"size_bytes": 20_001}
    small_vault(services, 16_000)
    with pytest.raises(ServerFullError) as refused:
        services.put(MAX, "b", bytes(15_999))
    assert refused.value.values == {"size_bytes": 15_999}
    assert services.put(MAX, "a", bytes(16_000)).unchanged
    assert services.get(GUS, "a") == bytes(16_000)
    services.act(trash.delete, trash.Deletion(MAX.caller, "a"))
    assert nothing_is_left(services)


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


def finish(services: ServiceFixture, digest: bytes, signature: bytes) -> str:
    upload = started(services, len(CONTENT))
    services.push(upload, CONTENT)
    with pytest.raises(SignatureRefusedError) as refused:
        upload.finish(digest, signature)
    assert nothing_is_left(services)
    return str(refused.value.values["problem"])


@pytest.mark.parametrize("changes", WRONG_COMMENTS)
def test_a_comment_that_does_not_fit_is_refused(services: ServiceFixture, changes: dict[str, object]) -> None:
    signature = signature_of(MAX, "a", CONTENT, **changes)
    problem = finish(services, digest_of(CONTENT), signature)
    field = next(iter(changes)).replace("_id", "").replace("mtime", "date")
    assert field in problem


def test_a_signature_by_another_person_is_refused(services: ServiceFixture) -> None:
    signature = signature_of(MIA, "a", CONTENT, user=MAX.id)
    assert "key" in finish(services, digest_of(CONTENT), signature)


def test_a_signature_of_another_content_is_refused(services: ServiceFixture) -> None:
    signature = signature_of(MAX, "a", OTHER)
    assert "key" in finish(services, digest_of(CONTENT), signature)


def test_another_digest_than_announced_is_refused(services: ServiceFixture) -> None:
    assert "digest" in finish(services, digest_of(OTHER), signature_of(MAX, "a", OTHER))


@pytest.mark.parametrize("garbage", [b"", b"\xff\n\n\n\n", b"untrusted comment: x\nRW\nt\n\n"])
def test_garbage_for_a_signature_is_refused(services: ServiceFixture, garbage: bytes) -> None:
    finish(services, digest_of(CONTENT), garbage)


def test_a_replace_signs_the_version_that_it_saw(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"one")
    changes = {"version": 2, "prev": digest_of(b"another one")}
    upload = services.begin(MAX, "a", len(CONTENT), version=2)
    services.start(upload)
    services.push(upload, CONTENT)
    with pytest.raises(SignatureRefusedError) as refused:
        upload.finish(digest_of(CONTENT), signature_of(MAX, "a", CONTENT, **changes))
    assert "prev" in str(refused.value.values["problem"])


@pytest.mark.parametrize("changes", [c for c in WRONG_COMMENTS if "file_id" not in c and "version" not in c])
@pytest.mark.parametrize("content", [b"tiny", bytes(30_000)])
def test_a_small_file_is_held_against_its_comment(
    services: ServiceFixture, content: bytes, changes: dict[str, object]
) -> None:
    with pytest.raises(SignatureRefusedError):
        services.put(MAX, "a", content, **changes)
    assert nothing_is_left(services)


def test_the_untrusted_line_is_not_kept(services: ServiceFixture) -> None:
    pending = services.pend(MAX, "a", b"x")
    loud = pending.signed.signature.replace(b"signature from sft", b"\x1b[2Jsee evil.example")
    upload = started(services, 1)
    services.push(upload, b"x")
    services.commit(upload.finish(digest_of(b"x"), loud))
    shown = services.ask(show_file, GUS, path="a")
    assert shown.version.signature == pending.signed.signature


def test_nobody_who_may_not_store_makes_the_disk_work(disk_services: ServiceFixture) -> None:
    pending = disk_services.pend(GUS, "a", bytes(50_000))
    assert not list(disk_services.vault.ids())
    with pytest.raises(RoleForbidsError):
        disk_services.commit(pending)


def test_chunks_reach_the_vault_as_they_come(services: ServiceFixture) -> None:
    upload = started(services, None)
    for chunk in chunks_of(bytes(10 * CHUNK_BYTES)):
        upload.append(upload.seal([chunk], last=False))
    assert upload.received == 10 * CHUNK_BYTES
    (pieces,) = services.backend.incoming.values()
    assert sum(map(len, pieces)) > 10 * CHUNK_BYTES
    upload.end(Ending.GIVEN_UP)
