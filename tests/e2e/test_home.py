"""A server's home: closed to others, nothing in clear that is promised sealed, and refused where it is not whole."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sft.crypto.keys import SigningKey
from sft.model.links import parse_link
from sft.vault.keyring import Keyring
from tests.campaigns.installation import (
    Person,
    ServerProcess,
    clean_environment,
    free_port,
    run,
    script,
)

NewServer = Callable[..., ServerProcess]
Start = Callable[..., subprocess.CompletedProcess[str]]


def start_to_end(
    home: Path, *options: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Start a server that is expected to end by itself."""
    return subprocess.run(
        [
            script("twistd"), "-n", "--pidfile=", "sft", "--home", str(home),
            "serve", "--listen", f"tcp:{free_port()}:interface=127.0.0.1", *options,
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30,
        cwd=tempfile.gettempdir(), env=env or clean_environment(),
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], code: str) -> str:
    """Demand a plain sentence, a code, a next step, status 1 and no traceback."""
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "Traceback" not in said
    assert "listening at=" not in said
    sentence = next(line for line in done.stderr.splitlines() if line.startswith("sft: "))
    assert sentence.endswith(f"[{code}]"), said
    assert done.stderr.splitlines()[done.stderr.splitlines().index(sentence) + 1].startswith(
        "     "
    )
    return sentence


@pytest.fixture(scope="module")
def template(module_folder: Path) -> Path:
    """A home that was served and stopped, with a large and a small file; tests copy it."""
    server, max_ = ServerProcess(module_folder), Person(module_folder, "max")
    server.start()
    try:
        max_.join(server, "maintainer")
        (max_.folder / "large.bin").write_bytes(b"l" * 200_000)
        (max_.folder / "small.txt").write_bytes(b"small")
        assert max_.sft("put", "large.bin", "small.txt").returncode == 0
        assert server.stop() == 0
    finally:
        server.kill()
    return module_folder


@pytest.fixture
def home(template: Path, folder: Path) -> Path:
    shutil.copytree(template / "home", folder / "home", symlinks=True)
    return folder / "home"


# -- closed to others ---------------------------------------------------------------------------------


def open_to_others(folder: Path) -> list[str]:
    found = [(path, path.lstat().st_mode) for path in (folder, *folder.rglob("*"))]
    return [f"{mode:o} {path}" for path, mode in found if mode & 0o077]


@pytest.mark.parametrize("umask", [0o000, 0o022], ids=["000", "022"])
def test_nothing_of_a_home_or_of_a_users_state_is_open_to_others(
    new_server: NewServer, new_person: Callable[[str], Person], folder: Path, umask: int
) -> None:
    server, max_ = new_server(), new_person("max")
    (max_.folder / "small.txt").write_bytes(b"small")
    (max_.folder / "large.bin").write_bytes(b"l" * 200_000)
    before = os.umask(umask)
    try:
        server.log.touch(0o600)
        server.log.chmod(0o600)
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


def test_a_home_that_stood_open_is_closed_at_its_next_start(new_server: NewServer) -> None:
    server = new_server()
    server.home.mkdir(0o755)
    server.home.chmod(0o755)
    server.start()
    assert open_to_others(server.home) == []


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


def test_a_stolen_data_folder_tells_no_content_and_no_key(
    new_server: NewServer, new_person: Callable[[str], Person], folder: Path
) -> None:
    draw = random.Random(20260501)
    sizes = {
        "inline": 5_000,
        "one-request": 40_000,
        "streamed": 300_000,
        "old": 90_000,
        "deleted": 80_000,
    }
    contents = {name: draw.randbytes(size) for name, size in sizes.items()}
    server, max_ = new_server(), new_person("max")
    server.start()
    max_.join(server, "maintainer")
    used_link = server.operate("invite", "--role", "admin").stdout.strip()
    for name, content in contents.items():
        (max_.folder / f"{name}.bin").write_bytes(content)
    put = max_.sft("put", *(f"{name}.bin" for name in contents))
    assert put.returncode == 0, put.stderr
    (max_.folder / "old.bin").write_bytes(contents["inline"][::-1])
    assert max_.sft("put", "old.bin", "--replace").returncode == 0
    assert max_.sft("rm", "deleted.bin").returncode == 0
    assert max_.sft("get", "streamed.bin", "--to", "got").returncode == 0
    server.kill()  # nothing is checkpointed or tidied: the write-ahead log lies there as it was

    master_key = bytes.fromhex((server.home / "master.key").read_text())
    keyring = Keyring.open((server.home / "data" / "keyring").read_bytes(), master_key)
    admin_link = (server.home / "first-admin.link").read_text().strip()
    user_key = next((max_.folder / "state").rglob("*.key")).read_text().splitlines()[1]
    needles: dict[str, list[bytes]] = {what: windows(content) for what, content in contents.items()}
    needles["replacement"] = windows(contents["inline"][::-1])
    needles["master key"] = forms(master_key)
    needles["server key"] = forms(keyring.server_seed)
    needles["row key"] = forms(keyring.row_key)
    secret = base64.b64decode(user_key)
    needles["user's secret key"] = forms(secret[62:94])
    for what, link in (("first invitation", admin_link), ("invitation", used_link)):
        needles[what] = [link.partition("#")[2][8:60].encode()]
        needles[f"seed of the {what}"] = forms(parse_link(link).seed)

    assert holders(server.home / "data", needles) == {}
    # Around it: the master key in its own file, the first invitation in its own, and nothing else.
    assert holders(server.home, needles) == {
        "master key": ["master.key"],
        "first invitation": ["first-admin.link"],
        "seed of the first invitation": ["first-admin.link"],
    }
    assert not any(
        piece in server.log.read_bytes() for pieces in needles.values() for piece in pieces
    )
    # The search finds what is there: names are not hidden, as SECURITY.md says.
    assert holders(server.home / "data", {"name": [b"streamed.bin"]})["name"]
    # And the key that was looked for is the user's: its public half is the one that the user shows.
    shown = json.loads(max_.sft("key", "show", "--json").stdout)["minisign_key"]
    assert SigningKey.from_seed(secret[62:94], secret[54:62]).public.text() == shown


# -- not whole, not ours ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["keyring", "sft.sqlite", "vault"])
def test_a_home_without_one_of_its_parts_is_refused_and_left_alone(home: Path, part: str) -> None:
    path = home / "data" / part
    path.rename(home.parent / part)
    before = sorted(each.relative_to(home).as_posix() for each in home.rglob("*"))
    sentence = refused(start_to_end(home), "HOME")
    assert f"it has no {part}" in sentence
    after = sorted(each.relative_to(home).as_posix() for each in home.rglob("*"))
    assert set(after) - set(before) <= {"data/sft.sqlite-shm", "data/sft.sqlite-wal"}
    (home.parent / part).rename(path)  # put back, it is whole again
    assert_serves(home)


@pytest.mark.parametrize("trace", ["master.key", "home.json"])
def test_a_home_whose_data_is_gone_is_never_begun_anew(home: Path, trace: str) -> None:
    (home / "data").rename(home.parent / "unmounted")
    for other in {"master.key", "home.json"} - {trace}:
        (home / other).unlink()
    sentence = refused(start_to_end(home), "HOME")
    assert f"it has {trace} but no data" in sentence
    assert not (home / "data").exists()


def test_a_home_without_its_master_key_or_with_another_is_refused(home: Path) -> None:
    key = (home / "master.key").read_bytes()
    (home / "master.key").write_bytes(b"0" * 64 + b"\n")
    assert "master key" in refused(start_to_end(home), "VAULT")
    (home / "master.key").unlink()
    assert "master.key" in refused(start_to_end(home), "VAULT")
    (home / "master.key").write_bytes(key)
    (home / "master.key").chmod(0o640)
    assert "open to others" in refused(start_to_end(home), "VAULT")
    (home / "master.key").chmod(0o600)
    assert_serves(home)


def test_a_damaged_keyring_database_or_settings_file_is_refused_with_a_sentence(home: Path) -> None:
    keyring = home / "data" / "keyring"
    data = bytearray(keyring.read_bytes())
    data[-1] ^= 1
    keyring.write_bytes(data)
    refused(start_to_end(home), "VAULT")
    data[-1] ^= 1
    keyring.write_bytes(data)
    (home / "home.json").write_text("{", encoding="utf-8")
    assert "home.json" in refused(start_to_end(home), "HOME")
    (home / "home.json").unlink()
    database = home / "data" / "sft.sqlite"
    whole = database.read_bytes()
    database.write_bytes(b"no database at all, " * 500)
    refused(start_to_end(home), "STORE")
    database.write_bytes(whole)
    assert_serves(home)


def test_a_wrong_master_key_option_is_not_kept(home: Path) -> None:
    other = home.parent / "other.key"
    other.write_text("11" * 32 + "\n", encoding="utf-8")
    other.chmod(0o600)
    refused(start_to_end(home, "--master-key", f"file:{other}"), "VAULT")
    assert_serves(home)


def test_a_second_server_on_a_home_is_refused_and_the_first_goes_on(server: ServerProcess) -> None:
    assert "another server runs on it" in refused(start_to_end(server.home), "HOME")
    assert server.operate_json("user", "list") == []


def test_a_port_in_use_is_refused_with_a_sentence(server: ServerProcess, folder: Path) -> None:
    other = folder / "other"
    sentence = refused(
        start_to_end(other, "--listen", f"tcp:{server.port}:interface=127.0.0.1"), "HOME"
    )
    assert "nothing can listen at" in sentence
    refused(start_to_end(other, "--listen", "carrier-pigeon:7"), "HOME")


def test_a_path_too_long_for_a_socket_is_refused_by_server_and_operator_command(
    folder: Path,
) -> None:
    home = folder / ("h" * 100)
    assert "too long" in refused(start_to_end(home), "HOME")
    done = run(script("twistd"), "sft", "--home", str(home), "user", "list", cwd=folder)
    assert done.returncode == 10, done.stderr
    assert "[HOME]" in done.stderr


def test_a_home_that_cannot_be_made_is_refused(folder: Path) -> None:
    (folder / "file").write_text("in the way", encoding="utf-8")
    refused(start_to_end(folder / "file" / "home"), "HOME")
    refused(start_to_end(folder / "file"), "HOME")


# -- the version of the database ----------------------------------------------------------------------


@pytest.fixture
def newer_program(folder: Path) -> dict[str, str]:
    """An environment that runs a copy of this program with one migration more."""
    root = Path(__file__).parents[2]
    copy = folder / "newer"
    for name in ("sft", "migrations", "twisted"):
        shutil.copytree(
            root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache")
        )
    (copy / "migrations" / "versions" / "9999_newer.py").write_text(
        'from alembic import op\n'
        'revision = "9999"\ndown_revision = "0001"\nbranch_labels = None\ndepends_on = None\n'
        'def upgrade():\n    op.execute("CREATE TABLE newer (id INTEGER PRIMARY KEY)")\n'
        'def downgrade():\n    op.execute("DROP TABLE newer")\n',
        encoding="utf-8",
    )  # fmt: skip
    return {**clean_environment(), "PYTHONPATH": str(copy)}


def test_an_older_database_is_refused_until_upgrade_mends_it(
    home: Path, template: Path, newer_program: dict[str, str]
) -> None:
    def newer(*words: str) -> subprocess.CompletedProcess[str]:
        return run(script("twistd"), "sft", "--home", str(home), *words, cwd=home.parent, env=newer_program)  # fmt: skip

    sentence = refused(start_to_end(home, env=newer_program), "SCHEMA")
    assert "is at version 0001, this program needs 9999" in sentence
    listed = newer("user", "list")  # an operator command serves for itself, and refuses as well
    assert (listed.returncode, "[SCHEMA]" in listed.stderr) == (11, True), listed.stderr
    done = newer("upgrade")
    assert (done.returncode, done.stdout) == (0, "the database is at version 9999 (was 0001)\n")
    again = newer("upgrade")
    assert (again.returncode, again.stdout) == (0, "the database is at version 9999 already\n")
    assert newer("vault", "check").returncode == 0
    # The older program does not touch a newer database, and its upgrade says so.
    refused(start_to_end(home), "SCHEMA")
    back = run(script("twistd"), "sft", "--home", str(home), "upgrade", cwd=home.parent)
    assert back.returncode != 0
    assert "Traceback" not in back.stderr
    with sqlite3.connect(home / "data" / "sft.sqlite") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    database.close()


def test_upgrade_refuses_while_a_server_runs_and_where_there_is_none(
    server: ServerProcess, folder: Path
) -> None:
    done = server.operate("upgrade")
    assert (done.returncode, "[HOME]" in done.stderr) == (10, True)
    nowhere = run(script("twistd"), "sft", "--home", str(folder / "none"), "upgrade", cwd=folder)
    assert (nowhere.returncode, "[HOME]" in nowhere.stderr) == (10, True)
    assert not (folder / "none").exists()


# -- where the master key comes from ------------------------------------------------------------------


@pytest.fixture
def with_key_elsewhere(
    new_server: NewServer, new_person: Callable[[str], Person]
) -> Callable[[str], ServerProcess]:
    """Makes a server with that master key source and a file in it, stopped; the source is kept."""

    def make(source: str) -> ServerProcess:
        server, max_ = new_server("--master-key", source), new_person("max")
        server.start()
        max_.join(server, "maintainer")
        (max_.folder / "kept.bin").write_bytes(b"k" * 100_000)
        assert max_.sft("put", "kept.bin").returncode == 0
        assert server.stop() == 0
        return server

    return make


def assert_serves(home: Path) -> None:
    """An operator's command serves the home for itself, with what the home has kept, and finds it clean."""
    done = run(script("twistd"), "sft", "--home", str(home), "vault", "check", cwd=home.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_master_key_may_lie_in_a_file_elsewhere(
    with_key_elsewhere: Callable[[str], ServerProcess], folder: Path
) -> None:
    (folder / "safe").mkdir(0o700)
    key = folder / "safe" / "key"
    server = with_key_elsewhere(f"file:{key}")
    assert not (server.home / "master.key").exists()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert f"Keep a copy of {key} away" in server.log.read_text()
    assert_serves(server.home)
    key.rename(folder / "safe" / "gone")
    refused(start_to_end(server.home), "VAULT")


def test_the_master_key_may_not_lie_within_the_data_that_it_protects(folder: Path) -> None:
    home = folder / "home"
    said = refused(start_to_end(home, "--master-key", f"file:{home}/data/key"), "VAULT")
    assert "within the folder that it protects" in said


@pytest.mark.long
def test_the_master_key_may_come_from_a_passphrase(
    with_key_elsewhere: Callable[[str], ServerProcess], folder: Path
) -> None:
    words = folder / "words"
    words.write_text("walnut violin yellow river\n", encoding="utf-8")
    server = with_key_elsewhere(f"passphrase:{words}")
    assert not (server.home / "master.key").exists()
    assert_serves(server.home)
    words.write_text("another passphrase\n", encoding="utf-8")
    refused(start_to_end(server.home), "VAULT")
    words.unlink()
    assert "cannot be read" in refused(start_to_end(server.home), "HOME")
    done = start_to_end(server.home, "--master-key", "passphrase")  # nobody to ask
    assert "no terminal to ask on" in refused(done, "HOME")


@pytest.mark.long
def test_the_master_key_may_come_from_a_command(
    with_key_elsewhere: Callable[[str], ServerProcess], folder: Path
) -> None:
    key = folder / "key"
    key.write_text("5a" * 32 + "\n", encoding="utf-8")
    server = with_key_elsewhere(f"command:cat {key}")
    assert_serves(server.home)
    rotated = server.operate("vault", "rotate-key")
    assert rotated.returncode != 0
    assert "only a master key that lies in a file" in rotated.stderr
    key.write_text("a5" * 32 + "\n", encoding="utf-8")
    refused(start_to_end(server.home), "VAULT")
    key.unlink()
    assert "ended with status 1" in refused(start_to_end(server.home), "VAULT")
    refused(start_to_end(server.home, "--master-key", "telepathy"), "HOME")


def test_a_rotation_outlives_a_kill_and_the_old_key_opens_nothing(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_ = joined("max")
    names = [f"f{number}.bin" for number in range(6)]
    for number, name in enumerate(names):
        (max_.folder / name).write_bytes(bytes([number]) * 70_000)
    assert max_.sft("put", *names).returncode == 0
    old = (server.home / "master.key").read_bytes()
    done = server.operate("vault", "rotate-key")
    assert done.returncode == 0, done.stderr
    assert (server.home / "master.key").read_bytes() != old
    server.kill()
    server.start()
    got = max_.sft("get", "--to", "got", *names)
    assert got.returncode == 0, got.stderr
    assert server.operate("vault", "rotate-key", "--reencrypt").returncode == 0
    again = max_.sft("get", "--to", "again", *names)
    assert again.returncode == 0, again.stderr
    assert server.operate_json("vault", "check")["faults"] == []
    assert server.stop() == 0
    (server.home / "master.key").write_bytes(old)
    refused(start_to_end(server.home), "VAULT")


# -- a first start that is cut ------------------------------------------------------------------------

STRACE = shutil.which("strace")
strace = pytest.mark.skipif(STRACE is None, reason="strace is not installed")
# (call, how manieth of its thread): just before the folder of the new data is there, the master key has its name, a page of the
# database is durable, the database has its name, the settings are kept, ``data`` has its name.
CUTS = [
    ("mkdir", 2),
    ("renameat2", 1),
    ("fdatasync", 2),
    ("renameat2", 2),
    ("renameat", 1),
    ("renameat2", 3),
]


@pytest.fixture
def port_in_use() -> Iterator[int]:
    """A start that was not cut ends by itself there, after it has made its home."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def start_cut(home: Path, call: str, at: int, port: int) -> None:
    """Start a server that is killed just before a thread's so manieth call."""
    done = subprocess.run(
        [
            str(STRACE), "--follow-forks", "--output=/dev/null", f"--trace={call}",
            f"--inject={call}:signal=KILL:when={at}",
            script("twistd"), "-n", "--pidfile=", "sft", "--home", str(home),
            "serve", "--listen", f"tcp:{port}:interface=127.0.0.1",
        ],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
        cwd=home.parent, env={**clean_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr


def assert_starts(home: Path, port: int) -> None:
    """A start makes the home whole; it ends itself, because its port is in use."""
    done = start_to_end(home, "--listen", f"tcp:{port}:interface=127.0.0.1")
    assert "nothing can listen" in refused(done, "HOME")
    assert sorted(each.name for each in (home / "data").iterdir() if "-" not in each.name) == [
        "keyring",
        "sft.sqlite",
        "vault",
    ]
    assert not (home / "data.new").exists()


@strace
@pytest.mark.parametrize("call, at", CUTS)
def test_a_first_start_that_is_killed_is_made_good_by_the_next(
    folder: Path, port_in_use: int, call: str, at: int
) -> None:
    home = folder / "home"
    start_cut(home, call, at, port_in_use)
    assert_starts(home, port_in_use)


@pytest.mark.long
@strace
def test_a_first_start_that_is_killed_again_and_again_is_made_good_at_last(
    folder: Path, port_in_use: int
) -> None:
    home = folder / "home"
    start_cut(home, "renameat2", 3, port_in_use)
    assert (home / "data.new" / "sft.sqlite").exists()
    start_cut(home, "unlink", 1, port_in_use)
    # Where the folder of a cut start is emptied and made again: a master key alone would look like a home that lost its data.
    start_cut(home, "mkdir", 2, port_in_use)
    start_cut(home, "mkdir", 3, port_in_use)
    assert not (home / "data").exists()
    assert_starts(home, port_in_use)
    assert_serves(home)


def test_what_a_crash_left_in_the_way_of_the_control_socket_is_no_hindrance(
    server: ServerProcess,
) -> None:
    server.kill()
    assert (server.home / "control").is_socket()
    (server.home / "control.lock").symlink_to(
        "1"
    )  # the id of a process that lives, as after a reboot
    server.start()
    assert server.operate_json("user", "list") == []
    assert server.stop() == 0
    assert not (server.home / "control").exists()
