"""Policies of C2SP tlog-policy: known logs, witnesses, and whose cosignatures make a checkpoint a witnessed one.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

Rules. A file is octets, and a name is compared by its octets: nothing is folded. What the syntax does not have is refused,
with the number of its line, and so is one key under two names, for it would count twice. Where there is no file the quorum is
``none``: then no cosignature is asked for. A policy decides what is shown as witnessed and stops nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NoReturn

from msgspec import Struct

from sft import limits
from sft.crypto.note_keys import NoteKey, SignatureType
from sft.errors import KeyFormatError, PolicyError

NONE: Final = "none"

# A log's own signature, and what a cosigner adds: a log may sign as C2SP has new ones do, with its cosigner's key.
_LOG_TYPES: Final = frozenset({SignatureType.ED25519, SignatureType.MLDSA44_COSIGNATURE})
_WITNESS_TYPES: Final = frozenset({SignatureType.ED25519_COSIGNATURE, SignatureType.MLDSA44_COSIGNATURE})
_NOT_ALLOWED: Final = rb"[^\t\n\x20-\x7e\x80-\xff]"
_THRESHOLD: Final = r"[1-9][0-9]{0,8}"
# Octets that are no UTF-8 stand for themselves, so that two names are the same text when they are the same octets.
_OPAQUE: Final = "surrogateescape"


class KnownLog(Struct, frozen=True):
    """A log by its key, whose name is the log's origin; ``url`` is empty where the line has none."""

    key: NoteKey
    url: str = ""


class Witness(Struct, frozen=True):
    """A witness by its key; ``url`` is where checkpoints are submitted, empty where the line has none."""

    name: str
    key: NoteKey
    url: str = ""


class Group(Struct, frozen=True):
    """Members, by name, of whom so many must have witnessed a checkpoint for the group to have."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Policy(Struct, frozen=True):
    """What a policy file says; made by ``parse``, or without arguments where there is none: no quorum at all.

    Args:
        groups: in the order of their lines: one names what stands above it alone.
    """

    logs: tuple[KnownLog, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        """Read a policy file; PolicyError names the line that it cannot take."""
        return _Reading(data).policy()

    @property
    def has_quorum(self) -> bool:
        return self.quorum != NONE

    def is_satisfied(self, cosigners: Collection[NoteKey]) -> bool:
        """Return whether the quorum has cosigned, when these keys have: true of anything where the quorum is ``none``."""
        return not self.has_quorum or self.quorum in self._witnessing(cosigners)

    def lacking(self, cosigners: Collection[NoteKey]) -> tuple[str, ...]:
        """Name the witnesses of the quorum that have not cosigned, in order of their lines: nothing where it is satisfied."""
        if self.is_satisfied(cosigners):
            return ()
        counting = {self.quorum}
        for group in reversed(self.groups):  # a group stands below its members
            if group.name in counting:
                counting.update(group.members)
        return tuple(each.name for each in self.witnesses if each.name in counting and each.key not in cosigners)

    def keys_of(self, origin: str) -> tuple[NoteKey, ...]:
        """Return the keys of a log that is known by its origin; none for another."""
        return tuple(each.key for each in self.logs if each.key.name == origin)

    def witness_keys(self) -> tuple[NoteKey, ...]:
        return tuple(each.key for each in self.witnesses)

    def _witnessing(self, cosigners: Collection[NoteKey]) -> set[str]:
        names = {each.name for each in self.witnesses if each.key in cosigners}
        for group in self.groups:
            if sum(member in names for member in group.members) >= group.threshold:
                names.add(group.name)
        return names


class _Reading:
    """A policy file, as far as it was read."""

    def __init__(self, data: bytes) -> None:
        self._line = 1
        if len(data) > limits.POLICY_BYTES:
            self._refuse(f"a policy has at most {limits.POLICY_BYTES // limits.KIB} KiB")
        self._data = data
        self._logs: list[KnownLog] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorum: str | None = None

    def policy(self) -> Policy:
        *lines, rest = self._data.split(b"\n")
        for self._line, line in enumerate(lines, start=1):
            if re.search(_NOT_ALLOWED, line):
                self._refuse("control characters other than a tab")
            words = [word for word in re.split(r"[ \t]+", line.decode("utf-8", _OPAQUE)) if word]
            if words and not words[0].startswith("#"):
                self._take(words[0], words[1:])
        if rest:
            self._line = len(lines) + 1
            self._refuse("it does not end with a line feed")
        if self._quorum is None:
            self._refuse("the file ends without a quorum line; to ask for no cosignature: quorum none")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _take(self, kind: str, words: list[str]) -> None:
        match kind, words:
            case "log", [vkey, *url] if len(url) <= 1:
                key = self._key(vkey, _LOG_TYPES, [each.key for each in self._logs])
                self._logs.append(KnownLog(key, *url))
            case "witness", [name, vkey, *url] if len(url) <= 1:
                key = self._key(vkey, _WITNESS_TYPES, [each.key for each in self._witnesses])
                self._witnesses.append(Witness(self._new(name), key, *url))
            case "group", [name, threshold, *members] if members:
                group = Group(name, self._threshold(threshold, len(members)), tuple(map(self._member, members)))
                self._new(name)  # after its members: it is none of them
                self._groups.append(group)
            case "quorum", [name]:
                if self._quorum is not None:
                    self._refuse("there is a quorum line above")
                self._quorum = name if name == NONE else self._defined(name)
            case (("log" | "witness" | "group" | "quorum"), _):
                self._refuse(f"a {kind} line has other parts")
            case _:
                self._refuse("a line begins with log, witness, group or quorum")

    def _key(self, vkey: str, types: Collection[SignatureType], others: Collection[NoteKey]) -> NoteKey:
        try:
            key = NoteKey.parse_vkey(vkey)
        except KeyFormatError as fault:
            self._refuse(f"not a key in text form: {fault.detail}")
        if key.kind not in types:
            self._refuse("a key of another type than such a line has")
        if key.public in {each.public for each in others}:
            self._refuse("the key is in a line above")
        return key

    def _new(self, name: str) -> str:
        if name == NONE or name in self._names:
            self._refuse("the name is taken")
        self._names.add(name)
        return name

    def _defined(self, name: str) -> str:
        if name not in self._names:
            self._refuse("it names what no line above defines")
        return name

    def _member(self, name: str) -> str:
        if self._defined(name) in self._members:
            self._refuse("it names what is a member of a group already")
        self._members.add(name)
        return name

    def _threshold(self, text: str, members: int) -> int:
        if text in {"all", "any"}:
            return members if text == "all" else 1
        if not re.fullmatch(_THRESHOLD, text) or int(text) > members:
            self._refuse(f"all, any, or a number from 1 to {members}")
        return int(text)

    def _refuse(self, problem: str) -> NoReturn:
        raise PolicyError(line=self._line, problem=problem)
