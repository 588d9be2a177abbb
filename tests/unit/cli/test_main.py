from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sft
from sft.cli.main import COMMANDS, cli
from sft.cli.options import PROGRESS_STYLES
from sft.errors import NotJoinedError

ROOT = Path(sft.__file__).parent.parent


def test_help_lists_every_command_and_the_statuses(cli):
    ran = cli.run("--help")
    assert ran.status == 0
    for name, text in COMMANDS.items():
        assert any(line.split() == [name, *text.split()] for line in ran.lines)
    assert "130/143 interrupted" in " ".join(ran.out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists_and_has_help(cli, name):
    ran = cli.run(name, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: sft {name}")
    assert "--json" in ran.out


def test_bare_sft_prints_the_help_with_status_2(cli):
    ran = cli.run()
    assert ran.status == 2
    assert ran.out.startswith("Usage: sft")


def test_bare_sft_in_json_is_one_document(cli):
    ran = cli.run("--json")
    assert ran.status == 2
    assert json.loads(ran.out)["error"]["code"] == "USAGE"


def test_an_unknown_command_is_named_and_the_closest_is_offered(cli):
    ran = cli.run("usres")
    assert ran.status == 2
    assert ran.err == ("sft: There is no command 'usres'; did you mean users? [USAGE]\n     See: sft --help\n")


@pytest.mark.parametrize("arguments", [("put",), ("role",), ("role", "gus", "king"), ("ls", "--nothing"), ("mv", "a")])
def test_wrong_use_is_status_2_with_where_to_look(cli, arguments):
    ran = cli.run(*arguments)
    assert ran.status == 2
    assert "[USAGE]" in ran.err
    assert f"See: sft {arguments[0]} --help" in ran.err
    assert not cli.sessions


def test_wrong_use_is_told_in_json_even_where_the_options_were_not_read(cli):
    for arguments in (("role", "gus", "king", "--json"), ("ls", "--nothing", "--json")):
        ran = cli.run(*arguments)
        assert json.loads(ran.out)["error"]["exit"] == 2


def test_an_invitation_in_a_wrong_place_is_not_repeated(cli):
    for arguments in (("sft://host:1/i#SECRET",), ("role", "a", "guest", "sft://host:1/i#SECRET")):
        ran = cli.run(*arguments)
        assert ran.status == 2
        assert "SECRET" not in ran.err + ran.out


def test_json_behind_dashes_is_a_name(cli):
    ran = cli.run("role", "gus", "--", "--json")
    assert ran.status == 2
    assert not ran.out


@pytest.mark.parametrize("arguments", [("--json", "whoami"), ("whoami", "--json")])
def test_common_options_stand_before_and_after_the_command(cli, arguments):
    cli.refuses = [NotJoinedError()]
    assert json.loads(cli.run(*arguments).out)["error"]["code"] == "NOT_JOINED"


def test_a_profile_is_chosen_by_option_then_environment_then_default(cli):
    cli.join(name="other")
    cli.environ["SFT_PROFILE"] = "none-such"
    assert "none-such" in cli.run("whoami").err
    assert "nobody" in cli.run("whoami", "--profile", "nobody").err
    cli.refuses = [NotJoinedError()] * 2
    assert "NOT_JOINED" in cli.run("whoami", "--profile", "other").err


def test_progress_styles_are_checked(cli):
    assert cli.run("put", "x", "--progress", "loud").status == 2
    assert set(PROGRESS_STYLES) == {"bar", "plain", "json"}


def test_version(cli):
    assert cli.run("--version").out == f"sft {sft.__version__}\n"


def test_commands_are_documented_one_by_one():
    assert all(text.endswith(".") for text in COMMANDS.values())
    assert cli.name == "cli"


def run_in_shell(tmp_path: Path, script: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -c 'from sft.cli.main import run; run()'"
    return subprocess.run(
        ["/bin/bash", "-c", script.replace("SFT", command)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SFT_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
        timeout=60,
    )


def test_a_reader_who_goes_away_is_no_fault(tmp_path):
    ran = run_in_shell(tmp_path, "set -o pipefail; SFT --help | true; echo ${PIPESTATUS[0]}")
    assert (ran.stdout, ran.stderr) == ("0\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_that_cannot_be_written_is_a_fault_of_this_computer(tmp_path):
    ran = run_in_shell(tmp_path, "SFT completion fish >/dev/full; echo $?")
    assert ran.stdout == "10\n"
    assert "[LOCAL_FILE]" in ran.stderr


@pytest.mark.long
def test_a_command_ends_while_a_thread_still_waits(tmp_path):
    ran = run_in_shell(tmp_path, "SFT whoami; echo $?")
    assert ran.stdout == "8\n"
    assert "NOT_JOINED" in ran.stderr


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("SFT whoami <&-", 8),
        ("SFT whoami >&-", 8),
        ("SFT whoami 2>&-", 8),
        ("SFT whoami <&- >&- 2>&-", 8),
        ("SFT whoami 2>/dev/full", 8),
        ("SFT servers --json >&-", 10),
        ("SFT join <&-", 2),
    ],
)
@pytest.mark.sampled(4)
def test_closed_streams_are_no_fault_and_change_no_status(tmp_path, script, status):
    ran = run_in_shell(tmp_path, f"({script}); echo $?")
    assert ran.stdout.splitlines()[-1] == str(status)
    assert "Traceback" not in ran.stderr
    assert "INTERNAL" not in ran.stderr
