"""An agent signs what its person's key signs, for nobody else, and forgets the key whenever it is over."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sft.client.agent import held_key as held_keys
from sft.client.agent import peers, process
from sft.client.agent.held_key import held_key, lock, seconds_left
from sft.client.agent.messages import FRAME_BYTES
from sft.client.agent.place import is_private, runtime_folder, socket_path
from sft.client.agent.process import Agent, login_of
from sft.client.identity import Identity
from sft.client.state import StateFolder
from sft.crypto import key_file
from sft.crypto.keys import SigningKey
from sft.crypto.locked_key import HANDED_BYTES, LockedKey
from sft.crypto.signatures import sign_join, sign_login, sign_statement
from sft.crypto.statement import ActStatement, StatementComment
from sft.errors import KeyFormatError, KeyLockedError
from sft.transport.local_peer import peer_uid
from tests.unit.client.memory_server import ADA_KEY, TurnPool
from tests.unit.client.test_identity import CHEAPLY, asking, run

DAY = 86_400
COMMENT = StatementComment(act="role", server_id=bytes(32), user=1, ts=1, nonce=bytes(8))
STATEMENT = ActStatement(COMMENT, {"name": "max", "role": "guest"})


def locked(key: SigningKey = ADA_KEY) -> LockedKey:
    handed = memoryview(key.public.key_id + key.seed)
    made, given = LockedKey(), 0

    def a_few_bytes(view: memoryview) -> int:
        nonlocal given
        count = min(7, len(view))
        view[:count] = handed[given : given + count]
        given += count
        return count

    made.read(a_few_bytes)
    return made


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket's path."""
    made = Path(tempfile.mkdtemp(prefix="sft-"))
    yield made
    shutil.rmtree(made)


class Running:
    """An agent in this process, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.now = [100.0, 1_700_000_000.0]
        self.folder = folder
        self.logged_in = True
        self.key = locked()
        self.path = socket_path(folder, ADA_KEY.public)
        clocks = tuple(lambda number=number: self.now[number] for number in range(2))
        self.agent = Agent(self.path, self.key, DAY, clocks=clocks, is_logged_in=lambda: self.logged_in)
        self._thread = Thread(target=self.agent.run, daemon=True)
        self._thread.start()

    def seconds_left(self) -> int | None:
        return seconds_left(self.folder, ADA_KEY.public)

    def held(self) -> SigningKey | None:
        return held_key(self.folder, ADA_KEY.public)

    def ended(self) -> bool:
        """Wait for its end, and say whether the key is gone."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        with pytest.raises(KeyFormatError):
            self.key.sign(bytes(64))
        return True


@pytest.fixture
def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.01)
    made = Running(folder)
    yield made
    made.logged_in = False
    assert made.ended()


# -- what it signs ----------------------------------------------------------------------------------


def test_it_signs_as_the_key_itself(running: Running) -> None:
    held = running.held()
    assert held is not None
    assert held.public == ADA_KEY.public
    assert sign_login(held, bytes(64), b"m4") == sign_login(ADA_KEY, bytes(64), b"m4")
    assert sign_join(held, bytes(64), b"m4") == sign_join(ADA_KEY, bytes(64), b"m4")
    assert sign_statement(held, STATEMENT) == sign_statement(ADA_KEY, STATEMENT)
    assert running.seconds_left() == DAY


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"x",
        bytes(63),
        bytes(65),
        bytes(128),
        b"sft/1 server hello".ljust(64, b"\xff") + bytes(64),
        b"sft/1 login".ljust(64, b"\xff") + bytes(63),
        bytes(64) + b"sft:1 no comment",
        bytes(64) + COMMENT.encode().encode() + b"\n",
        b"files.example.org/sft/00010203/1\n1\nAAAA\n",
    ],
)
def test_it_signs_nothing_else(running: Running, message: bytes) -> None:
    held = running.held()
    assert held is not None
    with pytest.raises(KeyLockedError):
        held._sign(message)
    with pytest.raises(ValueError, match="form"):
        running.key.sign(message)


def test_the_key_does_not_leave_it(running: Running) -> None:
    held = running.held()
    assert held is not None
    with pytest.raises(KeyLockedError):
        key_file.encode(held, None)


def test_a_key_that_is_cut_short_is_none() -> None:
    made = LockedKey()
    with pytest.raises(KeyFormatError):
        made.read(lambda view: 0)
    with pytest.raises(KeyFormatError):
        made.sign(bytes(64))
    assert HANDED_BYTES == 40


# -- for whom ---------------------------------------------------------------------------------------


def test_socket_and_folder_are_open_to_nobody_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOOK_SECONDS", 0.01)
    running = Running(folder / "sft")
    assert stat.S_IMODE((folder / "sft").stat().st_mode) == 0o700
    assert stat.S_IMODE(running.path.stat().st_mode) == 0o600
    assert lock(running.folder, ADA_KEY.public)
    assert running.ended()


@pytest.mark.parametrize("module", [peers, held_keys])
def test_another_user_is_answered_nothing_and_told_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    assert running.seconds_left() == DAY
    monkeypatch.setattr(module, "is_same_person", lambda _: False)
    assert running.seconds_left() is None
    assert running.held() is None


def test_the_system_says_who_is_at_the_other_end() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_uid(one) == os.getuid()


def test_in_a_folder_of_others_nothing_is_used(folder: Path, running: Running) -> None:
    folder.chmod(0o755)
    assert not is_private(folder)
    assert running.seconds_left() is None
    with pytest.raises(OSError, match="not yours alone"):
        Agent(folder / "x.agent", locked(), DAY)
    folder.chmod(0o700)
    assert running.seconds_left() == DAY


def test_a_link_to_a_folder_is_none(folder: Path) -> None:
    (folder / "to").mkdir(mode=0o700)
    (folder / "link").symlink_to(folder / "to")
    assert not is_private(folder / "link")
    assert is_private(folder / "to")


@pytest.mark.parametrize(
    "sent",
    [b"", b"\0", b"\0\0", b"\xff\xff", (FRAME_BYTES + 1).to_bytes(2), b"\0\x05\x01", b"\0\x01\x09", b"\0\x02\x02x"],
)
def test_what_is_no_question_is_refused_and_ends_nothing(running: Running, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(running.path))
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) in (b"", b"\0\x01\x01")
    assert running.seconds_left() == DAY


# -- when it forgets --------------------------------------------------------------------------------


def test_it_forgets_when_it_is_asked_to(running: Running) -> None:
    held = running.held()
    assert held is not None
    assert lock(running.folder, ADA_KEY.public)
    assert running.ended()
    assert not running.path.exists()
    assert not lock(running.folder, ADA_KEY.public)
    with pytest.raises(KeyLockedError):
        held._sign(bytes(64))


@pytest.mark.parametrize("clock", [0, 1])
def test_it_forgets_at_the_times_end_by_either_clock(running: Running, clock: int) -> None:
    """One clock may stop while the computer sleeps, the other can be set back."""
    running.now[clock] += DAY - 1
    assert running.agent.seconds_left() == 1
    running.now[clock] += 1
    assert running.agent.is_over()
    assert running.held() is None
    assert running.ended()


def _remove(running: Running) -> None:
    running.path.unlink()


def _replace(running: Running) -> None:
    running.path.rename(running.path.with_suffix(".old"))
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(running.path))


def _log_out(running: Running) -> None:
    running.logged_in = False


@pytest.mark.parametrize("happens", [_remove, _replace, _log_out])
def test_it_forgets_when_its_place_is_gone(running: Running, happens: Callable[[Running], None]) -> None:
    happens(running)
    assert running.ended()
    assert running.path.exists() == (happens is _replace)


def test_who_starts_a_second_one_takes_the_place(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    second = Running(running.folder)
    assert running.ended()
    assert second.seconds_left() == DAY
    assert lock(second.folder, ADA_KEY.public)
    assert second.ended()


def test_another_socket_with_the_number_of_ours_is_another(running: Running) -> None:
    """As ext4 gives it to the next file; here our own, changed since, stands for that."""
    before = running.path.lstat()
    os.utime(running.path, ns=(1, 1))
    assert (running.path.lstat().st_dev, running.path.lstat().st_ino) == (before.st_dev, before.st_ino)
    assert running.ended()
    assert running.path.exists()


def test_a_login_is_over_with_its_process_and_not_with_its_number() -> None:
    assert login_of(0)()
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.read(told, 1)
        os._exit(0)
    is_logged_in = login_of(child)
    assert is_logged_in()
    os.write(tell, b"x")
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    # It has ended, and its number is taken still: as if another had it.
    assert process._is_running(child)
    assert is_logged_in() is not hasattr(os, "pidfd_open")
    os.waitpid(child, 0)
    assert not is_logged_in()
    assert not login_of(child)()
    for each in (told, tell):
        os.close(each)


def test_a_second_signal_does_not_end_the_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """At logout SIGHUP and SIGTERM come one after the other."""
    now: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", now.__setitem__)
    with pytest.raises(process._EndedError):
        process._end(signal.SIGTERM, None)
    assert now == dict.fromkeys((signal.SIGTERM, signal.SIGHUP, signal.SIGINT), signal.SIG_IGN)


def test_connections_that_stay_open_do_not_hold_it_past_its_time(running: Running) -> None:
    with ExitStack() as opened:
        for _ in range(40):
            connection = opened.enter_context(socket.socket(socket.AF_UNIX))
            connection.connect(str(running.path))
            connection.sendall(b"\0")
        assert running.seconds_left() == DAY
        running.now[0] += DAY
        assert running.ended()


# -- how it is used ---------------------------------------------------------------------------------


async def nobody() -> str:
    raise KeyLockedError


@pytest.fixture
def identity(running: Running, state: StateFolder, profile: Any) -> Identity:
    state.write(profile.key_file, CHEAPLY(ADA_KEY, "one").encode())
    return Identity(StateFolder(state.data, state.config, running.folder), profile)


def test_nobody_is_asked_for_a_passphrase_while_it_is_held(identity: Identity, running: Running) -> None:
    pool = TurnPool()
    assert not identity.needs_passphrase()
    held = run(pool, identity.unlock(pool, nobody))
    assert sign_statement(held, STATEMENT) == sign_statement(ADA_KEY, STATEMENT)
    assert lock(running.folder, ADA_KEY.public)
    assert identity.needs_passphrase()
    with pytest.raises(KeyLockedError):
        run(pool, identity.unlock(pool, nobody))


def test_a_new_passphrase_takes_the_old_one_though_it_is_held(identity: Identity) -> None:
    pool = TurnPool()
    with pytest.raises(KeyLockedError):
        run(pool, identity.change_passphrase(pool, nobody, "two", encode_key=CHEAPLY))
    run(pool, identity.change_passphrase(pool, asking("one"), "two", encode_key=CHEAPLY))
    assert run(pool, identity.open(pool, asking("two"))).seed == ADA_KEY.seed


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/sft"),
        ({"XDG_RUNTIME_DIR": "run", "TMPDIR": "/var/t"}, f"/var/t/sft-{os.getuid()}"),
        ({"TMPDIR": "/var/t"}, f"/var/t/sft-{os.getuid()}"),
    ],
)
def test_sockets_lie_where_a_login_has_them(environ: dict[str, str], expected: str) -> None:
    assert runtime_folder(environ) == Path(expected)
