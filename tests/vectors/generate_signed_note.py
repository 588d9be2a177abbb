"""Have others write signed_note.json: notes by Go's sumdb, ML-DSA-44 cosignatures by noble.

    python tests/vectors/generate_signed_note.py                 notes, where Go and Debian's library are
    python tests/vectors/generate_signed_note.py node_modules    cosignatures, where that folder has @noble/post-quantum

Each renews its half and leaves the other. ``ask_go`` is also how a test has notes read twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from sft.crypto.note_keys import CosignerKey, SignatureType
from tests.vectors.generate_ledger import GO_PATH

FILE = Path(__file__).with_name("signed_note.json")
GO_PROGRAM = Path(__file__).with_name("signed_note.go")
NOBLE_PROGRAM = Path(__file__).with_name("cosignature_noble.mjs")

ORIGIN = "files.example.org/sft/00010203/1"
TEXTS = ("sft receipt 1\n", "\n", "a\n\nb\n\n", "\N{EM DASH} är\n", f"{ORIGIN}\n42\n{'A' * 43}=\n")


def seed(number: int) -> str:
    return b64encode(sha256(b"seed %d" % number).digest()).decode()


def ask_go(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run the program, which signs or opens notes."""
    return _answers(
        ["go", "run", str(GO_PROGRAM)], questions, {"GO111MODULE": "off", "GOPATH": str(GO_PATH), "GOFLAGS": ""}
    )


def build_notes() -> list[dict[str, Any]]:
    """Ask for notes of a log, of a log and a cosigner, and of several."""
    questions = []
    for number, text in enumerate(TEXTS):
        signers: list[dict[str, Any]] = [{"Name": ORIGIN, "Seed": seed(number)}]
        if text.startswith(ORIGIN):
            signers += [
                {"Name": f"witness.example.org/w{each}", "Seed": seed(each), "Time": 1_700_000_000 + each}
                for each in (7, 8)
            ]
        questions.append({"Text": text, "Signers": signers})
    return ask_go(questions)


def build_cosignatures(modules: str) -> list[dict[str, Any]]:
    """Ask noble for cosignatures, and have it check ours: of usual and of extreme values."""
    questions = []
    for number, (name, origin, time, size) in enumerate(
        [
            ("witness.example.org/w1", ORIGIN, 1_700_000_000, 42),
            ("w", "x" * 255, 0, 1),
            ("y" * 255, ORIGIN, (1 << 63) - 1, (1 << 53) - 2),  # sizes that JavaScript's numbers have
        ]
    ):
        root = b64encode(sha256(b"root %d" % number).digest()).decode()
        key = CosignerKey(name, SignatureType.MLDSA44_COSIGNATURE, sha256(b"seed %d" % number).digest())
        ours = b64encode(key.cosign(f"{origin}\n{size}\n{root}\n", timestamp=time)).decode()
        questions.append(
            {
                "Name": name,
                "Seed": seed(number),
                "Time": str(time),
                "Origin": origin,
                "Size": size,
                "Root": root,
                "Ours": ours,
            }
        )
    return _answers(["node", str(NOBLE_PROGRAM), modules], questions, {})


def _answers(command: list[str], questions: list[dict[str, Any]], environment: dict[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        command,
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=180,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


if __name__ == "__main__":
    vectors = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    if sys.argv[1:]:
        vectors["cosignatures"] = build_cosignatures(sys.argv[1])
    else:
        vectors["notes"] = build_notes()
    FILE.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", "utf-8")
