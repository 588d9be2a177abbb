"""What goes wrong between a person's computer and the server: each its code, words, next step and status, and no traceback."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.campaigns.installation import Person, ServerProcess, free_port

NewServer = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def shared(module_folder: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(module_folder)
    made.start()
    yield made
    assert made.stop() == 0
    assert "Traceback" not in made.log.read_text()


@pytest.fixture(scope="module")
def max_(shared: ServerProcess, module_folder: Path) -> Person:
    made = Person(module_folder, "max")
    made.join(shared, "maintainer")
    return made


def failed(done: subprocess.CompletedProcess[str], status: int, code: str, *said: str) -> None:
    """Demand status and code, a sentence, a next step that says so, and nothing of our inside."""
    everything = done.stdout + done.stderr
    assert done.returncode == status, everything
    assert "Traceback" not in everything
    lines = done.stderr.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.endswith(f"[{code}]")]
    assert lines[at].startswith("sft: ")
    assert lines[at + 1].startswith("     "), everything
    for words in said:
        assert words in done.stderr, everything


def link(server: ServerProcess, *words: str) -> str:
    return server.operate("invite", *words).stdout.strip()


# -- invitations --------------------------------------------------------------------------------------


def join(person: Person, name: str, given: str) -> subprocess.CompletedProcess[str]:
    return person.sft("join", "--user", name, "--no-passphrase", given=given + "\n")


def test_an_invitation_is_refused_when_it_was_used_withdrawn_cut_or_never_made(
    shared: ServerProcess, new_person: Callable[[str], Person], max_: Person
) -> None:
    eva, ivo = new_person("eva"), new_person("ivo")
    invitation = link(shared)
    # A taken name spends nothing: the same link, another name.
    failed(
        join(eva, "max", invitation),
        5,
        "NAME_TAKEN",
        "max exists on",
        "your invitation is still good",
    )
    assert join(eva, "eva", invitation).returncode == 0
    assert join(eva, "eva", invitation).returncode == 0  # the same computer again: already so
    failed(join(ivo, "ivo", invitation), 5, "INVITE_USED", "was used on", "Tell the admin")
    withdrawn = shared.operate_json("invite", "--user", "ivo")
    shared.operate("invite", "withdraw", str(withdrawn["id"]))
    failed(join(ivo, "ivo", withdrawn["link"]), 5, "INVITE_WITHDRAWN", "Ask an admin for a new one")
    failed(
        join(ivo, "ada", link(shared, "--user", "ivo")),
        5,
        "NAME_RESERVED",
        "for ivo alone",
        "--user ivo",
    )
    good = link(shared)
    failed(
        join(ivo, "ivo", good[:-6]), 2, "LINK_INCOMPLETE", "Copy it again, from sft:// to the end"
    )
    failed(join(ivo, "ivo", "hello"), 2, "LINK_INCOMPLETE")
    failed(join(ivo, "../ivo", good), 10, "USER_NAME_NOT_ALLOWED")
    refused = ivo.sft("join", "--user", "ivo", given=good + "\n")  # nobody to ask for a passphrase
    failed(refused, 2, "USAGE", "--no-passphrase, or set SFT_PASSPHRASE_FILE")
    # Broken over lines and framed, as chat programs do it, it is the same invitation.
    framed = "\n".join(f"│ {good[at : at + 40]} │" for at in range(0, len(good), 40))
    done = join(ivo, "ivo", framed)
    assert done.returncode == 0, done.stderr


def test_an_invitation_of_another_server_is_refused_by_its_key(
    shared: ServerProcess, server: ServerProcess, new_person: Callable[[str], Person]
) -> None:
    invitation = link(server).replace(f":{server.port}/", f":{shared.port}/")
    ivo = new_person("ivo")
    failed(join(ivo, "ivo", invitation), 7, "SERVER_KEY_CHANGED", "Nothing was sent")
    assert "handshake" not in join(ivo, "ivo", invitation).stderr
    # The invitation was not spent at its own server.
    moved = invitation.replace(f":{shared.port}/", f":{server.port}/")
    assert join(ivo, "ivo", moved).returncode == 0


# -- the server is away, or is another ------------------------------------------------------------------


def test_a_server_that_is_away_moved_or_another_is_told_apart(
    new_server: NewServer, folder: Path, new_person: Callable[[str], Person]
) -> None:
    first = new_server()
    first.start()
    max_ = new_person("max")
    max_.join(first, "maintainer")
    profile = json.loads(max_.sft("servers", "--json").stdout)[0]["profile"]
    first.stop()
    failed(
        max_.sft("ls"),
        6,
        "UNREACHABLE",
        f"127.0.0.1:{first.port} does not answer",
        "Moved? sft servers address",
    )
    fatal = json.loads(max_.sft("ls", "--json").stdout)["error"]
    assert (fatal["code"], fatal["exit"]) == ("UNREACHABLE", 6)
    # Another server at the old address: its key is not the pinned one, and nothing is asked.
    (folder / "other").mkdir()
    other = new_server(within=folder / "other")
    other.port = first.port
    other.start()
    failed(
        max_.sft("ls"),
        7,
        "SERVER_KEY_CHANGED",
        "than the pinned one. Nothing was sent",
        "sft servers link",
    )
    assert "] login" not in other.log.read_text()
    # The first one at another address: the same server, as its key says.
    first.port = free_port()
    first.start()
    failed(
        max_.sft("servers", "address", profile, f"127.0.0.1:{other.port}"), 7, "SERVER_KEY_CHANGED"
    )
    moved = max_.sft("servers", "address", profile, f"127.0.0.1:{first.port}")
    assert moved.returncode == 0, moved.stderr
    assert max_.sft("ls").returncode == 0
    # Something that is no sft server at all.
    failed(max_.sft("servers", "address", profile, "127.0.0.1:1"), 6, "UNREACHABLE")
    failed(max_.sft("servers", "address", profile, "no port"), 2, "USAGE")


# -- the person and the key -----------------------------------------------------------------------------


def test_a_person_who_was_disabled_or_removed_is_refused_at_login(
    shared: ServerProcess, new_person: Callable[[str], Person]
) -> None:
    gus = new_person("gus")
    gus.join(shared, "guest")
    shared.operate("user", "disable", "gus")
    failed(
        gus.sft("ls"), 4, "LOGIN_REFUSED", "does not let this key in", "Removed, disabled or reset?"
    )
    shared.operate("user", "enable", "gus")
    assert gus.sft("ls").returncode == 0
    shared.operate("user", "remove", "gus", "--yes")
    failed(gus.sft("whoami"), 4, "LOGIN_REFUSED")
    failed(
        new_person("nobody").sft("ls"),
        8,
        "NOT_JOINED",
        "sft join, with an invitation from an admin",
    )


def test_a_key_is_opened_by_its_passphrase_alone_and_takes_a_new_one(
    shared: ServerProcess, new_person: Callable[[str], Person], folder: Path
) -> None:
    mia, words, fresh = new_person("mia"), folder / "words", folder / "fresh"
    words.write_text("correct horse\n", encoding="utf-8")
    mia.environment["SFT_PASSPHRASE_FILE"] = str(words)
    invited = mia.sft("join", "--user", "mia", given=link(shared, "--role", "maintainer") + "\n")
    assert invited.returncode == 0, invited.stderr
    (mia.folder / "a.txt").write_bytes(b"a")
    assert mia.sft("put", "a.txt", "--as", "mia.txt").returncode == 0
    (key,) = (mia.folder / "state").rglob("*.key")
    assert b"correct horse" not in key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600

    words.write_text("battery staple\n", encoding="utf-8")
    failed(mia.sft("ls"), 8, "PASSPHRASE_WRONG", "That passphrase does not open the key")
    words.unlink()
    failed(mia.sft("ls"), 10, "LOCAL_FILE")
    del mia.environment["SFT_PASSPHRASE_FILE"]
    failed(mia.sft("ls"), 8, "KEY_LOCKED", "no terminal to ask on", "SFT_PASSPHRASE_FILE")
    public = mia.sft("key", "show", "--json")  # what is public needs no passphrase
    assert json.loads(public.stdout)["minisign_key"].startswith("RW")

    words.write_text("correct horse\n", encoding="utf-8")
    fresh.write_text("battery staple\n", encoding="utf-8")
    mia.environment["SFT_PASSPHRASE_FILE"] = str(words)
    changed = mia.sft("key", "passphrase", "--new-passphrase-file", str(fresh))
    assert changed.returncode == 0, changed.stderr
    failed(mia.sft("ls"), 8, "PASSPHRASE_WRONG")
    mia.environment["SFT_PASSPHRASE_FILE"] = str(fresh)
    assert mia.sft("ls").returncode == 0


# -- names ----------------------------------------------------------------------------------------------


def test_names_are_refused_with_their_character_and_with_a_way_out(max_: Person) -> None:
    for name, problem in {
        "a:b.txt": '":"',
        "trailing.": "dot",
        "nul.txt": "Windows",
        "tab\there.txt": "\\u{9}",
    }.items():
        (max_.folder / name).write_bytes(b"x")
        refused = max_.sft("put", "--json", name)
        (item,) = json.loads(refused.stdout)["items"]
        assert (refused.returncode, item["error"]["code"]) == (10, "NAME_NOT_ALLOWED"), name
        assert problem in item["error"]["message"], item["error"]
        assert "--safe-names stores" in item["error"]["next"]
    assert max_.sft("put", "a:b.txt", "--safe-names").returncode == 0
    assert max_.sft("put", "a:b.txt", "--as", "Readme.md").returncode == 0
    failed(
        max_.sft("put", "a:b.txt", "--as", "README.MD"),
        5,
        "NAME_CLASH",
        "must differ in more than case",
    )
    failed(max_.sft("put", "a:b.txt", "--as", "x/../../etc/passwd"), 10, "NAME_NOT_ALLOWED")
    failed(max_.sft("put", "a:b.txt", "--as", "Readme.md/below"), 5, "NAME_IN_USE")
    failed(max_.sft("mkdir", "Readme.md"), 5, "NAME_IN_USE")
    assert max_.sft("get", "a_b.txt", "--to", "got").returncode == 0
