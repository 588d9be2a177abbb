from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sft.client.state import StateFolder, state_from
from sft.errors import LocalFileError


def test_sft_home_moves_all_of_the_state(tmp_path):
    state = state_from({"SFT_HOME": str(tmp_path / "h")})
    assert (state.data, state.config) == (tmp_path / "h", tmp_path / "h")


def test_without_it_the_state_lies_in_the_users_own_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    state = state_from({})
    assert state.data != state.config
    assert {state.data.name, state.config.name} == {"sft"}


def test_what_was_written_is_read_and_only_its_owner_can(state):
    os.umask(0)
    try:
        path = state.write("pins/a.json", b"{}")
        note = state.write("receipts/b", b"r", sync=False)
    finally:
        os.umask(0o022)
    assert state.read("pins/a.json") == b"{}"
    assert state.read("receipts/b") == b"r"
    assert [p.stat().st_mode & 0o777 for p in (path, note)] == [0o600, 0o600]
    folders = (state.data, path.parent, note.parent)
    assert [p.stat().st_mode & 0o777 for p in folders] == [0o700, 0o700, 0o700]


def test_what_nothing_rests_on_waits_for_no_disk(state, monkeypatch):
    state.write_under(["receipts/s/a", "receipts/s/b"], b"one")

    def waits(_):
        raise AssertionError("waited for the disk")

    monkeypatch.setattr(os, "fsync", waits)
    assert state.write_under(["receipts/s/b", "receipts/s/c"], b"two") == [state.path(f"receipts/s/{n}") for n in "bc"]
    assert [state.read(f"receipts/s/{n}") for n in "abc"] == [b"one", b"two", b"two"]


def test_what_is_not_there_is_none_and_reading_makes_nothing(state):
    assert state.read("pins/a.json") is None
    assert not state.data.exists()


def test_a_file_is_replaced_whole_and_nothing_else_stays(state):
    state.write("a", b"old old")
    state.write("a", b"new")
    state.write("a", b"newer", sync=False)
    assert state.read("a") == b"newer"
    assert os.listdir(state.data) == ["a"]


def test_a_link_in_the_state_is_not_followed(state, tmp_path):
    state.write("a", b"x")
    (tmp_path / "elsewhere").mkdir()
    (state.data / "pins").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalFileError):
        state.write("pins/a", b"x")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_state_that_cannot_be_read_is_an_error_of_this_computer(state):
    state.write("a", b"x")
    (state.data / "folder").mkdir()
    with pytest.raises(LocalFileError) as caught:
        state.read("folder")
    assert caught.value.values["path"] == str(state.data / "folder")


def test_a_moved_file_replaces_nothing(state):
    state.write("keys/a", b"a")
    state.write("keys/b", b"b")
    state.move("keys/a", "keys/old/a")
    assert state.read("keys/old/a") == b"a"
    with pytest.raises(LocalFileError):
        state.move("keys/b", "keys/old/a")
    assert state.read("keys/b") == b"b"


@pytest.mark.long
def test_two_processes_never_change_the_state_at_once(state):
    code = (
        "import sys; from pathlib import Path; from sft.client.state import StateFolder\n"
        "state = StateFolder(Path(sys.argv[1]), Path(sys.argv[1]))\n"
        "for _ in range(100):\n"
        "    with state.locked():\n"
        "        state.write('n', b'%d' % (int(state.read('n') or b'0') + 1))\n"
    )
    working = [subprocess.Popen([sys.executable, "-c", code, str(state.data)]) for _ in range(3)]
    assert [one.wait(60) for one in working] == [0, 0, 0]
    assert state.read("n") == b"300"


def test_a_name_is_held_by_one_until_its_file_is_closed(tmp_path):
    state = StateFolder(tmp_path / "data", tmp_path / "config")
    lock = state.hold("queue.json")
    assert lock is not None
    assert state.hold("queue.json") is None
    other = state.hold("queue-2.json")
    assert other is not None
    os.close(lock)
    again = state.hold("queue.json")
    assert again is not None
    assert (tmp_path / "data" / "queue.json.lock").stat().st_mode & 0o777 == 0o600
    os.close(again)
    os.close(other)


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
@pytest.mark.parametrize("below", ["", "pins"])
def test_a_folder_that_others_may_write_is_not_read(state, mode, below):
    state.write("pins/a.json", b"{}")
    (state.data / below).chmod(mode)
    with pytest.raises(LocalFileError) as refused:
        state.read("pins/a.json")
    assert "chmod 700" in refused.value.values["remedy"]
    (state.data / below).chmod(0o755)
    assert state.read("pins/a.json") == b"{}"


def test_an_empty_folder_is_taken_and_closed(state):
    state.data.mkdir(parents=True)
    state.data.chmod(0o775)
    assert state.read("profiles.json") is None
    state.write("profiles.json", b"{}")
    assert state.data.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_may_read_is_not_used(state, mode):
    path = state.write("keys/a.key", b"secret")
    assert state.read_secret("keys/a.key") == b"secret"
    assert state.read_secret("keys/b.key") is None
    path.chmod(mode)
    with pytest.raises(LocalFileError):
        state.read_secret("keys/a.key")
    assert state.read("keys/a.key") == b"secret"


def test_a_file_that_is_too_large_is_no_full_disk(state):
    path = state.write("a", b"")
    os.truncate(path, 17 << 20)
    with pytest.raises(LocalFileError) as refused:
        state.read("a")
    assert "larger" in refused.value.values["problem"]
