"""A run writes the pages that changed, and every page that a backup needs can be read from the packs that stay."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from msgspec import structs

from sft import durable
from sft.errors import BackupError
from sft.operator.backups import pages as module
from sft.operator.backups.folder import PACKS, UNFINISHED, BackupFolder, pack_name
from sft.operator.backups.incoming import Incoming
from sft.operator.backups.manifest import Manifest
from sft.operator.backups.pages import CopiedPages, PageCopying, PageReader, packs_of
from sft.store.database import FULL_CHECKPOINT_BYTES
from sft.store.database_pages import PAGES_AT_ONCE, DatabasePages
from tests.unit.operator.test_backup_manifest import MANIFEST

PAGE = 64


class FakePages:
    page_bytes = PAGE

    def __init__(self, data: bytes, log: list[int] | None = None) -> None:
        self.data = data
        self.count = len(data) // PAGE
        self.log = log or []  # how long it is after each read

    def read(self, first: int, most: int) -> bytes:
        return self.data[first * PAGE : (first + most) * PAGE]

    def log_bytes(self) -> int:
        return self.log.pop(0) if self.log else 0


class Run:
    """Runs into one folder, each after the one before."""

    def __init__(self, path: Path) -> None:
        self.folder = BackupFolder(path)
        with self.folder.writing(bytes(32)):
            pass
        self.before: tuple[Manifest, bytes] | None = None

    def copy(self, data: bytes) -> CopiedPages:
        with durable.opened_folder(self.folder.path) as root, Incoming(root, (UNFINISHED,)) as incoming:
            copying = PageCopying(incoming, self.folder.pack_sizes(), self.before)
            copied = copying.copy(cast("DatabasePages", FakePages(data)))
            incoming.sync()
        assert copying.bytes == copied.new * PAGE
        manifest = structs.replace(MANIFEST, page_bytes=PAGE, packs=copied.packs, new_pages=copied.new, pieces=())
        self.before = manifest, copied.table
        return copied

    def read(self, copied: CopiedPages) -> bytes:
        pieces = list(copied.pieces())
        manifest = structs.replace(
            MANIFEST,
            page_bytes=PAGE,
            database_bytes=len(copied.table) // 32 * PAGE,
            pieces=tuple(str(n) for n in range(len(pieces))),
        )
        with served(self.folder, pieces), PageReader(self.folder, manifest) as reader:
            return b"".join(reader.pages())


@contextmanager
def served(folder: BackupFolder, pieces: list[bytes]) -> Iterator[None]:
    folder.piece = lambda name, *, at_most: pieces[int(name)][:at_most]  # type: ignore[method-assign]
    yield
    del folder.piece  # type: ignore[method-assign]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(module, "PACK_PAGES", 32)
    return Run(tmp_path / "backups")


def changed(data: bytes, places: list[int], draw: random.Random) -> bytes:
    new = bytearray(data)
    for place in places:
        new[place * PAGE : (place + 1) * PAGE] = draw.randbytes(PAGE)
    return bytes(new)


def test_a_run_writes_what_changed_alone_and_what_is_behind_the_end(runs: Run):
    draw = random.Random(1)
    data = draw.randbytes(300 * PAGE)
    assert runs.copy(data).new == 300
    second = runs.copy(data)
    assert (second.new, runs.read(second)) == (0, data)
    newer = changed(data, [0, 5, 299], draw) + draw.randbytes(2 * PAGE)
    third = runs.copy(newer)
    assert (third.new, runs.read(third)) == (5, newer)
    fourth = runs.copy(data[: 40 * PAGE])
    assert (fourth.new, runs.read(fourth)) == (2, data[: 40 * PAGE])
    assert runs.read(second) == data


def test_while_the_log_of_the_server_is_long_reading_is_not_slowed(runs: Run):
    long, told = FULL_CHECKPOINT_BYTES, list[int]()
    pages = FakePages(bytes(4 * PAGES_AT_ONCE * PAGE), [0, long - 1, long, 2 * long])
    with durable.opened_folder(runs.folder.path) as root, Incoming(root, (UNFINISHED,)) as incoming:
        PageCopying(incoming, {}, None, each=told.append).copy(cast("DatabasePages", pages))
    # What is told of no bytes may end the run, and is not slowed.
    assert [count for count in told if count] == 2 * [PAGES_AT_ONCE * PAGE]
    assert len(told) > 2


def test_packs_that_are_needed_little_are_given_up_little_by_little(runs: Run):
    draw = random.Random(2)
    data = draw.randbytes(320 * PAGE)
    copied = runs.copy(data)
    for _ in range(60):
        places = draw.sample(range(320), 8)
        data = changed(data, places, draw)
        copied = runs.copy(data)
        assert (
            copied.new <= 8 + 40 + 32
        )  # what changed; and of thin packs as many as the run before wrote, and one pack
        assert runs.read(copied) == data
        # As where one backup is kept.
        for number in runs.folder.pack_sizes().keys() - set(copied.packs):
            (runs.folder.path / PACKS / pack_name(number)).unlink()
    assert sum(runs.folder.pack_sizes().values()) <= 2.5 * len(data)


@pytest.mark.parametrize("left", [None, 0, 31 * PAGE + 1])
def test_what_lay_in_a_pack_that_is_gone_or_cut_is_written_again(runs: Run, left: int | None):
    data = random.Random(3).randbytes(96 * PAGE)
    first = runs.copy(data)
    pack = runs.folder.path / PACKS / pack_name(min(first.packs))
    if left is None:
        pack.unlink()
    else:
        with pack.open("r+b") as file:
            file.truncate(left)
    with pytest.raises(BackupError):
        runs.read(first)
    second = runs.copy(data)
    assert (second.new, runs.read(second)) == (32, data)


def test_a_page_that_was_changed_in_its_pack_is_named(runs: Run):
    copied = runs.copy(random.Random(4).randbytes(96 * PAGE))
    assert set(packs_of(copied.table)) == {1, 2, 3}
    with (runs.folder.path / PACKS / pack_name(2)).open("r+b") as file:
        file.seek(PAGE)
        file.write(b"other")
    with pytest.raises(BackupError) as refused:
        runs.read(copied)
    assert "page 34 of its database is damaged, in pack 0000000002" in refused.value.values["problem"]


def test_a_table_of_fewer_pages_than_its_manifest_says_or_of_half_an_entry_is_refused(runs: Run):
    copied = runs.copy(random.Random(2).randbytes(5 * PAGE))
    for table in (copied.table[:-32], copied.table[:-1]):
        manifest = structs.replace(MANIFEST, page_bytes=PAGE, database_bytes=5 * PAGE, pieces=("0",))
        with served(runs.folder, [table]), PageReader(runs.folder, manifest) as reader, pytest.raises(BackupError):
            list(reader.pages())
