"""What a person set: keys of their own for acts, and a theme.

``ui.toml`` in the config folder is the person's to write; nothing here changes it::

    theme = "nord"             # dark, light or one that `:` theme lists; what was last chosen there comes before this
    [keys]
    "files.delete" = "delete"  # ids and key names: tui/keys.py

Rules. What is not understood is said, and the rest holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui.keys import ACTS
from tui.text import shown
from tui.themes import known_name
from tui.themes.roles import DARK

FILE: Final = "ui.toml"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds, and what was not understood."""

    theme: str = DARK.name
    keymap: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_preferences(folder: Path) -> Preferences:
    """Read them; without a file everything is as it comes (blocks)."""
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Preferences()
    except (OSError, UnicodeDecodeError):
        return Preferences(problems=(f"{shown(str(path))} cannot be read.",))
    try:
        return _understood(tomllib.loads(text))
    except (ValueError, RecursionError) as error:  # also of a number, or of brackets, without end
        return Preferences(problems=(f"{shown(str(path))} is not TOML: {shown(str(error))}.",))


def _understood(table: dict[str, Any]) -> Preferences:
    problems: list[str] = []
    keymap: dict[str, str] = {}
    wanted = table.get("theme", DARK.name)
    theme = known_name(wanted) if isinstance(wanted, str) else None
    if theme is None:
        problems.append(f"{FILE}: there is no theme {shown(str(wanted))}; those that are stand in : theme.")
    keys = table.get("keys", {})
    for act, key in keys.items() if isinstance(keys, dict) else ():
        if act not in ACTS or not isinstance(key, str) or not key:
            problems.append(f"{FILE}: {shown(str(act))} is no act that has keys.")
        else:
            keymap[act] = key
    return Preferences(theme or DARK.name, keymap, tuple(problems))
