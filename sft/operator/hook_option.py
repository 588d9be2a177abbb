"""The option ``hooks``: tables of ``sft.toml``, each a program to start or a URL to post to.

    [[hooks]]
    name = "chat"                           under which the server keeps how far it is
    events = ["store", "damage"]            acts or kinds of leaves, or "all"
    run = ["/usr/local/bin/tell", "sft"]    a program by its absolute path, with arguments; or
    url = "https://example.org/hook"        where to post, over https, or over http to this computer
    secret = "/etc/sft/hook-secret"         for a URL: the file with the keys that sign requests
    timeout = 10                            seconds for one delivery

Rules. What is no word of these, or no event, is refused with the nearest that is.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any, Final

from msgspec import Struct

from sft.errors import UsageError
from sft.ledger.acts import EVENTS
from sft.limits import HOOK_SECONDS, HOOK_SECONDS_MOST, HOOKS_MOST
from sft.model.hooks import Hook
from sft.model.names import safe
from sft.transport.http_post import split_url

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_EVENTS_MOST: Final = 64
_ARGUMENTS_MOST: Final = 64
_TEXT_MOST: Final = 2048  # characters
_FIELDS: Final = tuple(Hook.__struct_fields__)


class HookTables(Struct, frozen=True):
    """The kind of the option."""

    what: str = "tables [[hooks]] with name, events, and run or url"

    def of(self, value: object) -> tuple[Hook, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(each, dict | Hook) for each in value):
            raise ValueError
        hooks = tuple(each if isinstance(each, Hook) else _hook(each) for each in value)
        names = [each.name for each in hooks]
        if len(set(names)) != len(names):
            raise UsageError(problem="two of them have one name", remedy="Give each a name of its own")
        if len(hooks) > HOOKS_MOST:
            raise UsageError(problem=f"there are more than {HOOKS_MOST}", remedy="Have one program tell several others")
        return hooks

    def read(self, text: str) -> tuple[Hook, ...]:
        # As TOML has it: what a table says cannot be said by commas.
        return self.of(tomllib.loads(f"hooks = {text}")["hooks"])

    @staticmethod
    def toml(value: Sequence[Hook]) -> str:
        return f"[{', '.join(map(_table, value))}]"


def fields_of(hook: Hook) -> dict[str, Any]:
    """Return what a table says of a hook: what is as it is by default is left out."""
    said = {name: getattr(hook, name) for name in _FIELDS}
    if hook.timeout == HOOK_SECONDS:
        del said["timeout"]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items() if value}


def _table(hook: Hook) -> str:
    return f"{{{', '.join(f'{name} = {_toml(value)}' for name, value in fields_of(hook).items())}}}"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # a basic string of TOML has JSON's escapes


def _hook(table: Mapping[str, Any]) -> Hook:
    for name in table:
        _known(name, _FIELDS, "word of a hook", all_of=", ".join(_FIELDS))
    name = _text(table, "name")
    if not _NAME.fullmatch(name):
        raise UsageError(
            problem=f"{safe(name) or 'one without a name'} is no name of a hook", remedy="1 to 32 of a-z, 0-9, _ and -"
        )
    events = _texts(table, "events", name, _EVENTS_MOST)
    for event in events:
        _known(event, EVENTS, "event", all_of="docs/hooks.md")
    if not events or ("run" in table) is ("url" in table):
        raise UsageError(problem=f"{name} has not events, and run or url", remedy="Give it events, and one of the two")
    hook = Hook(
        name=name,
        events=tuple(dict.fromkeys(events)),
        run=_texts(table, "run", name, _ARGUMENTS_MOST),
        url=_text(table, "url"),
        secret=_text(table, "secret"),
        timeout=_seconds(table, name),
    )
    _require_target(hook)
    return hook


def _require_target(hook: Hook) -> None:
    if hook.run and not os.path.isabs(hook.run[0]):  # noqa: PTH117 - a text is asked about, no file
        raise UsageError(
            problem=f"run of {hook.name} is no absolute path", remedy="Name the program from / on, then its arguments"
        )
    if hook.url and not _is_safe(hook.url):
        raise UsageError(
            problem=f"url of {hook.name} is none that can be posted to safely",
            remedy="https://HOST/PATH, or http:// to this computer's loopback; without a user and a #",
        )
    if not hook.run and not hook.url:
        raise UsageError(problem=f"run or url of {hook.name} is empty", remedy="Name a program or a URL")
    if hook.secret and not (hook.url and os.path.isabs(hook.secret)):  # noqa: PTH117 - likewise
        raise UsageError(
            problem=f"secret of {hook.name} is no absolute path, or it has no url", remedy="Name a file from / on"
        )


def _is_safe(url: str) -> bool:
    try:
        parts = split_url(url)
        return parts.scheme == "https" or parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _known(word: str, known: Collection[str], what: str, *, all_of: str) -> None:
    if word in known:
        return
    close = get_close_matches(word, known, n=1)
    raise UsageError(
        problem=f"there is no {what} {safe(word)}",
        remedy=f"Did you mean {close[0]}? All of them: {all_of}" if close else f"All that there are: {all_of}",
    )


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str) or len(value) > _TEXT_MOST or "\x00" in value:
        raise UsageError(problem=f"{name} is no text, or too long", remedy=f'Write it as {name} = "…"')
    return value


def _texts(table: Mapping[str, Any], name: str, hook: str, most: int) -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or len(value) > most or not all(isinstance(each, str) for each in value):
        raise UsageError(problem=f"{name} of {hook} is no list of texts", remedy=f'Write it as {name} = ["…", "…"]')
    return tuple(_text({name: each}, name) for each in value)


def _seconds(table: Mapping[str, Any], hook: str) -> int:
    value = table.get("timeout", HOOK_SECONDS)
    if type(value) is not int or not 1 <= value <= HOOK_SECONDS_MOST:
        raise UsageError(
            problem=f"timeout of {hook} cannot be that", remedy=f"Seconds, a whole number from 1 to {HOOK_SECONDS_MOST}"
        )
    return value
