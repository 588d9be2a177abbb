"""What was not finished, kept on this computer for a week: a small file for each transfer of more than one segment.

    downloads/<server id>/<id>.json    the part is .sft-<id>.part beside the file's name
    uploads/<server id>/<id>.json      the id is the one by which the server knows the upload

Rules. A record saves work and decides nothing: whatever it says is proved again before it is used, and the signature over the
whole content decides. It is written after what it tells of is on the disk; itself it is not synced. What this computer
cannot write is not kept. Who works on one holds its lock, so that two do not write one part; after that it is read again. One
that says what cannot be is none; after a week it goes, with the part that it can still name. A part's id holds where it lies:
a record that names another place is none. All of it blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Generic, TypeVar

from msgspec import Meta, Struct, structs

from sft.client.record_file import Contents, RecordFile
from sft.client.state import StateFolder, name_of_server
from sft.client.transfers.local_file import LocalFile
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.part_names import is_part_id_of, remove_part
from sft.client.transfers.plan import VersionSeen
from sft.crypto.comment import FILE_ID_BYTES
from sft.crypto.digests import DIGEST_BYTES
from sft.errors import LocalDiskFullError, LocalFileError, SftError
from sft.limits import CHUNK_BYTES, FILE_BYTES, KEPT_SECONDS
from sft.model.names import parse_path

_ID: Final = re.compile(r"[0-9a-f]{32}")
_ENDING: Final = ".json"
_LOCK_ENDING: Final = ".json.lock"
_VERSION_MOST: Final = 2**31
_Digest = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
_DigestOrNone = Annotated[bytes, Meta(max_length=DIGEST_BYTES)]


class TransferRecord(Struct, frozen=True, kw_only=True):
    """A transfer that was begun.

    Args:
        local: here, absolute: the name that a download shall have, the source of an upload.
        dev: of the part's or the source's file system; with ``ino`` it tells that it is the same file.
        size: of the whole, in bytes.
        done: bytes that need not move again, as far as is known here; a multiple of a chunk.
        saved_at: Unix seconds; 0 for one that was never written.
    """

    id: str
    server_id: bytes
    path: str
    version: Annotated[int, Meta(ge=0, le=_VERSION_MOST)]
    file_id: Annotated[bytes, Meta(min_length=FILE_ID_BYTES, max_length=FILE_ID_BYTES)]
    local: str
    dev: int
    ino: int
    size: Annotated[int, Meta(ge=1, le=FILE_BYTES)]
    done: Annotated[int, Meta(ge=0, le=FILE_BYTES)] = 0
    saved_at: Annotated[int, Meta(ge=0, le=2**40)] = 0

    @property
    def expires_at(self) -> int:
        return self.saved_at + KEPT_SECONDS

    @property
    def is_sound(self) -> bool:
        """Whether it says what can be: it may have been damaged, or edited."""
        try:
            is_path = parse_path(self.path) == self.path
        except SftError:
            return False
        is_mark = self.done == self.size or (self.done < self.size and self.done % CHUNK_BYTES == 0)
        return is_path and is_mark and Path(self.local).is_absolute() and "\0" not in self.local


class DownloadRecord(TransferRecord, frozen=True, kw_only=True):
    """A download that was begun.

    Args:
        digest: of the whole content, as the server announced it, signed.
        prefix: digest of the first ``done`` bytes of the part, which are on the disk.
        newest, existing, replaces, with_signature: how it was asked for.
    """

    digest: _Digest
    prefix: _DigestOrNone = b""
    newest: bool = True
    existing: ConflictPolicy = ConflictPolicy.REFUSE
    replaces: LocalFile | None = None
    with_signature: bool = False

    @property
    def is_sound(self) -> bool:
        return super().is_sound and is_part_id_of(self.id, self.local)


class UploadRecord(TransferRecord, frozen=True, kw_only=True):
    """An upload that was begun; its id is the server's for it, in hexadecimal digits.

    Args:
        mtime_ns: of the source.
        prev: digest of the version before; empty for the first.
        replace, if_version, replaces: how it was asked for.
    """

    mtime_ns: int
    prev: _DigestOrNone
    replace: bool = False
    if_version: Annotated[int, Meta(ge=1, le=_VERSION_MOST)] | None = None
    replaces: VersionSeen | None = None


R = TypeVar("R", bound=TransferRecord)


class _Kind(Struct, Generic[R], frozen=True):
    folder: str
    form: RecordFile[R]
    clear: Callable[[R], object]
    clear_damaged: Callable[[str, bytes], object]

    def name(self, server_id: bytes, record_id: str) -> str:
        return f"{self.folder_of(server_id)}/{record_id}{_ENDING}"

    def folder_of(self, server_id: bytes) -> str:
        return f"{self.folder}/{name_of_server(server_id)}"


class HeldRecord(Generic[R]):
    """A record that is this process's, until it is let go or forgotten."""

    def __init__(self, state: StateFolder, kind: _Kind[R], record: R, before: Contents[R], lock: int) -> None:
        self.record = record
        self._state = state
        self._kind = kind
        self._before = before
        self._lock = lock

    def save(self, **changes: Any) -> None:
        """Write it, changed; what the disk does not take is not kept, and that is all."""
        self.record = structs.replace(self.record, **changes)
        data = self._kind.form.write([self.record], self._before)
        with contextlib.suppress(LocalDiskFullError, LocalFileError):
            self._state.write(self._kind.name(self.record.server_id, self.record.id), data, sync=False)

    def forget(self) -> None:
        """Remove it: what it is about is whole, or no use any more; idempotent."""
        if self._lock >= 0:
            name = self._kind.name(self.record.server_id, self.record.id)
            with contextlib.suppress(LocalFileError):
                self._state.remove(name)
                self._state.remove(f"{name}.lock")
        self.let_go()

    def drop(self) -> None:
        """Remove what it kept here, and forget it."""
        self._kind.clear(self.record)
        self.forget()

    def let_go(self) -> None:
        """Leave it to whoever goes on; idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _clear_part(record: DownloadRecord) -> None:
    remove_part(Path(record.local).parent, record.id, (record.dev, record.ino))


def _clear_part_of_damaged(record_id: str, data: bytes) -> None:
    """Remove the part of a record that is none, if that still says where it lies."""
    with contextlib.suppress(ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        said = json.loads(data)["downloads"][0]
        local = str(said["local"])
        if Path(local).is_absolute() and is_part_id_of(record_id, local):
            remove_part(Path(local).parent, record_id, (said["dev"], said["ino"]))


_DOWNLOADS: Final = _Kind(
    "downloads", RecordFile(DownloadRecord, "downloads", key="id"), _clear_part, _clear_part_of_damaged
)
_UPLOADS: Final = _Kind("uploads", RecordFile(UploadRecord, "uploads", key="id"), lambda _: None, lambda *_: None)


class Records(Generic[R]):
    """All records of one kind about one server."""

    def __init__(self, state: StateFolder, kind: _Kind[R], server_id: bytes) -> None:
        self._state = state
        self._kind = kind
        self._server_id = server_id

    def all(self) -> list[R]:
        """Read all that can be read, the oldest first."""
        found = [contents.records[0] for _, contents in self._read()]
        return sorted(found, key=lambda record: (record.saved_at, record.id))

    def hold(self, record: R) -> HeldRecord[R] | None:
        """Take a record, new or found; None if somebody works on it, it has gone, or this computer keeps none."""
        name = self._kind.name(self._server_id, record.id)
        with contextlib.suppress(LocalDiskFullError, LocalFileError):
            lock = self._state.hold(name)
            if lock is None:
                return None
            contents = self._contents(f"{record.id}{_ENDING}")
            if record.saved_at and contents is None:
                self._state.remove(f"{name}.lock")
                os.close(lock)
                return None
            now = record if contents is None else contents.records[0]
            return HeldRecord(self._state, self._kind, now, contents or Contents(), lock)
        return None

    def drop(self, record: R) -> bool:
        """Forget a record and remove what it kept here; False if somebody works on it."""
        held = self.hold(record)
        if held is None:
            return False
        held.drop()
        return True

    def drop_expired(self, now: float) -> None:
        """Drop what nobody has gone on with for a week, and what is no record and as old."""
        for record in self.all():
            if record.expires_at <= now or record.saved_at > now + KEPT_SECONDS:  # a clock that was wrong dated it
                self.drop(record)
        folder = self._kind.folder_of(self._server_id)
        with contextlib.suppress(LocalFileError):
            for name in self._state.names(folder):
                if self._contents(name) is None:
                    self._drop_damaged(f"{folder}/{name}", now)

    def _drop_damaged(self, path: str, now: float) -> None:
        """Remove what is no record, or the lock of none, once nobody has written it for a week."""
        with contextlib.suppress(LocalFileError, OSError):
            if now - self._state.path(path).lstat().st_mtime < KEPT_SECONDS:
                return
            if path.endswith(_LOCK_ENDING):
                if self._state.path(path.removesuffix(".lock")).exists():
                    return
            elif (data := self._state.read(path)) is not None:
                self._kind.clear_damaged(Path(path).stem, data)
        with contextlib.suppress(LocalFileError):
            self._state.remove(path)

    def _read(self) -> Iterator[tuple[str, Contents[R]]]:
        with contextlib.suppress(LocalFileError):
            for name in self._state.names(self._kind.folder_of(self._server_id)):
                contents = self._contents(name)
                if contents is not None:
                    yield name, contents

    def _contents(self, name: str) -> Contents[R] | None:
        """Read one; None where there is none, or none that this program understands."""
        record_id = name.removesuffix(_ENDING)
        if not name.endswith(_ENDING) or not _ID.fullmatch(record_id):
            return None
        path = f"{self._kind.folder_of(self._server_id)}/{name}"
        try:
            contents = self._kind.form.read(self._state.read(path), self._state.path(path))
            said = [(record.id, record.server_id, record.is_sound) for record in contents.records]
        except (LocalFileError, ValueError):
            return None
        return contents if said == [(record_id, self._server_id, True)] else None


def downloads_of(state: StateFolder, server_id: bytes) -> Records[DownloadRecord]:
    return Records(state, _DOWNLOADS, server_id)


def uploads_of(state: StateFolder, server_id: bytes) -> Records[UploadRecord]:
    return Records(state, _UPLOADS, server_id)
