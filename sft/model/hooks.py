"""Hooks: what is started, or told over HTTP, when something stands in the log (``docs/hooks.md``)."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from sft.limits import HOOK_SECONDS


class Hook(Struct, frozen=True, kw_only=True):
    """One hook: a program, or a URL.

    Attributes:
        name: under which the server keeps how far it is.
        events: what it is told of, words of ``sft.ledger.acts``.
        run: a program, by its absolute path, and its arguments; empty for a URL.
        url: where to post; empty for a program.
        secret: a file with the keys of the signature in a request; empty for none.
        timeout: seconds that one delivery may take.
    """

    name: str
    events: tuple[str, ...]
    run: tuple[str, ...] = ()
    url: str = ""
    secret: str = ""
    timeout: int = HOOK_SECONDS

    def __repr__(self) -> str:
        # Of what is shown or logged: a URL may be all that keeps others from posting there.
        return self.name

    @property
    def target(self) -> str:
        """Where it leads, without what of a URL may be secret."""
        if self.run:
            return self.run[0]
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"
