"""What is shipped, file by file; ``tests/e2e/test_installed.py`` runs it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=120,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.long
def test_the_wheel_holds_every_file_of_the_program_and_no_other(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("sft", "tui")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not {"__pycache__", "screenshots"} & set(path.parts)
    }
    expected |= {f"sft/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "migrations").rglob("*.py")}
    expected.add("twisted/plugins/sft_plugin.py")
    program = {name for name in shipped if ".dist-info/" not in name}
    assert expected - program == set()
    assert {name for name in program - expected if not name.startswith("sft/migrations/")} == set()
    assert not any(name.endswith((".pyc", "dropin.cache")) for name in shipped)
