"""A witness without its HTTP: it never has two logs under one name, whoever asks at once and whenever it dies."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sft import durable
from sft.crypto.signed_note import SignedNote
from sft.errors import CheckpointRefusedError
from sft.ledger.add_checkpoint import read_answer
from sft.ledger.checkpoints import TreeHead
from sft.ledger.policy import KnownLog, Policy
from sft.witness.cosigned import CosignedCheckpoints, log_name
from sft.witness.cosigner import Cosigner
from tests.fakes.faulty_os import FaultyOs
from tests.unit.ledger.logs import (
    MALLORY,
    ORIGIN,
    add_checkpoint_body,
    checkpoint,
    cosigners,
    honest_body,
    log_key,
    tree_text,
)
from tests.unit.ledger.naive import head, proof

NOW = 1_800_000_000
OTHER = "files.example.org/sft/0a1b2c3d/1"
LOGS = Policy(logs=(KnownLog(log_key()), KnownLog(log_key(OTHER))))
WITNESS = cosigners()
KEYS = [each.public for each in WITNESS]


class Folder:
    """An open folder of records."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        os.close(self.fd)

    def witness(self, clock: Callable[[], int] = lambda: NOW) -> Cosigner:
        """Start the witness on what the folder has."""
        return Cosigner(WITNESS, CosignedCheckpoints(self.fd, KEYS), LOGS, clock)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    with closing(Folder(tmp_path)) as opened:
        yield opened


def refused(witness: Cosigner, body: bytes) -> tuple[int, str]:
    with pytest.raises(CheckpointRefusedError) as caught:
        witness.add_checkpoint(body)
    return caught.value.status, caught.value.said


def size_of(witness: Cosigner, origin: str = ORIGIN) -> int:
    """Ask for the size that was cosigned last, as the document has it: name one that it cannot be."""
    status, said = refused(witness, add_checkpoint_body(1199, checkpoint(1200, origin=origin), proof(1199, 1200)))
    assert status == 409
    return int(said)


def test_a_log_is_cosigned_as_it_grows_and_each_answer_is_the_newest_checkpoint(folder: Folder):
    witness = folder.witness()
    assert witness.newest(log_name(ORIGIN)) is None
    old = 0
    for size in (1, 1, 7, 700):
        lines = read_answer(tree_text(size), witness.add_checkpoint(honest_body(old, size)), KEYS)
        assert len(lines) == len(KEYS)
        whole = SignedNote(tree_text(size), (*SignedNote.parse(checkpoint(size)).signatures, *lines)).encode()
        assert witness.newest(log_name(ORIGIN)) == whole.encode()
        assert (folder.path / log_name(ORIGIN)).read_bytes() == whole.encode()
        old = size
    assert SignedNote.parse(whole).verify(KEYS) == dict.fromkeys(KEYS, NOW)


def test_logs_know_nothing_of_one_another(folder: Folder):
    witness = folder.witness()
    witness.add_checkpoint(honest_body(0, 700))
    witness.add_checkpoint(honest_body(0, 5, origin=OTHER))
    assert (size_of(witness), size_of(witness, OTHER)) == (700, 5)
    assert refused(witness, honest_body(0, 5, origin="third.example"))[0] == 404
    assert refused(witness, honest_body(700, 701, server=MALLORY))[0] == 403


def test_a_refusal_changes_nothing(folder: Folder):
    witness = folder.witness()
    witness.add_checkpoint(honest_body(0, 700))
    before = witness.newest(log_name(ORIGIN))
    for body in (
        b"",
        honest_body(0, 5),
        honest_body(699, 1000),
        add_checkpoint_body(700, checkpoint(1000, root=bytes(32)), proof(700, 1000)),
        honest_body(700, 1000, server=MALLORY),
    ):
        refused(witness, body)
    assert witness.newest(log_name(ORIGIN)) == before
    assert (folder.path / log_name(ORIGIN)).read_bytes() == before


def test_a_restart_goes_on_where_it_was(folder: Folder):
    folder.witness().add_checkpoint(honest_body(0, 700))
    again = folder.witness()
    assert size_of(again) == 700
    assert refused(again, honest_body(0, 5))[0] == 409
    again.add_checkpoint(honest_body(700, 1000))
    assert size_of(folder.witness()) == 1000


# -- two at once --------------------------------------------------------------------------------------


def test_of_two_requests_at_once_the_second_is_judged_by_what_the_first_left(folder: Folder):
    """The race of the document: N is compared, N+K is compared and cosigned, and then N takes the log back."""
    seen: list[object] = []

    def second() -> None:
        try:
            seen.append(witness.add_checkpoint(honest_body(10, 1000)))
        except CheckpointRefusedError as error:
            seen.append((error.status, error.said))

    def clock() -> int:  # asked between comparing and persisting
        if not threads and armed:
            threads.append(threading.Thread(target=second))
            threads[0].start()
            threads[0].join(0.3)  # whoever is not kept out has long done all by then
            seen.append("first is cosigned")
        return NOW

    armed: list[bool] = []
    threads: list[threading.Thread] = []
    witness = folder.witness(clock)
    witness.add_checkpoint(honest_body(0, 10))
    armed.append(True)
    witness.add_checkpoint(honest_body(10, 700))
    threads[0].join()
    assert seen == ["first is cosigned", (409, "700")]
    assert size_of(witness) == size_of(folder.witness()) == 700


def test_of_many_requests_at_once_one_is_cosigned(folder: Folder):
    witness = folder.witness()
    start = threading.Barrier(12)
    answers: list[int] = []

    def ask(size: int) -> None:
        start.wait()
        try:
            witness.add_checkpoint(honest_body(0, size))
            answers.append(200)
        except CheckpointRefusedError as error:
            answers.append(error.status)

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(101, 113)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, *[409] * 11]
    assert size_of(witness) == size_of(folder.witness())


# -- dying --------------------------------------------------------------------------------------------


def calls_of_a_request(tmp_path: Path) -> int:
    path = tmp_path / "counted"
    path.mkdir()
    with closing(Folder(path)) as counted:
        witness = counted.witness()
        witness.add_checkpoint(honest_body(0, 10))
        faulty = FaultyOs()
        with faulty.counting():
            witness.add_checkpoint(honest_body(10, 700))
        faulty.close()
        return faulty.count


def test_what_was_answered_is_on_the_disk_whatever_call_fails_and_whenever_the_power_goes(tmp_path: Path):
    count = calls_of_a_request(tmp_path)
    assert count >= 5
    for number in range(count + 1):  # the last one fails nothing
        for late in (False, True):
            path = tmp_path / f"{number}-{late}"
            path.mkdir()
            with closing(Folder(path)) as folder:
                witness = folder.witness()
                witness.add_checkpoint(honest_body(0, 10))
                faulty = FaultyOs({number}, late=late)
                answered = False
                with faulty.counting():
                    try:
                        witness.add_checkpoint(honest_body(10, 700))
                        answered = True
                    except OSError:
                        # Nobody knows what the disk has: nothing is cosigned any more, not what was cosigned before either.
                        with pytest.raises(OSError, match="confirm"):
                            witness.add_checkpoint(honest_body(10, 10))
                assert answered == (number == count) or late
                faulty.cut_power()
                faulty.close()
                after = folder.witness()
                assert size_of(after) == 700 if answered else size_of(after) in {10, 700}
                after.add_checkpoint(honest_body(size_of(after), 1000))
                assert os.listdir(path) == [log_name(ORIGIN)]


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_kill_between_comparing_and_persisting_leaves_the_old_checkpoint(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, call: str
):
    witness = folder.witness()
    witness.add_checkpoint(honest_body(0, 10))

    def killed(*_args: object, **_kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, call, killed)
        patch.setattr(os, "unlink", killed)  # no cleaning up either
        with pytest.raises(Killed):
            witness.add_checkpoint(honest_body(10, 700))
    assert len(os.listdir(folder.path)) == 2  # the half of a file that it leaves
    after = folder.witness()
    assert size_of(after) == 10
    assert os.listdir(folder.path) == [log_name(ORIGIN)]


# -- records ------------------------------------------------------------------------------------------


def damaged(folder: Folder, data: bytes, name: str = log_name(ORIGIN)) -> None:
    (folder.path / name).write_bytes(data)
    with pytest.raises(ValueError, match=name):
        folder.witness()


def test_a_record_that_is_not_its_own_is_refused(folder: Folder):
    folder.witness().add_checkpoint(honest_body(0, 700))
    whole = (folder.path / log_name(ORIGIN)).read_bytes()
    damaged(folder, b"")
    damaged(folder, whole[:-20])
    damaged(folder, whole + b"\xff")
    damaged(folder, whole.replace(b"\n700\n", b"\n600\n"))
    damaged(folder, checkpoint(700).encode())  # not cosigned
    text, lines = whole.decode().split("\n\n")
    log, ed25519, mldsa = lines.splitlines(keepends=True)
    damaged(folder, f"{text}\n\n{log}{ed25519}".encode())  # by one key alone
    assert mldsa
    (folder.path / log_name(ORIGIN)).write_bytes(whole)
    damaged(folder, whole, log_name(OTHER))  # of another log
    (folder.path / log_name(OTHER)).unlink()
    assert size_of(folder.witness()) == 700


def test_what_another_witness_cosigned_is_no_record(folder: Folder):
    stranger = Cosigner(cosigners(number=2), CosignedCheckpoints(folder.fd, []), LOGS, lambda: NOW)
    stranger.add_checkpoint(honest_body(0, 700))
    with pytest.raises(ValueError, match=log_name(ORIGIN)):
        folder.witness()


def test_a_record_is_closed_to_others_and_synced_with_its_folder(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    synced: list[str] = []
    monkeypatch.setattr(durable, "sync_file", lambda _: synced.append("file"))
    monkeypatch.setattr(durable, "sync_folder", lambda _: synced.append("folder"))
    folder.witness().add_checkpoint(honest_body(0, 700))
    assert synced == ["file", "folder"]
    assert (folder.path / log_name(ORIGIN)).stat().st_mode & 0o777 == 0o600


def test_a_log_is_named_by_the_hash_of_its_origin():
    # printf %s example.com/behind-the-sofa | sha256sum
    assert TreeHead.parse(tree_text(700)) == TreeHead(ORIGIN, 700, head(0, 700))
    assert len(log_name(ORIGIN)) == 64
