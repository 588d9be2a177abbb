"""What only a process of the server shows: umask, words and status of its start and end, signals, a first start that is cut."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.server_fixture import ServerFixture
from tests.loop import run as run_here
from tests.processes import Person, ServerProcess, clean_environment, free_port, run, script

NewServer = Callable[..., ServerProcess]


# -- starting -----------------------------------------------------------------------------------------


def start_to_end(home: Path, *options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Start a server that is expected to end by itself."""
    return subprocess.run(
        [
            script("twistd"), "-n", "--pidfile=", "sft", "--home", str(home),
            "serve", "--listen", f"tcp:{free_port()}:interface=127.0.0.1", *options,
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30,
        cwd=tempfile.gettempdir(), env=env or clean_environment(),
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], code: str, status: int = 10) -> str:
    """Demand a plain sentence, a code, a next step, the status of the table and no traceback."""
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said
    assert "listening at=" not in said
    lines = done.stderr.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("sft: "))
    assert lines[at].endswith(f"[{code}]"), said
    assert lines[at + 1].startswith("     ")
    return lines[at]


def open_to_others(folder: Path) -> list[str]:
    found = [(path, path.lstat().st_mode) for path in (folder, *folder.rglob("*"))]
    return [f"{mode:o} {path}" for path, mode in found if mode & 0o077]


def test_nothing_of_a_home_or_of_a_users_state_is_open_to_others(new_server: NewServer):
    server = new_server()
    max_ = server.new_person("max")
    (max_.folder / "small.txt").write_bytes(b"small")
    (max_.folder / "large.bin").write_bytes(b"l" * 200_000)
    before = os.umask(0)
    try:
        server.start()
        max_.join(server, "maintainer")
        put = max_.sft("put", "small.txt", "large.bin")
        got = max_.sft("get", "large.bin", "--with-signature", "--to", "got")
    finally:
        os.umask(before)
    assert put.returncode == 0, put.stderr
    assert got.returncode == 0, got.stderr
    while_running = open_to_others(server.home)
    kinds = {stat.S_IFMT(path.lstat().st_mode) for path in server.home.rglob("*")}
    assert stat.S_IFSOCK in kinds  # the walk saw the control socket too
    assert any("sqlite-wal" in path.name for path in server.home.rglob("*"))
    assert server.stop() == 0
    assert while_running == []
    assert open_to_others(server.home) == []
    assert open_to_others(max_.folder / "state") == []
    assert not any(path.stat().st_mode & 0o111 for path in (max_.folder / "got").iterdir())


@pytest.mark.long
def test_a_write_ahead_log_that_is_lost_cut_or_damaged_is_refused_and_nothing_is_lost_where_it_comes_back(
    server: ServerProcess,
):
    max_ = server.new_person("max")
    max_.join(server, "maintainer")
    (max_.folder / "f.bin").write_bytes(b"f" * 50_000)
    assert max_.sft("put", "f.bin").returncode == 0
    server.kill()  # what was committed lies in its log alone
    log = server.home / "data" / "sft.sqlite-wal"
    sound = log.read_bytes()
    flipped = sound[:4000] + bytes([sound[4000] ^ 1]) + sound[4001:]
    for left in (None, sound[: len(sound) // 2], flipped):
        log.unlink()
        if left is not None:
            log.write_bytes(left)
        said = refused(start_to_end(server.home), "LOG_ROLLED_BACK", 11)
        assert "or lacks its write-ahead log" in said
        log.unlink(missing_ok=True)
        log.write_bytes(sound)
    server.start()
    assert [each["path"] for each in server.operate_json("file", "list")] == ["f.bin"]
    checked = server.operate("vault", "check", "--read-data")
    assert (checked.returncode, "clean" in checked.stdout) == (0, True)


@pytest.mark.long
def test_a_start_that_is_refused_says_why_and_the_first_server_goes_on(server: ServerProcess):
    assert "another server runs on it" in refused(start_to_end(server.home), "HOME")
    other = server.home.parent / "other"
    busy = ("--listen", f"127.0.0.1:{server.port}")
    assert "Nothing can listen at" in refused(start_to_end(other, *busy), "LISTEN")
    assert server.operate_json("user", "list") == []


def test_a_passphrase_of_the_master_key_is_not_asked_for_without_a_terminal(folder: Path):
    done = start_to_end(folder / "home", "--master-key", "passphrase")
    assert "no terminal to ask on" in refused(done, "HOME")


@pytest.mark.long
def test_the_first_invitation_is_in_a_private_file_and_never_in_the_log(server: ServerProcess):
    first = server.home / "first-admin.link"
    link = first.read_text().strip()
    log = server.log.read_text()
    assert str(first) in log
    assert f"Keep a copy of {server.home / 'master.key'} away" in log
    assert link.partition("#")[2] not in log
    ada = server.new_person("ada")
    joined = ada.sft("join", "--user", "ada", "--no-passphrase", given=link + "\n")
    assert joined.returncode == 0, joined.stderr
    assert ada.sft_json("whoami")["role"] == "admin"
    assert not first.exists()  # it is spent
    server.stop()
    server.start()
    assert not first.exists()  # there is an admin


@pytest.mark.long
def test_the_settings_of_a_start_are_kept(new_server: NewServer):
    server = new_server("--public", "files.example.org:7361", "--registration", "open", "--name", "acme")
    server.start()
    assert "ANYBODY WHO HAS THE SERVER'S LINK CAN JOIN" in server.log.read_text()
    server.stop()
    server.log.unlink()
    again = new_server()
    again.start()
    assert "ANYBODY WHO HAS THE SERVER'S LINK CAN JOIN" in again.log.read_text()
    link = again.operate_json("link")
    assert (link["server"], link["address"]) == ("acme", "files.example.org:7361")


@pytest.mark.long
def test_sftd_is_twistd_sft_in_the_foreground_and_ends_with_2_on_mistakes(folder: Path):
    home, port = folder / "home", free_port()
    sftd = subprocess.Popen(
        [script("sftd"), "--home", str(home), "serve", "--listen", f"127.0.0.1:{port}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=folder, env=clean_environment(),
    )  # fmt: skip
    assert sftd.stdout is not None
    try:
        told: list[str] = []
        while not (told and " listening at=" in told[-1]):
            told.append(sftd.stdout.readline())
            assert told[-1], told
        listed = run(script("sftd"), "--home", str(home), "user", "list", "--json", cwd=folder)
        assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
        mistake = run(script("sftd"), "--home", str(home), "user", "show", cwd=folder)
        assert mistake.returncode == 2
        assert "See: sftd --home" in mistake.stderr
        assert "Traceback" not in mistake.stderr
        for harmless in (signal.SIGUSR1, signal.SIGHUP):
            sftd.send_signal(harmless)
        while " reloaded taken=0 waiting=0" not in told[-1]:
            told.append(sftd.stdout.readline())
            assert told[-1], told
        listed = run(script("sftd"), "--home", str(home), "user", "list", "--json", cwd=folder)
        assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
        sftd.send_signal(signal.SIGTERM)
        rest = sftd.stdout.read()
        assert sftd.wait(30) == 0, rest
    finally:
        sftd.kill()
        sftd.wait()
        sftd.stdout.close()
    assert {each.name for each in folder.iterdir()} == {"home"}  # no pid file, no log file


# -- the version of the database ----------------------------------------------------------------------


@pytest.fixture
def newer_program(folder: Path) -> dict[str, str]:
    """An environment that runs a copy of this program with one migration more."""
    root = Path(__file__).parents[2]
    copy = folder / "newer"
    for name in ("sft", "migrations", "twisted"):
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("dropin.cache"))
    (copy / "migrations" / "versions" / "9999_newer.py").write_text(
        'from alembic import op\n'
        'revision = "9999"\ndown_revision = "0002"\nbranch_labels = None\ndepends_on = None\n'
        'def upgrade():\n    op.execute("CREATE TABLE newer (id INTEGER PRIMARY KEY)")\n'
        'def downgrade():\n    op.execute("DROP TABLE newer")\n',
        encoding="utf-8",
    )  # fmt: skip
    return {**clean_environment(), "PYTHONPATH": str(copy)}


@pytest.mark.long
def test_an_older_database_is_refused_until_upgrade_mends_it(server: ServerProcess, newer_program: dict[str, str]):
    def newer(*words: str) -> subprocess.CompletedProcess[str]:
        return run(script("twistd"), "sft", "--home", str(home), *words, cwd=home.parent, env=newer_program)  # fmt: skip

    home = server.home
    assert server.stop() == 0
    sentence = refused(start_to_end(home, env=newer_program), "SCHEMA", 11)
    assert "is at version 0002, this program needs 9999" in sentence
    done = newer("upgrade")
    assert (done.returncode, done.stdout) == (0, "the database is at version 9999 (was 0002)\n")
    assert newer("vault", "check", "--read-data").returncode == 0
    # The older program does not touch a newer database.
    refused(start_to_end(home), "SCHEMA_LATER", 11)
    with sqlite3.connect(home / "data" / "sft.sqlite") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    database.close()


# -- a first start that is cut ------------------------------------------------------------------------

STRACE = shutil.which("strace")
strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
# (call, how manieth of its thread): just before the database has its name, the folder of the new data is there, the master key
# has its name, a page of the database is durable, the settings are kept, ``data`` has its name.
CUTS = [("renameat2", 2), ("mkdir", 2), ("renameat2", 1), ("fdatasync", 2), ("renameat", 1), ("renameat2", 3)]


def start_cut(home: Path, call: str, at: int) -> None:
    """Start a server that is killed just before a thread's so manieth call."""
    done = subprocess.run(
        [
            # A start that is not cut would go on for ever.
            shutil.which("timeout") or "timeout", "45", str(STRACE), "--follow-forks", "--output=/dev/null", f"--trace={call}",
            f"--inject={call}:signal=KILL:when={at}",
            script("twistd"), "-n", "--pidfile=", "sft", "--home", str(home),
            "serve", "--listen", "tcp:0:interface=127.0.0.1",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
        cwd=home.parent, env={**clean_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, done.stdout + done.stderr


def assert_starts(folder: Path) -> None:
    """A start makes the home whole."""
    site = ServerFixture(folder)
    run_here(site.start())
    run_here(site.stop())
    parts = sorted(each.name for each in site.home.data.iterdir() if "sqlite-" not in each.name)
    assert parts == ["keyring", "log-head", "reserve", "sft.sqlite", "vault"]
    assert not (site.home.path / "data.new").exists()


@strace
@pytest.mark.parametrize("call, at", [CUTS[0], *(pytest.param(*cut, marks=pytest.mark.long) for cut in CUTS[1:])])
@pytest.mark.every_run
def test_a_first_start_that_is_killed_is_made_good_by_the_next(folder: Path, call: str, at: int):
    start_cut(folder / "home", call, at)
    assert_starts(folder)


@pytest.mark.long
@strace
def test_a_first_start_that_is_killed_again_and_again_is_made_good_at_last(folder: Path):
    home = folder / "home"
    start_cut(home, "renameat2", 3)
    assert (home / "data.new" / "sft.sqlite").exists()
    start_cut(home, "unlink", 1)
    # Where the folder of a cut start is emptied and made again: a master key alone would look like a home that lost its data.
    start_cut(home, "mkdir", 2)
    start_cut(home, "mkdir", 3)
    assert not (home / "data").exists()
    assert_starts(folder)


# -- ending -------------------------------------------------------------------------------------------


def begin_pipe(server: ServerProcess, person: Person, path: str) -> subprocess.Popen[str]:
    """Begin to store what this test writes, as slowly as it likes; returns once the server's disk has some of it."""
    putting = person.begin("put", "-", "--as", path, "--json", stdin=subprocess.PIPE)
    assert putting.stdin is not None
    putting.stdin.write("p" * 4_000_000)
    putting.stdin.flush()
    incoming = server.home / "data" / "vault" / "incoming"
    while not any(each.stat().st_size >= 1_000_000 for each in incoming.iterdir()):
        # The file's size ends the wait, or its sender's end.
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"ended early: {putting.wait(0.02)}")
    return putting


def until_closed(port: int) -> None:
    """Wait until nobody listens; each try is answered by the kernel at once."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except OSError:  # refused; or reset, where it closed between the two
            return


@pytest.mark.long
def test_a_transfer_under_way_may_finish_after_sigterm(server: ServerProcess):
    max_ = server.new_person("max", "maintainer")
    putting = begin_pipe(server, max_, "late.bin")
    os.kill(server.pid, signal.SIGTERM)
    until_closed(server.port)
    out, _ = putting.communicate("q" * 1_000_000, timeout=60)
    assert json.loads(out)["items"][0]["result"] == "stored", out
    assert putting.returncode == 0
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)  # without asking it a second time
    assert server.stop() == 0
    server.start()
    (listed,) = max_.sft_json("ls")
    assert listed["size"] == 5_000_000


@pytest.mark.long
def test_a_transfer_that_does_not_finish_does_not_keep_the_server(server: ServerProcess):
    max_ = server.new_person("max", "maintainer")
    putting = begin_pipe(server, max_, "never.bin")
    assert server.stop() == 0  # waits for it, for as long as it takes
    out, _ = putting.communicate(timeout=60)
    (item,) = json.loads(out)["items"]
    assert item["error"]["code"] in {"INTERRUPTED", "CONNECTION_LOST"}, item
    assert putting.returncode == 6
    assert list((server.home / "data" / "vault" / "incoming").iterdir()) == []
    server.start()
    assert max_.sft_json("ls") == []


@pytest.mark.long
def test_a_server_whose_home_was_moved_ends_all_the_same(folder: Path):
    server = ServerProcess(folder)
    server.start()
    server.home.rename(folder / "moved")
    assert server.stop() == 0
    assert "stop-fault" not in server.log.read_text()


@pytest.mark.long
def test_nothing_stays_in_the_way_of_a_server_that_was_killed(server: ServerProcess):
    server.kill()
    assert (server.home / "control").is_socket()
    server.start()
    assert server.operate_json("user", "list") == []
    assert server.stop() == 0
    assert not (server.home / "control").exists()
