"""`sft resume` against a server: what is listed, gone on with and forgotten."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from sft.client.profiles import Profiles
from sft.client.state import StateFolder
from sft.client.transfers.part_names import new_part_id
from sft.client.transfers.unfinished import DownloadRecord, UploadRecord, downloads_of, uploads_of
from sft.crypto.digests import blake2b_512, parse_digest
from sft.limits import CHUNK_BYTES, SEGMENT_BYTES
from tests.integration.live_cli import LiveCli

CONTENT = random.Random(7).randbytes(SEGMENT_BYTES + 3 * CHUNK_BYTES + 5)


def part_of(cli: LiveCli, path: str, *, part: bytes = CONTENT[:SEGMENT_BYTES], who: str = "ada") -> Path:
    """Store a file, and leave a part of it here as a client that died does; gives the name that it shall have."""
    stored = cli.sft(who, "put", cli.file("source.bin", CONTENT), "--as", path, "--json").document["items"][0]
    info = cli.sft(who, "info", path, "--json").document
    state = StateFolder(cli.state(who), cli.state(who))
    server_id = Profiles(state).choose().server_id
    local = cli.folder / "got.bin"
    part_id = new_part_id(str(local))
    left = cli.folder / f".sft-{part_id}.part"
    left.write_bytes(part)
    found = left.stat()
    record = DownloadRecord(
        id=part_id, server_id=server_id, path=path, version=stored["version"], file_id=bytes.fromhex(info["id"]),
        digest=parse_digest(stored["digest"]), size=len(CONTENT), local=str(local), dev=found.st_dev, ino=found.st_ino,
        done=SEGMENT_BYTES, prefix=blake2b_512(CONTENT[:SEGMENT_BYTES]).digest(),
    )  # fmt: skip
    held = downloads_of(state, server_id).hold(record)
    assert held is not None
    held.save(saved_at=int(time.time()))
    held.let_go()
    return local


@pytest.mark.every_run
def test_what_was_cut_off_is_listed_and_gone_on_with(cli):
    local = part_of(cli, "docs/big.bin")
    (row,) = (line.split("\t") for line in cli.sft("ada", "resume", "--list").lines)
    assert (row[1:4], row[4].endswith("Z"), row[5]) == (
        ["docs/big.bin", str(SEGMENT_BYTES), str(len(CONTENT))],
        True,
        str(local),
    )
    (listed,) = cli.sft("ada", "resume", "--list", "--json").document
    assert (listed["direction"], listed["path"], listed["done_bytes"]) == ("get", "docs/big.bin", SEGMENT_BYTES)
    done = cli.sft("ada", "resume", "--json")
    (item,) = done.document["items"]
    assert (done.status, item["result"], item["resumed_bytes"]) == (0, "verified", SEGMENT_BYTES)
    assert local.read_bytes() == CONTENT
    assert "goes on from" in done.err
    assert cli.sft("ada", "resume", "--list", "--json").document == []
    assert sorted(path.name for path in cli.folder.iterdir()) == ["got.bin", "source.bin"]


def test_a_wrong_part_begins_again(cli):
    local = part_of(cli, "docs/big.bin", part=bytes(SEGMENT_BYTES))
    done = cli.sft("ada", "resume")
    assert done.status == 0
    assert "begins again: the part here was changed" in done.err
    assert local.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["docs/big.bin", "got.bin"])
def test_one_is_chosen_by_its_path_there_or_here(cli, name):
    part_of(cli, "docs/big.bin")
    assert cli.sft("ada", "resume", name).status == 0
    assert (cli.folder / "got.bin").exists()


def test_what_is_not_unfinished_is_wrong_use(cli):
    part_of(cli, "docs/big.bin")
    assert cli.sft("ada", "resume", "none").status == 2
    assert cli.sft("ada", "resume", "--list", "--drop").status == 2


def test_what_is_forgotten_leaves_nothing(cli):
    part_of(cli, "docs/big.bin")
    assert cli.sft("ada", "resume", "--drop").status == 0
    assert sorted(path.name for path in cli.folder.iterdir()) == ["source.bin"]
    assert cli.sft("ada", "resume", "--list").out == ""
    assert "Nothing to go on with." in cli.sft("ada", "resume").err


def test_what_another_process_works_on_is_left_to_it(cli):
    local = part_of(cli, "docs/big.bin")
    state = StateFolder(cli.state("ada"), cli.state("ada"))
    records = downloads_of(state, Profiles(state).choose().server_id)
    held = records.hold(records.all()[0])
    done = cli.sft("ada", "resume")
    assert held is not None
    held.let_go()
    assert done.status == 0
    assert "1 at work in another sft." in done.err
    assert not local.exists()


def test_a_file_that_is_gone_is_told(cli):
    part_of(cli, "docs/big.bin")
    cli.sft("ada", "rm", "docs/big.bin")
    done = cli.sft("ada", "resume", "--json")
    (item,) = done.document["items"]
    assert (done.status, item["result"], item["direction"]) == (3, "failed", "get")


def test_an_upload_leaves_no_note_when_it_is_stored(cli):
    assert cli.sft("ada", "put", cli.file("source.bin", CONTENT), "--as", "docs/big.bin").status == 0
    state = StateFolder(cli.state("ada"), cli.state("ada"))
    assert uploads_of(state, Profiles(state).choose().server_id).all() == []


def test_a_source_that_has_shrunk_to_a_small_file_is_sent_whole_and_told(cli):
    source = Path(cli.file("source.bin", b"what is left of it"))
    state = StateFolder(cli.state("ada"), cli.state("ada"))
    server_id = Profiles(state).choose().server_id
    found = source.stat()
    record = UploadRecord(
        id="ab" * 16, server_id=server_id, path="docs/big.bin", version=1, file_id=bytes(16), local=str(source),
        dev=found.st_dev, ino=found.st_ino, size=len(CONTENT), done=SEGMENT_BYTES, mtime_ns=1, prev=b"",
    )  # fmt: skip
    held = uploads_of(state, server_id).hold(record)
    assert held is not None
    held.save(saved_at=int(time.time()))
    held.let_go()
    done = cli.sft("ada", "resume")
    assert (done.status, "has changed since: it was sent from its beginning" in done.err) == (0, True)
    assert uploads_of(state, server_id).all() == []
    assert cli.sft("ada", "resume", "--list", "--json").document == []
