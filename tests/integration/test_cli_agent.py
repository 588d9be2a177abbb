"""A key that an agent holds: commands ask for no passphrase, until it is locked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration.live_cli import LiveCli


class AtTheirComputer:
    """Max, whose key has a passphrase."""

    def __init__(self, cli: LiveCli, runtime: Path) -> None:
        self._cli = cli
        self.runtime = runtime
        self.passphrase = cli.file("passphrase", b"one")
        Path(self.passphrase).chmod(0o600)

    def sft(self, *words: str, knows: bool = False, typed: str | None = None) -> Any:
        environ = {"SFT_PASSPHRASE_FILE": self.passphrase} if knows else {}
        return self._cli.sft("max", *words, typed=typed, XDG_RUNTIME_DIR=str(self.runtime), **environ)


@pytest.fixture
def max_(cli: LiveCli) -> Iterator[AtTheirComputer]:
    with TemporaryDirectory(prefix="sft-") as runtime:
        made = AtTheirComputer(cli, Path(runtime))
        assert made.sft("key", "passphrase", "--new-passphrase-file", made.passphrase).status == 0
        yield made
        made.sft("lock")


@pytest.mark.every_run
def test_no_command_asks_for_a_passphrase_while_an_agent_holds_the_key(max_: AtTheirComputer, cli: LiveCli) -> None:
    refused = max_.sft("mkdir", "docs")
    assert refused.status == 8
    assert "sft unlock first" in refused.err
    held = max_.sft("unlock", "--for", "8h", knows=True)
    assert held.status == 0
    assert held.out.startswith("Your key for acme is unlocked until ")
    file = cli.file("a.txt", b"signed by an agent")
    for words in (("mkdir", "docs"), ("put", file, "--to", "docs"), ("owner", "mia", "docs/a.txt"), ("ls", "docs")):
        done = max_.sft(*words)
        assert done.status == 0, done.err
    shown = json.loads(max_.sft("info", "docs/a.txt", "--json").out)
    assert (shown["owner"], shown["signature"]) == ("mia", "verified")
    assert max_.sft("lock").out == "Locked: acme.\n"
    assert max_.sft("ls").status == 8
    assert max_.sft("lock").out == "No agent held a key of yours.\n"
    assert list((max_.runtime / "sft").iterdir()) == []


def test_a_wrong_passphrase_starts_no_agent(max_: AtTheirComputer) -> None:
    Path(max_.passphrase).write_text("two")
    assert max_.sft("unlock", knows=True).status == 8
    assert not (max_.runtime / "sft").exists()


def test_a_folder_that_others_may_write_holds_no_agent(max_: AtTheirComputer) -> None:
    (max_.runtime / "sft").mkdir(mode=0o700)
    (max_.runtime / "sft").chmod(0o777)
    refused = max_.sft("unlock", knows=True)
    assert refused.status == 8
    assert "is not yours alone" in refused.err


def test_a_key_without_a_passphrase_has_nothing_to_unlock(cli: LiveCli) -> None:
    refused = cli.sft("max", "unlock")
    assert refused.status == 2
    assert "no passphrase: there is nothing to unlock" in refused.err


def test_an_agent_holds_a_key_for_a_time_that_is_one(max_: AtTheirComputer) -> None:
    assert max_.sft("unlock", "--for", "soon", knows=True).status == 2
    assert "30 days" in max_.sft("unlock", "--for", "9w", knows=True).err
