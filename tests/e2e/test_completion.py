"""Completion as bash, zsh and fish do it on a terminal: a TAB puts the name there, whatever it is made of, and no command.

The names are written into the database itself: what no server would take, a forged row may hold.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.model.names import fold
from tests.e2e.terminal import IN_FRONT, PtyTerminal
from tests.processes import clean_environment, run, script
from tests.unit.store.folder_tree import file_row, folder_row
from tests.unit.store.samples import ADA, MAX, ROOT, copy_database, writing

# Each begins with letters of its own: what is typed before the TAB.
NAMES = {
    "pl": "plain.txt",
    "it": "it's  two words",
    "do": "do$HOME$(touch PWNED-dollar)`touch PWNED-back`",
    "se": 'se;touch PWNED-semicolon&touch PWNED-and|touch PWNED-pipe>PWNED-into "quoted"',
    "gl": "gl[a-z]ob{a,b}<(touch PWNED-process)",
    "co": "co,mma, twice #hash !! !$,",
    "zo": "zoë 漢字",
}
# What no terminal shows as it is (the others, and which words have what, are of unit/operator/test_completing.py: each TAB is
# a process). It is the only one that begins so.
NOT_OFFERED = {"nl": "nl\ntouch PWNED-line"}
STUB = """#!{python}
import json, os, sys
if "_SFTD_COMPLETE" in os.environ:
    os.execv({sftd!r}, [{sftd!r}, *sys.argv[1:]])
with open({said!r}, "a") as said:
    said.write(json.dumps(sys.argv[1:]) + "\\n")
"""
# A shell on a terminal is in front of it, or has no keys of its own.
RUN = IN_FRONT + "import os; os.execvp({words[0]!r}, {words!r})"
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--private", "--no-config", "-i"],
}
# Nothing of the terminal's own is in the way: no history of `!`, no colors of suggestions, a short prompt.
BEGIN = {
    "bash": "PS1='ready> '; bind 'set enable-bracketed-paste off'; source {script}\n",
    "zsh": "PS1='ready> '; autoload -Uz compinit; compinit -u -d {folder}/dump; source {script}\n",
    "fish": "function fish_prompt; echo 'ready> '; end; source {script}\n",
}


class Shell:
    """A shell on a terminal in an empty folder, with a program ``sftd`` that says what it was given."""

    def __init__(self, kind: str, folder: Path, home: Path) -> None:
        self.folder = folder / "here"
        self.folder.mkdir()
        self._home = home
        self._said = folder / "said"
        programs = folder / "bin"
        programs.mkdir()
        stub = programs / "sftd"
        stub.write_text(STUB.format(python=sys.executable, sftd=script("sftd"), said=str(self._said)))
        stub.chmod(0o755)
        environ = clean_environment()
        environ |= {
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "XDG_DATA_HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        }
        environ["PATH"] = f"{programs}:{environ['PATH']}"
        loaded = folder / "completion"
        loaded.write_text(_printed(kind, folder))
        self._terminal = PtyTerminal(
            [sys.executable, "-c", RUN.format(words=SHELLS[kind])], self.folder, environ, columns=250
        )
        self._begin = BEGIN[kind].format(script=loaded, folder=folder)
        self._given = 0

    def begin(self) -> None:
        """Have the script loaded."""
        self._terminal.type(self._begin)
        self._terminal.until(lambda text: "\nready>" in f"\n{text}")

    def given(self, typed: str, *, more: str = "") -> list[str]:
        """Type words of a command, a TAB, ``more`` and Enter; return the words that the command was given.

        The command that is typed after it says when the shell is done.
        """
        self._terminal.type(f"sftd --home {self._home} {typed}\t{more}")
        self._terminal.type("\nsftd end\n")
        self._terminal.until(lambda _: self._all()[-1:] == [["end"]] and len(self._all()) > self._given)
        mine = self._all()[self._given : -1]
        self._given = len(self._all())
        assert len(mine) == 1, mine
        return mine[0][2:]

    def _all(self) -> list[list[str]]:
        return [json.loads(line) for line in self._said.read_text().splitlines()] if self._said.exists() else []

    def close(self) -> None:
        self._terminal.close()


def _printed(kind: str, folder: Path) -> str:
    done = run(script("sftd"), "completion", kind, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Path:
    data = tmp_path / "home" / "data"
    data.mkdir(parents=True, mode=0o700)
    database = copy_database(data)
    every = {**NAMES, **NOT_OFFERED}
    with writing(database) as transaction:
        transaction.rows.insert([ADA, MAX])
        transaction.rows.insert([ROOT, folder_row(2, 1, "fin $(touch PWNED-folder)")])
        transaction.rows.insert([file_row(n, 1, name, folded=fold(name)) for n, name in enumerate(every.values(), 1)])
        transaction.rows.insert([file_row(100, 2, "inside it.txt")])
    database.close()
    (data / "sft.db").rename(data / "sft.sqlite")
    return data.parent


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Iterator[Shell]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not here: what it completes was not seen")
    made = Shell(request.param, tmp_path, home)
    try:
        made.begin()
        yield made
    finally:
        made.close()


@pytest.mark.long
def test_a_name_is_completed_as_it_is_and_is_no_command(shell: Shell, home: Path) -> None:
    before = sorted(each.relative_to(home) for each in home.rglob("*"))
    for typed, name in NAMES.items():
        assert shell.given(f"file show {typed}") == ["file", "show", name], shlex.quote(name)
    assert shell.given("user role max ma") == ["user", "role", "max", "maintainer"]
    assert shell.given("file show fi", more="\t") == ["file", "show", "fin $(touch PWNED-folder)/inside it.txt"]
    for typed in NOT_OFFERED:
        assert shell.given(f"file show {typed}") == ["file", "show", typed]
    assert list(shell.folder.iterdir()) == []
    assert sorted(each.relative_to(home) for each in home.rglob("*")) == before, "nothing is written"
