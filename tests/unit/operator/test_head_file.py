from __future__ import annotations

import os

import pytest

from sft.operator.head_file import NOTE_MOST_BYTES, RECORD_BYTES, HeadFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log-head"


def kept(path, *notes):
    """Keep these heads, one after the other, and end."""
    file = HeadFile.create(path) if not path.exists() else HeadFile(path)
    for note in notes:
        file.keep(note)
    file.close()
    return path.read_bytes()


def read(path):
    file = HeadFile(path)
    file.close()
    return file.note


def test_a_new_file_has_no_head_and_is_closed_to_others(path):
    kept(path)
    assert read(path) is None
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        HeadFile.create(path)


def test_the_last_head_is_read_whatever_number_it_has(path):
    for number in range(5):
        kept(path, f"head {number}")
        assert read(path) == f"head {number}"
    assert path.stat().st_size == 2 * RECORD_BYTES


@pytest.mark.parametrize("written", [1, 2, 3])
def test_a_write_that_is_cut_anywhere_leaves_the_head_before_it(path, written):
    before = kept(path, *(f"head {number}" for number in range(written)))
    after = kept(path, "the next one, which is longer")
    for cut in (*range(60), 500, 4000, *range(RECORD_BYTES - 40, RECORD_BYTES)):
        place = (written + 1) % 2 * RECORD_BYTES
        path.write_bytes(before[:place] + after[place : place + cut] + before[place + cut :])
        assert read(path) == f"head {written - 1}", cut
    path.write_bytes(after)
    assert read(path) == "the next one, which is longer"


def test_a_changed_record_is_none(path):
    whole = kept(path, "first", "second")
    for place in (*range(40), RECORD_BYTES - 1):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(bytes(changed))
        assert read(path) == "first"
    path.write_bytes(whole[:RECORD_BYTES])
    assert read(path) == "second"
    path.write_bytes(b"")
    assert read(path) is None


def test_a_head_is_on_the_disk_when_keep_returns(path, monkeypatch):
    file = HeadFile.create(path)
    synced = []

    def sync(file_fd):
        synced.append((os.fstat(file_fd).st_ino, b"a head" in path.read_bytes()))

    monkeypatch.setattr(os, "fdatasync", sync)
    file.keep("a head")
    file.close()
    assert synced == [(path.stat().st_ino, True)]


def test_a_head_that_no_record_holds_is_refused_and_the_one_before_stays(path):
    kept(path, "first")
    file = HeadFile(path)
    file.keep("x" * NOTE_MOST_BYTES)
    with pytest.raises(ValueError, match="a head of"):
        file.keep("x" * (NOTE_MOST_BYTES + 1))
    file.close()
    assert read(path) == "x" * NOTE_MOST_BYTES


def test_a_link_is_no_head_file(path, tmp_path):
    kept(tmp_path / "elsewhere", "a head")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        HeadFile(path)
