"""The options of a server: the one table of ``sft.toml``, of the environment and of ``sftd serve``.

Rules. An option has the name of its field in ``Configuration``, which has its default. What it may be is said by its kind,
once, whoever gives it: the file as TOML has it, the environment and a command line as text.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Sequence
from enum import Enum
from ipaddress import ip_network
from typing import Any, Final, Protocol

from msgspec import Struct

from sft.errors import UsageError
from sft.limits import FILE_BYTES
from sft.model.links import parse_address
from sft.model.names import parse_server_name
from sft.model.quotas import LIMIT_MOST
from sft.model.sizes import WHAT, parse_size, typed_size
from sft.operator.hook_option import HookTables
from sft.operator.listening import endpoint_of, loopback_endpoint

ENVIRONMENT: Final = "SFT_SERVER_"
DAYS_MOST: Final = 36_500
VERSIONS_MOST: Final = 1_000_000

_NO_LIMIT: Final = "none"

REGISTRATIONS: Final = ("invite", "open", "closed")


class Kind(Protocol):
    """What an option may be."""

    @property
    def what(self) -> str:
        """Say it, as in "a number from 1 to 7"."""

    def of(self, value: object) -> Any:
        """Return what a value of TOML says; ValueError where it is none of the kind, or ``UsageError`` with better words."""

    def read(self, text: str) -> Any:
        """Return what a text of the environment or of a command line says; errors as of ``of``."""

    def toml(self, value: Any) -> str:
        """Write a value as TOML."""


class Text(Struct, frozen=True):
    """A text.

    Args:
        judge: raises for one that cannot be; nothing is asked of an empty one, which is none.
    """

    what: str
    judge: Callable[[str], object] = str

    def of(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError  # noqa: TRY004 - one error for all that it cannot be
        if value:
            self.judge(value)
        return value

    def read(self, text: str) -> str:
        return self.of(text)

    @staticmethod
    def toml(value: str) -> str:
        return _quoted(value)


class OneOf(Struct, frozen=True):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def what(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"

    def of(self, value: object) -> str:
        if value not in self.words:
            raise ValueError
        return str(value)

    def read(self, text: str) -> str:
        return self.of(text)

    @staticmethod
    def toml(value: str) -> str:
        return _quoted(value)


class Number(Struct, frozen=True):
    """A whole number."""

    least: int
    most: int

    @property
    def what(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def of(self, value: object) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise ValueError
        return value

    def read(self, text: str) -> int:
        return self.of(int(text))

    @staticmethod
    def toml(value: int) -> str:
        return str(value)


class Limit(Struct, frozen=True):
    """So much at most, or ``none``.

    Args:
        what: it may be.
        parse: reads a number from a text; ValueError where it is none.
        typed: writes it.
    """

    what: str
    parse: Callable[[str], int] = int
    typed: Callable[[int], str] = str

    def of(self, value: object) -> int | None:
        if value is None or value == _NO_LIMIT:
            return None
        number = self.parse(value) if isinstance(value, str) else value
        if type(number) is not int or not 0 <= number <= LIMIT_MOST:
            raise ValueError
        return number

    def read(self, text: str) -> int | None:
        return self.of(text)

    def toml(self, value: int | None) -> str:
        if value is None:
            return _quoted(_NO_LIMIT)
        typed = self.typed(value)
        return typed if typed.isdigit() else _quoted(typed)


class FileSize(Limit, frozen=True):
    """How large a file may be: no more than the vault takes, and no less than one byte."""

    parse: Callable[[str], int] = parse_size
    typed: Callable[[int], str] = typed_size

    def of(self, value: object) -> int:
        size = super().of(value)
        if size is None or not 0 < size <= FILE_BYTES:
            raise ValueError
        return size


class Texts(Struct, frozen=True):
    """Several texts; in the environment and on a command line separated by commas."""

    what: str
    judge: Callable[[str], object]

    def of(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
            raise ValueError
        for each in value:
            self.judge(each)
        return tuple(value)

    def read(self, text: str) -> tuple[str, ...]:
        return self.of([part.strip() for part in text.split(",") if part.strip()])

    @staticmethod
    def toml(value: Sequence[str]) -> str:
        return f"[{', '.join(map(_quoted, value))}]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # a basic string of TOML has JSON's escapes


def _folder(text: str) -> None:
    if not os.path.isabs(text):  # noqa: PTH117 - a text is asked about, no folder
        raise ValueError(text)


def _key_source(text: str) -> None:
    kind, _, rest = text.partition(":")
    alone = kind in {"file", "passphrase"}
    if not (alone or (kind == "credential" and rest) or (kind == "command" and shlex.split(rest))):
        raise ValueError(text)


class Flag(Enum):
    """What ``sftd serve`` does with an option of the same name."""

    NONE = "none"  # it has no such option
    ONCE = "once"  # it rules that start
    KEPT = "kept"  # it rules that start, and is written into the file


class ServerOption(Struct, frozen=True):
    """One option.

    Attributes:
        about: what it means, in one or two sentences.
        reloads: whether a running server takes another value; else the next start does.
        metavar: what ``sftd serve --help`` shows for a value.
    """

    name: str
    kind: Kind
    about: str
    reloads: bool = True
    flag: Flag = Flag.NONE
    metavar: str | None = None

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return ENVIRONMENT + self.name.upper()

    @property
    def flag_name(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"


_BYTES: Final = Limit(f"{WHAT}, or none", parse_size, typed_size)
_FILES: Final = Limit("a number of files, or none")

OPTIONS: Final = (
    ServerOption(
        "listen",
        Text("HOST:PORT, or an endpoint", endpoint_of),
        "Where to listen, as HOST:PORT; everywhere: 0.0.0.0:7361 or [::]:7361. Or an endpoint of Twisted's, such as "
        "unix:/run/sft or systemd:domain=INET:index=0.",
        reloads=False,
        flag=Flag.ONCE,
        metavar="HOST:PORT",
    ),
    ServerOption(
        "public",
        Text("HOST:PORT", parse_address),
        "Where links say that the server is; where it listens, unless told.",
        flag=Flag.KEPT,
        metavar="HOST:PORT",
    ),
    ServerOption(
        "registration",
        OneOf(REGISTRATIONS),
        "Who may join: by invitation, whoever has the server's link, or nobody.",
        flag=Flag.KEPT,
    ),
    ServerOption(
        "name",
        Text("a name of a server", parse_server_name),
        "The server's name, in links; the computer's, unless told at the first start.",
        flag=Flag.KEPT,
        metavar="NAME",
    ),
    ServerOption(
        "exempt",
        Texts("a list of networks, such as 10.1.0.0/16", lambda each: ip_network(each, strict=False)),
        "Networks that no limit per source touches; on a command line separated by commas.",
        flag=Flag.KEPT,
        metavar="NETWORKS",
    ),
    ServerOption(
        "data",
        Text("a folder, from / on", _folder),
        "A folder for what is stored, such as a disk of its own; before the first start. The home itself, unless told.",
        reloads=False,
        flag=Flag.KEPT,
        metavar="DIR",
    ),
    ServerOption(
        "master_key",
        Text("file[:PATH], credential:NAME, passphrase[:FILE] or command:PROGRAM", _key_source),
        "Where the master key comes from: file[:PATH], credential:NAME, passphrase[:FILE] or command:PROGRAM.",
        reloads=False,
        flag=Flag.KEPT,
        metavar="SOURCE",
    ),
    ServerOption(
        "monitoring",
        Text("a loopback address with a port, such as 127.0.0.1:7363", loopback_endpoint),
        "Where programs of this computer ask whether the server is well (/health), and for its metrics (/metrics), over HTTP, "
        "such as 127.0.0.1:7363. Nowhere, unless told.",
        reloads=False,
    ),
    ServerOption(
        "log_format",
        OneOf(("text", "json")),
        "How the log is written to standard output: as lines of text, or as one JSON object a line.",
    ),
    ServerOption(
        "log_level",
        OneOf(("debug", "info", "warning", "error")),
        "From which level on the log is written to standard output.",
    ),
    ServerOption(
        "trash_days", Number(1, DAYS_MOST), "How many days what was deleted can be brought back; then it is destroyed."
    ),
    ServerOption(
        "versions_kept",
        Number(1, VERSIONS_MOST),
        "Of how many of a file's newest versions the contents are kept; those of older ones are destroyed within an hour.",
    ),
    ServerOption(
        "quota_bytes",
        _BYTES,
        "How much one person may own, older versions and the trash with it; an admin can say otherwise for one of them.",
    ),
    ServerOption("quota_files", _FILES, "How many files one person may own, those in the trash with it."),
    ServerOption("total_quota_bytes", _BYTES, "How much all people together may own, likewise."),
    ServerOption("total_quota_files", _FILES, "How many files all people together may own, likewise."),
    ServerOption("file_bytes", FileSize(f"{WHAT}, at most 64T"), "How large one file may be."),
    ServerOption(
        "hooks",
        HookTables(),
        "Programs that are started, and URLs that are posted to, when something stands in the log; see docs/hooks.md.",
    ),
)
"""Every option, in the order in which it is shown."""

BY_NAME: Final = {each.name: each for each in OPTIONS}


def problem_of(option: ServerOption, error: Exception) -> tuple[str, str]:
    """Return what is wrong with a value that an option's kind refused, and what to do."""
    if isinstance(error, UsageError):
        return f"{option.name}: {error.values['problem']}", str(error.values["remedy"])
    return f"{option.name} cannot be that", f"It is {option.kind.what}"
