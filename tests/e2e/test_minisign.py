"""Stock minisign and sft understand one another's keys and signatures."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaigns.installation import Person, ServerProcess, run

pytestmark = pytest.mark.skipif(
    shutil.which("minisign") is None, reason="minisign is not installed"
)

SIZES = (0, 1, 65_535, 65_536, 65_537, 300_000)


def minisign(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("minisign", *words, cwd=cwd)


def test_minisign_accepts_every_signature_and_nothing_else(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_, gus = joined("max"), joined("gus", "guest")
    names = [f"{size} بایت.bin" for size in SIZES]
    for name, size in zip(names, SIZES, strict=True):
        (max_.folder / name).write_bytes(b"m" * size)
    put = max_.sft("put", *names, "--to", "signed")
    assert put.returncode == 0, put.stderr
    got = gus.sft("get", "signed", "--with-signature")
    assert got.returncode == 0, got.stderr
    (gus.folder / "max.pub").write_text(max_.sft("key", "export").stdout, encoding="utf-8")
    folder = gus.folder / "signed"
    for name in names:
        check = (
            "-V",
            "-H",
            "-p",
            "max.pub",
            "-m",
            f"signed/{name}",
            "-x",
            f"signed/{name}.minisig",
        )
        good = minisign(*check, cwd=gus.folder)
        assert good.returncode == 0, good.stderr
        assert "Trusted comment: sft:1\tserver:" in good.stdout
        with (folder / name).open("ab") as file:
            file.write(b"!")
        assert minisign(*check, cwd=gus.folder).returncode != 0


def test_a_key_of_minisign_signs_for_sft(
    server: ServerProcess, new_person: Callable[[str], Person], joined: Callable[..., Person]
) -> None:
    ivo, gus = new_person("ivo"), joined("gus", "guest")
    made = minisign("-G", "-W", "-p", "ivo.pub", "-s", "ivo.key", cwd=ivo.folder)
    assert made.returncode == 0, made.stderr
    link = server.operate("invite", "--role", "maintainer").stdout
    done = ivo.sft("join", "--user", "ivo", "--key", "ivo.key", given=link)
    assert done.returncode == 0, done.stderr
    stock = (ivo.folder / "ivo.pub").read_text().splitlines()
    assert ivo.sft("key", "export").stdout.splitlines() == stock
    (ivo.folder / "report.bin").write_bytes(b"r" * 100_000)
    assert ivo.sft("put", "report.bin").returncode == 0
    assert gus.sft("get", "report.bin", "--with-signature").returncode == 0
    checked = minisign("-V", "-H", "-P", stock[1], "-m", "report.bin", cwd=gus.folder)
    assert checked.returncode == 0, checked.stderr
    offline = gus.sft(
        "verify", "report.bin", "--signature", "report.bin.minisig", "--key", stock[1]
    )
    assert offline.returncode == 0, offline.stderr
    # Again with the same key: the person is there already, under that key alone.
    other = new_person("other")
    (other.folder / "ivo.key").write_bytes((ivo.folder / "ivo.key").read_bytes())
    again = server.operate("invite", "--role", "guest").stdout
    taken = other.sft("join", "--user", "other", "--key", "ivo.key", given=again)
    assert (taken.returncode, "[KEY_TAKEN]" in taken.stderr) == (5, True), taken.stderr


def test_the_secret_key_of_sft_signs_for_minisign(
    server: ServerProcess, joined: Callable[..., Person]
) -> None:
    max_ = joined("max")
    (key,) = (max_.folder / "state").rglob("*.key")
    (max_.folder / "letter.txt").write_bytes(b"signed outside")
    signed = minisign("-S", "-W", "-s", str(key), "-m", "letter.txt", cwd=max_.folder)
    assert signed.returncode == 0, signed.stderr
    public = max_.sft("key", "show", "--json").stdout
    checked = max_.sft("verify", "letter.txt", "--key", json.loads(public)["minisign_key"])
    assert checked.returncode == 0, checked.stderr
