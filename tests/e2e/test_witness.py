"""A witness as a process: its keys, its policy lines, HTTP on loopback, and its end; killed, it never takes back its word."""

from __future__ import annotations

import http.client
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sft.crypto.note_keys import NoteKey
from sft.crypto.signed_note import SignedNote
from sft.ledger.add_checkpoint import read_answer
from sft.ledger.policy import Policy
from sft.witness.cosigned import log_name
from tests.processes import PATIENCE_SECONDS, ServerProcess, clean_environment, script
from tests.unit.ledger.logs import ORIGIN, honest_body, log_key, tree_text

NAME = "witness.example.org/w1"
LOG = log_key().vkey()
NewWitness = Callable[..., ServerProcess]


@pytest.fixture
def new_witness(folder: Path) -> Iterator[NewWitness]:
    made: list[ServerProcess] = []

    def make(*options: str) -> ServerProcess:
        made.append(ServerProcess(folder, *options, serves="witness"))
        return made[-1]

    yield make
    for witness in made:
        witness.kill()


def post(witness: ServerProcess, body: bytes) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", witness.port, timeout=PATIENCE_SECONDS)) as line:
        line.request("POST", "/add-checkpoint", body)
        answer = line.getresponse()
        return answer.status, answer.read()


def newest(witness: ServerProcess) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", witness.port, timeout=PATIENCE_SECONDS)) as line:
        line.request("GET", f"/{log_name(ORIGIN)}/checkpoint")
        return line.getresponse().read()


def keys_of(shown: subprocess.CompletedProcess[str]) -> tuple[NoteKey, ...]:
    """Read what --show-key prints as others do: as a part of their policy."""
    assert shown.returncode == 0, shown.stderr
    policy = Policy.parse(shown.stdout.encode() + f"quorum {NAME}\n".encode())
    keys = policy.witness_keys()
    assert policy.is_satisfied(keys)
    assert not policy.is_satisfied(keys[:1])
    assert {each.url for each in policy.witnesses} == {"https://witness.example.org"}
    return keys


def test_a_witness_from_its_first_start_to_its_end(new_witness: NewWitness):
    witness = new_witness("--name", NAME, "--log", LOG)
    show = ("witness", "--show-key", "--url", "https://witness.example.org")
    keys = keys_of(witness.operate(*show, "--name", NAME))  # before it ever ran
    witness.start()
    assert keys_of(witness.operate(*show)) == keys  # and while it runs
    status, body = post(witness, honest_body(0, 700))
    assert status == 200
    assert len(read_answer(tree_text(700), body, keys)) == 2
    for path in (witness.home / "witness", *(witness.home / "witness").rglob("*")):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
    # Nothing of a server was made.
    assert [path.name for path in witness.home.iterdir()] == ["witness"]
    second = subprocess.run(
        [script("sftd"), "--home", str(witness.home), "witness", "--log", LOG, "--listen", "tcp:0:interface=127.0.0.1"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        env=clean_environment(),
    )  # fmt: skip
    assert second.returncode == 10
    assert "another witness runs on it [HOME]" in second.stderr
    assert witness.stop() == 0  # SIGTERM
    assert "Traceback" not in witness.log.read_text()
    witness.start()
    assert post(witness, honest_body(0, 5)) == (409, b"700\n")
    assert post(witness, honest_body(700, 1000))[0] == 200
    assert witness.stop() == 0


def test_a_witness_that_is_killed_keeps_what_it_has_said(new_witness: NewWitness):
    witness = new_witness("--name", NAME, "--log", LOG)
    witness.start()
    keys = keys_of(witness.operate("witness", "--show-key", "--url", "https://witness.example.org"))
    said = [0]
    stopped = threading.Event()

    def log() -> None:
        """Grow as fast as it is cosigned."""
        while not stopped.is_set() and said[-1] < 1100:
            try:
                status, body = post(witness, honest_body(said[-1], said[-1] + 1))
            except (OSError, http.client.HTTPException):
                return  # killed
            assert status == 200
            read_answer(tree_text(said[-1] + 1), body, keys)
            said.append(said[-1] + 1)

    for kill_after in (3, 40):
        growing = threading.Thread(target=log)
        growing.start()
        while growing.is_alive() and said[-1] < kill_after:
            growing.join(0.005)
        witness.kill()
        growing.join()
        witness.start()
        kept = SignedNote.parse(newest(witness).decode())
        assert kept.verify(keys).keys() == set(keys)
        size = int(kept.text.splitlines()[1])
        # The last one may have been kept and not answered, never the reverse.
        assert size in {said[-1], said[-1] + 1}
        assert kept.text == tree_text(size)
        said.append(size)
    stopped.set()
    assert witness.stop() == 0
