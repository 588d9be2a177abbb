"""The heads that are kept: none is lost, whoever writes when, and whatever ends them."""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import stat

import pytest

from sft import durable
from sft.client.heads import Head, Heads
from sft.client.state import StateFolder
from sft.errors import LocalFileError
from sft.ledger.checkpoints import Checkpoint, Origin

SERVER_ID = bytes(range(32))
ORIGIN = Origin.of_server("files.acme.example", SERVER_ID, 1)


def head(size, fork="a"):
    checkpoint = Checkpoint(ORIGIN, size, hashlib.sha256(f"{fork}{size}".encode()).digest())
    return Head(checkpoint, f"{checkpoint.text()}\n\N{EM DASH} x c2lnbmVk\n")


@pytest.fixture
def heads(state):
    return Heads(state, SERVER_ID)


def test_before_the_first_login_nothing_is_known(heads):
    assert heads.read() == []


def test_what_was_continued_is_left_behind_and_the_note_stays_as_it_came(heads, state):
    heads.keep(head(90))
    heads.keep(head(100), [head(90)])
    assert heads.read() == [head(100)]
    (path,) = (state.data / "heads" / SERVER_ID.hex()[:32]).iterdir()
    assert path.read_text("utf-8") == head(100).note
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_kept_again_is_not_written_again(heads, state, monkeypatch):
    heads.keep(head(100))
    monkeypatch.setattr(durable, "replace_file", None)
    heads.keep(head(100), [head(100)])
    assert heads.read() == [head(100)]


def test_a_session_that_lags_behind_removes_nothing_that_it_has_no_proof_for(heads):
    heads.keep(head(90))
    heads.keep(head(120), [head(90)])
    heads.keep(head(100), [head(90)])
    assert heads.read() == [head(100), head(120)]


def test_two_heads_of_one_size_are_both_kept(heads):
    heads.keep(head(100, "a"))
    heads.keep(head(100, "b"), [head(100, "b")])
    assert {each.note for each in heads.read()} == {head(100, "a").note, head(100, "b").note}


def test_the_new_one_is_on_the_disk_before_the_old_one_goes(heads, state, monkeypatch):
    heads.keep(head(90))
    done = []
    for name in ("sync_file", "sync_folder"):
        plain = getattr(durable, name)
        monkeypatch.setattr(durable, name, lambda fd, name=name, plain=plain: (plain(fd), done.append(name)))
    remove = StateFolder.remove
    monkeypatch.setattr(StateFolder, "remove", lambda self, name: (remove(self, name), done.append("remove")))
    heads.keep(head(100), [head(90)])
    assert "sync_file" in done
    assert done[-2:] == ["sync_folder", "remove"]


class Killed(BaseException):
    """The process is gone."""


def test_a_kill_at_any_step_forgets_nothing(tmp_path, monkeypatch):
    """Each call on files may be the last one: what is read afterwards still reaches the newest that was there."""
    steps = ("replace_file", "sub_folder")
    for last in itertools.count():
        state = StateFolder(tmp_path / str(last), tmp_path / str(last))
        heads = Heads(state, SERVER_ID)
        heads.keep(head(90))
        calls = itertools.count()
        with monkeypatch.context() as patch:
            for module, name in [(durable, step) for step in steps] + [(StateFolder, "remove")]:
                plain = getattr(module, name)

                def counted(*arguments, plain=plain, calls=calls, last=last, **options):
                    if next(calls) >= last:
                        raise Killed
                    return plain(*arguments, **options)

                patch.setattr(module, name, counted)
            try:
                heads.keep(head(100), [head(90)])
            except Killed:
                pass
            else:
                break
        kept = heads.read()
        assert kept in ([head(90)], [head(90), head(100)], [head(100)])
    assert last > 3


def test_what_a_kill_left_of_a_write_is_no_head(heads, state):
    heads.keep(head(90))
    folder = state.data / "heads" / SERVER_ID.hex()[:32]
    (folder / ".tmp-1").write_bytes(b"half")
    assert heads.read() == [head(90)]


def test_one_that_another_session_leaves_behind_while_they_are_read_is_not_missed(heads, state, monkeypatch):
    heads.keep(head(90))
    read, once = StateFolder.read, iter([True])

    def racing(self, name):
        if next(once, False):
            Heads(state, SERVER_ID).keep(head(100), [head(90)])
        return read(self, name)

    monkeypatch.setattr(StateFolder, "read", racing)
    assert heads.read() == [head(100)]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", head(91).note.encode(), head(90, "b").note.encode(), head(90).note.encode()[:60]]
)
def test_a_damaged_one_is_said_and_never_passed_over(heads, state, data):
    heads.keep(head(90))
    (path,) = (state.data / "heads" / SERVER_ID.hex()[:32]).iterdir()
    path.write_bytes(data)
    with pytest.raises(LocalFileError) as caught:
        heads.read()
    assert "damaged" in caught.value.values["problem"]


def _advance(folder, sizes):
    heads = Heads(StateFolder(folder, folder), SERVER_ID)
    for size in sizes:
        known = [each for each in heads.read() if each.checkpoint.size < size]
        heads.keep(head(size), known)


@pytest.mark.long
def test_processes_that_share_a_profile_move_it_forwards_only(tmp_path):
    folder = tmp_path / "state"
    Heads(StateFolder(folder, folder), SERVER_ID).keep(head(1))
    context = multiprocessing.get_context("fork")
    lanes = [context.Process(target=_advance, args=(folder, range(2 + lane, 80, 4))) for lane in range(4)]
    for lane in lanes:
        lane.start()
    newest = 1
    while any(lane.is_alive() for lane in lanes):
        seen = Heads(StateFolder(folder, folder), SERVER_ID).read()
        assert seen
        assert seen[-1].checkpoint.size >= newest
        newest = seen[-1].checkpoint.size
    for lane in lanes:
        lane.join()
        assert lane.exitcode == 0
    assert Heads(StateFolder(folder, folder), SERVER_ID).read()[-1].checkpoint.size == 79
