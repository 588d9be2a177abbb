"""What a pasted link says, in the words of every dialog that takes one; texts are harmless."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from sft.crypto.keys import ServerPublic
from sft.errors import SftError
from sft.model.access import Role
from sft.model.links import InvitationLink
from sft.model.text import ROLE_WORDS, local_time
from tui.gateway import Link
from tui.text import error_text, shown

Line = tuple[str, str]
"""A name, empty where the line goes on, and what it says."""


def key_lines(name: str, words: str) -> list[Line]:
    """Break the eight words of a key where people breathe."""
    first, _, rest = words.partition(" ")
    return [(name, first), ("", rest)] if rest else [(name, first)]


def link_lines(link: Link, now: float) -> list[Line]:
    """Say where a link leads, and as what."""
    lines = [
        ("server", f"{shown(link.server_name)} at {shown(link.address)}"),
        *key_lines("its key", ServerPublic(link.server_key).words()),
    ]
    if not isinstance(link, InvitationLink):
        return [
            *lines,
            ("", "Compare these words with what the operator says."),
            ("you will be", f"{Role.GUEST.value}: {ROLE_WORDS[Role.GUEST]}"),
        ]
    ends = local_time(link.expires_at, now=now, weekday=True)
    over = link.expires_at <= now
    return [
        *lines,
        ("", "It came with the invitation: nothing to compare."),
        ("you will be", f"{link.role.value}: {ROLE_WORDS[link.role]}"),
        ("it works", f"once; by this clock it ended {ends}" if over else f"once, until {ends}"),
    ]


def rows(lines: list[Line]) -> ComposeResult:
    """Show such lines, the names in a column of their own."""
    for name, text in lines:
        with Horizontal(classes="says-row"):
            yield Static(Content(name), classes="form-name", markup=False)
            yield Static(Content(text), classes="says-text", markup=False)


def one_line(error: SftError, now: float) -> str:
    """Write an error and its next step as sentences on one line."""
    said, step = error_text(error, now)
    if step and not step.endswith((".", "?")):
        step += "."
    return f"{said} {step}".strip()
