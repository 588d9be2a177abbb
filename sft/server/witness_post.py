"""Posting heads to witnesses: what a submission prefix is, and how much of an answer is read (C2SP tlog-witness)."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult

from sft import limits
from sft.transport.http_post import HttpPost, HttpReply
from sft.transport.http_post import split_url as split

_PATH: Final = "/add-checkpoint"


class WitnessPost:
    """Posts to witnesses; ``cut`` ends what is under way, and everything after it at once."""

    def __init__(self, *, seconds: float = limits.SUBMIT_SECONDS) -> None:
        self._seconds = seconds
        self._post = HttpPost()

    def __call__(self, url: str, body: bytes) -> HttpReply:
        """Post a request of add-checkpoint below a submission prefix; OSError as ``HttpPost`` has it."""
        parts = split_url(url)
        to = parts._replace(path=parts.path.rstrip("/") + _PATH)
        return self._post(to, body, {}, seconds=self._seconds, answer_bytes=limits.ADD_CHECKPOINT_BYTES)

    def cut(self) -> None:
        """End what is under way: the server stops."""
        self._post.cut()


def split_url(url: str) -> SplitResult:
    """Take apart the submission prefix of a witness; ValueError for what is none: http or https, a host, perhaps a path."""
    parts = split(url)
    if parts.query:
        raise ValueError("no submission prefix")
    return parts
