from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from msgspec import structs

from sft.client.transfers import sources
from sft.client.transfers.sources import FileSource, PipeSource
from sft.errors import LocalFileError, SourceChangedError
from sft.limits import CHUNK_BYTES, SMALL_FILE_BYTES

SIZES = [0, 1, SMALL_FILE_BYTES, SMALL_FILE_BYTES + 1, CHUNK_BYTES, CHUNK_BYTES + 1, 17 * CHUNK_BYTES]


def all_of(source, count=8):
    chunks, last = [], False
    while not last:
        batch, last = source.fetch(count)
        assert 1 <= len(batch) <= count
        chunks += batch
    assert all(len(chunk) == CHUNK_BYTES for chunk in chunks[:-1])
    assert chunks[-1] or len(chunks) == 1
    return b"".join(chunks)


def pipe_of(content, piece=70_001):
    reading, writing = os.pipe()

    def write():
        with os.fdopen(writing, "wb") as file:
            for at in range(0, len(content), piece):
                file.write(content[at : at + piece])
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    return os.fdopen(reading, "rb"), writer


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_read_whole_in_full_chunks(tmp_path, size):
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(content)
    source = FileSource(tmp_path / "f")
    assert source.size == size
    small = source.small()
    assert (small == content) if size <= SMALL_FILE_BYTES else (small is None)
    if small is None:
        assert all_of(source) == content
        source.rewind()
        assert all_of(source, 64) == content
    source.require_unchanged()
    source.close()
    source.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_pipe_is_read_whole_in_full_chunks_and_its_last_is_known(size):
    content = os.urandom(size)
    reading, writer = pipe_of(content)
    source = PipeSource(reading, lambda: 77.5)
    small = source.small()
    if size <= SMALL_FILE_BYTES:
        assert (small, source.size) == (content, size)
    else:
        assert (small, source.size) == (None, None)
        assert all_of(source) == content
    assert source.require_unchanged().dated_at == 77
    writer.join()
    reading.close()


def test_a_pipe_that_was_read_from_is_never_opened_again():
    reading, writer = pipe_of(b"x" * 2 * CHUNK_BYTES)
    source = PipeSource(reading, lambda: 0)
    assert not source.was_read
    source.close()
    again = PipeSource(reading, lambda: 0)
    again.small()
    assert again.was_read
    with pytest.raises(LocalFileError):
        PipeSource(reading, lambda: 0)
    writer.join()
    reading.close()


def test_the_date_is_rounded_down_to_seconds_also_before_1970(tmp_path):
    for nanoseconds, seconds in ((1_999_999_999, 1), (-1, -1)):
        (tmp_path / "f").write_bytes(b"x")
        os.utime(tmp_path / "f", ns=(0, nanoseconds))
        assert FileSource(tmp_path / "f").require_unchanged().dated_at == seconds


@pytest.mark.parametrize(("mode", "executable"), [(0o755, True), (0o100, True), (0o644, False), (0o611, False)])
def test_that_its_owner_may_run_it_is_stated(tmp_path, mode, executable):
    (tmp_path / "f").touch(mode=0o600)
    source = FileSource(tmp_path / "f")
    (tmp_path / "f").chmod(mode)
    assert source.require_unchanged().executable == executable


@pytest.mark.parametrize(("seconds", "told"), [(2**62, 2**40), (-(2**62), -(2**40))])
def test_a_date_that_no_message_holds_becomes_the_closest(tmp_path, monkeypatch, seconds, told):
    (tmp_path / "f").write_bytes(b"x")
    source = FileSource(tmp_path / "f")
    source.seen = structs.replace(source.seen, modified_ns=seconds * 10**9)
    monkeypatch.setattr(sources, "seen_as", lambda *_: source.seen)
    assert source.require_unchanged().dated_at == told


@pytest.mark.parametrize("change", ["grown", "touched", "shrunk"])
def test_a_file_that_was_written_meanwhile_is_not_what_was_opened(tmp_path, change):
    path = tmp_path / "f"
    path.write_bytes(bytes(2 * CHUNK_BYTES))
    os.utime(path, ns=(5, 5))
    source = FileSource(path)
    source.fetch(1)
    if change == "grown":
        with path.open("ab") as file:
            file.write(b"x")
        os.utime(path, ns=(5, 5))
    elif change == "touched":
        os.utime(path, ns=(6, 6))
    else:
        os.truncate(path, 5)
        with pytest.raises(SourceChangedError):
            source.fetch(1)
    with pytest.raises(SourceChangedError):
        source.require_unchanged()


def test_what_is_no_regular_file_is_refused_without_hanging(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder", "none"):
        with pytest.raises(LocalFileError):
            FileSource(tmp_path / name)


def test_a_link_is_followed_only_where_it_was_named(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert FileSource(tmp_path / "link").small() == b"x"
    with pytest.raises(LocalFileError):
        FileSource(tmp_path / "link", follow=False)


def test_a_reader_of_a_silent_pipe_can_be_given_up_and_never_takes_that_for_the_end():
    reading, writing = os.pipe()
    source = PipeSource(os.fdopen(reading, "rb", closefd=False), lambda: 0)
    faults = []

    def read():
        try:
            source.small()
        except SourceChangedError as fault:
            faults.append(fault)

    reader = threading.Thread(target=read)
    reader.start()
    source.close()
    reader.join(10)
    assert len(faults) == 1
    os.close(reading)
    os.close(writing)


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file that the system makes as it is read")
def test_what_holds_more_than_its_size_says_is_refused_and_not_taken_for_empty(tmp_path):
    with pytest.raises(LocalFileError) as caught:
        FileSource(Path("/proc/version"))
    assert caught.value.values["problem"] == "holds more than its size says"
    (tmp_path / "empty").touch()
    source = FileSource(tmp_path / "empty")
    assert (source.small(), source.fetch(1)) == (b"", ([b""], True))
    source.close()
