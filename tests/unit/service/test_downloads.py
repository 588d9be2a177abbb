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
from sft.service.storage import DamagedContent
from sft.service.trash import Deletion, delete
from sft.service.use_case import as_refusal
from tests.unit.service.service_fixture import ADA, GUS, MAX, OPERATOR, ServiceFixture, digest_of

BIG = 4 * CHUNK_BYTES + 1


def begin(services: ServiceFixture, path: str = "a", version: int = 0) -> downloads.Download:
    return services.ask(downloads.begin, GUS, storage=services.storage, path=path, version=version)


def read_all(download: downloads.Download, step: int = 3) -> bytes:
    content = b""
    while sealed := download.read(step):
        content += b"".join(download.open(sealed))
    return content


@pytest.mark.parametrize("size", [0, 16_340, 16_341, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, BIG])
def test_contents_come_whole_or_in_chunks(disk_services: ServiceFixture, size: int) -> None:
    content = os.urandom(size)
    disk_services.commit(disk_services.stream(MAX, "d/a", content))
    download = begin(disk_services, "d/a")
    assert download.size == size
    assert download.file.path == "d/a"
    assert download.file.version.digest == digest_of(content)
    if size <= SMALL_FILE_BYTES:
        assert download.whole() == content
    download.start()
    assert download.chunks_left == max(1, -(-size // CHUNK_BYTES))
    assert read_all(download) == content
    assert download.chunks_left == 0
    assert download.read(8) == []
    download.close()
    download.close()


def test_the_record_carries_the_signature(services: ServiceFixture) -> None:
    pending = services.pend(MAX, "a", b"x")
    services.commit(pending)
    assert begin(services).file.version.signature == pending.signed.signature


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
    services: ServiceFixture, path: str, version: int, error: type[SftError]
) -> None:
    services.put(MAX, "d/a")
    with pytest.raises(error):
        begin(services, path, version)


def test_a_deleted_file_is_not_found(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.act(delete, Deletion(MAX.caller, "a"))
    with pytest.raises(NotFoundError):
        begin(services)


def test_the_operator_reads_no_contents(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    with pytest.raises((RoleForbidsError, OperatorOnlyError)):
        services.ask(downloads.begin, OPERATOR, storage=services.storage, path="a")


def test_a_disabled_person_reads_nothing(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.change_user(GUS, state=UserState.DISABLED)
    with pytest.raises(LoginRefusedError):
        begin(services)


def test_large_contents_are_not_whole_and_none_is_read_before_it_is_started_once(services: ServiceFixture) -> None:
    services.commit(services.stream(MAX, "big", bytes(BIG)))
    services.put(MAX, "small")
    with pytest.raises(ValueError, match="chunks"):
        begin(services, "big").whole()
    for path in ("small", "big"):
        with pytest.raises(ValueError, match="not started"):
            begin(services, path).read(1)
        download = begin(services, path)
        download.start()
        with pytest.raises(ValueError, match="once"):
            download.start()


# -- damage -------------------------------------------------------------------------------------------


def stored(services: ServiceFixture, size: int) -> bytes:
    pending = services.stream(MAX, "d/a", os.urandom(size))
    services.commit(pending)
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
    services: ServiceFixture, size: int, damage: Callable[[bytes], bytes]
) -> None:
    object_id = stored(services, size)
    shelf = services.backend.shelf.objects
    shelf[object_id] = damage(shelf[object_id])
    met: list[DamagedContent] = []
    services.storage.damaged = met.append
    with pytest.raises(ContentDamagedError) as refused:
        services.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}
    assert [(found.path, found.number, found.object_id) for found in met] == [("d/a", 1, object_id)]


@pytest.mark.parametrize("size", [30_000, BIG])
def test_a_missing_object_is_refused_by_name(services: ServiceFixture, size: int) -> None:
    services.vault.remove(stored(services, size))
    with pytest.raises(ContentDamagedError) as refused:
        services.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}


def test_swapped_objects_are_refused(services: ServiceFixture) -> None:
    first, second = stored(services, BIG), None
    pending = services.stream(MAX, "d/b", os.urandom(BIG))
    services.commit(pending)
    second = pending.object_id
    shelf = services.backend.shelf.objects
    shelf[first], shelf[second] = shelf[second], shelf[first]
    for path in ("d/a", "d/b"):
        with pytest.raises(ContentDamagedError):
            services.get(GUS, path)


def test_no_byte_of_a_damaged_batch_comes_out(services: ServiceFixture) -> None:
    object_id = stored(services, BIG)
    shelf = services.backend.shelf.objects
    shelf[object_id] = flip(shelf[object_id], 2 * CHUNK_BYTES)
    download = begin(services, "d/a")
    download.start()
    sealed = download.read(1)
    assert len(download.open(sealed)[0]) == CHUNK_BYTES
    with pytest.raises(ContentDamagedError):
        download.open(download.read(3))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE small_objects SET sealed = substr(sealed, 1, 30)",
        "UPDATE small_objects SET sealed = zeroblob(length(sealed))",
        "DELETE FROM small_objects",
    ],
)
def test_a_damaged_small_object_is_refused_by_name(services: ServiceFixture, statement: str) -> None:
    services.put(MAX, "d/a", b"content")
    services.tamper(statement)
    met: list[DamagedContent] = []
    services.storage.damaged = met.append
    with pytest.raises(ContentDamagedError) as refused:
        services.get(GUS, "d/a")
    assert refused.value.values == {"path": "d/a"}
    assert {found.path for found in met} == {"d/a"}


FORGERIES = [
    "UPDATE versions SET size = 6",
    "UPDATE versions SET digest = zeroblob(64)",
    "UPDATE versions SET author_id = 1",
    "UPDATE versions SET key_id = 1",
    "UPDATE versions SET object_id = zeroblob(16)",
    "UPDATE versions SET signature = zeroblob(10)",
    "UPDATE versions SET inline = 0",
    "UPDATE versions SET epoch = 2",
    "UPDATE versions SET sealed_key = zeroblob(104)",
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
def test_a_forged_row_is_refused_by_name(services: ServiceFixture, statement: str) -> None:
    services.put(MAX, "d/a", b"content")
    services.tamper(statement)
    with pytest.raises(RequestError) as refused:
        services.get(ADA, "d/a")
    assert isinstance(refused.value, RecordForgedError)
    assert refused.value.values == {"what": "d/a"}


def test_a_forged_caller_is_refused_too(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    services.tamper("UPDATE users SET role = 'admin' WHERE id = 4")
    with pytest.raises(SftError) as refused:
        services.get(GUS, "d/a")
    refusal = as_refusal(refused.value)
    assert isinstance(refusal, RecordForgedError)
    assert refusal.values == {"what": "users 4"}


def test_a_row_that_lost_its_content_to_another_key_is_refused(services: ServiceFixture) -> None:
    """A row that claims an older master key than the object's is fine; a newer one is not."""
    services.commit(services.stream(MAX, "d/a", bytes(BIG)))
    download = begin(services, "d/a")
    from msgspec.structs import replace

    newer = downloads.Download(services.storage, download.file, replace(download._row, epoch=2), None)
    with pytest.raises(ContentDamagedError):
        newer.start()
