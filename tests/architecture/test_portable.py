"""What runs where Linux's own calls are missing, and what without those of POSIX, as far as Linux can show it."""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from sft import durable
from sft.server.factory import peer_uid
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
PURE = ("errors", "ledger", "model", "wire")
TESTS = """
import asyncio, getpass, platformdirs, subprocess, sys, tempfile, pytest
import tests.fakes.without_posix
sys.exit(pytest.main(["-q", "-x", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:]]))
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


class _Peer:
    """A local socket that tells of its other end as macOS does."""

    def __init__(self, version: int) -> None:
        self._told = struct.pack("2Ih", version, 501, 1).ljust(76, b"\0")

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        assert (level, option, size) == (0, 1, 76)
        return self._told


def test_a_peer_at_the_control_socket_is_known_by_its_user_where_the_system_tells_it_as_macos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED")
    assert peer_uid(_Peer(0)) == 501  # type: ignore[arg-type]
    with pytest.raises(OSError, match="a form that is unknown here"):
        peer_uid(_Peer(1))  # type: ignore[arg-type]


@pytest.mark.long
def test_the_pure_parts_pass_their_tests_without_what_posix_alone_has() -> None:
    folders = [f"tests/unit/{name}" for name in PURE if (ROOT / "tests/unit" / name).is_dir()]
    done = _run(TESTS, "--noconftest", *folders, seconds=580)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.long
def test_a_server_and_three_people_go_through_the_demo_without_what_linux_alone_has(tmp_path: Path) -> None:
    # Python loads a module of this name before anything else, in every process that is started below.
    (tmp_path / "sitecustomize.py").write_text((ROOT / "tests/fakes/as_on_macos.py").read_text("utf-8"))
    done = subprocess.run(
        [sys.executable, "-c", "from sft.cli.entry import run; run()", "demo", "--script"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "SFT_HOME": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
