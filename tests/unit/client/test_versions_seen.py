"""What this computer remembers of versions: over runs, processes, torn writes and a full disk."""

from __future__ import annotations

import errno
import gc
from pathlib import Path

import pytest

from sft.client import versions_seen
from sft.client.versions_seen import NO_PLACE, VersionsSeen
from sft.crypto.digests import blake2b_512
from sft.errors import LocalFileError

SERVER_ID = bytes(range(32))
ONE, OTHER = b"1" * 16, b"2" * 16
CONTENT = (bytes(64), "docs/plan")  # what its author signed: digest and name
RECORD = 65


def seen(state):
    return VersionsSeen(state, SERVER_ID)


def test_the_highest_version_is_remembered_by_the_next_run(state):
    now = seen(state)
    for file_id, version in ((ONE, 2), (OTHER, 9), (ONE, 5), (ONE, 3)):
        now.note(file_id, version, *CONTENT)
    assert (now.highest(ONE), now.highest(OTHER), now.highest(bytes(16))) == (5, 9, 0)
    now.flush()
    later = seen(state)
    assert (later.highest(ONE), later.highest(OTHER)) == (5, 9)
    path = state.data / "versions" / SERVER_ID.hex()[:32]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_known_is_not_written_again(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.flush()
    size = Path(now.path).stat().st_size
    for _ in range(3):
        now.note(ONE, 5, *CONTENT)
        now.flush()
    assert Path(now.path).stat().st_size == size == 2 * RECORD


def test_two_processes_add_to_one_another(state):
    one, other = seen(state), seen(state)
    one.note(ONE, 5, *CONTENT)
    other.note(OTHER, 6, *CONTENT)
    other.note(ONE, 4, *CONTENT)
    one.flush()
    other.flush()
    assert (seen(state).highest(ONE), seen(state).highest(OTHER)) == (5, 6)


def test_what_another_process_sees_since_this_one_began_is_newer_than_what_it_was_shown(state):
    before = seen(state)
    before.note(ONE, 5, *CONTENT)
    before.flush()
    one, other = seen(state), seen(state)
    other.note(ONE, 6, *CONTENT)
    other.note(OTHER, 1, *CONTENT)
    other.flush()
    assert (one.highest(ONE), one.highest(OTHER)) == (5, 0)
    one.note(bytes(16), 1, *CONTENT)
    one.flush()
    assert [seen(state).highest(each) for each in (ONE, OTHER, bytes(16))] == [6, 1, 1]


def test_what_was_seen_before_is_known_where_another_process_wrote_the_file_anew(state, monkeypatch):
    monkeypatch.setattr(versions_seen, "_MOST_RECORDS", 8)
    monkeypatch.setattr(versions_seen, "_KEPT_RECORDS", 8)
    before = seen(state)
    before.note(ONE, 5, *CONTENT)
    before.flush()
    one, other = seen(state), seen(state)
    for number in range(7):
        other.note(number.to_bytes(16, "big"), 1, *CONTENT)
    other.note(ONE, 5, *CONTENT, read=True)  # is seen last now, and stands last in the new file
    other.flush()
    assert one.highest(ONE) == 5


def test_what_was_seen_is_known_where_the_file_could_not_be_looked_at_when_this_began(state, monkeypatch):
    before = seen(state)
    before.note(ONE, 5, *CONTENT)
    before.flush()

    def refused(_path):
        raise OSError(errno.EIO, "a bad disk")

    with monkeypatch.context() as shut:
        shut.setattr(Path, "lstat", refused)
        one = seen(state)
    assert one.highest(ONE) == 5


def test_a_record_that_a_crash_cut_off_costs_no_other(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.flush()
    with Path(now.path).open("ab") as file:
        file.write(b"torn")
    later = seen(state)
    assert later.highest(ONE) == 5
    later.note(OTHER, 6, *CONTENT)
    later.flush()
    assert (seen(state).highest(ONE), seen(state).highest(OTHER)) == (5, 6)


def test_many_are_written_before_anybody_asks_for_it(state):
    now = seen(state)
    for number in range(1000):
        now.note(number.to_bytes(16, "big"), 1, *CONTENT)
    assert Path(now.path).stat().st_size >= 700 * RECORD


def test_it_stays_short_and_forgets_what_was_seen_first(state, monkeypatch):
    monkeypatch.setattr(versions_seen, "_MOST_RECORDS", 1000)
    monkeypatch.setattr(versions_seen, "_KEPT_RECORDS", 600)
    now = seen(state)
    for number in range(2000):
        now.note(number.to_bytes(16, "big"), 1, *CONTENT)
    now.flush()
    assert Path(now.path).stat().st_size <= 1256 * RECORD
    later = seen(state)
    assert later.highest((1999).to_bytes(16, "big")) == 1
    assert later.highest((0).to_bytes(16, "big")) == 0


def test_what_the_disk_does_not_take_is_remembered_while_this_runs(state):
    now = seen(state)
    now.highest(ONE)
    state.data.mkdir(parents=True)
    (state.data / "versions").write_bytes(b"in the way")
    now.note(ONE, 5, *CONTENT)
    now.flush()
    assert now.highest(ONE) == 5


def test_the_file_says_its_format_and_a_newer_or_another_one_is_refused_and_kept(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.flush()
    path = Path(now.path)
    proof = blake2b_512(bytes(64) + b"docs/plan").digest()[:32]
    head = b"sft versions".ljust(16, b"\0") + (4).to_bytes(8, "big") + bytes(41)
    assert path.read_bytes() == head + ONE + (5).to_bytes(8, "big") + bytes(8) + proof + b"\0"
    for head, problem in (
        (
            b"sft versions".ljust(16, b"\0") + (5).to_bytes(8, "big") + bytes(41),
            "was written by a newer sft (format 5; this one reads 4)",
        ),
        (b"sft versions".ljust(16, b"\0") + (3).to_bytes(8, "big") + bytes(41), "is damaged"),
        (ONE + (5).to_bytes(8, "big") + bytes(41), "is damaged"),
    ):
        path.write_bytes(head)
        with pytest.raises(LocalFileError) as refused:
            seen(state).highest(ONE)
        assert refused.value.values["problem"] == problem
        assert path.read_bytes() == head


def test_what_a_refusal_holds_is_collected_with_it(state):
    Path(seen(state).path).parent.mkdir(parents=True, exist_ok=True)
    Path(seen(state).path).write_bytes(bytes(RECORD * 3))
    with pytest.raises(LocalFileError) as refused:
        seen(state).highest(ONE)
    held = [refused.value]
    held.append(held)  # as a task holds the error by which it ended
    del held, refused
    gc.collect()  # a segmentation fault ended the whole process here


def test_a_file_that_a_crash_cut_within_its_head_begins_anew(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.flush()
    Path(now.path).write_bytes(Path(now.path).read_bytes()[:20])
    later = seen(state)
    later.note(OTHER, 6, *CONTENT)
    later.flush()
    assert (seen(state).highest(ONE), seen(state).highest(OTHER)) == (0, 6)


def test_what_cannot_be_read_is_said(state):
    (state.data / "versions" / SERVER_ID.hex()[:32]).mkdir(parents=True)
    with pytest.raises(LocalFileError):
        seen(state).highest(ONE)


def test_what_was_judged_is_known_again_by_version_content_and_name(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.flush()
    later = seen(state)
    assert later.knows(ONE, 5, *CONTENT)
    assert not later.knows(ONE, 4, *CONTENT)
    assert not later.knows(ONE, 6, *CONTENT)
    assert not later.knows(ONE, 5, b"\x01" + bytes(63), "docs/plan")
    assert not later.knows(ONE, 5, bytes(64), "docs/plans")
    assert not later.knows(OTHER, 5, *CONTENT)
    later.note(ONE, 6, *CONTENT)
    assert not later.knows(ONE, 5, *CONTENT), "it is not the newest any more"


def test_another_content_of_the_same_version_takes_the_place_of_the_first(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    now.note(ONE, 5, bytes(63) + b"\x01", "docs/plan")
    now.flush()
    later = seen(state)
    assert not later.knows(ONE, 5, *CONTENT)
    assert later.knows(ONE, 5, bytes(63) + b"\x01", "docs/plan")


def test_the_place_that_was_told_first_stays_whatever_is_seen_later(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    assert now.place(ONE) == NO_PLACE
    now.note(ONE, 5, *CONTENT, 7)
    now.note(ONE, 6, *CONTENT)
    now.note(ONE, 7, *CONTENT, 8)
    assert now.place(ONE) == 7
    now.flush()
    later = seen(state)
    assert (later.place(ONE), later.highest(ONE), later.place(OTHER)) == (7, 7, NO_PLACE)
    assert later.knows(ONE, 7, *CONTENT)


def test_what_was_read_here_stays_read_and_nothing_else_is(state):
    now = seen(state)
    now.note(ONE, 5, *CONTENT)
    assert not now.was_read(ONE, 5, *CONTENT)
    now.note(ONE, 5, *CONTENT, read=True)
    now.note(ONE, 5, *CONTENT)  # it is listed again
    now.note(ONE, 5, *CONTENT, 7)
    now.flush()
    later = seen(state)
    assert later.was_read(ONE, 5, *CONTENT)
    assert later.place(ONE) == 7
    assert not later.was_read(ONE, 4, *CONTENT)
    assert not later.was_read(ONE, 5, bytes(64), "docs/plans")
    assert not later.was_read(OTHER, 5, *CONTENT)
    later.note(ONE, 5, bytes(63) + b"\x01", "docs/plan")
    assert not later.was_read(ONE, 5, bytes(63) + b"\x01", "docs/plan"), "that content was not read"
    later.note(ONE, 6, *CONTENT)
    assert not later.was_read(ONE, 6, *CONTENT)
