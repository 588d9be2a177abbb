"""Hooks as processes: a server that dies between a delivery and its note of it, and the guide's receivers as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PATIENCE_SECONDS, ServerProcess, clean_environment, free_port, script

PAGE = Path(__file__).parents[2] / "docs" / "hooks.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
PLACEHOLDER = "PUT HERE WHAT sftd log key PRINTS"


def configure(server: ServerProcess, **fields: object) -> None:
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in fields.items()]
    (server.home / "sft.toml").write_text("[[hooks]]\n" + "".join(lines))


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o700)
    return str(path)


@pytest.mark.long
def test_a_server_that_dies_after_a_delivery_delivers_it_again_under_the_same_id(server: ServerProcess, folder: Path):
    person = server.new_person("max", "maintainer")
    server.stop()
    text = (
        "import json, os, sys\n"
        "with open(sys.argv[1], 'a') as out:\n"
        "    out.write(json.loads(sys.stdin.read())['data']['id'] + '\\n')\n"
        "    out.flush()\n"
        "    if out.tell() < 100: os.kill(os.getppid(), 9)\n"
    )
    out = folder / "out"
    configure(server, name="told", events=["store"], run=[program(folder, "told", text), str(out)])
    server.start()
    (person.folder / "a").write_bytes(b"1")
    assert person.sft("put", "a").returncode == 0  # the head was out before the hook was told
    assert server._process is not None
    assert server._process.wait(PATIENCE_SECONDS) == -9
    server.start()
    hooks = until_told(server, 1)
    first, again = out.read_text().split()
    assert first == again
    assert (hooks[0]["failures"], hooks[0]["delivered"]) == (0, 1)


def until_told(server: ServerProcess, events: int) -> list[dict[str, int]]:
    """Ask until a hook has taken so many events; each question takes as long as a delivery."""
    for _ in range(60):
        hooks = server.operate_json("hook", "list")
        assert isinstance(hooks, list)
        if hooks[0]["delivered"] >= events:
            return hooks
    raise AssertionError(f"never delivered: {hooks}")


@pytest.mark.long
def test_the_program_and_the_receiver_of_the_guide_verify_what_they_are_given(server: ServerProcess, folder: Path):
    person = server.new_person("max", "maintainer")
    key = server.operate("log", "key").stdout.strip()
    called = ["env", f"SFT_HOME={folder / 'nobody'}", script("sft")]
    note, receiver = (
        each.replace(PLACEHOLDER, key).replace('["sft", ', f"{json.dumps(called)[:-1]}, ") for each in BLOCKS
    )
    state, secret, port = folder / "state", folder / "secret", free_port()
    state.mkdir()
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    secret.chmod(0o600)
    note = note.replace("/var/lib/sft-note", str(state))
    (folder / "receiver.py").write_text(receiver)
    listening = subprocess.Popen(
        [sys.executable, str(folder / "receiver.py"), str(port), str(secret)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment(),
    )  # fmt: skip
    try:
        server.stop()
        url = f"http://127.0.0.1:{port}/"
        configure(server, name="web", events=["store"], url=url, secret=str(secret), timeout=60)
        with (server.home / "sft.toml").open("a") as file:
            run = [program(folder, "note", note)]
            file.write(f'[[hooks]]\nname = "note"\nevents = ["store"]\nrun = {json.dumps(run)}\ntimeout = 60\n')
        server.start()
        (person.folder / "plan.pdf").write_bytes(b"plan")
        assert person.sft("put", "plan.pdf").returncode == 0
        assert listening.stdout is not None
        # What sft itself prints stands between.
        lines = iter(listening.stdout.readline, "")
        assert next(line for line in lines if line.startswith("file_committed ")) == "file_committed plan.pdf\n"
        for _ in range(60):
            hooks = server.operate_json("hook", "list")
            assert isinstance(hooks, list)
            if all(each["delivered"] for each in hooks):
                break
        assert [each["problem"] for each in hooks] == ["", ""]
        assert [path.read_text() for path in state.iterdir()] == ["plan.pdf"]
    finally:
        listening.terminate()
        listening.communicate(timeout=PATIENCE_SECONDS)
