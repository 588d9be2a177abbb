"""Stock minisign and sft understand one another's keys and signatures."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.live_cli import LiveCli

pytestmark = pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")

SIZES = (0, 1, 65_535, 65_536, 65_537, 300_000)


def minisign(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(shutil.which("minisign")), *words], cwd=cwd, capture_output=True, text=True, check=False)


def test_minisign_accepts_every_signature_and_nothing_else(cli: LiveCli):
    names = [f"{size} بایت.bin" for size in SIZES]
    paths = [cli.file(name, b"m" * size) for name, size in zip(names, SIZES, strict=True)]
    put = cli.sft("max", "put", *paths, "--to", "signed")
    assert put.status == 0, put.err
    got = cli.sft("gus", "get", "signed", "--with-signature")
    assert got.status == 0, got.err
    cli.file("max.pub", cli.sft("max", "key", "export").out.encode())
    for name in names:
        check = ("-V", "-H", "-p", "max.pub", "-m", f"signed/{name}", "-x", f"signed/{name}.minisig")
        good = minisign(*check, cwd=cli.folder)
        assert good.returncode == 0, good.stderr
        assert "Trusted comment: sft:1\tserver:" in good.stdout
        with (cli.folder / "signed" / name).open("ab") as file:
            file.write(b"!")
        assert minisign(*check, cwd=cli.folder).returncode != 0


def test_a_key_of_minisign_signs_for_sft(cli: LiveCli):
    made = minisign("-G", "-W", "-p", "ivo.pub", "-s", "ivo.key", cwd=cli.folder)
    assert made.returncode == 0, made.stderr
    link = cli.invitation("--role", "maintainer")
    done = cli.sft("ivo", "join", "--user", "ivo", "--key", "ivo.key", stdin=link)
    assert done.status == 0, done.err
    stock = (cli.folder / "ivo.pub").read_text().splitlines()
    assert cli.sft("ivo", "key", "export").lines == stock
    assert cli.sft("ivo", "put", cli.file("mine/report.bin", b"r" * 100_000)).status == 0
    assert cli.sft("gus", "get", "report.bin", "--with-signature").status == 0
    checked = minisign("-V", "-H", "-P", stock[1], "-m", "report.bin", cwd=cli.folder)
    assert checked.returncode == 0, checked.stderr
    offline = ("verify", "report.bin", "--signature", "report.bin.minisig", "--key", stock[1])
    assert cli.sft("gus", *offline).status == 0
    # Again with the same key: the person is there already, under that key alone.
    again = cli.invitation("--role", "guest")
    taken = cli.sft("other", "join", "--user", "other", "--key", "ivo.key", stdin=again)
    assert (taken.status, "[KEY_TAKEN]" in taken.err) == (5, True), taken.err


def test_the_secret_key_of_sft_signs_for_minisign(cli: LiveCli):
    (key,) = cli.state("max").rglob("*.key")
    cli.file("letter.txt", b"signed outside")
    signed = minisign("-S", "-W", "-s", str(key), "-m", "letter.txt", cwd=cli.folder)
    assert signed.returncode == 0, signed.stderr
    public = cli.sft("max", "key", "show", "--json").document["minisign_key"]
    checked = cli.sft("max", "verify", "letter.txt", "--key", public)
    assert checked.status == 0, checked.err
