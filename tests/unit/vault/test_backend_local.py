from __future__ import annotations

import errno
import os
import socket
import stat
import tracemalloc

import pytest

from sft.errors import ObjectCorruptError, ObjectMissingError, VaultError, VaultFullError
from sft.vault.backend_local import LocalBackend, _LocalSource
from sft.vault.layout import SIDECAR_MOST_BYTES
from tests.unit.vault.backend_contract import CONTRACT, load, store
from tests.unit.vault.faulty_disk import FaultyDisk

ID = b"\x0a" * 16
NAME = ID.hex()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "vault"


@pytest.fixture
def backend(root):
    made = LocalBackend.create_at(root, floor_bytes=0)
    yield made
    made.close()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
def test_contract(rule, backend):
    rule(backend)


def test_what_was_stored_is_there_after_a_restart(root, backend):
    store(backend)
    backend.close()
    again = LocalBackend(root, floor_bytes=0)
    assert load(again) == load(again)
    assert list(again.ids()) == [ID]
    assert again.read_sidecar(ID) == b"sidecar"
    again.close()


def test_what_is_only_read_may_be_incomplete_and_open_to_others_and_stays_as_it_is(root, backend):
    store(backend)
    content = load(backend)
    (root / "incoming").rmdir()
    (root / "objects" / "0b").rmdir()
    root.chmod(0o755)
    before = sorted(root.rglob("*"))
    with pytest.raises(VaultError):
        LocalBackend(root)
    read = LocalBackend(root, floor_bytes=0, writes=False)
    assert (load(read), list(read.ids()), read.read_sidecar(ID), read.segments(ID)) == (content, [ID], b"sidecar", [0])
    with pytest.raises(ObjectMissingError):
        read.open(b"\x0b" * 16)
    for change in (
        lambda: read.create(b"\x0c" * 16, 1),
        lambda: read.write_sidecar(ID, b"other"),
        lambda: read.remove(ID),
        lambda: read.quarantine(ID),
        read.discard_leftovers,
        read.quarantine_figures,
    ):
        with pytest.raises(VaultError):
            change()
    assert (load(read), read.read_sidecar(ID), sorted(root.rglob("*"))) == (content, b"sidecar", before)
    read.close()


def test_everything_is_closed_to_others_whatever_the_umask(root):
    before = os.umask(0)
    try:
        backend = LocalBackend.create_at(root, floor_bytes=0)
        store(backend)
        backend.create(b"\x0b" * 16, 1)
        backend.close()
    finally:
        os.umask(before)
    found = [root, *root.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in found if path.is_file()} == {0o600}
    assert sum(path.is_file() for path in found) == 3


def test_files_lie_where_the_format_says(root, backend):
    store(backend)
    assert names(root) == ["incoming", "objects", "quarantine"]
    assert len(names(root / "objects")) == 256
    assert names(root / "objects" / "0a") == [NAME, f"{NAME}.meta"]
    backend.quarantine(ID)
    assert names(root / "quarantine") == [NAME, f"{NAME}.meta"]
    store(backend)
    backend.quarantine(ID)
    assert names(root / "quarantine") == [NAME, f"{NAME}.1", f"{NAME}.meta", f"{NAME}.meta.1"]


def test_a_folder_that_is_no_vault_is_refused(tmp_path):
    with pytest.raises(VaultError):
        LocalBackend(tmp_path / "absent")
    (tmp_path / "empty").mkdir(mode=0o700)
    with pytest.raises(VaultError):
        LocalBackend(tmp_path / "empty")


def test_a_vault_that_is_open_to_others_is_refused(root, backend):
    backend.close()
    root.chmod(0o750)
    with pytest.raises(VaultError) as refused:
        LocalBackend(root)
    assert "ours alone" in str(refused.value.values["problem"])


def test_a_folder_of_the_vault_that_is_a_link_is_refused(root, backend, tmp_path):
    backend.close()
    (tmp_path / "elsewhere").mkdir()
    (root / "quarantine").rmdir()
    (root / "quarantine").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VaultError):
        LocalBackend(root)


def test_no_link_is_followed(root, backend, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"x" * 200)
    place = root / "objects" / "0a"
    for suffix in ("", ".meta"):
        (place / (NAME + suffix)).symlink_to(outside)
    with pytest.raises(ObjectCorruptError):
        backend.open(ID)
    with pytest.raises(ObjectCorruptError):
        backend.read_sidecar(ID)
    with pytest.raises(VaultError):
        backend.create(ID, 1)
    assert list(backend.ids()) == [ID]
    backend.remove(ID)
    assert outside.read_bytes() == b"x" * 200
    assert list(backend.ids()) == []


def test_a_link_in_the_way_of_a_new_file_is_refused(root, backend, tmp_path):
    outside = tmp_path / "outside"
    (root / "incoming" / f"{NAME}.object").symlink_to(outside)
    with pytest.raises(VaultError):
        backend.create(ID, 1)
    assert not outside.exists()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_refused_without_hanging(root, backend, kind):
    path = root / "objects" / "0a" / NAME
    if kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ObjectCorruptError):
        backend.open(ID)


def test_names_that_the_vault_never_makes_are_passed_over(root, backend):
    store(backend)
    for name in ("notes.txt", NAME.upper(), NAME + ".bak", NAME[:-1], "0b" * 16):
        (root / "objects" / "0a" / name).write_bytes(b"")
    (root / "incoming" / "lost+found").mkdir()
    assert list(backend.ids()) == [ID]
    assert list(backend.leftovers()) == []


def test_a_removal_destroys_the_key_in_the_sidecar(root, backend):
    store(backend)
    kept = os.open(root / "objects" / "0a" / f"{NAME}.meta", os.O_RDONLY)
    backend.remove(ID)
    assert os.pread(kept, 100, 0) == bytes(len(b"sidecar"))
    os.close(kept)


def test_a_file_that_became_too_long_is_not_read_as_if_it_were_whole(root, backend):
    store(backend)
    (root / "objects" / "0a" / f"{NAME}.meta").write_bytes(b"x" * 100_000)
    assert len(backend.read_sidecar(ID)) == SIDECAR_MOST_BYTES + 1


def test_the_floor_is_kept(root, backend):
    backend.close()
    kept = LocalBackend(root, floor_bytes=1 << 60)
    assert kept.free_bytes() == 0
    with pytest.raises(VaultFullError):
        kept.create(ID, 1)
    kept.remove(ID)
    kept.close()


def test_no_byte_is_written_into_the_floor(root, backend):
    backend.close()
    kept = LocalBackend(root, floor_bytes=1 << 60)
    sink = kept.create(ID, 0)
    with pytest.raises(VaultFullError):
        sink.write([b"x"])
    assert list(kept.leftovers()) == []
    kept.close()


def test_what_was_written_is_promised_no_more(backend):
    sink = backend.create(ID, 1000)
    sink.write([b"x" * 300, b"y" * 300])
    assert backend._room._promised_bytes == 400
    sink.write([b"z" * 500])
    assert backend._room._promised_bytes == 0
    sink.finish()
    assert backend._room._promised_bytes == 0


@pytest.mark.parametrize("code", [errno.EEXIST, errno.EACCES, errno.ENOSPC])
def test_an_object_that_could_not_be_begun_keeps_no_promise(root, code):
    disk = FaultyDisk(fail_at=0, code=code, steps="create")
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    with pytest.raises(VaultError):
        backend.create(ID, 1000)
    assert backend._room._promised_bytes == 0
    backend.close()


def test_promised_room_is_not_promised_again(backend):
    before = backend.free_bytes()
    sink = backend.create(ID, before // 2)
    assert backend.free_bytes() < before * 3 // 4
    sink.abort()
    assert backend.free_bytes() > before * 3 // 4


def test_a_system_that_gives_less_than_it_has_is_asked_again():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for packet in (b"012345abcd", b"ef", b"g", b"hij", b"kl"):
        theirs.send(packet)
    source = _LocalSource(ID, ours.detach)
    assert source.read(0, [6, 6, 0, 6]) == [b"012345", b"abcdef", b"", b"ghijkl"]
    theirs.send(b"next")
    assert source.read(18, [4]) == [b"next"]
    source.close()
    theirs.close()
    with pytest.raises(ValueError, match="closed"):
        source.read(22, [1])


# -- faults at every step -----------------------------------------------------------------------------


def steps_of(root, act):
    """Name the steps of an act on a fresh vault."""
    disk = FaultyDisk()
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    disk.log.clear()
    act(backend)
    backend.close()
    return list(disk.log)


def put(backend):
    sink = backend.create(ID, 8)
    sink.write([b"12345678"])
    sink.finish(b"sidecar")


PUT_STEPS = [*["create", "write", "sync_file"], *["create", "write", "sync_file"], *["rename", "rename", "sync_folder"]]


def test_the_steps_of_a_put_are_in_the_order_of_the_format(root):
    assert steps_of(root, put) == PUT_STEPS


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("step", range(len(PUT_STEPS)))
def test_a_put_that_fails_at_any_step_leaves_nothing(root, step, code):
    disk = FaultyDisk(code=code)
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    disk.log.clear()
    disk.count, disk.fail_at = 0, step
    with pytest.raises(VaultFullError if code == errno.ENOSPC else VaultError):
        put(backend)
    # A sync that failed is not tried again, and nothing is written after it.
    assert not {"sync_file", "sync_folder", "write", "rename"} & set(disk.log[step + 1 :])
    assert list(backend.ids()) == []
    assert list(backend.leftovers()) == []
    put(backend)
    assert load(backend) == b"12345678"
    backend.close()


def test_the_steps_of_a_removal_are_in_the_order_of_the_format(root):
    def remove(backend):
        put(backend)
        backend.remove(ID)

    assert steps_of(root, remove)[len(PUT_STEPS) :] == ["overwrite", *["unlink"] * 2, "sync_folder"]


def test_a_removal_goes_on_where_overwriting_is_not_to_be_had(root):
    disk = FaultyDisk(code=errno.ENOSPC)
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    put(backend)
    disk.count, disk.fail_at = 0, 0
    backend.remove(ID)
    assert list(backend.ids()) == []
    backend.close()


@pytest.mark.parametrize("step", range(1, 4))
def test_a_removal_that_fails_is_finished_by_the_next(root, step):
    disk = FaultyDisk()
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    put(backend)
    disk.count, disk.fail_at = 0, step
    with pytest.raises(VaultError):
        backend.remove(ID)
    backend.remove(ID)
    assert list(backend.ids()) == []
    backend.close()


def test_what_was_read_and_is_not_read_on_takes_no_memory(backend):
    length, parts = 64 * 1024, 4
    sink = backend.create(ID, 0)
    sink.write([bytes([number]) * length for number in range(parts)])
    sink.finish()
    sources = [backend.open(ID) for _ in range(10)]
    found = sources[0].read(0, [length] * parts)  # the thread's own buffers are there from now on
    tracemalloc.start()
    try:
        for each in sources[1:]:
            assert each.read(0, [length] * parts) == found
            each.rest()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < length
    for each in sources:
        each.close()


def test_sources_that_are_read_by_turns_keep_apart(backend):
    for object_id, byte in ((ID, b"a"), (b"\x0b" * 16, b"b")):
        sink = backend.create(object_id, 0)
        sink.write([byte * 100])
        sink.finish()
    first, second = backend.open(ID), backend.open(b"\x0b" * 16)
    assert [first.read(0, [60]), second.read(0, [60]), first.read(60, [40])] == [[b"a" * 60], [b"b" * 60], [b"a" * 40]]
    first.close()
    second.close()


def test_words_of_the_system_stay_in_the_log(root):
    disk = FaultyDisk(steps="write", fail_at=0)
    backend = LocalBackend.create_at(root, floor_bytes=0, disk=disk)
    with pytest.raises(VaultError) as failed:
        put(backend)
    assert failed.value.values == {"problem": f"object {NAME} could not be written"}
    assert "Input/output error" in failed.value.detail
    backend.close()


def test_no_descriptor_is_lost(root, backend):
    before = len(os.listdir("/proc/self/fd"))
    store(backend)
    load(backend)
    list(backend.ids())
    sink = backend.create(b"\x0b" * 16, 1)
    sink.abort()
    backend.quarantine(ID)
    with pytest.raises(VaultError):
        backend.open(ID)
    backend.remove(ID)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("call", ["readv", "open", "pread"])
def test_what_a_disk_has_lost_is_damage_of_that_object_alone(root, backend, monkeypatch, call):
    put(backend)
    source = backend.open(ID)
    real = getattr(os, call)

    def lost(*given, **named):
        if call != "open" or given[0] == NAME:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*given, **named)

    monkeypatch.setattr(os, call, lost)
    with pytest.raises(ObjectCorruptError) as found:
        if call == "readv":
            source.read(0, [1])
        elif call == "open":
            backend.open(ID)
        else:
            backend.read_sidecar(ID)
    assert found.value.values == {"problem": f"object {NAME} cannot be read from its disk"}
    source.close()


def test_a_folder_of_objects_that_is_gone_has_none_and_hinders_no_other(root, backend):
    put(backend)
    (root / "objects" / NAME[:2]).rename(root / "moved")
    for ask in (backend.open, backend.segments, backend.read_sidecar):
        with pytest.raises(ObjectMissingError):
            ask(ID)
    assert list(backend.ids()) == []
    (root / "moved").rename(root / "objects" / NAME[:2])
    assert list(backend.ids()) == [ID]
