"""Have Go's sumdb write ledger.json: roots and proofs of logs whose leaves are "leaf 0", "leaf 1", and so on.

    python tests/vectors/generate_ledger.py

Hashes are in base64, as Go writes them. ``ask_go`` is also how a test has our own proofs and tiles checked. Debian has what
it takes in golang-go and golang-golang-x-mod-dev.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("ledger.json")
PROGRAM = Path(__file__).with_name("ledger.go")
GO_PATH = Path("/usr/share/gocode")  # Debian's, whose packages need no network
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 64, 255, 256, 257, 1000, 70_000)


def has_go() -> bool:
    """Whether Go and the library are installed here."""
    return shutil.which("go") is not None and (GO_PATH / "src/golang.org/x/mod/sumdb/tlog").is_dir()


def ask_go(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run the program; RuntimeError with its words where a proof or tile does not hold."""
    done = subprocess.run(
        ["go", "run", str(PROGRAM)],  # noqa: S607 -- whichever Go is installed
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        env={**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOFLAGS": ""},
        check=False,
        timeout=180,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def build() -> list[dict[str, Any]]:
    """Ask for all of small logs, and for edges and middles of larger ones."""
    questions = []
    for size in SIZES:
        places = range(size) if size < 9 else {0, 1, size // 3, size // 2, size - 2, size - 1}
        questions.append(
            {
                "Size": size,
                "Inclusions": [{"Index": index} for index in sorted(places)],
                "Consistencies": [{"Old": index + 1} for index in sorted(places)],
            }
        )
    return ask_go(questions)


if __name__ == "__main__":
    FILE.write_text(json.dumps(build(), separators=(",", ":")).replace('{"Size"', '\n{"Size"') + "\n", "utf-8")
