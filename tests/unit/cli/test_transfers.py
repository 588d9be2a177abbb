"""What put and get say of many items; what they do is the client library's, and the end-to-end tests'."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.cli.commands import get, put
from sft.cli.commands.get import local_text
from sft.cli.expiry import expiry_text
from sft.cli.invocation import Environment, Invocation
from sft.cli.main import main
from sft.cli.next_steps import steps_of_command
from sft.cli.sync_report import SyncReport
from sft.cli.transfer_report import TransferReport
from sft.client.transfers.batch import GetResult, PutResult
from sft.client.transfers.local_tree import Skipped
from sft.client.transfers.plan import GetItem, PutItem, PutPlan
from sft.client.transfers.progress import TransferStage
from sft.client.trust import SignatureState, Verdict
from sft.client.versions_seen import VersionsSeen
from sft.errors import (
    BadRequestError,
    ConnectionLostError,
    LoginRefusedError,
    NameNotAllowedError,
    NotAsListedError,
    NotFoundError,
    RoleForbidsError,
    ServerFullError,
    ServerKeyChangedError,
)
from sft.model.records import Stored
from sft.model.text import expiry_seconds
from sft.wire.messages import FileShown, ShowFile
from tests.unit.cli.cli_fixture import execute_now, signed_file
from tests.unit.cli.test_console import Refusing

MIB = 2**20
BAD_NAME = NameNotAllowedError(name="a:b.txt", problem='":", which Windows cannot store', safer="a_b.txt")
FORBIDDEN = RoleForbidsError(role="guest", act="store files", name="gus", needed="maintainer", admins="ada")


class Told:
    def __init__(self, cli, *, json_: bool = False, quiet: bool = False) -> None:
        import io

        self.out, self.err = io.StringIO(), io.StringIO()
        self.invocation = Invocation(Environment({"SFT_HOME": str(cli.home)}, io.StringIO(), self.out, self.err))
        self.invocation.console.json = json_
        self.invocation.console.quiet = quiet
        self.invocation.steps = steps_of_command("put")


def stored(path: str, size: int, seconds: float, *, version: int = 1, unchanged: bool = False):
    item = PutItem(Path(path), path, size)
    kept = Stored(path, version, size, bytes(64), "receipt", unchanged=unchanged)
    stage = TransferStage.UNCHANGED if unchanged else TransferStage.STORED
    return PutResult(item, stage, kept, Path("receipts/1"), None, seconds, leaf=18_262)


def failed(path: str, error) -> PutResult:
    return PutResult(PutItem(Path(path), path, 1), TransferStage.FAILED, None, None, error, 0.0)


def finish_put(told: Told, results, *, whole: bool = False, refused=(), links: int = 0) -> int:
    plan = PutPlan(
        items=[result.item for result in results], skipped=[Skipped(f"photos/l{n}", "link") for n in range(links)]
    )
    outcome = TransferReport(told.invocation, "stored", "Not stored", put.EMPTY, whole=whole)
    outcome.server, outcome.seconds = "acme-files", 35.0
    outcome.skipped = plan.skipped
    for name, error in refused:
        outcome.failed(name, error)
    for result in results:
        put.add_result(outcome, result)
    return outcome.finish(*put.remarks(plan, results), excluded=plan.excluded)


def test_named_files_are_told_one_by_one(cli):
    told = Told(cli)
    status = finish_put(
        told,
        [
            stored("finance/2026/video.mp4", 2048 * MIB, 9.846),
            stored("finance/2026/notes.md", 12_288, 0.2, version=2, unchanged=True),
        ],
    )
    assert status == 0
    assert told.out.getvalue().splitlines() == [
        "stored    finance/2026/video.mp4   v1  2.0 GiB  9.8 s  208 MiB/s  log 18,262",
        "unchanged finance/2026/notes.md    v2",
    ]


def test_a_folder_is_told_in_one_sentence_and_what_failed_last(cli):
    told = Told(cli)
    results = [stored(f"photos/{n}.jpg", 5 * MIB, 0.1) for n in range(1202)]
    status = finish_put(told, results, whole=True, refused=[("photos/a:b.txt", BAD_NAME)], links=2)
    assert status == 1
    assert told.out.getvalue() == ("stored 1,202 of 1,203 files, 5.9 GiB, 35 s.  Not stored, 1:\n")
    assert told.err.getvalue() == (
        '  photos/a:b.txt   "a:b.txt" has ":", which Windows cannot store [NAME_NOT_ALLOWED]   '
        "Rename it, or --safe-names stores a_b.txt\n"
        "Skipped, 2 (--exclude leaves out what is meant to stay):\n"
        "  photos/l0   is a link\n"
        "  photos/l1   is a link\n"
    )


@pytest.mark.parametrize(("count", "said"), [(1, "1 receipt"), (1_202, "1,202 receipts")])
def test_a_folder_says_how_many_have_no_receipt_here(cli, count, said):
    told = Told(cli)
    bare = [replace(stored(f"photos/{n}.jpg", MIB, 0.1), receipt=None) for n in range(count)]
    assert finish_put(told, [stored("photos/first", MIB, 0.1), *bare], whole=True) == 0
    assert told.out.getvalue().endswith(f".  No room here for {said}.\n")


def test_what_was_skipped_is_named_with_a_bound_and_makes_the_status_1(cli):
    told = Told(cli)
    assert finish_put(told, [stored("photos/a", 1, 0.1)], whole=True, links=1_020) == 1
    lines = told.err.getvalue().splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 1,000 more; --json names all"


def test_a_list_without_the_sentence_has_a_head_of_its_own(cli):
    told = Told(cli, quiet=True)
    finish_put(told, [stored("a", 1, 0.1)], whole=True, refused=[("b", BAD_NAME)])
    assert not told.out.getvalue()
    assert told.err.getvalue().startswith("Not stored, 1:\n  b   ")


def test_one_item_that_fails_alone_gives_its_own_status(cli):
    told = Told(cli)
    assert finish_put(told, [failed("a", FORBIDDEN)]) == 4
    assert told.err.getvalue().startswith("sft: Guests do not store files [ROLE_FORBIDS]\n     ")
    assert not told.out.getvalue()


def test_several_that_fail_alike_give_theirs(cli):
    assert finish_put(Told(cli), [failed("a", FORBIDDEN), failed("b", FORBIDDEN)]) == 4
    assert finish_put(Told(cli), [failed("a", FORBIDDEN), failed("b", ConnectionLostError())]) == 1
    assert finish_put(Told(cli), [stored("a", 1, 0.1), failed("b", ConnectionLostError())]) == 1


@pytest.mark.parametrize("error", [LoginRefusedError(server="acme"), ServerKeyChangedError(server="acme")], ids=[4, 7])
def test_what_ended_it_in_the_middle_is_said_last_and_gives_its_status(cli, error):
    told = Told(cli)
    told.invocation.ended = error
    assert finish_put(told, [stored("a", 1, 0.1), failed("b", error), failed("c", BAD_NAME)]) == error.exit_status
    assert told.out.getvalue().startswith("stored    a")
    lines = told.err.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["Not", "b", "c"]
    assert lines[3].startswith("sft: acme ")
    assert lines[3].endswith(f"[{error.code}]")


@pytest.mark.parametrize("json_", [False, True])
def test_what_is_stored_without_its_expiry_did_not_fail_to_be_stored(cli, json_):
    told = Told(cli, json_=json_)
    outcome = TransferReport(told.invocation, "stored", "Not stored", put.EMPTY, whole=False)
    put.add_result(outcome, stored("a", 1, 0.1))
    outcome.unexpiring("a", FORBIDDEN, next_step="sft expire a --in 7d")
    assert outcome.finish() == FORBIDDEN.exit_status
    if json_:
        document = json.loads(told.out.getvalue())
        (item,) = document["items"]
        assert (document["done"], document["failed"], document["exit"]) == (1, 0, 4)
        assert (item["result"], item["error"]) == ("stored", None)
        assert (item["expiry_error"]["code"], item["expiry_error"]["next"]) == ("ROLE_FORBIDS", "sft expire a --in 7d")
    else:
        assert told.out.getvalue().startswith("stored    a")
    assert told.err.getvalue() == (
        "Stored, but without the expiry, 1:\n  a   Guests do not store files [ROLE_FORBIDS]   sft expire a --in 7d\n"
    )


@pytest.mark.parametrize(("typed", "said"), [("2w", "14d"), ("36 hours", "36h"), ("90min", "90m")])
def test_a_span_is_said_as_it_can_be_typed(typed, said):
    assert expiry_text(expiry_seconds(typed)) == said
    assert expiry_seconds(said) == expiry_seconds(typed)


def test_a_sync_says_what_ended_it_in_the_middle_too(cli):
    told, error = Told(cli, json_=True), LoginRefusedError(server="acme")
    told.invocation.ended = error
    report = SyncReport(told.invocation, up=True, dry_run=False)
    report.changed("stored", "a", "here/a")
    report.failed("b", "here/b", error)
    assert report.finish() == 4
    document = json.loads(told.out.getvalue())
    assert [item["error"] and item["error"]["code"] for item in document["items"]] == [None, "LOGIN_REFUSED"]
    assert document["exit"] == 4
    assert told.err.getvalue().splitlines()[-2].endswith("[LOGIN_REFUSED]")


def test_the_document_of_a_put(cli):
    told = Told(cli, json_=True)
    assert finish_put(told, [stored("notes.md", 12_288, 0.2, version=2), failed("b", FORBIDDEN)]) == 1
    document = json.loads(told.out.getvalue())
    assert document["items"][0] == {
        "source": "notes.md",
        "path": "notes.md",
        "result": "stored",
        "version": 2,
        "size": 12_288,
        "digest": f"blake2b512:{'00' * 64}",
        "log": 18_262,
        "receipt": "receipts/1",
        "expires_at": None,
        "expiry_error": None,
        "resumed_bytes": 0,
        "sent_again_bytes": 0,
        "error": None,
    }
    assert document["items"][1]["result"] == "failed"
    assert document["items"][1]["error"]["code"] == "ROLE_FORBIDS"
    del document["items"]
    assert document == {
        "server": "acme-files", "done": 1, "failed": 1, "bytes": 12_288, "seconds": 35.0,
        "dry_run": False, "excluded": 0, "exit": 1,
    }  # fmt: skip


def got(moved_to: str | None = None) -> GetResult:
    signed_name = "contract.pdf" if moved_to else None
    file = signed_file("finance/2026/contract.pdf", size=911_360, signed_name=signed_name)
    verdict = Verdict(SignatureState.VERIFIED, "ada", "contract.pdf", 1, moved_to, "words", 0, None, b"")
    item = GetItem(file.path, ("contract.pdf",), 911_360)
    return GetResult(item, TransferStage.VERIFIED, file, verdict, Path("contract.pdf"), Path("contract.pdf.minisig"))


def test_a_file_that_was_got_is_told_with_its_signer(cli):
    told = Told(cli)
    outcome = TransferReport(told.invocation, "verified", "Not got", get.EMPTY, whole=False)
    get.add_result(outcome, got())
    assert outcome.finish() == 0
    assert told.out.getvalue() == "verified  ./contract.pdf  v1  890 KiB  signed by ada\n"


def test_a_moved_file_is_told_with_its_signed_name(cli):
    told = Told(cli)
    outcome = TransferReport(told.invocation, "verified", "Not got", get.EMPTY, whole=False)
    get.add_result(outcome, got("finance/2026/contract.pdf"))
    outcome.finish()
    assert told.out.getvalue().endswith("signed by ada  as contract.pdf\n")


def test_what_is_stored_once_a_file_was_listed_is_newer_than_what_was_asked_for(cli, monkeypatch):
    file = signed_file()
    seen = []

    def listed(request):
        other = VersionsSeen(cli.state, cli.sessions[-1].server_id)
        other.note(file.id, 2, bytes(64), file.path)
        other.flush()
        return FileShown(request.id, file)

    async def get_all(session, *_, **__):
        seen.append(session.versions_seen.highest(file.id))
        return []

    monkeypatch.setattr(get, "get_all", get_all)
    cli.answers[ShowFile] = listed
    for _ in range(2):
        cli.run("get", file.path)
    assert seen == [0, 2]


@pytest.mark.parametrize(
    "how", [{"whole": True}, {"whole": True, "quiet": True}, {"whole": False, "json_": True}], ids=str
)
def test_every_moved_file_is_named_where_no_row_does(cli, how):
    whole = how.pop("whole")
    told = Told(cli, **how)
    outcome = TransferReport(told.invocation, "verified", "Not got", get.EMPTY, whole=whole)
    for _ in range(2):
        get.add_result(outcome, got("finance/2026/contract.pdf"))
    assert outcome.finish() == 0
    line = "  finance/2026/contract.pdf   signed as contract.pdf by ada"
    assert told.err.getvalue().splitlines() == ["Signed under another name, 2:", line, line]


def test_what_does_not_hold_is_a_status_among_any_number(cli):
    told = Told(cli)
    outcome = TransferReport(told.invocation, "verified", "Not got", get.EMPTY, whole=True)
    get.add_result(outcome, got())
    outcome.failed("x", NotFoundError(what="file", name="x"))
    outcome.failed("y", NotAsListedError(path="y", server="acme-files"))
    assert outcome.finish() == 7


def test_the_document_of_a_get(cli):
    told = Told(cli, json_=True)
    outcome = TransferReport(told.invocation, "verified", "Not got", get.EMPTY, whole=False)
    get.add_result(outcome, got("finance/2026/contract.pdf"))
    outcome.failed("x", NotFoundError(what="file", name="x"))
    assert outcome.finish() == 1
    document = json.loads(told.out.getvalue())
    assert document["items"][0]["result"] == "verified"
    assert document["items"][0]["signature_file"] == "contract.pdf.minisig"
    assert document["items"][0]["path"] == "finance/2026/contract.pdf"
    assert document["items"][0]["signed_as"] == "contract.pdf"
    assert document["items"][1]["signed_as"] is None
    assert document["items"][1]["error"]["exit"] == 3
    assert (document["done"], document["failed"], document["bytes"]) == (1, 1, 911_360)


@pytest.mark.parametrize(
    "path, text", [("a", "./a"), ("out/a", "out/a"), ("/tmp/a", "/tmp/a"), ("../a", "../a"), (".hidden", ".hidden")]
)
def test_a_path_of_this_computer_is_seen_to_be_one(path, text):
    assert local_text(Path(path)) == text


@pytest.mark.parametrize(
    "arguments",
    [
        ("put", "a", "b", "--as", "c"),
        ("put", "a", "--as", "c", "--to", "d"),
        ("put", "a", "--as", "c/"),
        ("put", "-", "--as", "c/"),
        ("put", "a", "--if-version", "0"),
        ("put", "-"),
        ("get", "a", "--force", "--keep-both"),
    ],
)
def test_what_contradicts_itself_is_wrong_use(cli, arguments):
    ran = cli.run(*arguments)
    assert ran.status == 2
    assert not cli.sessions


def test_a_missing_source_is_told_without_asking_the_server(cli, tmp_path):
    ran = cli.run("put", str(tmp_path / "none"))
    assert ran.status == 10
    assert "[LOCAL_FILE]" in ran.err
    assert not cli.sessions


def test_a_standard_output_that_takes_no_file_is_told_once(cli, monkeypatch, tmp_path):
    file = signed_file()
    (tmp_path / "contract.pdf").write_bytes(b"the contract")

    async def get_all(_session, items, **_):
        return [GetResult(items[0], TransferStage.VERIFIED, file, None, tmp_path / "contract.pdf")]

    monkeypatch.setattr(get, "get_all", get_all)
    cli.answers[ShowFile] = lambda request: FileShown(request.id, file)
    out = io.TextIOWrapper(io.BufferedWriter(Refusing(OSError(errno.ENOSPC, "No space left"))))
    err = io.StringIO()
    environment = Environment(
        {"SFT_HOME": str(cli.home)}, io.StringIO(), out, err, execute_plain=execute_now, connect=cli._connect
    )
    assert main(["get", file.path, "--as", "-"], environment) == 10
    assert err.getvalue().count('"Standard output" cannot be written') == 1


def test_what_the_server_does_not_know_to_have_come_is_said_and_changes_nothing(cli, monkeypatch):
    async def get_all(*_, on_unconfirmed, **__):
        on_unconfirmed(1203, BadRequestError(problem="a version that is gone"))
        return []

    monkeypatch.setattr(get, "get_all", get_all)
    cli.answers[ShowFile] = lambda request: FileShown(request.id, signed_file())
    ran = cli.run("get", "finance/2026/contract.pdf")
    assert ran.status == 0
    assert "1,203 came whole, and the server does not know it: " in ran.out + ran.err


def test_what_failed_for_one_reason_has_it_once_with_its_count(cli):
    told = Told(cli)
    full = [(f"photos/{n}.jpg", ServerFullError(size_bytes=2048 + n)) for n in range(300)]
    assert finish_put(told, [], whole=True, refused=[("photos/a:b.txt", BAD_NAME), *full]) == 1
    lines = told.err.getvalue().splitlines()
    assert lines[0].startswith("  photos/a:b.txt   ")
    assert lines[1] == (
        "  300 of them   The server has no room for 2.0 KiB. Getting and deleting still work [SERVER_FULL]   Tell the operator"
    )
    assert lines[2:4] == ["    photos/0.jpg", "    photos/1.jpg"]
    assert lines[-1] == "    and 280 more; --json names all"
    assert len(lines) == 23


def test_a_few_that_failed_alike_are_told_one_by_one(cli):
    told = Told(cli)
    finish_put(told, [], whole=True, refused=[(f"photos/{n}.jpg", ServerFullError(size_bytes=1)) for n in range(3)])
    assert [line.split("   ")[0] for line in told.err.getvalue().splitlines()] == [
        f"  photos/{n}.jpg" for n in range(3)
    ]
