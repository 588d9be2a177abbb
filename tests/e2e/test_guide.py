"""The operator's guide, line by line as it is typed, by people in homes of their own: the first day, and its other pages."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.terminal import PtyTerminal
from tests.processes import clean_environment, free_port, run

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROMPT = re.compile(r"^(?:(\w*)\$ )?(.*)$")
BLOCKS = re.compile(r"```console\n(.*?)```", re.DOTALL)
ADDRESSES = ("0.0.0.0:7361", "files.example.org:7361")
# Whose key a passphrase protects, as the page of the agent means it: to open one takes as long as all else that a command does.
AGENTS = "max"
ASKS = re.compile(r"Type .*:$|\[y/N\]$")


def _lines(page: str) -> list[tuple[str, str]]:
    """Return who types what, as a page has it; "" where it names nobody."""
    blocks = BLOCKS.findall((DOCS / page).read_text("utf-8"))
    found = [PROMPT.match(line) for block in blocks for line in block.splitlines()]
    return [(each[1] or "", each[2].partition("  #")[0].rstrip()) for each in found if each]


class Walk:
    """Three people at three computers, as far as a home of one's own is a computer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.places: dict[str, str] = {}  # what stands on a page, and where that is here
        self._servers: list[subprocess.Popen[bytes]] = []

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

    def type(self, name: str, line: str, *, answer: str = "") -> None:
        """Type a line, and what it asks for; it must end well, but for who asks whether somebody may."""
        for each in ADDRESSES:
            line = line.replace(each, self.address)
        for place, here in self.places.items():
            line = line.replace(place, here)
        if line.startswith("sftd serve"):
            self._serve(name, line)
            return
        status, said = self._asked(name, line, answer) if answer else self._run(name, line)
        assert "Traceback" not in said, said
        if line.split()[1] == "why":
            assert " may " in said, said
        else:
            assert status == 0, f"{name}$ {line}\n{said}"

    def _run(self, name: str, line: str) -> tuple[int, str]:
        done = run("bash", "-c", line, cwd=self.home(name), env=self.environment(name))
        return done.returncode, done.stdout + done.stderr

    def _asked(self, name: str, line: str, answer: str) -> tuple[int, str]:
        terminal = PtyTerminal(["bash", "-c", line], self.home(name), self.environment(name), columns=400)
        try:
            terminal.until(lambda text: ASKS.search(text.rstrip()) or terminal.process.poll() is not None)
            terminal.type(answer + "\n")
            return terminal.ended(), terminal.screen.written
        finally:
            terminal.close()

    def _serve(self, name: str, line: str) -> None:
        log = self.folder / f"server{len(self._servers)}.log"
        with log.open("wb") as file:
            server = subprocess.Popen(
                shlex.split(line),
                cwd=self.home(name),
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        self._servers.append(server)
        while b" listening at=" not in log.read_bytes():
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(0.05)

    def stop(self) -> None:
        """End the server that was started last."""
        server = self._servers.pop()
        server.terminate()
        assert server.wait(60) == 0

    def end(self) -> None:
        while self._servers:
            self.stop()


@pytest.mark.long
def test_first_day(folder: Path) -> None:
    walk = Walk(folder)
    made = walk.home("operator") / ".local/share/sft-server/first-admin.link"
    try:
        for name, line in _lines("first-day.md"):
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


# -- the other pages -------------------------------------------------------------------------------------------------


class Years(Walk):
    """A server with a few people and files, as the pages of what comes later mean it.

    ``ready`` has of a page's line what has to be so before it is typed, ``answers`` what is typed when it asks.
    """

    def serve(self) -> None:
        self._serve("operator", f"sftd serve --listen {self.address} --public {self.address}")

    def begin(self) -> None:
        self.serve()
        link = self.home("operator") / ".local/share/sft-server/first-admin.link"
        self.type("ada", f"sft join --user ada --no-passphrase --link-file {link}")
        for name, role in (("max", "maintainer"), ("carla", "maintainer"), ("gus", "guest"), ("mia", "maintainer")):
            self.invite(name, role)
        for name in ("plan.pdf", "minutes.pdf", "report.pdf"):
            (self.home("max") / name).write_text(f"{name}\n")
        self.type("max", "mkdir -p old reports/2026 contracts films")
        for name in ("old/plan.pdf", "reports/a.pdf", "reports/2026/b.pdf", "contracts/c.pdf"):
            (self.home("max") / name).write_text(f"{name}\n" * 3_000)
        self.type("max", "sft put plan.pdf minutes.pdf old reports contracts films")

    def configure(self, more: str) -> None:
        """Append to the server's configuration, and have it read again."""
        with (self.home("operator") / ".local/share/sft-server/sft.toml").open("a") as options:
            options.write(more)
        server, log = self._servers[-1], self.folder / "server0.log"
        server.send_signal(signal.SIGHUP)
        while b" reloaded " not in log.read_bytes():
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(0.05)

    def invite(self, name: str, role: str) -> None:
        self.type("ada", f"sft invite --user {name} --role {role} --write {name}.link")
        opened = "" if name == AGENTS else "--no-passphrase "
        self.type(name, f"sft join {opened}--link-file {self.home('ada')}/{name}.link")

    def read(
        self,
        page: str,
        person: str,
        *,
        ready: Mapping[str, Sequence[tuple[str, str]]] = {},
        answers: Mapping[str, str] = {},
    ) -> None:
        """Type a page's lines: the server's as its operator, the others as a person."""
        seen = set()
        for _, shown in _lines(page):
            operator = shown.startswith(("sftd ", "cp ", "mkdir ", "rm ", "# "))
            line = shown.removeprefix("# ")  # by root, on a machine of its own
            for begins, before in ready.items():
                if line.startswith(begins) and begins not in seen:
                    seen.add(begins)
                    for who, what in before:
                        self.type(who, what)
            answer = next((each for begins, each in answers.items() if line.startswith(begins)), "")
            self.type("operator" if operator else person, line, answer=answer)
        assert seen == set(ready), "a line is not on the page any more"


@pytest.fixture(scope="module")
def begun() -> Iterator[Years]:
    """What each test of the years begins with: twenty processes, one after the other."""
    with tempfile.TemporaryDirectory(prefix="sft-") as folder:
        first = Years(Path(folder))
        try:
            first.begin()
        finally:
            first.end()
        yield first


@pytest.fixture
def years(folder: Path, begun: Years) -> Iterator[Years]:
    here = Years(folder)
    here.address = begun.address  # everybody remembers it, and nobody serves there any more
    shutil.copytree(begun.folder, folder, symlinks=True, dirs_exist_ok=True)
    (folder / "server0.log").unlink()
    try:
        here.serve()
        yield here
    finally:
        here.end()


@pytest.mark.long
def test_what_people_do_over_the_years(years: Years) -> None:
    for number in range(3):
        (years.home("max") / "plan.pdf").write_text(f"plan {number}\n")
        if number < 2:
            years.type("max", "sft put plan.pdf --replace")
    years.read("agent.md", "max")
    years.read(
        "versions.md",
        "max",
        ready={
            "sft get plan.pdf --version 3": [("max", "rm plan.pdf")],
            "sft restore old/plan.pdf": [("max", "sft rm old/plan.pdf --yes")],
            "sft restore 'reports/*.pdf'": [("max", "sft rm reports/a.pdf --yes")],
            "sft rm --trash old/plan.pdf": [("max", "sft rm old/plan.pdf --yes")],
            "sft rm --trash -r reports/": [("max", "sft rm reports/a.pdf --yes")],
        },
        answers={
            "sft rm plan.pdf --version 3": "plan.pdf",
            "sft rm -r old/": "y",
            "sft rm --trash old/plan.pdf": "old/plan.pdf",
            "sft rm --trash -r reports/": "reports/",
        },
    )
    years.read("rights.md", "ada")


@pytest.mark.long
def test_what_an_operator_does_over_the_years(years: Years) -> None:
    for place in ("/mnt/backup", "/media/safe", "/srv/left"):
        years.places[place] = str(years.home(place.rpartition("/")[2]))
    years.places["/tmp/trial"] = str(years.folder / "trial")
    years.type("operator", "rmdir /srv/left")
    years.read("monitoring.md", "ada")
    years.read("quotas.md", "ada")
    years.read("configuration.md", "ada")
    program, event = years.folder / "chat", years.home("ada") / "event.json"
    program.write_text(f"#!/bin/sh\nexec cat > {shlex.quote(str(event))}\n")
    program.chmod(0o700)
    years.configure(f'[[hooks]]\nname = "chat"\nevents = ["store"]\nrun = ["{program}"]\n')
    key = run("sftd", "log", "key", cwd=years.home("operator"), env=years.environment("operator")).stdout.strip()
    years.places |= {"/etc/sft": str(years.home("etc")), "-o sft ": "", "NAME+HASH+KEY": shlex.quote(key)}
    years.read("hooks.md", "ada")
    years.read("check.md", "ada", answers={"sftd user reset-key max": "max"})
    years.read(
        "backup.md",
        "operator",
        ready={"mkdir -m 700 ~/.local/share/sft-server": [("operator", "mv ~/.local/share/sft-server ~/gone")]},
    )


@pytest.mark.long
def test_who_leaves(years: Years) -> None:
    years.invite("tom", "maintainer")
    for who in ("ada", "operator"):
        (years.home(who) / "leavers.txt").write_text("gus  # since May\n\nmia\n")
    years.read(
        "leavers.md",
        "ada",
        answers={"sft owner carla reports/2026": "y", "sft remove max": "max", "sft remove --from-file": "remove"},
    )
