"""What is shipped, as somebody installs it: a wheel in an environment of its own, which serves, stores and gives back."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import sft
from tests.processes import Person, ServerProcess, run

ROOT = Path(__file__).parents[2]
TWISTD = "from twisted.scripts.twistd import run; run()"


def _install(folder: Path) -> Path:
    """Build the wheel and install it, beside the libraries that are here, into a fresh environment; gives its scripts."""
    fresh, wheels = folder / "fresh", folder / "wheels"
    venv.create(fresh, symlinks=True)
    # The path alone: what lies there to say where this very tree is to be found is not read.
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(fresh), "platbase": str(fresh)}))
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    build = ["hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
    install = ["pip", "--python", str(fresh / "bin" / "python"), "install", "--quiet", "--disable-pip-version-check"]
    install += ["--no-deps", "--no-index", "--no-compile", "--force-reinstall", "--find-links", str(wheels), "sft"]
    for words in (build, install):
        subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, check=True, timeout=120)
    return fresh / "bin"


@pytest.mark.long
def test_what_is_installed_from_the_wheel_serves_stores_and_gives_back(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    scripts = _install(tmp_path)
    python = str(scripts / "python")
    where = run(python, "-c", "import sft, tui, twisted.plugins.sft_plugin as p; print(sft, tui, p)", cwd=folder).stdout
    assert where.count(str(scripts.parent)) == 3
    assert run(str(scripts / "sft"), "--version", cwd=folder).stdout == f"sft {sft.__version__}\n"
    usage = run(str(scripts / "sftd"), "--help", cwd=folder)
    assert (usage.returncode, "serve" in usage.stdout) == (0, True), usage.stderr
    assert "secure file transfer server" in run(python, "-c", TWISTD, "--help", cwd=folder).stdout
    assert run(python, "-c", "import tui.app", cwd=folder).returncode == 0

    server = ServerProcess(folder, program=(python, "-c", TWISTD))
    server.start()
    try:
        link = run(str(scripts / "sftd"), "--home", str(server.home), "invite", "--role", "admin", cwd=folder).stdout
        ada = Person(folder, "ada")
        ada.environment["PATH"] = str(scripts)

        def sft_as_ada(*words: str, given: str | None = None) -> str:
            done = run(str(scripts / "sft"), *words, cwd=ada.folder, env=ada.environment, given=given)
            assert done.returncode == 0, done.stderr
            return done.stdout

        sft_as_ada("join", "--user", "ada", "--no-passphrase", given=link.strip() + "\n")
        (ada.folder / "a.txt").write_bytes(b"as it was")
        sft_as_ada("put", "a.txt")
        sft_as_ada("get", "a.txt", "--to", "again")
        assert (ada.folder / "again" / "a.txt").read_bytes() == b"as it was"
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()
    finally:
        server.kill()
