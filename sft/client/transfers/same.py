"""Whether what is to move is at its target already, and what becomes of what is there instead: one set of rules. Pure.

put, get, sync and watch decide by it, and so does --dry-run, which foresees by that what they do.

Rules. Content decides: its size, then its digest, read here or known from an earlier reading; sync alone also takes one date
for one content. What a server says finds a file and proves nothing: our own version is there once this computer has judged
its signature and holds the server's acknowledgement of it; a file is here once its author's signature was judged over what
lies here. What is there already is done, whatever else was asked for: so a retry after a lost answer is no conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetItem, VersionSeen
from sft.crypto.digests import digest_text, parse_digest
from sft.errors import ChangedSinceError, ExistsError, LocalExistsError, NotFoundError, SignatureInvalidError
from sft.model.records import File, FileVersion


class Step(StrEnum):
    """What comes next for one file."""

    READ = "read"  # its content here says whether it is the same
    PROVE = "prove"  # it is the same, if that holds
    JUDGE = "judge"  # it would be replaced, if what is there holds
    SAME = "unchanged"
    NEW = "new"
    REPLACE = "replaced"


def same_content(version: FileVersion, size: int, *, known: bool | None, dated_at: int | None) -> bool | None:
    """Say whether a file here has the content of a version; None until it is read.

    Args:
        size: of the file here, in bytes.
        known: whether it has that digest, by an earlier reading; None where nobody knows.
        dated_at: its date (Unix seconds), where one date is one content; else None.
    """
    if size != version.size:
        return False
    return True if known is None and dated_at == version.dated_at else known


# -- to the server ------------------------------------------------------------------------------------


class PutAsked(Struct, frozen=True):
    """How a put was asked for.

    Args:
        path: where on the server.
        replace: a file that is there becomes the version before.
        if_version: the version that this one is made from, whoever signed it.
        replaces: the version that this one may replace, if anything is there.
    """

    path: str
    replace: bool = False
    if_version: int | None = None
    replaces: VersionSeen | None = None

    @property
    def looks(self) -> bool:
        """Whether what is there decides what is signed; else the server's answer says it."""
        return self.replace or self.if_version is not None or self.replaces is not None


class VersionThere(Struct, frozen=True):
    """The newest version at a path, as the server says: the values of an EXISTS."""

    version: int
    author: str
    author_id: int
    size: int
    digest: bytes
    stored_at: int

    @classmethod
    def of(cls, file: File) -> VersionThere:
        version = file.version
        return cls(version.number, version.author, version.author_id, version.size, version.digest, version.stored_at)

    @classmethod
    def refused_by(cls, values: Mapping[str, Any]) -> VersionThere | None:
        """Return what a refusal names; None where it names no version."""
        try:
            return msgspec.convert({**values, "digest": parse_digest(str(values.get("digest")))}, cls)
        except (msgspec.ValidationError, SignatureInvalidError):
            return None

    def may_be(self, author_id: int, size: int | None) -> bool:
        """Say whether it may be what this author would send, of this size (None for a pipe)."""
        return self.author_id == author_id and size in {None, self.size}


def put_step(
    asked: PutAsked,
    there: VersionThere | None,
    author_id: int,
    size: int | None,
    *,
    same: bool | None = None,
    proved: bool | None = None,
    judged: bool = False,
) -> Step:
    """Say what comes next for a file that is to be sent.

    Args:
        author_id: who sends it.
        size: in bytes; None while nobody knows.
        same: whether what was read here has the digest that is said to be there; None until it is read.
        proved: whether it is ours, and acknowledged; None until that was looked at.
        judged: what is there holds, or whoever signed it is all the same.

    Raises:
        NotFoundError: a version of what is not there was named.
        ExistsError: it would replace what is there, and that was not asked for.
        ChangedSinceError: another version is there than the one meant.
    """
    if there is None:
        if asked.if_version is not None:
            raise NotFoundError(what="file", name=asked.path)
        return Step.NEW
    if there.may_be(author_id, size) and same is not False and proved is not False:
        if same is None:
            return Step.READ
        return Step.SAME if proved else Step.PROVE
    if not asked.looks:
        values = msgspec.structs.asdict(there)
        raise ExistsError(path=asked.path, **{**values, "digest": digest_text(there.digest)})
    if not judged:
        return Step.JUDGE
    wanted = there.version if asked.if_version is None else asked.if_version
    if asked.replaces is not None:
        wanted = asked.replaces.version
        if there.version == wanted and asked.replaces.digest not in {"", digest_text(there.digest)}:
            wanted = 0  # of another file, which has taken the place since
    if there.version != wanted:
        raise ChangedSinceError(
            author=there.author, version=there.version, stored_at=there.stored_at, seen=wanted, path=asked.path
        )
    return Step.REPLACE


# -- from the server ------------------------------------------------------------------------------------


class GetAsked(Struct, frozen=True):
    """How a get was asked for.

    Args:
        top: the folder here.
        existing: what becomes of a file that has the name already.
        with_signature: NAME.minisig is written beside each.
    """

    top: Path
    existing: ConflictPolicy = ConflictPolicy.REFUSE
    with_signature: bool = False

    def local(self, item: GetItem) -> Path:
        return self.top.joinpath(*item.parts)


class NameTaken(Struct, frozen=True):
    """What has the name here that a download is to get, or that of its signature.

    Args:
        size: of a regular file that has the download's own name; else None.
    """

    name: str
    size: int | None


def get_step(
    asked: GetAsked, item: GetItem, taken: NameTaken | None, *, same: bool | None = None, proved: bool | None = None
) -> Step:
    """Say what comes next for a file that is to be fetched.

    Args:
        same: whether what was read here has the listed digest; None until it is read.
        proved: whether that is its author's; None until that was looked at.

    Raises:
        LocalExistsError: the name is taken, and neither force nor keep-both was asked for.
    """
    if taken is None or asked.existing is ConflictPolicy.KEEP_BOTH:
        return Step.NEW
    if asked.existing is ConflictPolicy.FORCE:
        return Step.REPLACE
    if item.digest and taken.size == item.size and same is not False and proved is not False:
        if same is None:
            return Step.READ
        return Step.SAME if proved else Step.PROVE
    raise LocalExistsError(path=str(asked.local(item).with_name(taken.name)))
