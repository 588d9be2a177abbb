from __future__ import annotations

import ctypes
import errno
import os
import stat

import pytest

from sft import durable
from sft.errors import HomeError
from sft.operator.home import RESERVE_BYTES, SOCKET_PATH_BYTES, Home, HomeLock, HomeSettings, HomeState
from tests.fakes.faulty_os import FaultyOs


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.make()
    return home


def whole(home):
    home.data.mkdir()
    for part in (home.keyring, home.database, home.log_head):
        part.write_bytes(b"")
    home.vault.mkdir()
    home.master_key.write_bytes(b"")


def test_a_home_is_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        home = Home(tmp_path / "deep" / "home")
        home.make()
        home.write_private("secret", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((home.path / "secret").stat().st_mode) == 0o600


def test_an_empty_home_is_new(home):
    assert home.state() is HomeState.NEW


def test_a_home_with_all_its_parts_is_whole(home):
    whole(home)
    assert home.state() is HomeState.WHOLE


@pytest.mark.parametrize("part", ["keyring", "database", "vault", "log_head"])
def test_a_home_that_lacks_a_part_is_refused_and_the_part_named(home, part):
    whole(home)
    missing = getattr(home, part)
    missing.rmdir() if missing.is_dir() else missing.unlink()
    with pytest.raises(HomeError) as refused:
        home.state()
    assert missing.name in refused.value.values["problem"]


def test_a_master_key_without_data_is_refused(home):
    home.master_key.write_bytes(b"")
    with pytest.raises(HomeError, match="HOME"):
        home.state()


def test_a_first_start_that_was_cut_begins_anew(home):
    home.master_key.write_bytes(b"")
    home.unfinished.mkdir()
    (home.unfinished / "keyring").write_bytes(b"half")
    assert home.state() is HomeState.NEW
    home.begin_unfinished()
    assert list(home.unfinished.iterdir()) == []


def test_publishing_gives_the_data_folder_its_name_and_never_over_one(home):
    home.unfinished.mkdir()
    home.publish()
    assert home.data.is_dir()
    home.unfinished.mkdir()
    with pytest.raises(HomeError, match="HOME"):
        home.publish()


def test_a_path_that_no_socket_can_have_is_refused(tmp_path):
    name = "h" * (SOCKET_PATH_BYTES - len(os.fsencode(tmp_path)) - len("//control"))
    Home(tmp_path / name).state()
    with pytest.raises(HomeError):
        Home(tmp_path / f"{name}h").state()


def test_settings_are_kept_and_defaults_left_out(home):
    assert home.settings() == HomeSettings()
    kept = HomeSettings(public="files.example.org:7361", registration="closed")
    home.keep_settings(kept)
    assert home.settings() == kept
    assert "master_key" not in (home.path / "home.json").read_text()


def test_networks_that_no_limit_per_source_touches_are_kept(home):
    home.keep_settings(HomeSettings(exempt="10.1.0.0/16, 2001:db8::7"))
    assert [str(each) for each in home.settings().exempt_networks()] == ["10.1.0.0/16", "2001:db8::7/128"]


@pytest.mark.parametrize("text", ["{", "[]", '{"unheard": 1}', '{"public": 7}', "\x00"])
def test_settings_that_cannot_be_read_are_refused_not_guessed(home, text):
    (home.path / "home.json").write_text(text)
    with pytest.raises(HomeError):
        home.settings()


def test_the_servers_public_key_is_kept_for_operator_commands(home):
    with pytest.raises(HomeError):
        home.server_key()
    home.keep_server_key(bytes(range(32)))
    assert home.server_key() == bytes(range(32))
    (home.path / "server.pub").write_text("00ff")
    with pytest.raises(HomeError):
        home.server_key()


def test_one_process_has_the_lock_and_the_next_gets_it_after(home):
    first, second = HomeLock(home), HomeLock(home)
    assert not second.is_held()
    assert not (home.path / "lock").exists()
    assert first.take()
    assert not second.take()
    assert second.is_held()
    first.drop()
    first.drop()
    assert not second.is_held()
    assert second.take()
    second.drop()


def test_a_home_is_being_made_until_its_key_is_there_and_only_while_somebody_makes_it(home):
    lock = HomeLock(home)
    assert not home.is_being_made()
    assert lock.take()
    assert home.is_being_made()
    home.keep_server_key(bytes(32))
    assert not home.is_being_made()
    lock.drop()


def test_a_lock_is_not_taken_through_a_link(home, tmp_path):
    (home.path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeError):
        HomeLock(home).take()
    assert not (tmp_path / "elsewhere").exists()


# -- a disk that is full, closed, open to others, or lacks a call ---------------------------------------------


def test_what_is_so_already_is_not_written_again_for_a_full_disk_must_not_keep_a_server_from_starting(home):
    home.keep_settings(HomeSettings(name="acme"))
    home.keep_server_key(bytes(32))
    calls = FaultyOs(fail=range(100), only={"write"})
    with calls.counting():
        home.keep_settings(HomeSettings(name="acme"))
        home.keep_server_key(bytes(32))
    calls.close()
    assert calls.names == []


def test_a_full_disk_is_named_with_the_file_and_what_to_do(home):
    calls = FaultyOs(fail={0}, only={"write"})
    with calls.counting(), pytest.raises(HomeError) as refused:
        home.keep_settings(HomeSettings(name="acme"))
    calls.close()
    assert str(home.kept) in refused.value.values["problem"]
    assert refused.value.values["remedy"] == "Make room on its disk, then again"


def test_a_file_that_others_can_read_is_written_anew_though_it_says_the_same(home):
    home.keep_server_key(bytes(32))
    (home.path / "server.pub").chmod(0o644)
    home.keep_server_key(bytes(32))
    assert stat.S_IMODE((home.path / "server.pub").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ['{"registration": "everybody"}', '{"public": "nowhere"}', '{"name": "a/b"}', '{"exempt": "all"}']
)
def test_a_wrong_word_in_the_settings_is_refused_in_words(home, text):
    (home.path / "home.json").write_text(text)
    with pytest.raises(HomeError) as refused:
        home.settings()
    assert "that it cannot have" in refused.value.values["problem"]


def test_what_stands_open_is_closed_by_a_start(home):
    whole(home)
    for folder in (home.path, home.data, home.vault):
        folder.chmod(0o777)
    home.make()
    assert {stat.S_IMODE(each.stat().st_mode) for each in (home.path, home.data, home.vault)} == {0o700}


def test_what_killed_writes_have_left_is_removed(home):
    whole(home)
    for folder in (home.path, home.data):
        (folder / ".0123456789abcdef.part").write_bytes(b"half")
        (folder / "mine.part").write_bytes(b"mine")
    (home.data / "sft.sqlite.before-upgrade-from-0001.part").write_bytes(b"half")
    home.remove_unfinished()
    assert {path.name for path in home.path.rglob("*.part")} == {"mine.part"}


def test_a_data_folder_is_published_where_the_system_cannot_refuse_to_replace(home, monkeypatch):
    def lacking(*_):
        ctypes.set_errno(errno.ENOSYS)
        return -1

    monkeypatch.setattr(durable, "_renameat2", lacking)
    home.begin_unfinished()
    (home.unfinished / "keyring").write_bytes(b"x")
    home.publish()
    assert (home.data / "keyring").read_bytes() == b"x"
    home.begin_unfinished()
    with pytest.raises(HomeError):
        home.publish()
    assert (home.data / "keyring").read_bytes() == b"x"


def test_data_may_lie_on_a_disk_of_its_own_and_the_home_remembers_where(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    home = Home(tmp_path / "home", disk)
    home.make()
    home.begin_unfinished()
    home.publish()
    assert (disk / "data").is_dir()
    home.keep_settings(HomeSettings(data=str(disk)))
    again = Home(tmp_path / "home")
    assert again.data == disk / "data"
    # A disk that is not mounted is not a new server.
    again.data.rmdir()
    with pytest.raises(HomeError) as refused:
        again.state()
    assert "home.json but no data" in refused.value.values["problem"]


def test_the_room_that_is_held_is_given_up_once(home):
    home.data.mkdir()
    home.hold_reserve()
    assert (home.data / "reserve").stat().st_blocks * 512 == RESERVE_BYTES
    assert home.give_reserve()
    assert not (home.data / "reserve").exists()
    assert not home.give_reserve()
