import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import ContentDamagedError, MasterKeyGoneError, ObjectUnreadableError, ServerFullError, VaultError
from sft.model.records import VaultNote, VaultReport
from sft.service.commits import commit
from sft.service.files import show_file
from sft.service.maintenance import paging, rotation
from sft.service.maintenance.check import check
from sft.service.maintenance.recovery import Recovered, recover
from sft.service.maintenance.rotation import finish_rotation, reencrypt, rotate
from sft.service.pending import Committed, acknowledge_one
from sft.service.status import show_status
from sft.service.trash import Deletion, delete
from sft.store.row_types import PurgeRow, SmallObjectRow, UploadRow, VersionRow
from sft.store.statements import rows_of
from sft.vault import master_key_store
from sft.vault.keyring import Keyring
from sft.vault.keyring_file import create_keyring, load_keyring
from sft.vault.master_key import FileMasterKey, open_keyring
from sft.vault.master_key_store import MasterKeyStore
from sft.vault.vault import Vault
from tests.fakes.small_segments import SEGMENT_CHUNKS, small_segments  # noqa: F401
from tests.unit.service.service_fixture import GUS, KEYRING, MASTER_KEY, MAX, OPERATOR, ServiceFixture
from tests.unit.service.test_files import put_many
from tests.unit.service.test_resume import LONG_FILM, push, started, went_on
from tests.unit.service.test_resume import row as upload_row

BIG = 70_000
NEW_KEY = b"n" * 32


class Home:
    """The master key's file and the keyring's, beside an services."""

    def __init__(self, services: ServiceFixture, folder: Path) -> None:
        self.services = services
        (folder / "keys").mkdir(mode=0o700)
        self.drawn: list[bytes] = []
        self.source = FileMasterKey(folder / "keys" / "master.key", entropy=lambda _: self.drawn[0])
        self.master_keys = MasterKeyStore(services.keyring_path, self.source)
        with (folder / "keys" / "master.key").open("x") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(MASTER_KEY.hex() + "\n")
        create_keyring(services.keyring_path, KEYRING.seal())
        self.contents: dict[str, bytes] = {}
        self.act: Any = services.act

    def fill(self, count: int = 3) -> None:
        for number in range(count):
            for path, size in ((f"d/small{number}", 10), (f"d/big{number}", BIG)):
                self.contents[path] = os.urandom(size)
        items = [self.services.stream(MAX, *item) for item in self.contents.items()]
        for item, committed in zip(items, self.services.act_each(commit, *items), strict=True):
            assert isinstance(committed, Committed)
            acknowledge_one(item, committed)

    def parts(self) -> dict[str, Any]:
        return {"context": replace(self.services.job_context, act=self.act)}

    def rotate(self, key: bytes = NEW_KEY) -> VaultReport:
        self.drawn[:] = [key]
        job = self.services.ask(rotate, OPERATOR, **self.parts(), master_keys=self.master_keys)
        return job()

    def reencrypt(self) -> VaultReport:
        return self.services.ask(reencrypt, OPERATOR, **self.parts())()

    def restart(self) -> VaultReport:
        """Begin as a new process would: from what lies on the disk."""
        keyring = self.master_keys.open()
        self.act = self.services.act
        self.services.vault = self.services.storage.vault = Vault(self.services.backend, keyring)
        recover(self.parts()["context"])
        return finish_rotation(self.parts()["context"], self.master_keys)

    def require_sound(self) -> None:
        for path, content in self.contents.items():
            assert self.services.get(GUS, path) == content
        services = self.services
        job = services.ask(check, OPERATOR, context=services.job_context)
        assert not job().faults

    def epochs(self) -> set[int]:
        return {row.epoch for row in self.versions()}

    def versions(self) -> list[VersionRow]:
        with self.services.readers.reading() as reading:
            return reading.rows.all(rows_of(VersionRow))

    def open_uploads(self) -> list[UploadRow]:
        with self.services.readers.reading() as reading:
            return reading.rows.all(rows_of(UploadRow))

    def key_on_disk(self) -> Keyring:
        return open_keyring(load_keyring(self.services.keyring_path), [self.source.read()])[0]


@pytest.fixture
def home(services: ServiceFixture, tmp_path: Path) -> Home:
    return Home(services, tmp_path)


@pytest.fixture
def disk_home(disk_services: ServiceFixture, tmp_path: Path) -> Home:
    return Home(disk_services, tmp_path)


# -- a new master key -----------------------------------------------------------------------------------


def test_everything_moves_to_the_new_master_key(disk_home: Home) -> None:
    disk_home.fill()
    report = disk_home.rotate()
    assert (report.versions, report.faults, report.notes) == (6, (), ())
    assert disk_home.epochs() == {2}
    assert disk_home.key_on_disk().epochs == {2}
    assert disk_home.source.read() == NEW_KEY
    disk_home.require_sound()
    disk_home.restart()
    disk_home.require_sound()


def test_the_old_master_key_opens_nothing_any_more(home: Home) -> None:
    home.fill()
    home.rotate()
    with pytest.raises(VaultError):
        Keyring.open(load_keyring(home.services.keyring_path), MASTER_KEY)
    home.services.storage.vault = Vault(home.services.backend, KEYRING)
    for path in home.contents:
        with pytest.raises(ContentDamagedError, match="master key 2, which is unknown"):
            home.services.get(GUS, path)


def test_old_versions_and_the_trash_move_too(home: Home) -> None:
    services = home.services
    put_many(services, "a", "b")
    services.replace(MAX, "a", b"2", services.ask(show_file, MAX, path="a"))
    services.act(delete, Deletion(MAX.caller, "b"))
    assert home.rotate().versions == 3
    assert home.epochs() == {2}


def test_rotating_twice_and_an_empty_server(home: Home) -> None:
    assert home.rotate() == VaultReport(0, 0, 0)
    home.fill(1)
    assert home.rotate(b"m" * 32).versions == 2
    assert home.epochs() == {3}
    home.require_sound()


@pytest.mark.parametrize("page", [1, 2, 5])
def test_pages_leave_nothing_out(home: Home, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(paging, "PAGE", page)
    home.fill()
    assert home.rotate().versions == 6
    assert home.epochs() == {2}
    home.require_sound()


def test_finishing_what_is_not_begun_does_nothing(home: Home) -> None:
    home.fill(1)
    assert home.restart() == VaultReport(0, 0, 0)
    assert home.epochs() == {1}


class Cut(BaseException):
    """The process dies."""


def cutting(home: Home, after: int) -> Callable[..., Any]:
    left = [after]

    def act(function: Any, item: Any) -> Any:
        if not left[0]:
            raise Cut
        left[0] -= 1
        return home.services.act(function, item)

    return act


@pytest.mark.parametrize("after", range(8))
@pytest.mark.sampled(3)
def test_a_rotation_cut_at_any_act_goes_on_at_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(paging, "PAGE", 1)
    home.fill()
    home.act = cutting(home, after)
    cut = False
    try:
        home.rotate()
    except Cut:
        cut = True
    assert cut == (after < 7)
    home.require_sound()
    home.restart()
    home.require_sound()
    assert home.epochs() == {2}
    assert home.key_on_disk().epochs == {2}
    assert home.restart() == VaultReport(0, 0, 0)


@pytest.mark.parametrize("step", ["stage", "keyring"])
def test_a_rotation_cut_between_its_files_loses_no_key(home: Home, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    home.fill(1)

    def die(*_: Any) -> None:
        raise Cut

    if step == "stage":
        monkeypatch.setattr(master_key_store, "replace_keyring", die)
    else:
        monkeypatch.setattr(home.source, "settle", die)
    with pytest.raises(Cut):
        home.rotate()
    monkeypatch.undo()
    home.restart()
    home.require_sound()
    assert home.key_on_disk().epochs == ({1} if step == "stage" else {2})
    assert home.epochs() == home.key_on_disk().epochs


def test_a_commit_under_the_old_key_during_a_rotation_keeps_it_until_it_moved(home: Home) -> None:
    """A commit that was judged before the keyring changed ends behind the place that the walk has reached."""
    services = home.services
    services.put(MAX, "a", b"1")
    home.contents = {"b": b"b", "a": b"2"}
    put_many(services, "b")
    seen = services.ask(show_file, MAX, path="a")
    changes = {"file_id": seen.id, "version": 2, "prev": seen.version.digest}
    late = [services.pend(MAX, "a", b"2", **changes)]

    def act(function: Any, item: Any) -> Any:
        if function is rotation.end_rotation and late:
            keyring = services.vault.keyring
            services.vault.adopt(KEYRING)
            services.commit(late.pop())
            services.vault.adopt(keyring)
        return services.act(function, item)

    home.act = act
    report = home.rotate()
    assert report.versions == 3
    assert home.epochs() == {2}
    assert home.key_on_disk().epochs == {2}
    home.require_sound()


def test_a_small_object_that_waited_moves_in_its_commit(home: Home) -> None:
    item = home.services.pend(MAX, "a", b"x")
    home.services.vault.adopt(KEYRING.rotate(NEW_KEY))
    home.services.commit(item)
    assert home.epochs() == {2}
    home.services.vault.adopt(home.services.vault.keyring.retire())
    assert home.services.get(GUS, "a") == b"x"


def test_the_old_key_goes_only_when_all_is_durable(home: Home) -> None:
    """A cut between the last row and the answer leaves both keys."""
    home.fill(1)

    def act(function: Any, item: Any) -> Any:
        if function is rotation.end_rotation:
            with pytest.raises(RuntimeError), home.services.transaction() as transaction:
                assert function(transaction, [item]) == [True]
                assert home.services.vault.keyring.epochs == {1, 2}
                raise RuntimeError
            raise Cut
        return home.services.act(function, item)

    home.act = act
    with pytest.raises(Cut):
        home.rotate()
    assert home.key_on_disk().epochs == {1, 2}
    home.restart()
    assert home.key_on_disk().epochs == {2}
    home.require_sound()


def test_an_upload_in_flight_moves_with_the_rotation(home: Home) -> None:
    services = home.services
    upload = services.begin(MAX, "a", 2 * 65_536)
    services.start(upload)
    upload.append(upload.seal([bytes(65_536)], last=False))
    home.rotate()
    upload.append(upload.seal([bytes(65_536)], last=True))
    from tests.unit.service.service_fixture import digest_of, signature_of

    content = bytes(2 * 65_536)
    services.commit(upload.finish(digest_of(content), signature_of(MAX, "a", content)))
    assert services.get(GUS, "a") == content
    assert home.epochs() == {2}


def test_segments_of_an_upload_in_flight_move_with_the_rotation(home: Home) -> None:
    services = home.services
    upload = started(services, size=len(LONG_FILM.data))
    push(services, upload, SEGMENT_CHUNKS)
    home.rotate()
    push(services, upload, SEGMENT_CHUNKS)
    assert (upload.noted, upload_row(services).epoch) == (2, 2)
    recover(services.job_context)
    push(services, went_on(services, 2, LONG_FILM))
    assert home.key_on_disk().epochs == {2}


def test_a_download_under_way_ends_well(home: Home) -> None:
    from sft.service import downloads

    home.fill(1)
    download = home.services.ask(downloads.begin, GUS, storage=home.services.storage, path="d/big0", version=0)
    download.start()
    home.rotate()
    content = b""
    while sealed := download.read(1):
        content += b"".join(download.open(sealed))
    assert content == home.contents["d/big0"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE versions SET size = 3 WHERE file = 1",
        "UPDATE versions SET sealed_key = zeroblob(104) WHERE file = 1",
        "UPDATE versions SET sealed_key = (SELECT sealed_key FROM versions WHERE file = 2) WHERE file = 1",
    ],
)
def test_what_does_not_hold_keeps_the_old_key_and_is_reported(home: Home, damage: str) -> None:
    home.fill(2)
    home.services.tamper(damage)
    report = home.rotate()
    assert report.versions == 3
    assert report.faults
    assert report.notes == (VaultNote("the old master key is kept for what could not be moved"),)
    assert home.key_on_disk().epochs == {1, 2}
    # Once it is mended or gone, the same command finishes, and makes no new key.
    home.services.tamper("DELETE FROM versions WHERE file = 1")
    home.rotate(b"m" * 32)
    assert home.key_on_disk().epochs == {2}
    assert home.source.read() == NEW_KEY


@pytest.mark.parametrize("damage", ["UPDATE small_objects SET sealed = zeroblob(150) WHERE rowid = 1", ""])
def test_damaged_content_is_no_business_of_a_rotation(home: Home, damage: str) -> None:
    home.fill(2)
    shelf = home.services.backend.shelf.objects
    shelf[min(shelf)] = b"x" + shelf[min(shelf)][1:]
    if damage:
        home.services.tamper(damage)
    report = home.rotate()
    assert (report.faults, report.versions) == ((), 4)
    assert home.key_on_disk().epochs == {2}


def test_a_rotation_touches_no_object(disk_home: Home) -> None:
    disk_home.fill()
    root = disk_home.services.keyring_path.parent / "vault"

    def seen() -> dict[Path, tuple[int, ...]]:
        found = {path: path.stat() for path in root.rglob("*")}
        return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for path, stat in found.items()}

    before = seen()
    disk_home.rotate()
    assert seen() == before


def test_two_rotations_at_once_are_refused(home: Home) -> None:
    with home.services.storage.rotation():
        for work in (home.rotate, home.reencrypt):
            with pytest.raises(VaultError):
                work()
    home.rotate()


# -- new data keys --------------------------------------------------------------------------------------


def objects(home: Home) -> set[bytes]:
    with home.services.readers.reading() as reading:
        small = {row.object_id for row in reading.rows.all(rows_of(SmallObjectRow))}
    return small | set(home.services.vault.ids())


def test_every_content_gets_a_new_object(disk_home: Home) -> None:
    disk_home.fill()
    before = objects(disk_home)
    sidecars = len(before)
    report = disk_home.reencrypt()
    assert (report.versions, report.bytes_checked) == (6, 3 * (BIG + 10))
    assert not before & objects(disk_home)
    assert len(objects(disk_home)) == sidecars
    disk_home.require_sound()
    with disk_home.services.readers.reading() as reading:
        assert not reading.rows.all(rows_of(PurgeRow))
    assert not disk_home.open_uploads()
    for row in disk_home.versions():
        if not row.inline:
            assert disk_home.services.vault.read_sidecar(row.object_id)


@pytest.mark.parametrize("after", range(13))
@pytest.mark.sampled(4)
def test_reencryption_cut_at_any_act_leaves_everything_readable(home: Home, after: int) -> None:
    home.fill()
    home.act = cutting(home, after)
    try:
        home.reencrypt()
    except Cut:
        assert after < 12
    home.restart()
    home.require_sound()
    assert recover(home.parts()["context"]) == Recovered()
    home.reencrypt()
    home.require_sound()


def test_reencryption_without_room_is_refused_in_words_and_leaves_everything_readable(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.fill()
    with monkeypatch.context() as full:
        full.setattr(home.services.backend, "_capacity_bytes", 0)
        with pytest.raises(ServerFullError) as refused:
            home.reencrypt()
        assert refused.value.values == {"size_bytes": BIG}
    home.require_sound()
    assert home.open_uploads() == []


def test_a_version_that_changes_hands_meanwhile_is_left_alone(home: Home) -> None:
    """Between the copy and its row the file is destroyed: nothing of either object stays."""
    services = home.services
    home.fill(1)

    def act(function: Any, item: Any) -> Any:
        if function is rotation.swap and not item.row.inline:
            from sft.service.maintenance.purging import PurgeInput, purge

            services.act(delete, Deletion(MAX.caller, "d/big0"))
            gone = services.act(purge, PurgeInput(OPERATOR, services.now, (1, 2)))
            for object_id in gone.object_ids:
                services.vault.remove(object_id)
        return services.act(function, item)

    home.act = act
    assert home.reencrypt().versions == 1
    assert not list(services.vault.ids())


def test_a_row_that_a_sidecar_is_made_of_and_that_does_not_hold_keeps_its_content_alone(home: Home) -> None:
    home.fill(3)
    home.services.tamper("UPDATE files SET name = 'other' WHERE id = (SELECT min(file) FROM versions WHERE NOT inline)")
    report = home.reencrypt()
    assert ([each.what for each in report.faults], report.versions) == (["row 2 of files"], 5)
    assert not home.open_uploads()


def test_damage_is_reported_and_left_as_it_is(home: Home) -> None:
    home.fill(2)
    services = home.services
    shelf = services.backend.shelf.objects
    damaged = min(shelf)
    shelf[damaged] = shelf[damaged][:-1] + bytes([shelf[damaged][-1] ^ 1])
    services.tamper("UPDATE small_objects SET sealed = zeroblob(150) WHERE rowid = 1")
    report = home.reencrypt()
    assert (len(report.faults), report.versions) == (2, 2)
    assert damaged in shelf
    assert not home.open_uploads()


def test_a_key_file_that_is_gone_or_open_under_the_server_is_named_and_its_status_says_so(home: Home) -> None:
    key = home.source.path

    def status_says() -> bool:
        return bool(home.services.ask(show_status, OPERATOR, master_keys=home.master_keys).key_unreadable)

    assert not status_says()
    key.chmod(0o644)
    with pytest.raises(MasterKeyGoneError) as opened:
        home.rotate()
    assert opened.value.values == {"problem": f"the master key file {key} is open to others"}
    assert status_says()
    moved = key.rename(key.with_suffix(".away"))
    with pytest.raises(MasterKeyGoneError) as gone:
        home.rotate()
    assert gone.value.values == {"problem": f"there is no master key file {key}"}
    assert status_says()
    moved.rename(key).chmod(0o600)
    assert not status_says()
    home.rotate()


def test_what_the_system_does_not_let_be_read_stays_and_the_rest_is_sealed_anew_but_a_write_that_fails_ends_it(
    home: Home,
) -> None:
    home.fill(3)
    backend = home.services.backend
    open_, create, objects = backend.open, backend.create, backend.shelf.objects
    shut, before = min(objects), set(objects)

    def refused(object_id: bytes, segment: int = 0) -> Any:
        if object_id == shut:
            raise ObjectUnreadableError(problem=f"object {object_id.hex()} could not be read")
        return open_(object_id, segment)

    backend.open = refused  # type: ignore[method-assign]
    report = home.reencrypt()
    assert ([each.problem for each in report.faults], report.versions) == (
        [f"object {shut.hex()} could not be read"],
        5,
    )
    assert (set(objects) & before, len(objects), home.open_uploads()) == ({shut}, 3, [])

    def full(*_: object, **__: object) -> Any:
        raise VaultError(problem="an object could not be begun")

    backend.open, backend.create = open_, full  # type: ignore[method-assign]
    with pytest.raises(VaultError):
        home.reencrypt()
    backend.create = create  # type: ignore[method-assign]
    assert (home.reencrypt().faults, shut in objects) == ((), False)
