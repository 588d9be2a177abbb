"""What is loaded at run time, which import contracts cannot see: a lazy import, a library's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Imports every module of a package, then prints what is loaded.
WALK = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""

DATABASE = {"sqlalchemy", "alembic"}
TERMINAL = {"click", "rich", "textual"}
CRYPTOGRAPHY = {"nacl", "cryptography"}
SERVER_PARTS = {"sft.server", "sft.service", "sft.store", "sft.vault"}


def said_by(code: str, *arguments: str) -> str:
    """Run code in an interpreter of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    return done.stdout


def loaded_by(package: str) -> set[str]:
    return set(json.loads(said_by(WALK, package)))


def loaded_by_command(tmp_path: Path, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from sft.cli.entry import run; run()", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SFT_HOME": str(tmp_path / "home")},
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("sft.errors", DATABASE | TERMINAL | CRYPTOGRAPHY | {"twisted", "msgspec"}),
        ("sft.limits", DATABASE | TERMINAL | CRYPTOGRAPHY | {"twisted", "msgspec", "sft.errors"}),
        ("sft.durable", DATABASE | TERMINAL | CRYPTOGRAPHY | {"twisted", "msgspec", "sft.errors"}),
        ("sft.model", DATABASE | TERMINAL | CRYPTOGRAPHY | {"twisted"}),
        ("sft.crypto", DATABASE | TERMINAL | {"twisted", "sft.model"}),
        ("sft.wire", DATABASE | TERMINAL | SERVER_PARTS | {"twisted"}),
        ("sft.vault", DATABASE | TERMINAL | {"twisted", "sft.wire", "sft.store"}),
        ("sft.ledger", DATABASE | TERMINAL | {"twisted", "sft.wire", "sft.vault", "sft.store"}),
        ("sft.store", TERMINAL | {"twisted", "sft.wire", "sft.vault"}),
        ("sft.service", TERMINAL | {"twisted", "sft.wire"}),
        ("sft.transport", DATABASE | TERMINAL | SERVER_PARTS),
        ("sft.client", DATABASE | {"textual"} | SERVER_PARTS),
        ("sft.witness", DATABASE | TERMINAL | SERVER_PARTS | {"sft.client", "sft.wire"}),
        ("sft.server", TERMINAL | {"sft.client", "sft.cli", "tui"}),
        ("sft.cli", DATABASE | {"textual"} | SERVER_PARTS),
    ],
)
@pytest.mark.sampled(4)
def test_a_package_loads_only_what_its_layer_may(package: str, never: set[str]) -> None:
    loaded = loaded_by(package)
    assert package in loaded
    assert not loaded & never


@pytest.mark.parametrize("arguments", [("whoami",), ("--version",), ("put", "--help"), ("--help",)])
@pytest.mark.sampled(4)
def test_the_command_starts_without_database_and_full_screen_libraries(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    loaded = loaded_by_command(tmp_path, *arguments)
    assert "sft.cli.main" in loaded
    assert not loaded & (DATABASE | SERVER_PARTS | {"textual"})


PLAIN = """
import io, json, sys
from pathlib import Path
from sft.cli.invocation import Environment
from sft.cli.main import main
from sft.client.profiles import Profile, Profiles
from sft.client.state import StateFolder
from sft.crypto import key_file
from sft.crypto.keys import ServerKey, SigningKey
from sft.model.links import ServerLink

home = Path(sys.argv[1])
key, server = SigningKey.generate(), ServerKey.from_seed(bytes(32)).public
state = StateFolder(home, home)
state.write("keys/ada.key", key_file.encode(key, None).encode())
Profiles(state).add(Profile(
    name="acme", server_name="acme", host="127.0.0.1", port=1, server_key=server.point, server_id=bytes(32),
    public_key=key.public.encode(), key_file="keys/ada.key", device="laptop", user_name="ada", user_id=1, role="admin",
    joined_at=1, pinned_at=1,
))
link = ServerLink("127.0.0.1", 1, server.point, "other", server_id=bytes([1]) * 32).text()
ended = {}
for line in sys.argv[2:]:
    out = io.StringIO()
    environment = Environment({"SFT_HOME": str(home)}, io.StringIO(link), out, out)
    ended[line] = [main(line.format(there=sys.argv[1] + "-there").split(), environment), out.getvalue()]
print(json.dumps([ended, sorted(sys.modules)]))
"""

COMMANDS = (
    "ls", "ls -l **", "ls --trash", "info a", "mkdir a", "mv a b", "rm a", "restore a", "whoami", "status", "users",
    "role max guest",
    "disable max", "enable max", "remove max --yes", "invite", "invite list", "invite withdraw 1", "servers",
    "servers address acme 127.0.0.1:1", "key show", "join --user ada --no-passphrase",
    "put README.md", "put migrations --to there", "put README.md --dry-run --progress json", "get a --to {there}",
    "get ** --dry-run", "sync migrations :there", "sync :there {there}",
)  # fmt: skip


def test_commands_load_no_reactor(tmp_path: Path) -> None:
    ended, loaded = json.loads(said_by(PLAIN, str(tmp_path / "home"), *COMMANDS))
    for line, (status, said) in ended.items():
        # Nobody serves that port: they came so far as to dial.
        expected = 0 if line in {"servers", "key show"} else 6
        assert status == expected, (line, said)
    names = {name.partition(".")[0] for name in loaded}
    assert not names & (DATABASE | {"twisted", "zope", "asyncio", "concurrent", "logging", "textual", "rich"})


def test_the_collector_rests_from_the_first_import() -> None:
    code = "import gc{}; print(gc.isenabled(), [each['collections'] for each in gc.get_stats()])"
    # The packages around the entry come before its first line.
    bare, entry = (said_by(code.format(each)).split(" ", 1) for each in (", sft.cli", ", sft.cli.entry"))
    assert (bare[0], entry[0]) == ("True", "False")
    assert entry[1] == bare[1]


@pytest.mark.long
def test_what_opens_a_home_loads_nothing_that_migrates() -> None:
    # Each start and each operator's command would wait for it.
    assert not loaded_by("sft.operator.server") & {"alembic", "mako", "pygments"}


def test_help_needs_neither_reactor_nor_cryptography(tmp_path: Path) -> None:
    loaded = loaded_by_command(tmp_path, "--help")
    assert not loaded & {"twisted.internet.reactor", "nacl.bindings", "cryptography.hazmat"}


def test_the_plugin_file_loads_nothing_of_ours() -> None:
    # twistd reads it for every command, even those of other plugins.
    code = "import json, sys, twisted.plugins.sft_plugin; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(said_by(code)))
    assert "twisted.plugins.sft_plugin" in loaded
    assert not any(name == "sft" or name.startswith("sft.") for name in loaded)
    assert "twisted.internet.reactor" not in loaded
