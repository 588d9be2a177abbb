"""The operator's commands and the server's process: while it runs and while it does not, and how both end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sft.crypto.keys import SigningKey
from tests.campaigns.installation import Person, ServerProcess, clean_environment, run, script

NewServer = Callable[..., ServerProcess]

LISTS = (("user", "list"), ("invite", "list"), ("file", "list"), ("session", "list"))


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout


def lists_are_lists(server: ServerProcess) -> None:
    for words in LISTS:
        assert isinstance(server.operate_json(*words), list), words


def test_every_operator_command_works_while_the_server_runs_and_while_it_does_not(
    server: ServerProcess, joined: Callable[..., Person], folder: Path
) -> None:
    max_ = joined("max")
    (max_.folder / "a.txt").write_bytes(b"a")
    good(max_.sft("put", "a.txt", "--to", "docs"))
    key = SigningKey.generate().public
    added = good(server.operate("user", "add", "ivo", key.text(), "--role", "maintainer"))
    assert key.words() in added
    good(server.operate("user", "role", "ivo", "guest"))
    good(server.operate("user", "disable", "ivo"))
    shown = server.operate_json("user", "show", "ivo")
    assert (shown["state"], shown["role"]) == ("disabled", "guest")
    made = server.operate_json("invite", "--user", "eva", "--expires", "12h")
    assert server.operate_json("vault", "check")["faults"] == []
    assert server.stop() == 0

    before = set(folder.iterdir())
    lists_are_lists(server)
    unsure = server.operate("user", "remove", "ivo")
    assert (unsure.returncode, "[USAGE]" in unsure.stderr) == (2, True)
    good(server.operate("user", "remove", "ivo", "--yes"))
    assert server.operate_json("invite", "withdraw", str(made["id"])) == {
        "id": made["id"],
        "changed": True,
    }
    assert "void already" in good(server.operate("invite", "withdraw", str(made["id"])))
    assert server.operate_json("link")["link"].startswith("sft://127.0.0.1:")
    for words in (("vault", "collect"), ("vault", "rotate-key", "--reencrypt")):
        assert server.operate_json(*words)["faults"] == [], words
    assert server.operate_json("file", "show", "docs/a.txt")["signature"].startswith(
        "untrusted comment:"
    )
    assert server.operate_json("file", "delete", "docs/a.txt")["path"] == "docs/a.txt"
    assert server.operate_json("file", "list") == []
    assert "already" in good(server.operate("upgrade"))
    # Neither a daemon nor its traces: no file besides, nothing at the socket, nobody holds the lock.
    assert set(folder.iterdir()) == before
    assert not (server.home / "control").exists()
    server.start()
    assert {each["name"]: each["state"] for each in server.operate_json("user", "list")} == {
        "max": "active",
        "ivo": "removed",
    }
    assert good(max_.sft("restore", "docs/a.txt"))
    assert "Traceback" not in server.log.read_text()


def test_operator_commands_refuse_with_their_statuses(server: ServerProcess) -> None:
    cases = {
        ("user", "show", "nobody"): (3, "NOT_FOUND"),
        ("user", "role", "nobody", "emperor"): (2, "USAGE"),
        ("user", "add", "eva", "RWnonsense"): (8, "KEY_FORMAT"),
        ("invite", "--expires", "soon"): (2, "USAGE"),
        ("invite", "withdraw", "99"): (3, "NOT_FOUND"),
        ("file", "delete", "nothing"): (3, "NOT_FOUND"),
    }
    for words, (status, code) in cases.items():
        done = server.operate(*words)
        assert (done.returncode, f"[{code}]" in done.stderr) == (status, True), (words, done.stderr)
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    document = server.operate("user", "show", "nobody", "--json")
    assert json.loads(document.stdout)["error"]["code"] == "NOT_FOUND"


def test_an_operator_command_without_a_home_says_so_and_makes_none(folder: Path) -> None:
    done = run(script("twistd"), "sft", "--home", str(folder / "none"), "user", "list", cwd=folder)
    assert done.returncode == 10
    assert "there is no server in it" in done.stderr
    assert list(folder.iterdir()) == []


def test_sftd_is_twistd_sft_and_ends_with_2_on_mistakes(
    server: ServerProcess, folder: Path
) -> None:
    home = str(server.home)
    listed = run(script("sftd"), "--home", home, "user", "list", "--json", cwd=folder)
    assert (listed.returncode, json.loads(listed.stdout)) == (0, [])
    mistakes: tuple[tuple[str, ...], ...] = (
        ("--home", home, "user", "show"),
        ("--home", home, "conquer"),
        ("--home", home, "serve", "--registration", "sometimes"),
        ("--home", home, "serve", "--public", "no port"),
        ("--homes", home),
    )
    for words in mistakes:
        done = run(script("sftd"), *words, cwd=folder)
        assert done.returncode == 2, (words, done.stderr)
        assert done.stderr.startswith("sftd: ")
        assert "Traceback" not in done.stderr
    assert run(script("sftd"), "--help", cwd=folder).returncode == 0
    assert {each.name for each in folder.iterdir()} == {"home", "server.log"}


def test_sftd_serves_in_the_foreground(folder: Path) -> None:
    server = ServerProcess(folder)
    sftd = subprocess.Popen(
        [script("sftd"), "--home", str(server.home), "serve", "--listen", f"tcp:{server.port}:interface=127.0.0.1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=folder, env=clean_environment(),
    )  # fmt: skip
    assert sftd.stdout is not None
    try:
        assert any(" listening at=" in line for line in sftd.stdout)
        assert server.operate_json("user", "list") == []
        sftd.send_signal(signal.SIGTERM)
        rest = sftd.stdout.read()
        assert sftd.wait(30) == 0, rest
    finally:
        sftd.kill()
        sftd.wait()
        sftd.stdout.close()
    assert {each.name for each in folder.iterdir()} == {"home"}  # no pid file, no log file


def test_the_first_invitation_is_in_a_private_file_and_never_in_the_log(
    server: ServerProcess, new_person: Callable[[str], Person]
) -> None:
    link = (server.home / "first-admin.link").read_text().strip()
    log = server.log.read_text()
    assert str(server.home / "first-admin.link") in log
    assert link.partition("#")[2] not in log
    ada = new_person("ada")
    joined = ada.sft("join", "--user", "ada", "--no-passphrase", given=link + "\n")
    assert joined.returncode == 0, joined.stderr
    assert json.loads(ada.sft("whoami", "--json").stdout)["role"] == "admin"
    server.stop()
    (server.home / "first-admin.link").unlink()
    server.start()
    assert server.operate_json("user", "list")[0]["name"] == "ada"
    assert not (server.home / "first-admin.link").exists()  # there is an admin


def test_the_settings_of_a_start_are_kept(
    new_server: NewServer, new_person: Callable[[str], Person]
) -> None:
    server = new_server(
        "--public", "files.example.org:7361", "--registration", "open", "--name", "acme"
    )
    server.start()
    assert "ANYBODY WHO HAS THE SERVER'S LINK CAN JOIN" in server.log.read_text()
    server.stop()
    again = ServerProcess(server.home.parent)
    again.log = server.home.parent / "again.log"
    again.start()
    try:
        link = again.operate_json("link")
        assert (link["server"], link["address"]) == ("acme", "files.example.org:7361")
        here = link["link"].replace("files.example.org:7361", f"127.0.0.1:{again.port}")
        gus = new_person("gus")
        joined = gus.sft("join", "--user", "gus", "--no-passphrase", "--json", given=here + "\n")
        assert json.loads(joined.stdout)["role"] == "guest", joined.stderr
    finally:
        again.stop()
    closed = new_server("--registration", "closed")
    closed.start()
    late = new_person("late")
    here = closed.operate_json("link")["link"].replace(
        "files.example.org:7361", f"127.0.0.1:{closed.port}"
    )
    refused = late.sft("join", "--user", "late", "--no-passphrase", given=here + "\n")
    assert (refused.returncode, "[REGISTRATION_CLOSED]" in refused.stderr) == (4, True), (
        refused.stderr
    )


# -- ending -------------------------------------------------------------------------------------------


def begin_pipe(server: ServerProcess, person: Person, path: str) -> subprocess.Popen[bytes]:
    """Begin to store what this test writes, as slowly as it likes; returns once the server's disk has some of it."""
    putting = subprocess.Popen(
        [script("sft"), "put", "-", "--as", path, "--json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=person.folder, env=person.environment,
    )  # fmt: skip
    assert putting.stdin is not None
    putting.stdin.write(b"p" * 4_000_000)
    putting.stdin.flush()
    incoming = server.home / "data" / "vault" / "incoming"
    while not any(each.stat().st_size >= 1_000_000 for each in incoming.iterdir()):
        with contextlib.suppress(
            subprocess.TimeoutExpired
        ):  # the file's size ends the wait, or its sender's end
            raise AssertionError(f"ended early: {putting.wait(0.02)}")
    return putting


def until_closed(port: int) -> None:
    """Wait until nobody listens; each try is answered by the kernel at once."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except OSError:  # refused; or reset, where it closed between the two
            return


def test_a_transfer_under_way_may_finish_after_sigterm(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_ = joined("max")
    putting = begin_pipe(server, max_, "late.bin")
    os.kill(server.pid, signal.SIGTERM)
    until_closed(server.port)
    out, _ = putting.communicate(b"q" * 1_000_000, timeout=60)
    assert json.loads(out)["items"][0]["result"] == "stored", out
    assert putting.returncode == 0
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)  # without asking it a second time
    assert server.stop() == 0
    server.start()
    (listed,) = json.loads(max_.sft("ls", "--json").stdout)
    assert listed["size"] == 5_000_000


def test_a_transfer_that_does_not_finish_does_not_keep_the_server(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_ = joined("max")
    putting = begin_pipe(server, max_, "never.bin")
    assert server.stop() == 0  # waits for it, for as long as it takes
    out, _ = putting.communicate(timeout=60)
    (item,) = json.loads(out)["items"]
    assert item["error"]["code"] in {"INTERRUPTED", "CONNECTION_LOST"}, item
    assert putting.returncode == 6
    assert list((server.home / "data" / "vault" / "incoming").iterdir()) == []
    server.start()
    assert json.loads(max_.sft("ls", "--json").stdout) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_secret_is_ever_in_an_argument_or_in_the_log(
    server: ServerProcess, new_person: Callable[[str], Person], folder: Path
) -> None:
    max_ = new_person("max")
    link = server.operate("invite", "--role", "maintainer").stdout.strip()
    words = folder / "words"
    words.write_text("open sesame 4711\n", encoding="utf-8")
    max_.environment["SFT_PASSPHRASE_FILE"] = str(words)
    joining = subprocess.Popen(
        [script("sft"), "join", "--user", "max"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=max_.folder, env=max_.environment,
    )  # fmt: skip
    assert joining.stdin is not None
    joining.stdin.write(link + "\n")
    joining.stdin.close()
    seen = set()
    while joining.poll() is None:
        with contextlib.suppress(OSError):  # it may end between two looks
            seen.add(Path(f"/proc/{joining.pid}/cmdline").read_bytes())
            seen.add(Path(f"/proc/{joining.pid}/environ").read_bytes())
    assert joining.stdout is not None
    assert joining.stderr is not None
    out, err = joining.stdout.read(), joining.stderr.read()
    joining.stdout.close()
    joining.stderr.close()
    assert joining.returncode == 0, err
    secret = link.partition("#")[2]
    everything = b"\n".join(seen) + out.encode() + err.encode() + server.log.read_bytes()
    assert b"join" in everything
    for hidden in (secret[:40], secret[-30:], "open sesame"):
        assert hidden.encode() not in everything
    as_argument = max_.sft("join", link)
    assert as_argument.returncode == 2
    assert secret not in as_argument.stdout + as_argument.stderr
