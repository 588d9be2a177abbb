from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sft.operator.command_line import Call
from sft.operator.commands import program
from sft.operator.installing import UNITS, unit_text
from tests.typed import all_commands, parse

_ANALYZE = shutil.which("systemd-analyze")
_MANDOC = shutil.which("mandoc")
_GROFF = shutil.which("groff")
# Of both services: each is one thing that a server which was taken over cannot do.
CLOSED = {
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "PrivateUsers": "yes",
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes",
    "MemoryDenyWriteExecute": "yes", "ProtectProc": "invisible", "LimitCORE": "0", "UMask": "0077", "User": "sft",
}  # fmt: skip


def said(*words: str) -> str:
    done = CliRunner().invoke(program, words, prog_name="sftd", obj=Call(), standalone_mode=False)
    assert done.exception is None
    return done.stdout


def _parts(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(said("unit", name))
    return read


@pytest.mark.parametrize("name", ["sftd.service", "sftd-backup.service"])
def test_a_unit_closes_its_service_off(name: str) -> None:
    service = _parts(name)["Service"]
    assert {key: service.get(key) for key in CLOSED} == CLOSED


@pytest.mark.parametrize("name", ["sftd.service", "sftd-backup.service"])
def test_what_a_unit_runs_is_a_command_of_ours(name: str) -> None:
    words = _parts(name)["Service"]["ExecStart"].split()
    assert words[0] == "/usr/bin/sftd"
    parse(["sftd", *words[1:]])


def test_the_master_key_is_a_credential_that_stays_out_of_the_home_and_of_the_backups_unit() -> None:
    service = _parts("sftd.service")["Service"]
    assert service["LoadCredential"] == "master-key:/etc/sft/master-key"
    assert service["ExecStart"].endswith("--master-key credential:master-key")
    assert "LoadCredential" not in _parts("sftd-backup.service")["Service"]


def test_a_unit_names_the_program_that_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/sft/bin/sftd", "unit"])
    assert "ExecStart=/opt/sft/bin/sftd --home" in said("unit")


@pytest.mark.skipif(_ANALYZE is None, reason="systemd-analyze is not here: no unit was verified")
def test_systemd_finds_nothing_wrong_with_the_units_and_the_services_well_closed(tmp_path: Path) -> None:
    program_here = shutil.which("true") or "/bin/true"  # systemd asks whether it is there, and whether it may be run
    for name in UNITS:
        (tmp_path / name).write_text(unit_text(name, program_here))
    files = [str(tmp_path / name) for name in UNITS]
    done = subprocess.run([str(_ANALYZE), "verify", "--man=no", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("sftd.service", "sftd-backup.service"):
        looked = subprocess.run(
            [str(_ANALYZE), "security", "--offline=yes", "--threshold=15", str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert looked.returncode == 0, looked.stdout[-500:]


@pytest.mark.parametrize("name", ["sft", "sftd"])
def test_the_manual_page_has_every_command_and_option(name: str) -> None:
    lines = said("manual", name).splitlines()
    commands = {words: each for words, each in all_commands(name).items() if not each.hidden}
    assert {f".SS {name} {words}".replace("-", "\\-") for words in commands} <= set(lines)
    text = "\n".join(lines)
    for command in commands.values():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert f"\\fB{option.opts[0]}".replace("-", "\\-") in text


@pytest.mark.skipif(_MANDOC is None, reason="mandoc is not here: no manual page was checked")
@pytest.mark.parametrize("name", ["sft", "sftd"])
def test_the_manual_page_is_right(name: str) -> None:
    done = subprocess.run(
        [str(_MANDOC), "-T", "lint", "-W", "warning"],
        input=said("manual", name),
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line]
    assert wrong == []


@pytest.mark.skipif(_GROFF is None, reason="groff is not here: no manual page was set")
@pytest.mark.parametrize("name", ["sft", "sftd"])
@pytest.mark.parametrize("columns", [60, 78, 132])
def test_groff_sets_the_manual_page_without_a_warning(name: str, columns: int) -> None:
    done = subprocess.run(
        [str(_GROFF), "-man", "-ww", "-Kutf8", "-Tutf8", f"-rLL={columns}n"],
        input=said("manual", name),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GROFF_NO_SGR": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = re.sub(".\b", "", done.stdout)  # bold, as a printer strikes it twice
    assert {"NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "ENVIRONMENT", "EXIT STATUS"} <= set(text.splitlines())
    assert f"{name} " in text


def test_a_text_of_a_command_is_no_request_of_roff() -> None:
    from sft.cli.manual import _plain

    assert _plain(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert _plain("'x \\n[y] -z") == "\\&'x \\en[y] \\-z"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_the_completion_script(shell: str) -> None:
    script = said("completion", shell)
    assert "_SFTD_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here: its script was not read")
    done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_operators_commands_complete() -> None:
    from click.shell_completion import ShellComplete

    asked = ShellComplete(program, {"obj": Call()}, "sftd", "_SFTD_COMPLETE")
    assert {each.value for each in asked.get_completions([], "v")} == {"vault"}
    assert {each.value for each in asked.get_completions(["vault"], "c")} == {"check", "collect"}
    assert {each.value for each in asked.get_completions(["user", "role", "max"], "")} >= {"guest", "admin"}
