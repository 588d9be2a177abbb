from __future__ import annotations

import ctypes
import errno
import os
import stat

import pytest

from sft import durable
from sft.errors import ConfigurationError, HomeError
from sft.operator.configuration import Configuration
from sft.operator.home import RESERVE_BYTES, SOCKET_PATH_BYTES, Home, HomeLock, HomeState
from sft.operator.options import OPTIONS
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


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_of_something_else_is_no_home_and_stays_open_to_its_people(tmp_path):
    folder = tmp_path / "srv"
    (folder / "data").mkdir(parents=True)
    (folder / "photos").mkdir()
    folder.chmod(0o755)
    with pytest.raises(HomeError) as refused:
        Home(folder).make()
    assert "photos" in refused.value.values["problem"]
    assert mode(folder) == 0o755


@pytest.mark.parametrize("there", ["sft.toml", "master.key", "lost+found", ".profile"])
def test_a_folder_that_its_operator_has_prepared_is_a_home(tmp_path, there):
    folder = tmp_path / "home"
    folder.mkdir(0o755)
    (folder / there).touch()
    (folder / "hooks" if there in {"sft.toml", "master.key"} else folder / "lock").mkdir()
    Home(folder).make()
    assert mode(folder) == 0o700


def test_a_folder_named_data_that_holds_something_else_stays_open_to_its_people(tmp_path):
    (tmp_path / "srv" / "data").mkdir(parents=True)
    (tmp_path / "srv" / "data").chmod(0o755)
    Home(tmp_path / "home", tmp_path / "srv").make()
    assert mode(tmp_path / "srv" / "data") == 0o755


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


def test_what_serve_was_given_is_kept_and_the_file_explains_every_option(home):
    home.remember({})
    assert home.configuration() == Configuration()
    home.remember({"public": "files.example.org:7361", "registration": "closed", "listen": "127.0.0.1:0"})
    text = home.configuration_file.read_text()
    assert home.configuration() == Configuration(public="files.example.org:7361", registration="closed")
    assert all(f"# {each.name} = " in text or f"\n{each.name} = " in text for each in OPTIONS)


@pytest.mark.parametrize("text", ["exempt = [\n  '10.0.0.0/8',\n]\n", "listen ="])
def test_a_file_in_which_no_line_can_be_put_stays_and_one_is_told_what_to_write(home, text):
    home.configuration_file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        home.remember({"exempt": ("10.1.0.0/16",)})
    assert refused.value.values["remedy"] == 'Write there: exempt = ["10.1.0.0/16"]'
    assert home.configuration_file.read_text() == text


def test_a_file_that_lies_elsewhere_is_not_replaced_by_one_of_ours(home, tmp_path):
    (tmp_path / "sft.toml").write_text("")
    home.configuration_file.symlink_to(tmp_path / "sft.toml")
    with pytest.raises(ConfigurationError):
        home.remember({"name": "acme"})
    assert home.configuration_file.is_symlink()


def test_a_home_that_was_only_written_to_by_its_operator_is_new(home):
    home.configuration_file.write_text('name = "acme"\n')
    assert home.state() is HomeState.NEW


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


def test_a_lock_file_that_somebody_removes_lets_no_second_server_in(home):
    first, second = HomeLock(home), HomeLock(home)
    assert first.take()
    (home.path / "lock").unlink()
    assert second.is_held()
    assert not second.take()
    first.drop()
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
    home.remember({"name": "acme"})
    home.keep_server_key(bytes(32))
    calls = FaultyOs(fail=range(100), only={"write"})
    with calls.counting():
        home.remember({"name": "acme"})
        home.keep_server_key(bytes(32))
    calls.close()
    assert calls.names == []


def test_a_full_disk_is_named_with_the_file_and_what_to_do(home):
    calls = FaultyOs(fail={0}, only={"write"})
    with calls.counting(), pytest.raises(HomeError) as refused:
        home.remember({"name": "acme"})
    calls.close()
    assert str(home.configuration_file) in refused.value.values["problem"]
    assert refused.value.values["remedy"] == "Make room on its disk, then again"


def test_a_file_that_others_can_read_is_written_anew_though_it_says_the_same(home):
    home.keep_server_key(bytes(32))
    (home.path / "server.pub").chmod(0o644)
    home.keep_server_key(bytes(32))
    assert stat.S_IMODE((home.path / "server.pub").stat().st_mode) == 0o600


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
    home.remember({"data": str(disk)})
    home.keep_server_key(bytes(32))
    again = Home(tmp_path / "home")
    assert again.data == disk / "data"
    # A disk that is not mounted is not a new server.
    again.data.rmdir()
    with pytest.raises(HomeError) as refused:
        again.state()
    assert "server.pub but no data" in refused.value.values["problem"]


def test_the_room_that_is_held_is_given_up_once(home):
    home.data.mkdir()
    home.hold_reserve()
    assert (home.data / "reserve").stat().st_blocks * 512 == RESERVE_BYTES
    assert home.give_reserve()
    assert not (home.data / "reserve").exists()
    assert not home.give_reserve()
