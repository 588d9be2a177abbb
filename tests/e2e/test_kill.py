"""Client and server killed in the middle of transfers, a few times; ``make torture`` and ``make resume`` do it often."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.campaigns.injected import DYING, STRACE, injected
from tests.campaigns.resume import resume
from tests.campaigns.torture import torture
from tests.campaigns.upkeep_kills import upkeep_kills
from tests.e2e import dying_server
from tests.processes import Person, ServerProcess


@pytest.mark.long
def test_nothing_acknowledged_is_lost_and_nothing_partial_is_listed(folder: Path) -> None:
    tally = torture(folder, kills=3, seed=7)
    assert tally.kills == 3
    # The kills landed among uploads: some were acknowledged before, some were cut.
    assert tally.acknowledged
    assert tally.cut


@pytest.mark.long
def test_what_was_cut_off_is_whole_in_the_end_and_little_moves_twice(folder: Path) -> None:
    assert resume(folder, kills=3, seed=3, lanes=1).kills.total() >= 3


@pytest.mark.parametrize(("where", "size"), [("commit", 300), ("commit", 17_000), ("write", 17_000)])
@pytest.mark.long
def test_a_server_that_dies_between_the_files_of_one_request_has_each_whole_or_not_at_all(
    server: ServerProcess, where: str, size: int
) -> None:
    person, alive = server.new_person("max", "maintainer"), server._program
    server.kill()
    draw = random.Random(1)
    contents = {f"many/f{number}": draw.randbytes(size) for number in range(48)}
    for path, content in contents.items():
        (person.folder / path).parent.mkdir(exist_ok=True)
        (person.folder / path).write_bytes(content)
    server._program = (sys.executable, str(Path(dying_server.__file__)), where, "2")
    server.start()
    cut = person.sft("put", "many", "--json")
    assert cut.returncode
    assert server._process is not None
    assert server._process.wait(60) == -9
    server._program = alive
    server.start()
    there = got(person, "first")
    assert len(there) < len(contents)
    assert there.items() <= contents.items()
    if where == "commit":
        assert 0 < len(there) <= 2 * dying_server.COMMITS_TOGETHER
    done = person.sft_json("put", "many")
    assert not done["failed"], done
    assert got(person, "then") == contents
    report = server.operate_json("vault", "check", "--read-data")
    assert isinstance(report, dict)
    assert report["faults"] == []


@pytest.mark.long
def test_a_rotation_and_a_rebuild_that_are_killed_are_finished_by_the_next(folder: Path):
    tally = upkeep_kills(folder, kills=1, seed=5)
    assert sum(tally.killed.values()) + sum(tally.over.values()) == 2


@pytest.mark.long
@pytest.mark.skipif(STRACE is None or DYING is None, reason="strace or setpriv is not here")
def test_a_write_that_the_system_refuses_is_told_in_words_and_loses_nothing(folder: Path):
    assert injected(folder, times=1, seed=4, acts=("vault rotate-key",)) == 2


def got(person: Person, name: str) -> dict[str, bytes]:
    """Get what is stored, by path."""
    to = person.folder / name
    to.mkdir()
    person.sft("get", "many", "--to", str(to))
    return {str(path.relative_to(to)): path.read_bytes() for path in to.rglob("*") if path.is_file()}
