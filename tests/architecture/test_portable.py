"""What runs where Linux's own calls are missing, and what without those of POSIX, as far as Linux can show it."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sft import durable
from sft.transport.local_peer import peer_uid
from tests.architecture.modules import ROOT

# Loads all that a person's computer has of us, as the command line would load some of it.
LOAD = """
import asyncio, concurrent.futures, logging, multiprocessing, pathlib, subprocess, tempfile, urllib.request
import importlib, pkgutil
import tests.fakes.without_posix
for name in ("sft.cli", "sft.client", "sft.transport", "sft.wire", "sft.ledger", "sft.crypto", "sft.model", "sft.errors"):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        importlib.import_module(module.name)
"""
SFT = """
import subprocess, tempfile
import tests.fakes.without_posix
from sft.cli.entry import run
run()
"""
# Their tests need neither a disk nor a network: they are what Windows' own users of the library could run.
PURE = ("ledger", "model", "wire")
TESTS = """
import asyncio, getpass, platformdirs, subprocess, sys, tempfile, pytest
import tests.fakes.without_posix

class FewExamples:
    def pytest_configure(self):
        import hypothesis
        hypothesis.settings.register_profile("few", max_examples=3, derandomize=True, deadline=None, database=None)
        hypothesis.settings.load_profile("few")

    def pytest_collection_modifyitems(self, items):  # a case of each table: what is missing is missing to all of them
        items[:] = {item.nodeid.partition("[")[0]: item for item in items}.values()

words = ["-q", "-x", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:]]
sys.exit(pytest.main(words, plugins=[FewExamples()]))
"""


def _run(code: str, *words: str, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )


@pytest.mark.long
def test_all_of_the_client_is_loaded_without_what_posix_alone_has() -> None:
    done = _run(LOAD)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_posix_help_is_given_and_what_needs_files_is_refused_in_words() -> None:
    assert _run(SFT, "--version").stdout.startswith("sft ")
    assert "--exclude" in _run(SFT, "put", "--help").stdout
    refused = _run(SFT, "ls")
    assert refused.returncode == 10
    assert "opens no folder by descriptor" in refused.stderr
    assert "WSL" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_no_folder_is_opened_or_made_where_the_flags_that_keep_links_out_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "OPENS_FOLDERS", False)
    for act in (durable.open_folder, durable.make_private_folder):
        with pytest.raises(OSError, match="no folder by descriptor") as raised:
            act(tmp_path / "state")
        assert raised.value.errno == errno.ENOTSUP
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("fault", [None, errno.ENOTSUP, errno.ENOTTY, errno.EINVAL])
def test_where_the_system_has_a_call_that_reaches_the_medium_that_one_is_waited_for(
    fault: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []

    def asked(_fd: int, number: int) -> None:
        calls.append(number)
        if fault is not None:
            raise OSError(fault, "no such call")

    monkeypatch.setattr(durable.fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(durable.fcntl, "fcntl", asked)
    monkeypatch.setattr(os, "fsync", lambda _fd: calls.append("fsync"))
    with durable.opened_folder(tmp_path) as folder:
        durable.sync_folder(folder)
    assert calls == ([51] if fault is None else [51, "fsync"])


def test_a_fault_of_the_disk_is_none_of_a_missing_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_fd: int, _number: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(durable.fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(durable.fcntl, "fcntl", broken)
    with durable.opened_folder(tmp_path) as folder, pytest.raises(OSError, match="broken"):
        durable.sync_folder(folder)


class _Libc:
    """A library that has the call of macOS."""

    def __init__(self, failed: int) -> None:
        self._failed = failed

    def getpeereid(self, fd: int, uid: object, _gid: object) -> int:
        assert fd > 2
        uid._obj.value = 501  # type: ignore[attr-defined]
        return self._failed


def test_who_is_at_a_local_socket_is_asked_as_macos_has_it_where_linux_way_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = socket.socketpair()
    with one, other:
        monkeypatch.delattr(socket, "SO_PEERCRED")
        assert peer_uid(one) is None, "Linux has no such call"
        monkeypatch.setattr(ctypes, "CDLL", lambda _: _Libc(0))
        assert peer_uid(one) == 501
        monkeypatch.setattr(ctypes, "CDLL", lambda _: _Libc(-1))
        assert peer_uid(one) is None


@pytest.mark.long
@pytest.mark.parametrize("name", PURE)
def test_the_pure_parts_pass_their_tests_without_what_posix_alone_has(name: str) -> None:
    done = _run(TESTS, "--noconftest", f"tests/unit/{name}", seconds=220)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.long
def test_a_server_and_three_people_go_through_the_demo_without_what_linux_alone_has(tmp_path: Path) -> None:
    # Python loads a module of this name before anything else, in every process that is started below.
    (tmp_path / "sitecustomize.py").write_text((ROOT / "tests/fakes/as_on_macos.py").read_text("utf-8"))
    words = ("demo", "--script", "--size", "1", "--files", "10")  # as much as there is to do, with little of each
    done = subprocess.run(
        [sys.executable, "-c", "from sft.cli.entry import run; run()", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "SFT_HOME": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
