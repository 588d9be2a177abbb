"""What a row is outside the database: one frozen value per table, without its MAC.

Rules. Fields are the table's columns, in the schema's order and with its types; a row has no behavior and
holds no connection, so it may leave the thread that loaded it. Changed copies are made with
``msgspec.structs.replace``. Texts that have few values (role, state) are plain texts here: services read them
as the enumerations of ``sft.model``.
"""

from __future__ import annotations

from msgspec import Struct


class Row(Struct, frozen=True, gc=False):
    """A row of some table."""


class SettingRow(Row, frozen=True, gc=False):
    """A row of ``settings``."""

    name: str
    value: bytes


class UserRow(Row, frozen=True, gc=False):
    """A row of ``users``."""

    id: int
    name: str
    folded: str
    role: str
    state: str
    created_at: int
    salt: bytes


class UserRoleRow(Row, frozen=True, gc=False):
    """A row of ``user_roles``."""

    user_id: int
    number: int
    role: str
    leaf: int


class UserFiguresRow(Row, frozen=True, gc=False):
    """A row of ``user_figures``."""

    user_id: int
    files: int
    size_bytes: int
    heir_id: int | None = None
    quota_bytes: int | None = None
    quota_files: int | None = None


class DeviceKeyRow(Row, frozen=True, gc=False):
    """A row of ``device_keys``."""

    id: int
    user_id: int
    public_key: bytes
    device: str
    added_at: int
    ended_at: int | None
    start_leaf: int
    end_leaf: int | None = None
    cut_off_leaf: int | None = None
    end_reason: str | None = None
    endorsement: bytes = b""


class InvitationRow(Row, frozen=True, gc=False):
    """A row of ``invitations``."""

    id: int
    public_key: bytes
    role: str
    user_name: str | None
    maker_id: int | None
    created_at: int
    expires_at: int
    used_at: int | None
    used_by_id: int | None
    withdrawn_at: int | None
    resets_id: int | None = None


class FolderRow(Row, frozen=True, gc=False):
    """A row of ``folders``."""

    id: int
    parent_id: int | None
    name: str
    folded: str
    maker_id: int | None
    created_at: int
    slot: int
    salt: bytes
    files: int = 0
    folders: int = 0
    files_below: int = 0
    folders_below: int = 0
    owner_sum: int = 0
    owner_squares: int = 0
    reach: int = 0
    state: str = "live"
    trashed_at: int | None = None
    trashed_by_id: int | None = None
    trashed_path: str | None = None
    trashed_folded: str | None = None


class FolderHandOverRow(Row, frozen=True, gc=False):
    """A row of ``folder_hand_overs``."""

    folder_id: int
    owner_id: int
    last_slot: int
    begun_at: int
    files: int
    size_bytes: int


class FileRow(Row, frozen=True, gc=False):
    """A row of ``files``."""

    id: int
    file_id: bytes
    folder_id: int | None
    name: str
    folded: str
    owner_id: int
    newest: int
    state: str
    created_at: int
    slot: int
    salt: bytes
    versions_peaks: bytes
    trashed_at: int | None
    trashed_by_id: int | None
    trashed_path: str | None
    trashed_folded: str | None
    contents_kept: int = 1
    expires_at: int | None = None
    versions_lost: bytes = b""


class VersionRow(Row, frozen=True, gc=False):
    """A row of ``versions``."""

    file: int
    number: int
    author_id: int
    key_id: int
    size: int
    digest: bytes
    dated_at: int
    stored_at: int
    leaf: int
    signed_name: str
    signature: bytes
    object_id: bytes
    inline: int
    epoch: int
    sealed_key: bytes
    later_keys: bytes = b""
    subtrees: bytes = b""
    destroyed_at: int | None = None
    destroyed_by_id: int | None = None


class SmallObjectRow(Row, frozen=True, gc=False):
    """A row of ``small_objects``, which has no MAC: the sealed object authenticates itself."""

    object_id: bytes
    sealed: bytes


class UploadRow(Row, frozen=True, gc=False):
    """A row of ``uploads``."""

    object_id: bytes
    user_id: int | None
    path: str
    begun_at: int
    upload_id: bytes | None = None
    key_id: int | None = None
    file_id: bytes | None = None
    version: int = 0
    size: int = 0
    segments: int = 0
    prefix: bytes = b""
    epoch: int = 0
    sealed_key: bytes = b""
    later_keys: bytes = b""
    expires_at: int | None = None
    owner_id: int | None = None
    grows: int = 0


class PurgeRow(Row, frozen=True, gc=False):
    """A row of ``purges``."""

    object_id: bytes
    purged_at: int


class LedgerRow(Row, frozen=True, gc=False):
    """The row of ``ledger``."""

    id: int
    epoch: int
    size: int
    users: int
    files: int
    redo: int


class LogLeafRow(Row, frozen=True, gc=False):
    """A row of ``log_leaves``."""

    number: int
    entry: bytes
    kind: int
    time: int
    user_id: int | None
    subject_user_id: int | None
    file_id: bytes | None
    facts: bytes
    facts_salt: bytes
    personal: bytes | None
    personal_salt: bytes | None


class DownloadRow(Row, frozen=True, gc=False):
    """A row of ``downloads``."""

    file_id: bytes
    user_id: int
    number: int
    digest: bytes
    begun_leaf: int
    received_leaf: int | None = None


class LogTileRow(Row, frozen=True, gc=False):
    """A row of ``log_tiles``, which has no MAC: the log's signed head proves it."""

    level: int
    number: int
    hashes: bytes


class StateBlockRow(Row, frozen=True, gc=False):
    """A row of ``state_blocks``, which has no MAC: the state roots of the last leaf prove it."""

    kind: int
    number: int
    hashes: bytes


class CheckRow(Row, frozen=True, gc=False):
    """A row of ``checks``."""

    name: str
    began_at: int | None = None
    file: int = 0
    number: int = 0
    versions: int = 0
    size_bytes: int = 0
    faults: int = 0
    ended_at: int | None = None
    ended_versions: int = 0
    ended_bytes: int = 0
    ended_faults: int = 0


class DamageRow(Row, frozen=True, gc=False):
    """A row of ``damages``."""

    object_id: bytes
    file_id: bytes
    number: int
    path: str
    found_at: int
    problem: str


class GrowthRow(Row, frozen=True, gc=False):
    """A row of ``growth``."""

    day: int
    current_bytes: int
    older_bytes: int
    trash_bytes: int
    free_bytes: int


class HookRow(Row, frozen=True, gc=False):
    """A row of ``hooks``."""

    name: str
    position: int


class SearchBlockRow(Row, frozen=True, gc=False):
    """A row of ``search_blocks``, which has no MAC: it says where to look, and what is found is asked again."""

    low: int
    high: int
    smallest: int
    largest: int
    first_stored_at: int
    last_stored_at: int
    names: bytes
    entries: bytes


class RowSumRow(Row, frozen=True, gc=False):
    """The row of ``row_sums``."""

    id: int
    sum: bytes
    changes: int
    moment: int
