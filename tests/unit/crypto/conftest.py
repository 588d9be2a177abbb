"""What the crypto tests share: fixed random sources, example values and the stock minisign."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sft.crypto.comment import FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import Entropy, ServerKey, SigningKey

Minisign = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def entropy() -> Entropy:
    """A random source that gives the same bytes in every run, and never the same twice in one."""
    drawn = 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(b"test %d" % drawn).digest(size)

    return draw


@pytest.fixture
def key(entropy: Entropy) -> SigningKey:
    return SigningKey.generate(entropy)


@pytest.fixture
def server(entropy: Entropy) -> ServerKey:
    return ServerKey.generate(entropy)


@pytest.fixture
def comment() -> FileComment:
    return FileComment(
        server_id=bytes(range(32)),
        file_id=bytes(range(16)),
        version=2,
        size=7,
        digest=blake2b_512(b"content").digest(),
        mtime=1_700_000_000,
        name="reports/März 2026.pdf",
        user=7,
        prev=blake2b_512(b"before").digest(),
        ts=1_700_000_001,
        head="1.42:" + "ab" * 32,
    )


@pytest.fixture
def minisign(tmp_path: Path) -> Minisign:
    """The stock tool, run in a folder of its own; its absence is the one reason to skip."""
    tool = shutil.which("minisign")
    if tool is None:
        pytest.skip("the stock minisign is not installed")

    def run(*arguments: str, typed: str = "", memory_kib: int | None = None) -> subprocess.CompletedProcess[str]:
        limit = "" if memory_kib is None else f"ulimit -v {memory_kib}; "
        return subprocess.run(
            ["/bin/sh", "-c", f'{limit}exec "$@"', "sh", tool, *arguments],
            cwd=tmp_path,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
