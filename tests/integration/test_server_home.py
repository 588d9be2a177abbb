"""A server's home: nothing in clear that is promised sealed, and refused, untouched, where it is not whole or not ours.

What a start that is refused prints, and its status, is shown with processes in ``tests/e2e/test_server.py``; each refusal's own
reasons are tested in ``tests/unit/operator``. Here a whole server starts on a copy of the template.
"""

from __future__ import annotations

import base64
import random
import re
import shutil
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from sft.cli.failures import error_lines
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import SigningKey
from sft.errors import (
    ConfigurationError,
    HomeError,
    ListenError,
    NoServerError,
    SchemaLaterError,
    SchemaOutdatedError,
    SftError,
    StoreError,
    VaultError,
)
from sft.model.links import parse_link
from sft.operator.control import upgrade
from sft.operator.home import Home, HomeLock
from sft.vault.keyring import Keyring
from tests.integration.live_cli import LiveCli, NewCli
from tests.integration.server_fixture import ServerFixture, copy_server, pause
from tests.loop import run


@pytest.fixture
def stopped(template: Path, tmp_path: Path) -> ServerFixture:
    """A server that does not run."""
    return copy_server(template, tmp_path / "s")


def refused(server: ServerFixture, kind: type[SftError], port: int = 0, **settings: str) -> str:
    """Demand that a start is refused and leaves nothing running; gives what is said of it."""
    with pytest.raises(kind) as caught:
        run(server.start(port, **settings))
    assert server.pool is not None
    server.pool.stop()
    server.running = None
    return " ".join(error_lines(caught.value, now=0))


def assert_serves(server: ServerFixture) -> None:
    """An operator's command serves the home for itself, with what the home has kept, and finds it clean."""
    done = LiveCli(server).operator("vault", "check")
    assert done.status == 0, done.out + done.err


def open_to_others(folder: Path) -> list[str]:
    found = [(path, path.lstat().st_mode) for path in (folder, *folder.rglob("*"))]
    return [f"{mode:o} {path}" for path, mode in found if mode & 0o077]


def test_a_home_that_stood_open_is_closed_at_its_next_start(new_cli: NewCli):
    server = new_cli().server
    run(server.halt())
    server.home.path.chmod(0o755)
    run(server.start())
    assert open_to_others(server.home.path) == []


# -- nothing in clear ---------------------------------------------------------------------------------


def forms(secret: bytes) -> list[bytes]:
    """Every way in which a key could lie somewhere by mistake."""
    plain = base64.b64encode(secret)
    return [
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        plain.rstrip(b"=")[:-1],
        base64.urlsafe_b64encode(secret).rstrip(b"=")[:-1],
    ]


def windows(content: bytes) -> list[bytes]:
    """Pieces of a content, one for about every kilobyte, none at a round offset."""
    return [content[at : at + 24] for at in range(7, len(content) - 24, 1021)]


def holders(folder: Path, needles: dict[str, list[bytes]]) -> dict[str, list[str]]:
    """Tell which needles lie in which files."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        for what, pieces in needles.items():
            if any(piece in data for piece in pieces):
                found.setdefault(what, []).append(path.relative_to(folder).as_posix())
    return found


@pytest.mark.every_run
def test_a_stolen_data_folder_tells_no_content_and_no_key(cli: LiveCli):
    draw = random.Random(20260501)
    sizes = {"inline": 5_000, "one-request": 40_000, "streamed": 300_000, "old": 90_000, "deleted": 80_000}
    contents = {name: draw.randbytes(size) for name, size in sizes.items()}
    used_link = cli.invitation("--role", "admin")
    put = cli.sft("max", "put", *(cli.file(f"{name}.bin", data) for name, data in contents.items()))
    assert put.status == 0, put.err
    replacement = contents["inline"][::-1]
    assert cli.sft("max", "put", cli.file("old.bin", replacement), "--replace").status == 0
    assert cli.sft("max", "rm", "deleted.bin").status == 0
    assert cli.sft("max", "get", "streamed.bin", "--to", "got").status == 0

    # While it runs nothing is checkpointed or tidied: the write-ahead log lies there as it was.
    home = cli.server.home
    assert home.database.with_name("sft.sqlite-wal").stat().st_size
    master_key = bytes.fromhex(home.master_key.read_text())
    keyring = Keyring.open(home.keyring.read_bytes(), master_key)
    user_key = next(cli.state("max").rglob("*.key")).read_text().splitlines()[1]
    needles: dict[str, list[bytes]] = {what: windows(data) for what, data in contents.items()}
    needles["replacement"] = windows(replacement)
    needles["master key"] = forms(master_key)
    needles["server key"] = forms(keyring.server_seed)
    needles["row key"] = forms(keyring.row_key)
    secret = base64.b64decode(user_key)
    needles["user's secret key"] = forms(secret[62:94])
    needles["invitation"] = [used_link.partition("#")[2][8:60].encode()]
    needles["seed of the invitation"] = forms(parse_link(used_link).seed)

    # The master key lies in its own file, and nothing else anywhere.
    assert holders(home.path, needles) == {"master key": ["master.key"]}
    # The search finds what is there: names and digests are not hidden, as SECURITY.md says.
    assert holders(home.data, {"name": [b"streamed.bin"]})["name"]
    assert holders(home.data, {"digest": [blake2b_512(contents["streamed"]).digest()]})["digest"]
    # And the key that was looked for is the user's: its public half is the one that the user shows.
    shown = cli.sft("max", "key", "show", "--json").document["minisign_key"]
    assert SigningKey.from_seed(secret[62:94], secret[54:62]).public.text() == shown


# -- not whole, not ours ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["keyring", "sft.sqlite", "vault"])
def test_a_home_without_one_of_its_parts_is_refused_and_left_alone(stopped: ServerFixture, part: str):
    home = stopped.home
    (home.data / part).rename(stopped.folder / part)
    before = {each.relative_to(home.path).as_posix() for each in home.path.rglob("*")}
    assert f"it has no {part}" in refused(stopped, HomeError)
    after = {each.relative_to(home.path).as_posix() for each in home.path.rglob("*")}
    assert after - before <= {"data/sft.sqlite-shm", "data/sft.sqlite-wal"}
    (stopped.folder / part).rename(home.data / part)  # put back, it is whole again
    assert_serves(stopped)


@pytest.mark.parametrize("trace", ["master.key", "server.pub"])
def test_a_home_whose_data_is_gone_is_never_begun_anew(stopped: ServerFixture, trace: str):
    home = stopped.home
    home.data.rename(stopped.folder / "unmounted")
    for other in {"master.key", "server.pub"} - {trace}:
        (home.path / other).unlink()
    assert f"it has {trace} but no data" in refused(stopped, HomeError)
    assert not home.data.exists()


@pytest.mark.every_run
def test_a_home_without_its_master_key_or_with_another_is_refused(stopped: ServerFixture):
    path = stopped.home.master_key
    key = path.read_bytes()
    path.write_bytes(b"0" * 64 + b"\n")
    assert "master key" in refused(stopped, VaultError)
    path.unlink()
    assert "master.key" in refused(stopped, VaultError)
    path.write_bytes(key)
    path.chmod(0o640)
    assert "open to others" in refused(stopped, VaultError)
    path.chmod(0o600)
    assert_serves(stopped)


def test_a_damaged_keyring_database_or_settings_file_is_refused_with_a_sentence(stopped: ServerFixture):
    home = stopped.home
    whole = home.keyring.read_bytes()
    home.keyring.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    refused(stopped, VaultError)
    home.keyring.write_bytes(whole)
    whole = home.database.read_bytes()
    home.database.write_bytes(b"no database at all, " * 500)
    refused(stopped, StoreError)
    home.database.write_bytes(whole)
    assert_serves(stopped)
    home.configuration_file.write_text("listen", encoding="utf-8")
    said = LiveCli(stopped).operator("vault", "check")
    assert (said.status, "sft.toml, line 1" in said.err) == (ConfigurationError.exit_status, True)


def test_a_wrong_master_key_option_is_not_kept(stopped: ServerFixture):
    other = stopped.folder / "other.key"
    other.write_text("11" * 32 + "\n", encoding="utf-8")
    other.chmod(0o600)
    refused(stopped, VaultError, master_key=f"file:{other}")
    assert_serves(stopped)


@pytest.mark.every_run
def test_a_second_server_on_a_home_is_refused_and_the_first_goes_on(cli: LiveCli):
    second = ServerFixture(cli.server.folder)
    assert "another server runs on it" in refused(second, HomeError)
    assert cli.sft("max", "ls").status == 0


def test_a_start_lets_a_command_end_that_has_the_home(stopped: ServerFixture, monkeypatch: pytest.MonkeyPatch):
    command = HomeLock(stopped.home)
    assert command.take()
    monkeypatch.setattr("sft.operator.server.LOCK_SECONDS", 0)
    assert "a command works on it that has not ended" in refused(stopped, HomeError)
    monkeypatch.undo()

    async def starts() -> None:
        starting = Deferred.fromCoroutine(stopped.start())
        await pause(0)
        assert not starting.called
        command.drop()
        await starting
        assert command.is_servers()
        await stopped.stop()

    run(starts())
    assert command.take()
    assert not command.is_servers(), "whoever has it next is what counts"
    command.drop()


def test_a_port_in_use_is_refused_with_a_sentence(cli: LiveCli, tmp_path: Path):
    other = ServerFixture(tmp_path / "other")
    assert "Nothing can listen at" in refused(other, ListenError, port=cli.server.port)
    assert not (other.home.path / "control").exists()


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path):
    assert "too long" in refused(ServerFixture(tmp_path / ("h" * 100)), HomeError)


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    refused(ServerFixture(tmp_path / "file"), HomeError)


def test_what_a_crash_left_in_the_way_of_the_control_socket_is_no_hindrance(stopped: ServerFixture):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stopped.home.control))
    # The id of a process that lives, as after a reboot.
    (stopped.home.path / "control.lock").symlink_to("1")
    run(stopped.start())
    assert LiveCli(stopped).operator_json("user", "list")
    run(stopped.stop())
    assert not stopped.home.control.exists()


# -- the version of the database ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "error"), [("0000", SchemaOutdatedError), ("9999", SchemaLaterError)], ids=["older", "later"]
)
def test_a_database_of_another_version_is_refused_and_left_alone(
    stopped: ServerFixture, version: str, error: type[SftError]
):
    with sqlite3.connect(stopped.home.database) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
    database.close()
    assert f"is at version {version}" in refused(stopped, error)
    listed = LiveCli(stopped).operator("user", "list")  # it serves for itself, and refuses as well
    assert (listed.status, f"[{error.code}]" in listed.err) == (11, True), listed.err
    with pytest.raises(SftError):
        upgrade(stopped.home)
    assert list(stopped.home.data.glob("*before-upgrade*")) == [], "nothing was changed: nobody needs a copy"
    with sqlite3.connect(stopped.home.database) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]
    database.close()


def test_upgrade_refuses_while_a_server_runs_and_where_there_is_none(cli: LiveCli, tmp_path: Path):
    with pytest.raises(HomeError):
        upgrade(cli.server.home)
    with pytest.raises(NoServerError):
        upgrade(Home(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


# -- where the master key comes from ------------------------------------------------------------------


@pytest.fixture
def with_key_elsewhere(new_cli: NewCli) -> Callable[[str], ServerFixture]:
    """Makes a server with that master key source and a file in it, stopped; the source is kept."""

    def make(source: str) -> ServerFixture:
        cli = new_cli(master_key=source)
        cli.join("max", "maintainer")
        assert cli.sft("max", "put", cli.file("kept.bin", b"k" * 100_000)).status == 0
        run(cli.server.halt())
        return cli.server

    return make


def test_the_master_key_may_lie_in_a_file_elsewhere(with_key_elsewhere: Callable[[str], ServerFixture], tmp_path: Path):
    (tmp_path / "safe").mkdir(0o700)
    key = tmp_path / "safe" / "key"
    server = with_key_elsewhere(f"file:{key}")
    assert not server.home.master_key.exists()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert_serves(server)
    key.rename(tmp_path / "safe" / "gone")
    refused(server, VaultError, master_key=f"file:{key}")


def test_the_master_key_may_come_from_a_command(with_key_elsewhere: Callable[[str], ServerFixture], tmp_path: Path):
    key = tmp_path / "key"
    key.write_text("5a" * 32 + "\n", encoding="utf-8")
    server = with_key_elsewhere(f"command:cat {key}")
    assert_serves(server)
    rotated = LiveCli(server).operator("vault", "rotate-key")
    assert rotated.status != 0
    assert "[MASTER_KEY_ELSEWHERE]" in rotated.err
    assert f"The master key comes from command:cat {key}" in rotated.err
    assert re.search(
        r"restart with sftd --home \S+ serve --master-key file:FILE; sftd --home \S+ vault rotate-key", rotated.err
    )
    key.write_text("a5" * 32 + "\n", encoding="utf-8")
    refused(server, VaultError, master_key=f"command:cat {key}")
    key.unlink()
    assert "ended with status 1" in refused(server, VaultError, master_key=f"command:cat {key}")
    refused(server, HomeError, master_key="telepathy")


@pytest.mark.long
def test_the_master_key_may_come_from_a_passphrase(with_key_elsewhere: Callable[[str], ServerFixture], tmp_path: Path):
    words = tmp_path / "words"
    words.write_text("walnut violin yellow river\n", encoding="utf-8")
    server = with_key_elsewhere(f"passphrase:{words}")
    assert not server.home.master_key.exists()
    assert_serves(server)
    words.write_text("another passphrase\n", encoding="utf-8")
    refused(server, VaultError, master_key=f"passphrase:{words}")
    words.unlink()
    assert "cannot be read" in refused(server, HomeError, master_key=f"passphrase:{words}")


def test_a_rotation_outlives_a_crash_and_the_old_key_opens_nothing(cli: LiveCli, tmp_path: Path):
    contents = {f"f{number}.bin": bytes([number]) * 70_000 for number in range(3)}
    paths = [cli.file(name, data) for name, data in contents.items()]
    assert cli.sft("max", "put", *paths).status == 0
    old = cli.server.home.master_key.read_bytes()
    done = cli.operator("vault", "rotate-key")
    assert done.status == 0, done.err
    assert cli.server.home.master_key.read_bytes() != old
    # The disk as it is now is what a crash would leave; the log is not checkpointed, nothing is closed.
    shutil.copytree(cli.server.folder, tmp_path / "crashed", ignore=shutil.ignore_patterns("control"))
    run(cli.server.halt())
    crashed = ServerFixture(tmp_path / "crashed")
    run(crashed.start())
    after = LiveCli(crashed)
    for options in ((), ("--reencrypt",)):
        got = after.sft("gus", "get", "--to", f"got{len(options)}", *contents)
        assert got.status == 0, got.err
        assert after.operator("vault", "rotate-key", *options).status == 0
    assert after.operator_json("vault", "check")["faults"] == []
    run(crashed.stop())
    crashed.home.master_key.write_bytes(old)
    refused(crashed, VaultError)
