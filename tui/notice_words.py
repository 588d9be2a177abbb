"""What is said of a server's notice."""

from __future__ import annotations

from typing import Final

from sft.client.connection_info import KEY_ADDED, KEY_FOLLOWED
from sft.client.quota_words import KIND as QUOTA
from sft.client.quota_words import quota_near_text
from sft.model.access import Role
from sft.model.text import ROLE_OF_YOURS, shown_name
from tui.messages import Severity
from tui.text import cut_name, shown

_NAME_CELLS: Final = 40


def notice_words(kind: str, values: dict[str, str | int], server: str) -> tuple[str, Severity] | None:
    """Return what a server's notice says; None for what needs no words."""
    by = shown(str(values.get("by", "")))
    whom = "The operator" if by in {"operator", ""} else by
    if kind == "role":
        try:
            role = Role(str(values.get("role", "")))
        except ValueError:
            return None
        return (f"{ROLE_OF_YOURS[role].replace(':', ' now:', 1)} {whom} changed it.", Severity.SUCCESS)
    if kind == "ended":
        done = {
            "removed": f"{whom} removed you from {server}. What you got stays with you.",
            "disabled": f"{whom} locked you out of {server}. Your files stay there.",
            "key": f"{whom} ended the key that this device has on {server}.",
            "kicked": f"{whom} ended this session.",
        }
        message = done.get(str(values.get("why", "")))
        return (message, Severity.ERROR) if message else None
    if kind == "joined":
        name = cut_name(shown(shown_name(str(values.get("name", "")))), _NAME_CELLS)
        return (f"{name} has joined {server}.", Severity.SUCCESS)
    if kind == QUOTA and (said := quota_near_text(values)) is not None:
        return said, Severity.WARNING
    if kind == KEY_FOLLOWED:
        words = shown(str(values.get("words", "")))
        return (f"{server} has a new key; the one pinned until now says so. Pinned: {words}", Severity.SUCCESS)
    if kind == KEY_ADDED:
        words = shown(str(values.get("words", "")))
        return (f"A key was added for you on {server}: {words}. Not by you? 5, then d on it.", Severity.WARNING)
    return None
