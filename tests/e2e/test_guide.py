"""The first day of the operator's guide, line by line as it is typed, by three people in homes of their own."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.processes import clean_environment, free_port, run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-day.md"
PROMPT = re.compile(r"^(\w+)\$ (.*)$")
ADDRESSES = ("0.0.0.0:7361", "files.example.org:7361")


def _lines() -> list[tuple[str, str]]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    found = [PROMPT.match(line) for block in blocks for line in block.splitlines()]
    assert all(found)
    return [(each[1], each[2]) for each in found if each]


class Walk:
    """Three people at three computers, as far as a home of one's own is a computer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self._server: subprocess.Popen[bytes] | None = None

    def home(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(exist_ok=True)
        return made

    def environment(self, name: str) -> dict[str, str]:
        home = self.home(name)
        phrase = home / ".phrase"
        phrase.write_text("a phrase that nobody else knows\n")
        phrase.chmod(0o600)
        ours = {key: value for key, value in clean_environment().items() if not key.startswith("XDG_")}
        return ours | {"HOME": str(home), "SFT_PASSPHRASE_FILE": str(phrase)}

    def type(self, name: str, line: str) -> None:
        for each in ADDRESSES:
            line = line.replace(each, self.address)
        if line.startswith("sftd serve"):
            self._serve(name, line)
            return
        done = run("bash", "-c", line, cwd=self.home(name), env=self.environment(name))
        assert done.returncode == 0, f"{name}$ {line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr

    def _serve(self, name: str, line: str) -> None:
        log = self.folder / "server.log"
        with log.open("wb") as file:
            self._server = subprocess.Popen(
                shlex.split(line),
                cwd=self.home(name),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        while b" listening at=" not in log.read_bytes():
            with pytest.raises(subprocess.TimeoutExpired):
                self._server.wait(0.05)

    def end(self) -> None:
        if self._server is not None:
            self._server.terminate()
            assert self._server.wait(60) == 0


@pytest.mark.long
def test_first_day(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    made = walk.home("operator") / ".local/share/sft-server/first-admin.link"
    try:
        for name, line in _lines():
            # What the page says is given from hand to hand, by a way of people's own.
            if "admin.link" in line:
                given = walk.home("ada") / "admin.link"
                given.write_bytes(made.read_bytes())
                given.chmod(0o600)
            if name == "max" and "max.link" in line:
                (walk.home("max") / "max.link").write_bytes((walk.home("ada") / "max.link").read_bytes())
            walk.type(name, line)
    finally:
        walk.end()
