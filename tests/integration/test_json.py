"""Every command of both programs prints the document that ``JSON.md`` declares, and each that it declares is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest
from msgspec.structs import replace

from sft.cli.main import COMMANDS
from sft.cli.main import cli as group
from sft.crypto.keys import SigningKey
from sft.crypto.note_keys import CosignerKey, SignatureType
from sft.limits import SMALL_FILE_BYTES
from sft.model.hooks import Hook
from sft.operator.commands import program
from tests.integration.live_cli import LiveCli
from tests.integration.test_cli_resume import part_of
from tests.json_shapes import commands, faults, shapes
from tests.loop import run
from tests.unit.cli.cli_fixture import Ran

# A journey of processes: ``tests/e2e/test_cli_demo.py`` compares its document.
ELSEWHERE = {
    "sft demo": {"Demo", "Step"},
    "sftd log restart": {"LogRestarted"},
    # ``test_backup``
    "sftd backup": {"Backup", "Snapshot"},
    "sftd restore": {"Restored"},
    "sftd restore --list": {"Snapshot"},
    "sftd restore --verify": {"BackupVerified", "Snapshot"},
}
# No document of a command: progress is compared in ``tests/unit/cli/test_progress.py``.
EVENTS = {"Progress", "ItemProgress"}


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket's path."""
    with TemporaryDirectory(prefix="sft-") as made:
        yield Path(made)


class Printed:
    """Documents, compared as they are printed."""

    def __init__(self) -> None:
        self.commands: set[str] = set()
        self.shapes: set[str] = set()

    def take(self, command: str, ran: Ran, status: int = 0) -> Any:
        assert ran.status == status, (command, ran.err)
        document = json.loads(ran.out)
        kind = commands()[command] if "error" not in document or {"path", "allowed"} & document.keys() else "Failure"
        assert faults(document, kind, command, self.shapes) == []
        if kind != "Failure":
            self.commands.add(command)
        return document


# What they print is for twistd, systemd, man and a shell.
_TEXTS = {"sftd serve", "sftd witness", "sftd upgrade", "sftd unit", "sftd manual", "sftd completion"}


def _all_commands() -> set[str]:
    """Name every command of both programs that has --json."""
    found: set[str] = set()
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        found.add(f"sft {name}")
        if isinstance(command, click.Group):
            found |= {f"sft {name} {each}" for each in _leaves(context, command)}
    operator = program.make_context("sftd", ["upgrade"])
    found |= {f"sftd {name}" for name in _leaves(operator, program)} - _TEXTS
    only_to_a_person = {"sft tui", "sft servers trust", "sft key trust"}
    return found - only_to_a_person | {
        "sft ls --trash",
        "sft resume --list",
        "sft resume --drop",
        "sftd restore --list",
        "sftd restore --verify",
    }


def _leaves(context: click.Context, group: click.Group) -> Iterator[str]:
    for name in group.list_commands(context):
        below = group.get_command(context, name)
        yield from (f"{name} {leaf}" for leaf in _leaves(context, below)) if isinstance(below, click.Group) else (name,)


@pytest.mark.every_run
def test_the_page_names_every_command_of_both_programs():
    assert set(commands()) == _all_commands()


def test_every_command_prints_what_the_page_declares(cli: LiveCli, tmp_path: Path):
    printed = Printed()

    def ada(*words: str, stdin: str = "", status: int = 0, of: int = 1) -> Any:
        name = " ".join(("sft", *words[:of]))
        return printed.take(name, cli.sft("ada", *words, "--json", stdin=stdin), status)

    def operator(*words: str, of: int = 2, status: int = 0) -> Any:
        name = " ".join(("sftd", *words[:of]))
        return printed.take(name, cli.operator(*words, "--json"), status)

    # Files, by a person.
    ada("put", cli.file("a.txt", b"a"), str(cli.folder / "none"), "--to", "docs", status=1)
    ada("mkdir", "docs", "new", "a\\b", status=1)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "link").symlink_to("none")
    ada("put", str(tmp_path / "odd"), "--dry-run")
    ada("put", cli.file("a.txt", b"once more"), "--as", "docs/a.txt", "--replace")
    ada("mv", "docs/a.txt", "new/b.txt")
    ada("ls", "new")
    ada("info", "new/b.txt")
    got = ada("get", "new/b.txt", "none", "--to", str(tmp_path), "--with-signature", status=1)
    ada("verify", *(item["local"] for item in got["items"] if item["local"]))
    ada("proof", "new/b.txt", "--to", str(tmp_path / "odd"))
    ada("owner", "mia", "new/b.txt", "none", "--yes", status=1)
    (found,) = ada("find", "from:ada", "since:1h", "smaller:1K", "b.txt")
    assert found["path"] == "new/b.txt"
    ada("rm", "new/b.txt", "none", status=1)
    ada("find", "new")
    ada("ls", "--trash", of=2)
    ada("rm", "-r", "new", "--yes")
    ada("ls", "--trash", of=2)
    ada("restore", "new")
    ada("restore", "new/b.txt", "none", status=1)
    ada("expire", "new/b.txt", "none", "--in", "7d", status=1)
    ada("ls", "none", status=3)
    watch = ("watch", str(tmp_path / "odd"), "synced", "--json")
    printed.take("sft watch", cli.interrupted("ada", "is a link", *watch), 1)
    (tmp_path / "odd" / "file").write_bytes(b"file")
    ada("sync", str(tmp_path / "odd"), ":synced", status=1)
    part_of(cli, "docs/big.bin")
    ada("resume", "--list", of=2)
    ada("resume")
    part_of(cli, "docs/other.bin")
    ada("resume", "--drop", of=2)
    # People, by a person.
    ada("users")
    ada("role", "gus", "maintainer")
    ada("why", "gus", "rm", "docs", status=4)
    ada("why", "ada", "invite")
    ada("who-can", "put", "anew")
    ada("quota")
    ada("quota", "gus")
    ada("quota", "show", "gus", of=2)
    ada("quota", "set", "gus", "--bytes", "50G", of=2)
    ada("disable", "--from-file", cli.file("leavers", b"gus\nnobody\n"), status=1)
    ada("disable", "gus")
    ada("enable", "gus")
    ada("remove", "gus", "--yes")
    ada("remove", "--from-file", cli.file("leavers", b"gus\nnobody\n"), "--yes", status=1)
    made = ada("invite", "--user", "ivo")
    ada("invite", "--write", str(tmp_path / "link"))
    ada("invite", "list", of=2)
    joining = ("join", "--no-passphrase", "--json")
    printed.take("sft join", cli.sft("ivo", *joining, stdin=made["link"]))
    another = ada("invite")
    ada("invite", "withdraw", str(another["id"]), of=2)
    # This computer.
    w1 = CosignerKey.generate("w.example/1", SignatureType.ED25519_COSIGNATURE).public
    ada("whoami")
    ada("status")
    ada("key")
    for words in (("key", "show"), ("key", "export")):
        ada(*words, of=2)
    with short_folder() as runtime:
        passphrase = cli.file("passphrase", b"one")
        Path(passphrase).chmod(0o600)
        login = {"XDG_RUNTIME_DIR": str(runtime), "SFT_PASSPHRASE_FILE": passphrase}
        ada("key", "passphrase", "--new-passphrase-file", passphrase, of=2)
        printed.take("sft unlock", cli.sft("ada", "unlock", "--json", **login))
        printed.take("sft lock", cli.sft("ada", "lock", "--json", **login))
        words = ("key", "passphrase", "--no-passphrase", "--json")
        printed.take("sft key passphrase", cli.sft("ada", *words, **login))
    (profile,) = ada("servers")
    name, address = profile["profile"], profile["address"]
    link = operator("link", of=1)["link"]
    ada("servers", "address", name, address, of=2)
    ada("servers", "link", name, stdin=link, of=2)
    policy = tmp_path / "policy"
    policy.write_text(f"witness w1 {w1.vkey()}\nquorum w1\n")
    ada("servers", "policy", name, str(policy), of=2)
    ada("whoami")
    ada("servers", "default", name, of=2)
    ada("completion", "bash")
    ada("key", "device", "link", of=3)
    ada("key", "device", "add", SigningKey.generate().public.text(), "--device", "phone", of=3)
    ada("key", "device", "list", of=3)
    ada("key", "device", "revoke", "phone", "--stolen-since", "start", "--yes", of=3)
    ada("key", "rotate", "--yes", of=2)
    ada("reset-key", "mia", "--yes")
    operator("user", "reset-key", "mia", "--yes")
    ada("reset-key", "mia", SigningKey.generate().public.text(), "--yes")
    # The operator.
    operator("user", "reset-key", "mia", SigningKey.generate().public.text(), "--yes")
    key = SigningKey.generate().public.text()
    operator("user", "add", "eva", key)
    operator("user", "list")
    operator("user", "show", "eva")
    operator("user", "role", "eva", "maintainer")
    operator("why", "eva", "put", "anew", of=1)
    operator("who-can", "put", "anew", of=1)
    operator("user", "quota", "eva")
    operator("user", "quota", "eva", "--files", "none")
    operator("user", "disable", "eva")
    operator("user", "enable", "eva")
    operator("user", "remove", "eva", "--yes")
    operator("user", "remove", "--from-file", cli.file("leavers", b"eva\nnobody\n"), "--yes", status=1)
    invited = operator("invite", "make")
    operator("invite", "list")
    operator("invite", "withdraw", str(invited["id"]))
    operator("file", "list")
    operator("file", "show", "new/b.txt")
    operator("file", "delete", "new/b.txt")
    run(cli.server.session("max"))
    live = {each["user"]: str(each["id"]) for each in operator("session", "list")}
    operator("session", "kick", live["max"])
    operator("log", "key")
    (cli.server.home.path / "policy").write_text(f"witness w1 {w1.vkey()} http://127.0.0.1:9\nquorum none\n")
    operator("log", "witnesses")
    operator("log", "show")
    folder = tmp_path / "log"
    operator("log", "export", str(folder))
    operator("log", "verify")
    ada("log", "--act", "store")
    ada("log", "verify", str(folder), of=2)
    (folder / "tile" / "entries" / "000.p").rename(tmp_path / "moved")
    ada("log", "verify", str(folder), of=2, status=7)
    given, event = cli.server.running._given, tmp_path / "event"
    told = Hook(name="told", events=("all",), run=("/bin/sh", "-c", f"cat > {event}"))
    run(cli.server.running.reload(replace(given, hooks=(told,))))
    operator("hook", "list")
    operator("hook", "test", "told")
    ada("log", "event", str(event), of=2)
    run(cli.server.running.reload(given))
    operator("status", of=1)
    operator("config", "show")
    operator("config", "show", "trash_days")
    operator("config", "example")
    cli.server.home.configuration_file.write_text("nam = 1\n")
    operator("config", "check", status=10)
    cli.server.home.configuration_file.unlink()
    operator("vault", "check", "--read-data")
    operator("vault", "status")
    operator("vault", "rebuild")
    operator("vault", "rotate-key")
    operator("vault", "collect")
    (cli.server.home.vault / "quarantine" / "stray").write_bytes(b"stray")
    operator("vault", "quarantine", "list", of=3)
    operator("vault", "quarantine", "drop", of=3)
    before = {*cli.server.objects()}
    ada("put", cli.file("big", bytes(SMALL_FILE_BYTES + 1)))
    (stored,) = {*cli.server.objects()} - before
    sealed = bytearray(stored.read_bytes())
    sealed[-1] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(sealed)
    operator("vault", "check", "--read-data", status=7)
    ada("servers", "forget", name, "--yes", of=2)

    assert printed.commands == set(commands()) - set(ELSEWHERE)
    assert printed.shapes == set(shapes()) - set().union(*ELSEWHERE.values()) - EVENTS
