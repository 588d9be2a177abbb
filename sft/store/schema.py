"""The tables: people, keys, figures, invitations, folders, files, versions, contents, what is under way, settings, log.

Rules. Models state columns and constraints and have no behavior. A row that decides anything ends in ``mac``,
made and checked in ``sft.store.rows`` over the table's name and every other column. Times are Unix seconds. A ``leaf`` is an
index in the log, a ``slot`` a place in a state tree, never given again; a ``salt``, 16 random bytes, hides what has that slot.
What pages are ordered by compares by bytes in every engine. A foreign key to a row that is ever deleted has a whole index:
SQLite checks it by no partial one, and would read the table. What the server keeps of its own operation stands in
``operation_schema``. Whoever changes either file adds a migration.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql.expression import TextClause, text

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

TRASHED: Final = text("state = 'trashed'")
PURGING: Final = text("state = 'purging'")
HANDED_OVER: Final = text("heir_id IS NOT NULL")
RESETS: Final = text("resets_id IS NOT NULL")
REPLACED: Final = text("contents_kept > 1")
EXPIRING: Final = text("expires_at IS NOT NULL AND state = 'live'")
NOT_DESTROYED: Final = text("destroyed_at IS NULL")
BY_USER: Final = text("user_id IS NOT NULL")
ON_USER: Final = text("subject_user_id IS NOT NULL")
ON_FILE: Final = text("file_id IS NOT NULL")
POINT: Final = text("substr(public_key, 11)")  # of a key, after algorithm and key id
BY_BYTES: Final = String(collation="BINARY").with_variant(String(collation="C"), "postgresql")


def _where(rows: TextClause, name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


class Model(DeclarativeBase):
    """Root of the models; constraints are named so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy's own form
        int: BigInteger().with_variant(Integer(), "sqlite"),
        bytes: LargeBinary,
        str: String,
    }


class SettingModel(Model):
    """One value that rules the server: policy, public address, name, identity's public half."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes]
    mac: Mapped[bytes]


class UserModel(Model):
    """A person, or the tombstone of one; ids are dense, in order of joining, so a user's slot is the id less one."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(BY_BYTES)
    folded: Mapped[str] = mapped_column(BY_BYTES, unique=True)
    role: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    created_at: Mapped[int]
    salt: Mapped[bytes]
    mac: Mapped[bytes]


class UserRoleModel(Model):
    """A role that a user got, and with which leaf; the last one is the row's in ``users``. None is ever changed or removed."""

    __tablename__ = "user_roles"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str]
    leaf: Mapped[int]
    mac: Mapped[bytes]


class UserFiguresModel(Model):
    """How many files a user owns, and the bytes of all their versions; what is in the trash counts until it is destroyed.

    ``heir_id`` is there while what a removed user owned is being handed over: it counts for the heir already. The quotas are
    those of this user alone (``sft.model.quotas``): None is everybody's.
    """

    __tablename__ = "user_figures"
    __table_args__ = (_where(HANDED_OVER, "ix_user_figures_heir_id", "heir_id"),)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    files: Mapped[int]
    size_bytes: Mapped[int]
    heir_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    quota_bytes: Mapped[int | None]
    quota_files: Mapped[int | None]
    mac: Mapped[bytes]


class DeviceKeyModel(Model):
    """A public key (minisign's 42 bytes) of a user: one to many, never deleted, never another user's.

    It came with ``start_leaf`` and, where it is no more, ended with ``end_leaf`` for ``end_reason``: what it signed holds up to
    there, or up to ``cut_off_leaf``. ``endorsement`` is the signature by the key that vouched for it, or empty.
    """

    __tablename__ = "device_keys"
    __table_args__ = (Index("ix_device_keys_point", POINT),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    public_key: Mapped[bytes] = mapped_column(unique=True)
    device: Mapped[str]
    added_at: Mapped[int]
    ended_at: Mapped[int | None]
    start_leaf: Mapped[int]
    end_leaf: Mapped[int | None]
    cut_off_leaf: Mapped[int | None]
    end_reason: Mapped[str | None]
    endorsement: Mapped[bytes]
    mac: Mapped[bytes]


class InvitationModel(Model):
    """The public half of an invitation and what it grants; ``maker_id`` is None where the operator made it.

    One with ``resets_id`` lets that user, and nobody else, come back with a new key.
    """

    __tablename__ = "invitations"
    __table_args__ = (_where(RESETS, "ix_invitations_resets_id", "resets_id"),)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_key: Mapped[bytes] = mapped_column(unique=True)
    role: Mapped[str]
    user_name: Mapped[str | None]
    maker_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[int] = mapped_column(index=True)
    expires_at: Mapped[int] = mapped_column(index=True)
    used_at: Mapped[int | None]
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[int | None]
    resets_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    mac: Mapped[bytes]


class FolderModel(Model):
    """A folder; id 1 is the root.

    Behind ``salt`` its figures (``sft.store.figures``): ``files`` and ``folders`` that lie directly in it; and of
    everything below it, at any depth and itself not counted, ``files_below`` and ``folders_below``, sum and sum of squares of
    the ids of their owners and makers (nobody is 0), and ``reach``, no less than the bytes of the longest path from here.

    ``state`` is ``live``, ``trashed``, or ``purging`` while what hangs on it is being destroyed; one that is not live has no
    parent, like the root, and ``trashed_path`` says where it was. What hangs on it is unchanged, and lives no more either.
    """

    __tablename__ = "folders"
    __table_args__ = (
        UniqueConstraint("parent_id", "folded"),
        _where(TRASHED, "ix_folders_trash", "trashed_folded", "trashed_at"),
        _where(TRASHED, "ix_folders_trash_time", "trashed_at", "id"),
        _where(PURGING, "ix_folders_purging", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))
    name: Mapped[str] = mapped_column(BY_BYTES)
    folded: Mapped[str] = mapped_column(BY_BYTES)
    maker_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[int]
    slot: Mapped[int]
    salt: Mapped[bytes]
    files: Mapped[int]
    folders: Mapped[int]
    files_below: Mapped[int]
    folders_below: Mapped[int]
    owner_sum: Mapped[int]
    owner_squares: Mapped[int]
    reach: Mapped[int]
    state: Mapped[str]
    trashed_at: Mapped[int | None]
    trashed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    trashed_path: Mapped[str | None] = mapped_column(BY_BYTES)
    trashed_folded: Mapped[str | None] = mapped_column(BY_BYTES)
    mac: Mapped[bytes]


class FolderHandOverModel(Model):
    """A folder that was handed over, from then on until the rows of everything below it name the new owner.

    That is what was there then: files and folders with slots up to ``last_slot``. Of the new owner's quota ``files`` and
    ``size_bytes`` are reserved. It names the folder by no foreign key: it hinders nobody from destroying that folder.
    """

    __tablename__ = "folder_hand_overs"
    folder_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    last_slot: Mapped[int]
    begun_at: Mapped[int]
    files: Mapped[int]
    size_bytes: Mapped[int]
    mac: Mapped[bytes]


class FileModel(Model):
    """A file: its place, its owner, its newest version.

    ``state`` is ``live``, ``trashed`` where it was deleted by itself, or ``purging`` while it is being destroyed; then it has
    no folder, and ``trashed_path`` says where it was. ``versions_peaks`` are the hashes, 32 bytes each, of the complete
    subtrees of the tree over all its versions (``sft.ledger``), of which there are as many as ``newest`` says, less those that
    were lost: ``versions_lost`` are the first and the last number of each range of them, 4 bytes each. Of the newest
    ``contents_kept`` the content may be there; of all before them it was destroyed. The file goes to the trash at
    ``expires_at``.
    """

    __tablename__ = "files"
    __table_args__ = (
        Index("uq_files_place", "folder_id", "folded", unique=True),  # a trashed one, in no folder, is in nobody's way
        _where(TRASHED, "ix_files_trash", "trashed_folded", "trashed_at"),
        _where(TRASHED, "ix_files_trash_time", "trashed_at", "id"),
        _where(TRASHED, "ix_files_trash_owner", "owner_id", "trashed_at", "id"),
        _where(REPLACED, "ix_files_replaced", "contents_kept", "id"),
        _where(EXPIRING, "ix_files_expires", "expires_at", "id"),
        _where(PURGING, "ix_files_purging", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file_id: Mapped[bytes] = mapped_column(unique=True)
    folder_id: Mapped[int | None] = mapped_column(ForeignKey("folders.id"))
    name: Mapped[str] = mapped_column(BY_BYTES)
    folded: Mapped[str] = mapped_column(BY_BYTES)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    newest: Mapped[int]
    state: Mapped[str]
    created_at: Mapped[int]
    slot: Mapped[int]
    salt: Mapped[bytes]
    versions_peaks: Mapped[bytes]
    trashed_at: Mapped[int | None]
    trashed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    trashed_path: Mapped[str | None] = mapped_column(BY_BYTES)
    trashed_folded: Mapped[str | None] = mapped_column(BY_BYTES)
    contents_kept: Mapped[int]
    expires_at: Mapped[int | None]
    versions_lost: Mapped[bytes]
    mac: Mapped[bytes]


class VersionModel(Model):
    """A version of a file: who signed it with which key, its object in the vault.

    ``dated_at`` is the file's own date as signed; ``signature`` the four lines of minisign; ``inline`` is 1 where the sealed
    object lies in ``small_objects``; ``epoch`` names the master key that seals ``sealed_key``, the object's data key;
    ``later_keys`` are those of the runs that went on where its upload was cut, sealed under that one. ``subtrees`` are the
    hashes of the complete subtrees of several versions that end with this one, the smallest first. Where its content was
    destroyed, at ``destroyed_at``, and by nobody where it was older than those that are kept, the keys are gone and all else
    stays.
    """

    __tablename__ = "versions"
    __table_args__ = (
        # For a search by what was stored last, by anybody or by one author; and for a rotation, by an older epoch.
        Index("ix_versions_leaf", "leaf", "file"),
        Index("ix_versions_author_id", "author_id", "leaf", "file"),
        _where(NOT_DESTROYED, "ix_versions_epoch", "epoch", "file", "number"),
    )
    file: Mapped[int] = mapped_column(ForeignKey("files.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key_id: Mapped[int] = mapped_column(ForeignKey("device_keys.id"))
    size: Mapped[int]
    digest: Mapped[bytes]
    dated_at: Mapped[int]
    stored_at: Mapped[int]
    leaf: Mapped[int]
    signed_name: Mapped[str]
    signature: Mapped[bytes]
    object_id: Mapped[bytes] = mapped_column(unique=True)
    inline: Mapped[int]
    epoch: Mapped[int]
    sealed_key: Mapped[bytes]
    later_keys: Mapped[bytes]
    subtrees: Mapped[bytes]
    destroyed_at: Mapped[int | None]
    destroyed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    mac: Mapped[bytes]


class SmallObjectModel(Model):
    """A sealed object of at most 16 KiB, the same bytes that a file of the vault would hold; it authenticates itself."""

    __tablename__ = "small_objects"
    object_id: Mapped[bytes] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class UploadModel(Model):
    """An object of the vault that is being written: there before its first byte, gone with the commit or its last byte.

    ``user_id`` is None where the server itself writes, as in a re-encryption. One that can go on has an ``upload_id``, and
    ``expires_at``; ``key_id``, ``file_id``, ``version`` and ``size`` are what it was begun with. ``segments`` are finished,
    ``prefix`` is the digest of the content in them, and the keys, as of a version, are those that seal them. Of the quota of
    ``owner_id`` it has ``size`` bytes, and a file where it is its first version; None where nothing is reserved for it. If it
    ``grows`` (1), ``size`` is what came, and perhaps more.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        UniqueConstraint("user_id", "upload_id"),
        Index("ix_uploads_expires_at", "expires_at", "object_id"),
        Index("ix_uploads_epoch", "epoch", "object_id"),
        Index("ix_uploads_owner_id", "owner_id"),
    )
    object_id: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    path: Mapped[str]
    begun_at: Mapped[int]
    upload_id: Mapped[bytes | None]
    key_id: Mapped[int | None] = mapped_column(ForeignKey("device_keys.id"))
    file_id: Mapped[bytes | None]
    version: Mapped[int]
    size: Mapped[int]
    segments: Mapped[int]
    prefix: Mapped[bytes]
    epoch: Mapped[int]
    sealed_key: Mapped[bytes]
    later_keys: Mapped[bytes]
    expires_at: Mapped[int | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    grows: Mapped[int]
    mac: Mapped[bytes]


class PurgeModel(Model):
    """An object whose row is gone and whose bytes are being destroyed; recovery finishes what stands here."""

    __tablename__ = "purges"
    object_id: Mapped[bytes] = mapped_column(primary_key=True)
    purged_at: Mapped[int]
    mac: Mapped[bytes]


class LedgerModel(Model):
    """One row: how far the log and the state trees are; what commits next begins there.

    ``epoch`` counts the logs of this server, an honest restore begins one; ``size`` is the log's number of leaves, ``users``
    and ``files`` the slots of either tree; the blocks of the trees are as of leaf ``redo`` or later.
    """

    __tablename__ = "ledger"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    size: Mapped[int]
    users: Mapped[int]
    files: Mapped[int]
    redo: Mapped[int]
    mac: Mapped[bytes]


class LogLeafModel(Model):
    """A leaf of the log: ``entry`` as it is hashed there, and the two parts whose hashes it holds, each with its salt.

    Numbers are dense, from 0. ``kind`` is the event's, ``user_id`` who acted and None for the operator, ``subject_user_id`` and
    ``file_id`` what it was done to. ``personal`` goes, with its salt, where a person is erased; ``facts`` stay.
    """

    __tablename__ = "log_leaves"
    __table_args__ = (
        _where(BY_USER, "ix_log_leaves_user_id", "user_id", "number"),
        _where(ON_USER, "ix_log_leaves_subject_user_id", "subject_user_id", "number"),
        _where(ON_FILE, "ix_log_leaves_file_id", "file_id", "number"),
        Index("ix_log_leaves_kind", "kind", "number"),
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[bytes]
    kind: Mapped[int]
    time: Mapped[int]
    user_id: Mapped[int | None]
    subject_user_id: Mapped[int | None]
    file_id: Mapped[bytes | None]
    facts: Mapped[bytes]
    facts_salt: Mapped[bytes]
    personal: Mapped[bytes | None]
    personal_salt: Mapped[bytes | None]
    mac: Mapped[bytes]


class DownloadModel(Model):
    """A version that somebody downloads: the leaves that first said that it began, and that its reader signed to have it.

    By the file's own id, for it outlives the file as the log does.
    """

    __tablename__ = "downloads"
    file_id: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[bytes]
    begun_leaf: Mapped[int]
    received_leaf: Mapped[int | None]
    mac: Mapped[bytes]


class LogTileModel(Model):
    """At most 256 hashes of one level of the log's tree (C2SP tlog-tiles)."""

    __tablename__ = "log_tiles"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class StateBlockModel(Model):
    """At most 256 hashes of the slots of a state tree, as they were when the block was written."""

    __tablename__ = "state_blocks"
    kind: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class RowSumModel(Model):
    """One row: the sum over the MACs of all others, so that a row put back, or taken out, is noticed.

    ``moment`` is that of the last change: no transaction is before it, whatever a clock says.
    """

    __tablename__ = "row_sums"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sum: Mapped[bytes]
    changes: Mapped[int]
    moment: Mapped[int]
    mac: Mapped[bytes]
