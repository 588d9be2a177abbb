import os
from collections.abc import Callable

import pytest

from sft.errors import (
    BadRequestError,
    ContentDamagedError,
    LoginRefusedError,
    NameNotAllowedError,
    NotFoundError,
    OperatorOnlyError,
    RecordForgedError,
    RequestError,
    RoleForbidsError,
    SftError,
)
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES
from sft.model.records import UserState
from sft.service import downloads
from sft.service.trash import Deletion, delete
from sft.service.use_case import as_refusal
from tests.unit.service.office import ADA, GUS, MAX, OPERATOR, Office, digest_of

BIG = 4 * CHUNK_BYTES + 1


def begin(office: Office, path: str = "a", version: int = 0) -> downloads.Download:
    return office.ask(downloads.begin, GUS, storage=office.storage, path=path, version=version)


def read_all(download: downloads.Download, step: int = 3) -> bytes:
    content = b""
    while sealed := download.read(step):
        content += b"".join(download.open(sealed))
    return content


@pytest.mark.parametrize(
    ("size", "inline", "small"),
    [
        (0, True, True),
        (16_236, True, True),
        (16_237, False, True),
        (SMALL_FILE_BYTES, False, True),
        (SMALL_FILE_BYTES + 1, False, False),
        (BIG, False, False),
    ],
)
def test_contents_come_whole_or_in_chunks(
    disk_office: Office, size: int, inline: bool, small: bool
) -> None:
    content = os.urandom(size)
    disk_office.commit(disk_office.stream(MAX, "d/a", content))
    download = begin(disk_office, "d/a")
    assert (download.inline, download.small, download.size) == (inline, small, size)
    assert download.file.path == "d/a"
    assert download.file.version.digest == digest_of(content)
    if small:
        assert download.whole() == content
    if not inline:
        download.start()
        assert download.chunks_left == max(1, -(-size // CHUNK_BYTES))
        assert read_all(download) == content
        assert download.chunks_left == 0
        assert download.read(8) == []
    download.close()
    download.close()


def test_the_record_carries_the_signature(office: Office) -> None:
    pending = office.pend(MAX, "a", b"x")
    office.commit(pending)
    assert begin(office).file.version.signature == pending.signed.signature


@pytest.mark.parametrize(
    ("path", "version", "error"),
    [
        ("none", 0, NotFoundError),
        ("d/none", 0, NotFoundError),
        ("none/a", 0, NotFoundError),
        ("d", 0, NotFoundError),
        ("d/A", 0, NotFoundError),
        ("D/a", 0, NotFoundError),
        ("d/a/b", 0, NotFoundError),
        ("d/a", 2, NotFoundError),
        ("/d/a", 0, BadRequestError),
        ("", 0, NameNotAllowedError),
        ("..", 0, NameNotAllowedError),
    ],
)
def test_what_is_not_there_is_not_found(
    office: Office, path: str, version: int, error: type[SftError]
) -> None:
    office.put(MAX, "d/a")
    with pytest.raises(error):
        begin(office, path, version)


def test_a_deleted_file_is_not_found(office: Office) -> None:
    office.put(MAX, "a")
    office.act(delete, Deletion(MAX.caller, "a"))
    with pytest.raises(NotFoundError):
        begin(office)


def test_the_operator_reads_no_contents(office: Office) -> None:
    office.put(MAX, "a")
    with pytest.raises((RoleForbidsError, OperatorOnlyError)):
        office.ask(downloads.begin, OPERATOR, storage=office.storage, path="a")


def test_a_disabled_person_reads_nothing(office: Office) -> None:
    office.put(MAX, "a")
    office.change_user(GUS, state=UserState.DISABLED)
    with pytest.raises(LoginRefusedError):
        begin(office)


def test_large_contents_are_not_whole_and_small_ones_not_started(office: Office) -> None:
    office.commit(office.stream(MAX, "big", bytes(BIG)))
    office.put(MAX, "small")
    with pytest.raises(ValueError, match="chunks"):
        begin(office, "big").whole()
    with pytest.raises(ValueError, match="started"):
        begin(office, "small").start()
    with pytest.raises(ValueError, match="not started"):
        begin(office, "big").read(1)


# -- damage -------------------------------------------------------------------------------------------


def stored(office: Office, size: int) -> bytes:
    pending = office.stream(MAX, "d/a", os.urandom(size))
    office.commit(pending)
    return pending.object_id


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE: list[Callable[[bytes], bytes]] = [
    lambda data: flip(data, 0),
    lambda data: flip(data, 30),
    lambda data: flip(data, 200),
    lambda data: flip(data, len(data) - 1),
    lambda data: data[:-1],
    lambda data: data + b"x",
    lambda _: b"",
]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("size", [30_000, BIG])
def test_a_damaged_object_is_refused_by_name(
    office: Office, size: int, damage: Callable[[bytes], bytes]
) -> None:
    object_id = stored(office, size)
    shelf = office.backend.shelf.objects
    shelf[object_id] = damage(shelf[object_id])
    with pytest.raises(ContentDamagedError) as refused:
        office.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}


@pytest.mark.parametrize("size", [30_000, BIG])
def test_a_missing_object_is_refused_by_name(office: Office, size: int) -> None:
    office.vault.remove(stored(office, size))
    with pytest.raises(ContentDamagedError) as refused:
        office.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}


def test_swapped_objects_are_refused(office: Office) -> None:
    first, second = stored(office, BIG), None
    pending = office.stream(MAX, "d/b", os.urandom(BIG))
    office.commit(pending)
    second = pending.object_id
    shelf = office.backend.shelf.objects
    shelf[first], shelf[second] = shelf[second], shelf[first]
    for path in ("d/a", "d/b"):
        with pytest.raises(ContentDamagedError):
            office.get(GUS, path)


def test_no_byte_of_a_damaged_batch_comes_out(office: Office) -> None:
    object_id = stored(office, BIG)
    shelf = office.backend.shelf.objects
    shelf[object_id] = flip(shelf[object_id], 2 * CHUNK_BYTES)
    download = begin(office, "d/a")
    download.start()
    sealed = download.read(1)
    assert len(download.open(sealed)[0]) == CHUNK_BYTES
    with pytest.raises(ContentDamagedError):
        download.open(download.read(3))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE small_objects SET sealed = substr(sealed, 1, 100)",
        "UPDATE small_objects SET sealed = zeroblob(length(sealed))",
        "DELETE FROM small_objects",
    ],
)
def test_a_damaged_small_object_is_refused_by_name(office: Office, statement: str) -> None:
    office.put(MAX, "d/a", b"content")
    office.tamper(statement)
    with pytest.raises(ContentDamagedError) as refused:
        office.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}


FORGERIES = [
    "UPDATE versions SET size = 6",
    "UPDATE versions SET digest = zeroblob(64)",
    "UPDATE versions SET author_id = 1",
    "UPDATE versions SET key_id = 1",
    "UPDATE versions SET object_id = zeroblob(16)",
    "UPDATE versions SET signature = zeroblob(10)",
    "UPDATE versions SET inline = 0",
    "UPDATE versions SET epoch = 2",
    "UPDATE versions SET mac = zeroblob(32)",
    "UPDATE files SET owner_id = 4",
    "UPDATE files SET newest = 2",
    "UPDATE files SET name = 'a ', folded = 'a'",
    "UPDATE folders SET name = 'd', maker_id = 4 WHERE id = 2",
    "UPDATE folders SET created_at = 0 WHERE id = 1",
    "UPDATE users SET name = 'min' WHERE id = 2",
    "UPDATE device_keys SET public_key = zeroblob(42) WHERE id = 2",
    "DELETE FROM versions",
    "DELETE FROM users WHERE id = 2",
    "DELETE FROM device_keys WHERE id = 2",
    "DELETE FROM folders WHERE id = 1",
]


@pytest.mark.parametrize("statement", FORGERIES)
def test_a_forged_row_is_refused_by_name(office: Office, statement: str) -> None:
    office.put(MAX, "d/a", b"content")
    office.tamper(statement)
    with pytest.raises(RequestError) as refused:
        office.get(ADA, "d/a")
    assert isinstance(refused.value, RecordForgedError)
    assert refused.value.values == {"what": "d/a"}


def test_a_forged_caller_is_refused_too(office: Office) -> None:
    office.put(MAX, "d/a")
    office.tamper("UPDATE users SET role = 'admin' WHERE id = 4")
    with pytest.raises(SftError) as refused:
        office.get(GUS, "d/a")
    refusal = as_refusal(refused.value)
    assert isinstance(refusal, RecordForgedError)
    assert refusal.values == {"what": "users 4"}


def test_a_row_that_lost_its_content_to_another_key_is_refused(office: Office) -> None:
    """A row that claims an older master key than the object's is fine; a newer one is not."""
    office.commit(office.stream(MAX, "d/a", bytes(BIG)))
    download = begin(office, "d/a")
    from msgspec.structs import replace

    newer = downloads.Download(office.storage, download.file, replace(download._row, epoch=2), None)
    with pytest.raises(ContentDamagedError):
        newer.start()
