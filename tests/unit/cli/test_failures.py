from __future__ import annotations

import json

import pytest

from sft import errors
from sft.cli.failures import error_lines, no_text, unforeseen
from sft.client.fault_log import FaultLog
from sft.errors import (
    ChangedSinceError,
    ConnectionLostError,
    ExistsError,
    InternalError,
    InviteExpiredError,
    InviteUsedError,
    KeyLockedError,
    LastAdminError,
    LinkIncompleteError,
    LoginRefusedError,
    NameClashError,
    NameNotAllowedError,
    NameTakenError,
    NotJoinedError,
    NotYoursError,
    PassphraseWrongError,
    RoleForbidsError,
    ServerFullError,
    ServerKeyChangedError,
    SftError,
    SignatureBadError,
    SourceChangedError,
    UnreachableError,
)
from sft.wire.messages import SearchNames, encode

GIB = 2**30

# Code, status, sentence and next step as a person reads them: the table that the whole product is held to.
TABLE: list[tuple[SftError, str, int, str, str]] = [
    (
        NotJoinedError(),
        "NOT_JOINED",
        8,
        "This computer has not joined a server",
        "sft join, with an invitation from an admin",
    ),
    (
        LinkIncompleteError(),
        "LINK_INCOMPLETE",
        2,
        "This is not a whole invitation: its last characters do not fit",
        "Copy it again, from sft:// to the end",
    ),
    (
        InviteUsedError(used_at=1_777_817_100),
        "INVITE_USED",
        5,
        "This invitation was used on 3 May 14:05",
        "You? sft servers. Not you? Tell the admin who sent it now",
    ),
    (
        InviteExpiredError(expired_at=1_777_989_600, maker="ada"),
        "INVITE_EXPIRED",
        5,
        "This invitation ended on 5 May 14:00",
        "Ask ada for a new one",
    ),
    (
        NameTakenError(name="ivo", server="acme-files"),
        "NAME_TAKEN",
        5,
        "ivo exists on acme-files already",
        "Choose another name; no invitation was spent",
    ),
    (
        KeyLockedError(),
        "KEY_LOCKED",
        8,
        "Your key is locked and there is no terminal to ask on",
        "sft unlock first, on a terminal; or set SFT_PASSPHRASE_FILE to a file that holds the passphrase",
    ),
    (
        PassphraseWrongError(),
        "PASSPHRASE_WRONG",
        8,
        "That passphrase does not open the key",
        "Again; without it, an admin gives you a new key (sft reset-key NAME KEY), and no file is lost",
    ),
    (
        UnreachableError(address="files.acme.org:7361", reason="connection refused", profile="acme"),
        "UNREACHABLE",
        6,
        "files.acme.org:7361 does not answer (connection refused)",
        "Moved? sft servers address acme HOST:PORT",
    ),
    (
        ConnectionLostError(),
        "CONNECTION_LOST",
        6,
        "The connection broke; nothing partial is visible",
        "The same command again",
    ),
    (
        LoginRefusedError(server="acme-files"),
        "LOGIN_REFUSED",
        4,
        "acme-files does not let this key in",
        "Removed or disabled? An admin knows: ask one",
    ),
    (
        ServerKeyChangedError(server="acme-files"),
        "SERVER_KEY_CHANGED",
        7,
        "acme-files shows another key than the pinned one. Nothing was sent",
        "Ask an admin in person for a server link (sftd link); then sft servers link acme-files",
    ),
    (
        SignatureBadError(path="contract.pdf", author="ada"),
        "SIGNATURE_BAD",
        7,
        "The bytes of contract.pdf are not what ada signed. Nothing was kept",
        "Tell ada and the operator (sftd vault check)",
    ),
    (
        RoleForbidsError(role="guest", act="store files", name="gus", needed="maintainer", admins="ada, eva"),
        "ROLE_FORBIDS",
        4,
        "Guests do not store files",
        "An admin can: sft role gus maintainer. Admins here: ada, eva",
    ),
    (
        NotYoursError(path="plan.pdf", owner="ivo", act="delete", admins="ada, eva"),
        "NOT_YOURS",
        4,
        "plan.pdf belongs to ivo: only they or an admin may delete it",
        "Ask ivo, or an admin (ada, eva)",
    ),
    (
        ExistsError(path="budget.xlsx", version=3, author="max", stored_at=1_777_816_920),
        "EXISTS",
        5,
        "budget.xlsx exists: version 3 by max, 3 May 14:02",
        "Choose another name, or first sft mv budget.xlsx NAME",
    ),
    (
        ChangedSinceError(author="ada", version=4, stored_at=1_777_816_920, seen=3, path="budget.xlsx"),
        "CHANGED_SINCE",
        5,
        "ada stored version 4, 3 May 14:02, while you worked on version 3",
        "sft get --keep-both budget.xlsx, then decide",
    ),
    (
        NameNotAllowedError(name="a:b.txt", problem='":", which Windows cannot store', safer="a_b.txt"),
        "NAME_NOT_ALLOWED",
        10,
        '"a:b.txt" has ":", which Windows cannot store',
        "Choose another name, for example a_b.txt",
    ),
    (
        NameClashError(name="readme.md", existing="README.md"),
        "NAME_CLASH",
        5,
        "readme.md is there as README.md; names must differ in more than case",
        "Choose another name, or first sft mv README.md NAME",
    ),
    (
        SourceChangedError(path="report.iso"),
        "SOURCE_CHANGED",
        10,
        "report.iso changed while it was read; nothing was stored",
        "Send it again when nobody writes it",
    ),
    (
        ServerFullError(size_bytes=2 * GIB),
        "SERVER_FULL",
        9,
        "The server has no room for 2.0 GiB. Getting and deleting still work",
        "Tell the operator",
    ),
    (
        LastAdminError(name="ada"),
        "LAST_ADMIN",
        4,
        "ada is the only admin; someone must be",
        "sft role NAME admin, then again",
    ),
    (
        InternalError(ref="7F3K-29QD"),
        "INTERNAL",
        11,
        "The server had a fault of its own. Nothing of yours was changed",
        "Tell the operator the reference (ref 7F3K-29QD)",
    ),
]


def every_class() -> list[type[SftError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SftError)]


def with_values(kind: type[SftError]) -> SftError:
    if kind is errors.RowForgedError:
        return errors.RowForgedError("users", "7")
    if kind is errors.CheckpointRefusedError:
        return errors.CheckpointRefusedError(409, "7")
    names = kind.names_of_values()
    return kind(**{name: 7 if name.endswith(("_at", "_bytes")) else "x" for name in names})


@pytest.mark.parametrize("error, code, status, sentence, step", TABLE, ids=[row[1] for row in TABLE])
def test_an_error_comes_with_its_code_words_next_step_and_status(cli, error, code, status, sentence, step):
    cli.refuses = [error] * 3
    cli.secrets = ["wrong"] * 3
    ran = cli.run("whoami")
    assert ran.err.splitlines()[-2:] == [f"sft: {sentence} [{code}]", f"     {step}"]
    assert ran.status == status
    assert not ran.out


@pytest.mark.parametrize("error, code, status", [row[:3] for row in TABLE])
def test_a_program_reads_the_same_in_json(cli, error, code, status):
    cli.refuses = [error] * 3
    cli.secrets = ["wrong"] * 3
    ran = cli.run("whoami", "--json")
    told = json.loads(ran.out)["error"]
    assert (told["code"], told["exit"], ran.status) == (code, status, status)
    assert set(told) == {"code", "exit", "message", "next", "ref"}
    assert told["ref"] == (error.ref or None)


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
def test_every_class_of_the_tree_can_be_told(cli, kind):
    error = with_values(kind)
    cli.refuses = [error] * 3
    cli.secrets = ["wrong"] * 3
    ran = cli.run("whoami")
    first, second = ran.err.splitlines()[-2:]
    code = "x" if kind is errors.UnknownRefusalError else kind.code
    assert first.startswith("sft: ")
    assert first.endswith(f" [{code}]")
    assert second.strip()
    assert not set("{}") & set(ran.err)
    assert ran.status == kind.exit_status


def test_the_statuses_are_those_that_are_documented():
    assert {kind.exit_status for kind in every_class()} <= set(range(2, 12))


def test_what_nobody_foresaw_is_told_without_a_traceback(cli):
    cli.refuses = [ZeroDivisionError("a secret: hunter2")]
    ran = cli.run("whoami")
    assert ran.status == 11
    assert "Traceback" not in ran.err
    assert "hunter2" not in ran.err + ran.out
    assert ran.err.startswith("sft: sft had a fault of its own. ")
    assert ran.err.splitlines()[-1] == f"     Details: {cli.home / 'sft.log'}"
    ref = ran.err.partition("(ref ")[2].partition(")")[0]
    log = cli.home / "sft.log"
    assert f"-- {ref}\nTraceback" in log.read_text()
    assert "ZeroDivisionError" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_fault_in_json_is_one_document(cli):
    cli.refuses = [ZeroDivisionError()]
    ran = cli.run("whoami", "--json")
    assert json.loads(ran.out)["error"]["code"] == "FAULT"
    assert ran.status == 11


def test_a_log_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    told = unforeseen(ZeroDivisionError(), FaultLog(tmp_path / "file"))
    assert len(told.ref) == 9


def test_a_stop_shows_both_keys_and_what_keeps_it():
    stop = ServerKeyChangedError(server="acme", pinned="a b", shown="c d", evidence="/x/evidence/1-2.txt")
    lines = error_lines(stop, now=0)
    assert lines[1:4] == ["     pinned     a b", "     shown now  c d", "     evidence   /x/evidence/1-2.txt"]
    assert lines[4].startswith("     Ask an admin in person")
    hostile = ServerKeyChangedError(server="acme", shown="\x1b[31m", pinned="a")
    assert not any("\x1b" in line for line in error_lines(hostile, now=0))


@pytest.mark.parametrize("words", [["find", "a\udcff"], ["find", "--json", "from:a\udcff"]])
def test_what_is_typed_and_no_utf8_is_no_fault_of_ours(cli, words):
    def sent(request):
        encode(request)

    cli.answers[SearchNames] = sent
    ran = cli.run(*words)
    assert ran.status == 2
    assert 'a\\u{dcff}" has a byte that is not UTF-8 [USAGE]\n     Type it anew, in a UTF-8 locale\n' in ran.err


def test_a_fault_that_is_about_no_argument_stays_one():
    fault = UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
    assert no_text(fault, ["ls", "a"]) is None
    assert no_text(ValueError(), ["ls", "\udcff"]) is None
    assert no_text(fault, ["ls", "\udcff"]) is not None
