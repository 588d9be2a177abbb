"""Two people's processes at the same names at once, while the server is told to read its configuration again and again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import NewServer
from tests.processes import Person

ROOT = Path(__file__).parents[2]
ROUNDS = 80
SEEDS = {"ada": 1301, "max": 1302}
NAMES = ("a", "b", "a/c")
RELOAD_SECONDS = 0.05


def begun(person: Person) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.e2e.racing_client", str(SEEDS[person.name]), str(ROUNDS), ",".join(NAMES)]
    return subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=person.folder, env={**person.environment, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.long
def test_what_two_do_at_once_to_the_same_names_is_one_history(
    new_server: NewServer, new_person: Callable[[str], Person]
) -> None:
    print("seeds", SEEDS)
    server = new_server()
    server.start()
    options = server.home / "sft.toml"
    options.write_text('log_format = "json"\n' + options.read_text())
    people = [new_person(name) for name in SEEDS]
    for person in people:
        person.join(server, "admin")
    large = people[0].folder / "large"
    large.write_bytes(os.urandom(1 << 20) * 24)
    racing = [begun(person) for person in people]
    put = people[0].begin("put", "large", "--as", "large", "--json")
    reloads = 0
    for each in [put, *racing]:
        while True:
            try:
                each.wait(RELOAD_SECONDS)
                break
            except subprocess.TimeoutExpired:
                os.kill(server.pid, signal.SIGHUP)
                reloads += 1
    done = []
    for each in racing:
        out, err = each.communicate()
        assert each.returncode == 0, err
        done.append(json.loads(out))
    print(done, "reloads", reloads)
    assert [each["faults"] for each in done] == [[], []]
    _, err = put.communicate()
    assert put.returncode == 0, err
    assert reloads > 0
    # Every kind of command has worked for somebody, else nothing was raced for.
    worked = {words.split()[0] for each in done for words in each["ended"] if words.endswith(" 0")}
    assert worked == {"put", "rm", "restore", "mv", "owner", "mkdir"}
    for words in (["vault", "check"], ["vault", "check", "--read-data"]):
        assert server.operate(*words).returncode == 0
    for person in people:
        verified = person.sft("log", "verify", "--server")
        assert verified.returncode == 0, verified.stdout + verified.stderr
    seen = [
        [
            (each["path"], each["id"], each["version"], each["owner"], each["digest"])
            for each in person.sft_json("ls", "**")
        ]
        for person in people
    ]
    assert seen[0] == seen[1]
    for person in people:  # and each of it is what its author signed
        assert person.sft("get", "**", "--to", "all", "-q").returncode == 0
    assert server.stop() == 0
    lines = server.log.read_text().splitlines()
    as_json = next(number for number, line in enumerate(lines) if line.startswith("{"))  # from the first reload on
    assert len(lines) - as_json > ROUNDS
    for line in lines[as_json:]:
        assert isinstance(json.loads(line), dict), line
    assert "Traceback" not in server.log.read_text()
