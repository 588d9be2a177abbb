"""What goes wrong between a person's computer and the server: each its code, words, next step and status, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sft.demo.forgery import exchange
from tests.integration.live_cli import LiveCli, NewCli
from tests.loop import run
from tests.unit.cli.cli_fixture import Ran


def failed(done: Ran, status: int, code: str, *said: str) -> None:
    """Demand status and code, a sentence, a next step that says so, and nothing of our inside."""
    everything = done.out + done.err
    assert done.status == status, everything
    assert "Traceback" not in everything
    lines = done.err.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.endswith(f"[{code}]")]
    assert lines[at].startswith("sft: ")
    assert lines[at + 1].startswith("     "), everything
    for words in said:
        assert words in done.err, everything


# -- invitations --------------------------------------------------------------------------------------


def join(cli: LiveCli, person: str, name: str, link: str) -> Ran:
    return cli.sft(person, "join", "--user", name, "--no-passphrase", stdin=link + "\n")


def test_an_invitation_is_refused_when_it_was_used_withdrawn_cut_or_never_made(cli: LiveCli):
    invitation = cli.invitation()
    # A taken name spends nothing: the same link, another name.
    failed(
        join(cli, "eva", "max", invitation), 5, "NAME_TAKEN",
        "max exists on", "no invitation was spent",
    )  # fmt: skip
    assert join(cli, "eva", "eva", invitation).status == 0
    assert join(cli, "eva", "eva", invitation).status == 0  # the same computer again: already so
    failed(join(cli, "ivo", "ivo", invitation), 5, "INVITE_USED", "was used on", "Tell the admin")
    withdrawn = cli.operator_json("invite", "--user", "ivo")
    cli.operator("invite", "withdraw", str(withdrawn["id"]))
    failed(join(cli, "ivo", "ivo", withdrawn["link"]), 5, "INVITE_WITHDRAWN", "Ask an admin for a new one")
    failed(
        join(cli, "ivo", "ada", cli.invitation("--user", "ivo")), 5, "NAME_RESERVED",
        "for ivo alone", "--user ivo",
    )  # fmt: skip
    good = cli.invitation()
    failed(join(cli, "ivo", "ivo", good[:-6]), 2, "LINK_INCOMPLETE", "Copy it again, from sft:// to the end")
    failed(join(cli, "ivo", "ivo", "hello"), 2, "LINK_INCOMPLETE")
    failed(join(cli, "ivo", "../ivo", good), 10, "USER_NAME_NOT_ALLOWED")
    refused = cli.sft("ivo", "join", "--user", "ivo", stdin=good)  # nobody to ask for a passphrase
    failed(refused, 2, "USAGE", "--no-passphrase, or set SFT_PASSPHRASE_FILE")
    # Broken over lines and framed, as chat programs do it, it is the same invitation.
    framed = "\n".join(f"│ {good[at : at + 40]} │" for at in range(0, len(good), 40))
    done = join(cli, "ivo", "ivo", framed)
    assert done.status == 0, done.err


@pytest.mark.every_run
def test_an_invitation_of_another_server_is_refused_by_its_key(cli: LiveCli, new_cli: NewCli):
    other = new_cli()
    invitation = other.invitation()
    misled = invitation.replace(f":{other.server.port}/", f":{cli.server.port}/")
    failed(join(cli, "ivo", "ivo", misled), 7, "SERVER_KEY_CHANGED", "Nothing was sent")
    assert "handshake" not in join(cli, "ivo", "ivo", misled).err
    # The invitation was not spent at its own server.
    assert join(cli, "ivo", "ivo", invitation).status == 0


# -- the server is away, or is another ------------------------------------------------------------------


def test_a_server_that_is_away_moved_or_another_is_told_apart(cli: LiveCli, new_cli: NewCli):
    assert cli.sft("max", "ls").status == 0
    profile = cli.sft("max", "servers", "--json").document[0]["profile"]
    old = run(cli.server.halt())
    failed(
        cli.sft("max", "ls"), 6, "UNREACHABLE",
        f"127.0.0.1:{old} does not answer (connection refused)", "Moved? sft servers address",
    )  # fmt: skip
    fatal = cli.sft("max", "ls", "--json").document["error"]
    assert (fatal["code"], fatal["exit"]) == ("UNREACHABLE", 6)
    # Another server at the old address: its key is not the pinned one, and nothing is asked.
    other = new_cli(port=old)
    failed(
        cli.sft("max", "ls"), 7, "SERVER_KEY_CHANGED",
        "than the pinned one. Nothing was sent", "sft servers link",
    )  # fmt: skip
    assert not any("] login" in line for line in other.server.lines)
    # The first one at another address: the same server, as its key says.
    run(cli.server.start())
    address = ("servers", "address", profile)
    failed(cli.sft("max", *address, f"127.0.0.1:{old}"), 7, "SERVER_KEY_CHANGED")
    moved = cli.sft("max", *address, f"127.0.0.1:{cli.server.port}")
    assert moved.lines == ["Same server: its key is the pinned one."]
    assert cli.sft("max", "ls").status == 0
    # Something that is no sft server at all.
    failed(cli.sft("max", *address, "127.0.0.1:1"), 6, "UNREACHABLE")
    failed(cli.sft("max", *address, "no port"), 2, "USAGE")


@pytest.mark.every_run
def test_a_changed_byte_on_the_servers_disk_gives_no_file(cli: LiveCli):
    assert cli.sft("max", "put", cli.file("a.bin", os.urandom(200_000))).status == 0
    (stored,) = cli.server.objects()
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    stored.write_bytes(content)
    failed(cli.sft("max", "get", "a.bin", "--to", "out"), 7, "CONTENT_DAMAGED")
    assert list((cli.folder / "out").rglob("*")) == []


@pytest.mark.parametrize("size", [20_000, 200_000], ids=["with-others", "by-itself"])
def test_bytes_that_were_exchanged_with_all_of_the_servers_keys_are_not_their_authors(cli: LiveCli, size: int):
    assert cli.sft("max", "put", cli.file("a.txt", b"to the shop " + bytes(size))).status == 0
    with pytest.raises(ValueError, match="is not stored"):
        exchange(cli.server.home, "b.txt", b"to the shop", b"to mallory!")
    with pytest.raises(ValueError, match="another text"):
        exchange(cli.server.home, "a.txt", b"to a friend", b"to mallory!")
    assert cli.sft("gus", "get", "a.txt", "--to", "out").status == 0
    exchange(cli.server.home, "a.txt", b"to the shop", b"to mallory!")
    failed(cli.sft("gus", "get", "a.txt", "--to", "other"), 7, "SIGNATURE_BAD", "are not what max signed")
    assert list((cli.folder / "other").rglob("*")) == []


# -- the person and the key -----------------------------------------------------------------------------


def test_a_person_who_was_disabled_or_removed_is_refused_at_login(cli: LiveCli):
    cli.operator("user", "disable", "gus")
    failed(
        cli.sft("gus", "ls"), 4, "LOGIN_REFUSED",
        "does not let this key in", "Removed or disabled?",
    )  # fmt: skip
    cli.operator("user", "enable", "gus")
    assert cli.sft("gus", "ls").status == 0
    cli.operator("user", "remove", "gus", "--yes")
    failed(cli.sft("gus", "whoami"), 4, "LOGIN_REFUSED")
    failed(cli.sft("nobody", "ls"), 8, "NOT_JOINED", "sft join, with an invitation from an admin")


def test_a_key_is_opened_by_its_passphrase_alone_and_takes_a_new_one(cli: LiveCli):
    right = cli.file("right", b"correct horse\n")
    wrong = cli.file("wrong", b"battery staple\n")
    for path in (right, wrong):
        Path(path).chmod(0o600)

    def mia(*arguments: str, passphrase: str = "", stdin: str = "") -> Ran:
        environ = {"SFT_PASSPHRASE_FILE": passphrase} if passphrase else {}
        return cli.sft("mia2", *arguments, stdin=stdin, **environ)

    link = cli.invitation("--role", "maintainer")
    invited = mia("join", "--user", "mia2", passphrase=right, stdin=link)
    assert invited.status == 0, invited.err
    (key,) = cli.state("mia2").rglob("*.key")
    assert b"correct horse" not in key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600

    failed(mia("ls", passphrase=wrong), 8, "PASSPHRASE_WRONG", "That passphrase does not open the key")
    failed(mia("ls", passphrase=str(cli.folder / "none")), 10, "LOCAL_FILE")
    failed(mia("ls"), 8, "KEY_LOCKED", "no terminal to ask on", "SFT_PASSPHRASE_FILE")
    named = mia("ls", "--profile", "acme")
    assert (named.status, "     sft unlock --profile acme first, on a terminal; " in named.err) == (8, True), named.err
    # What is public needs no passphrase.
    assert mia("key", "show", "--json").document["minisign_key"].startswith("RW")

    changed = mia("key", "passphrase", "--new-passphrase-file", wrong, passphrase=right)
    assert changed.status == 0, changed.err
    failed(mia("ls", passphrase=right), 8, "PASSPHRASE_WRONG")
    assert mia("ls", passphrase=wrong).status == 0


@pytest.mark.every_run
def test_nothing_that_fails_shows_a_traceback(cli: LiveCli, tmp_path: Path):
    failed(cli.sft("max", "ls", SFT_HOME=cli.file("file", b"")), 10, "LOCAL_FILE")
    os.mkfifo(tmp_path / "fifo")
    failed(cli.sft("max", "put", str(tmp_path / "fifo")), 10, "LOCAL_FILE", "is not a regular file")


# -- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, problem", [("a:b.txt", '":"'), ("trailing.", "dot"), ("nul.txt", "Windows"), ("tab\there.txt", "\\u{9}")]
)
def test_a_name_is_refused_with_its_character_and_with_a_way_out(cli: LiveCli, name: str, problem: str):
    cli.file(name, b"x")
    refused = cli.sft("max", "put", "--json", name)
    (item,) = refused.document["items"]
    assert (refused.status, item["error"]["code"]) == (10, "NAME_NOT_ALLOWED")
    assert problem in item["error"]["message"]
    assert "--safe-names stores" in item["error"]["next"]


def test_names_that_are_taken_or_lead_elsewhere_are_refused(cli: LiveCli):
    cli.file("a:b.txt", b"x")
    assert cli.sft("max", "put", "a:b.txt", "--safe-names").status == 0
    assert cli.sft("max", "put", "a:b.txt", "--as", "Readme.md").status == 0
    failed(
        cli.sft("max", "put", "a:b.txt", "--as", "README.MD"), 5, "NAME_CLASH",
        "must differ in more than case",
    )  # fmt: skip
    failed(cli.sft("max", "put", "a:b.txt", "--as", "x/../../etc/passwd"), 10, "NAME_NOT_ALLOWED")
    failed(cli.sft("max", "put", "a:b.txt", "--as", "Readme.md/below"), 5, "NAME_IN_USE")
    failed(cli.sft("max", "mkdir", "Readme.md"), 5, "NAME_IN_USE")
    assert cli.sft("max", "get", "a_b.txt", "--to", "got").status == 0
