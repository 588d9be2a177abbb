"""What the screens need of the world outside: accounts, a server's files and people, transfers, what this computer keeps.

Rules. Screens, dialogs and the queue know this module alone, and nothing of how a server is reached: ``tui.live`` fulfils it
over the client library. Everything is called on the loop of the app and nothing blocks it. Refusals and faults are raised as
errors of the one tree; records are those of ``sft.model`` and results those of ``sft.client``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sft.client.api.log import LogLines, LogQuery
from sft.client.api.rights import PersonRight
from sft.client.api.search import NameQuestion
from sft.client.connection_info import ConnectionInfo, EventListener
from sft.client.local_versions import AskedVersion, LocalVersion
from sft.client.log_document import Names
from sft.client.log_verify import VerifiedLog
from sft.client.logged import LogLine
from sft.client.logged_statement import SignedBy
from sft.client.pins import Pin
from sft.client.proof_files import WrittenProof
from sft.client.transfers.look import LookedInto
from sft.client.transfers.progress import Report
from sft.client.transfers.queue.queue_file import LocalFiles
from sft.client.transfers.queue.run import Transfers
from sft.client.trust import SignatureState
from sft.client.trust_chain import ChainFacts
from sft.crypto.keys import PublicKey
from sft.errors import SftError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.leaves import LogLeaf
from sft.limits import LOG_ENTRIES
from sft.model.access import Role
from sft.model.links import Link
from sft.model.records import (
    Deleted,
    Destroyed,
    DeviceKey,
    File,
    FileReader,
    FileSeen,
    Folder,
    Invitation,
    KeyEnd,
    OwnerChange,
    QuotaReport,
    RestoredFolder,
    SessionInfo,
    TrashedFolder,
    TrashSeen,
    User,
)
from sft.model.status import LiveStatus, ServerStatus


@dataclass(frozen=True, slots=True)
class Account:
    """One server as this computer knows it, and who we are there.

    Args:
        joined: the server has acknowledged us.
        protected: a passphrase protects the key.
        locked: it has to be asked for: no agent holds the key.
        in_use_first: it is used when none is named.
    """

    name: str
    server: str
    address: str
    user: str
    role: str
    device: str
    joined: bool
    protected: bool
    locked: bool
    in_use_first: bool
    key_words: str
    minisign_key: str
    server_id: bytes
    server_words: str
    pinned_at: int
    joined_at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a folder.

    Args:
        states: one for each file.
        next: where the next page begins; empty at the end.
    """

    folders: tuple[Folder, ...]
    files: tuple[File, ...]
    states: tuple[SignatureState, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Details:
    """One version of a file, and what this computer knows of its signature.

    Args:
        words: of the key that signed it.
        first_seen_at: when this computer first saw that key.
        receipt_kept: the server's receipt lies here.
        error: why the signature does not hold, or cannot be judged.
    """

    file: File
    state: SignatureState
    words: str
    first_seen_at: int | None
    receipt_kept: bool = False
    error: SftError | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation; whoever has the link can join."""

    link: str = field(repr=False)
    invitation: Invitation


@dataclass(frozen=True, slots=True)
class IdentityInfo:
    """What this computer keeps for the account in use.

    Args:
        held_until: when an agent forgets the key, in Unix seconds; None where none holds it.
    """

    account: Account
    people: tuple[Pin, ...]
    receipts: int
    held_until: int | None = None


@dataclass(frozen=True, slots=True)
class LogProof:
    """What of the log of the server in use is proved here.

    Args:
        size: leaves under the newest head that was told.
        told_at: when that, or that there is no newer one, was told.
        since: since when this computer keeps its heads.
        agreeing: heads that others signed to have seen, and that this log was found to go on, in this session.
    """

    size: int
    told_at: float
    since: int
    agreeing: int


class Accounts(Protocol):
    """The accounts of this computer."""

    async def all(self) -> list[Account]:
        """List the accounts of this computer, in order of joining."""

    async def pending(self, link: Link) -> Account | None:
        """Find what an earlier attempt with this very link left: its key exists, and may need its passphrase."""

    async def join(self, link: Link, *, user_name: str, device: str, passphrase: str | None) -> Account:
        """Join a server; the account is not in use before ``use``.

        Args:
            passphrase: protects the new key, or opens the one that an earlier attempt left.
        """

    async def set_first(self, account: str) -> None:
        """Use this account when none is named."""

    async def set_address(self, account: str, address: str) -> Account:
        """Look for a server elsewhere; UsageError if it is not HOST:PORT."""

    async def accept_link(self, account: str, link: str) -> Account:
        """Take key and address of a server from the server link that a person gave."""

    async def set_policy(self, account: str, file: str) -> None:
        """Say which witnesses have to cosign a server's log, by a file here; it holds from the next login on.

        Raises:
            PolicyError: it is not written as one.
            UsageError: it names other logs.
            LocalFileError: it cannot be read.
        """

    async def server_link(self, account: str) -> str:
        """Return address and key of a server as a link; it is no secret."""

    async def forget(self, account: str) -> None:
        """Drop an account; its key file is put aside, never destroyed."""

    @property
    def offers_demo(self) -> bool:
        """Whether a demo can be explored from here."""

    async def explore_demo(self) -> str:
        """Start a private server on this computer; return the account that uses it."""


class Files(Protocol):
    """Files and folders of the server in use."""

    async def list_folder(self, path: str, cursor: str = "", *, judged: bool = True) -> Listed:
        """Return one page of a folder (``""`` is the root); without ``judged`` signatures pages are larger."""

    async def search(self, question: NameQuestion, cursor: str = "", *, judged: bool = True) -> Listed:
        """Return the next page of what names fit, wherever it lies; an empty one is the end."""

    async def list_trash(self) -> list[TrashedFolder | File]:
        """List the trash, the last deleted first."""

    async def details(self, path: str, version: int = 0) -> Details:
        """Return one version of a file; 0 is the newest."""

    async def chain(self, path: str, version: int = 0) -> ChainFacts:
        """Return what makes one version of a file believed, or not; 0 is the newest."""

    async def look(self, path: str, version: int = 0) -> LookedInto | None:
        """Return one version with its content, verified as a get does; None where it is too large. 0 is the newest."""

    async def readers(self, file: File) -> list[FileReader] | None:
        """List who downloaded a file and who did not; None where that is not ours to see."""

    async def rights(self, about: str, acts: Sequence[str], user: str) -> list[PersonRight]:
        """Return whether somebody may do each of several acts (``sft.model.rights.ASKED_RIGHTS``) with a path or person."""

    async def allowed(self, about: str, act: str) -> list[PersonRight]:
        """List everybody who may do something with it."""

    async def write_proof(self, path: str, to: Path, *, report: Report | None = None) -> WrittenProof:
        """Write a file, its signature and its proof to a folder of this computer.

        Raises:
            LocalExistsError: something else has one of the names.
            LogProofError: the server gives no proof that holds.
        """

    async def make_folder(self, path: str) -> bool:
        """Make a folder; False if it was there already."""

    async def move(self, old: str, new: str) -> File | None:
        """Give a file or folder another path; return the file, None for a folder."""

    async def change_owner(self, path: str, owner: str) -> OwnerChange:
        """Hand over a file, or a folder with all in it, to somebody by name."""

    async def last_deleted(self, path: str, ends_at: int) -> TrashedFolder | File | None:
        """Return what was deleted last from a path, of what leaves the trash at a moment or later."""

    async def delete(self, path: str, *, recursive: bool = False, seen: FileSeen | None = None) -> Deleted:
        """Move a file, or a folder and all in it, to the trash; with ``seen`` that file and version alone."""

    async def restore(self, path: str, seen: TrashSeen) -> File | RestoredFolder:
        """Bring back what was seen in the trash at a path: a file, or a folder with all in it."""

    async def set_expiry(self, path: str, file_id: bytes, expires_at: int | None) -> File:
        """Say when a file goes to the trash by itself, in Unix seconds; None is never."""

    async def restore_version(self, path: str, number: int) -> int:
        """Make the content of an older version the newest again, signed by the person; return its number then."""

    async def destroy_version(self, path: str, file_id: bytes, number: int) -> None:
        """Destroy the content of an older version of a file for good."""

    async def destroy_trashed(self, path: str, seen: TrashSeen) -> Destroyed:
        """Destroy for good what was seen in the trash at a path."""


class People(Protocol):
    """Who may come to the server in use, and who is there."""

    async def users(self) -> list[User]:
        """List the registry, in order of joining."""

    async def change_role(self, name: str, role: Role) -> User: ...

    async def disable(self, name: str) -> User:
        """Lock a person out, keeping everything."""

    async def enable(self, name: str) -> User: ...

    async def remove(self, name: str, files_to: str) -> User:
        """Remove a person for good; the files go to ``files_to``."""

    async def quota(self, name: str = "") -> QuotaReport:
        """Return what somebody may own, and what of it is taken; without a name, oneself."""

    async def change_quota(self, name: str, size_bytes: int | None, files: int | None) -> User:
        """Say how much somebody may own; None is what everybody has, ``NO_LIMIT`` no limit."""

    async def invitations(self) -> list[Invitation]:
        """List invitations that are not older than a month."""

    async def invite(self, *, role: Role, name: str | None, seconds: int) -> Invited: ...

    async def offer_reset(self, name: str, reason: KeyEnd, cut_off: int = 0) -> Invited:
        """End every key of somebody, and make the link by which they come back with a new one.

        Args:
            cut_off: of stolen ones: leaf from which on nothing counts that they signed.
        """

    async def withdraw(self, invitation_id: int) -> None:
        """Make an open invitation void."""

    async def sessions(self) -> list[SessionInfo]:
        """List who is connected, the earliest first."""

    async def status(self, busiest: int) -> tuple[ServerStatus, LiveStatus]:
        """Return how the server is and what it does, with so many of its sessions at most, the fastest first."""

    async def kick(self, session_id: int) -> None:
        """End a session; NotFoundError if it has ended already."""


class OwnKeys(Protocol):
    """The keys of the person in use, one for each device."""

    async def all(self) -> list[DeviceKey]:
        """List those that the person has and had, as the server's log has them, in order of coming."""

    async def device_link(self) -> str:
        """Return the link with which another device begins; it is no secret."""

    async def add(self, public_key: PublicKey, device: str) -> DeviceKey:
        """Vouch for the key of another device."""

    async def revoke(self, public_key: bytes, reason: KeyEnd, cut_off: int = 0) -> DeviceKey:
        """End a key, for good.

        Args:
            cut_off: of a stolen one: leaf from which on nothing counts that it signed.
        """

    async def rotate(self, passphrase: str | None) -> Account:
        """Make a key that follows the one of this computer, and connect with it.

        Args:
            passphrase: of the key that is here, and of the new one; None where it has none.

        Raises:
            PassphraseWrongError: not that one; nothing has changed.
            ConnectionLostError: the server's answer was not heard; the next login finds out what it was.
        """


class Activity(Names, Protocol):
    """The log of the server in use: what comes from here was proved, and its records are its leaves'.

    Names are known of lines that were read.
    """

    @property
    def proof(self) -> LogProof | None:
        """What is proved now; None without a server whose log is known."""

    async def before(self, query: LogQuery, end: int | None = None, limit: int = LOG_ENTRIES) -> LogLines:
        """Read a page of the leaves before one, or before the log's end, the newest first."""

    async def after(self, query: LogQuery, start: int = 0, limit: int = LOG_ENTRIES) -> LogLines:
        """Read a page of the leaves from one on, the oldest first."""

    async def prove(self, number: int) -> tuple[LogLeaf, Checkpoint]:
        """Prove one leaf, and return it with the head that it is under."""

    async def signed_by(self, line: LogLine) -> SignedBy | None:
        """Check the statement of a line: by whose key it is; None where it has none."""

    async def check(self, report: Callable[[int, int], None]) -> VerifiedLog:
        """Replay the whole log, as it is now.

        Args:
            report: told how many leaves were replayed, and of how many.
        """

    async def export(
        self, query: LogQuery, path: Path, *, fits: Callable[[LogLine], bool] | None, report: Callable[[int], None]
    ) -> int:
        """Write lines to a new file, the oldest first, as ``sft log --json --follow`` does; return how many.

        Args:
            report: told how many were written.

        Raises:
            LocalFileError: the name is taken, or the folder cannot be used.
            LocalDiskFullError: no room.
        """


class LocalState(LocalFiles, Protocol):
    """This computer's key and memory, and what outlives the app."""

    async def keyring(self) -> IdentityInfo:
        """Return what is kept for the account in use."""

    async def public_key_file(self) -> str:
        """Return minisign's public key file of the account in use."""

    async def local_versions(self, asked: Sequence[AskedVersion]) -> list[LocalVersion | None]:
        """Return what is known here, unread and unasked, of files of this computer; None for what is no file."""

    async def change_passphrase(self, old: str | None, new: str | None) -> None:
        """Protect the key by another passphrase, or by none; PassphraseWrongError if ``old`` does not open it."""

    async def unlock(self, passphrase: str, seconds: int) -> int:
        """Have an agent hold the key of the account in use for a time; return when that ends, in Unix seconds.

        Raises:
            PassphraseWrongError: not that one.
            AgentError: none can be had.
        """

    async def lock(self) -> list[str]:
        """Have agents forget the keys of all accounts; return the names of those whose key was held."""

    def suggested_names(self) -> tuple[str, str]:
        """Offer a name for the person (may be empty) and one for this computer."""

    def suggested_passphrase(self) -> str:
        """Draw a passphrase of words that a person can write down; another one each time."""


class Gateway(Protocol):
    """The world outside: the connection of the account in use, and the parts that ask over it."""

    accounts: Accounts
    files: Files
    transfers: Transfers
    people: People
    keys: OwnKeys
    activity: Activity
    local: LocalState

    @property
    def connection(self) -> ConnectionInfo:
        """The account in use, now."""

    def listen(self, listener: EventListener) -> None:
        """Have every change of the connection, and every notice, told on the loop of the app."""

    async def use(self, account: str, passphrase: str | None = None) -> None:
        """Connect an account, and keep it connected: a lost line is tried again until another is used.

        Raises:
            KeyLockedError: a passphrase is needed.
            PassphraseWrongError: not that one.
            UnreachableError, LoginRefusedError, ServerKeyChangedError and others: see ``connection``.
        """

    def again(self) -> None:
        """Try the lost connection now."""

    async def close(self) -> None:
        """Leave the server and end everything."""
