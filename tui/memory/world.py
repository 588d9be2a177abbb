"""The server in memory: people, folders, files with versions, a trash, invitations; and the rules that the real one has.

Rules. Nothing is random and nothing looks at a clock: the moment is the world's own. Folders of a hundred thousand
files are made of a count alone; each file comes into being when it is asked for. Files hold their content, or repeat a
block up to their size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sft.client.pins import Pin
from sft.crypto.keys import InvitationKey, PublicKey, ServerKey, SigningKey
from sft.errors import NotFoundError
from sft.limits import TRASH_SECONDS
from sft.model.access import Role
from sft.model.names import fold, join_path, split_path
from sft.model.records import DeviceKey, File, FileVersion, Folder, Invitation, User, UserState
from tui.memory.door import Door

DAY: Final = 24 * 3600
MAY_3: Final = 1_777_822_271  # Sun 3 May 2026 15:31:11 UTC


def key_of(name: str) -> PublicKey:
    """Make the public key of a person of this world."""
    seed = hashlib.blake2b(name.encode(), digest_size=32).digest()
    return SigningKey.from_seed(seed, seed[:8]).public


@dataclass
class Kept:
    """A file with its versions and its content.

    Args:
        content: of the newest version; None repeats a block up to the size.
    """

    id: bytes
    path: str
    owner_id: int
    versions: list[FileVersion]
    content: bytes | None = None
    trashed_at: int | None = None
    bad: bool = False  # its bytes are not what was signed


@dataclass
class Many:
    """A folder of numbered files that exist when they are asked for."""

    count: int
    pattern: str
    author_id: int
    size: int
    dated_at: int


@dataclass
class World:
    """One server and everybody on it."""

    name: str = "acme-files"
    address: str = "files.acme.org:7361"
    now: float = MAY_3
    users: list[User] = field(default_factory=list)
    files: dict[str, Kept] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)  # path: created at
    many: dict[str, Many] = field(default_factory=dict)
    trash: list[Kept] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    seeds: dict[bytes, int] = field(default_factory=dict)  # invitation's point: its id
    unknown_signers: set[str] = field(default_factory=set)
    door: Door = field(default_factory=Door)

    def __post_init__(self) -> None:
        self.key = ServerKey.from_seed(hashlib.blake2b(self.name.encode(), digest_size=32).digest())

    # -- people ---------------------------------------------------------------------------------------

    def add_user(
        self,
        name: str,
        role: Role,
        *,
        joined_at: int,
        state: UserState = UserState.ACTIVE,
        device: str = "laptop",
        public: PublicKey | None = None,
    ) -> User:
        """Let somebody in."""
        key = DeviceKey(
            id=len(self.users) + 1,
            public_key=(public or key_of(name)).encode(),
            device=device,
            added_at=joined_at,
        )
        user = User(
            id=len(self.users) + 1, name=name, role=role, state=state, created_at=joined_at,
            keys=(key,),
        )  # fmt: skip
        self.users.append(user)
        return user

    def user(self, name: str) -> User:
        """Find a person."""
        for user in self.users:
            if fold(user.name) == fold(name):
                return user
        raise NotFoundError(what="user", name=name, see="sft users")

    def user_by_id(self, user_id: int) -> User:
        """Find a person by number."""
        return self.users[user_id - 1]

    def counted(self) -> list[User]:
        """List everybody, with how much they own."""
        import msgspec

        counts: dict[int, list[int]] = {}
        for kept in self.files.values():
            count = counts.setdefault(kept.owner_id, [0, 0])
            count[0] += 1
            count[1] += kept.versions[-1].size
        for many in self.many.values():
            count = counts.setdefault(many.author_id, [0, 0])
            count[0] += many.count
            count[1] += many.count * many.size
        return [
            msgspec.structs.replace(user, files=counts[user.id][0], bytes_stored=counts[user.id][1])
            if user.id in counts
            else user
            for user in self.users
        ]

    def pins(self) -> tuple[Pin, ...]:
        """Give everybody as this computer has seen them first."""
        return tuple(
            Pin(user.id, user.name, {key.public_key: key.added_at for key in user.keys})
            for user in self.users
        )

    # -- files ------------------------------------------------------------------------------------------

    def add_folder(self, path: str, created_at: int | None = None) -> None:
        """Make a folder and those above it."""
        while path and path not in self.folders:
            self.folders[path] = int(self.now if created_at is None else created_at)
            path = split_path(path)[0]

    def add_file(
        self,
        path: str,
        author: User,
        *,
        size: int | None = None,
        content: bytes | None = None,
        dated_at: int | None = None,
        stored_at: int | None = None,
        versions: int = 1,
    ) -> Kept:
        """Store a file, or another version of it."""
        folder = split_path(path)[0]
        self.add_folder(folder)
        length = len(content) if content is not None else size or 0
        kept = self.files.get(path)
        if kept is None:
            file_id = hashlib.blake2b(path.encode(), digest_size=16).digest()
            kept = self.files[path] = Kept(file_id, path, author.id, [])
        dated = int(self.now if dated_at is None else dated_at)
        for _ in range(versions):
            kept.versions.append(
                FileVersion(
                    number=len(kept.versions) + 1,
                    author_id=author.id,
                    author=author.name,
                    public_key=author.keys[0].public_key,
                    size=length,
                    digest=_digest(content, path, length),
                    dated_at=dated,
                    stored_at=int(self.now if stored_at is None else stored_at),
                    signed_name=path,
                )
            )
        kept.content = content
        return kept

    def file(self, path: str, version: int = 0) -> File:
        """Show a file.

        Raises:
            NotFoundError: there is none.
        """
        kept = self.files.get(path) or self._numbered(path)
        if kept is None:
            raise NotFoundError(what="file", name=path, see="sft ls")
        if version > len(kept.versions):
            raise NotFoundError(what="version", name=f"{path} {version}", see="sft info")
        return self.record(kept, version)

    def record(self, kept: Kept, version: int = 0) -> File:
        """Describe a file as a server does."""
        return File(
            id=kept.id,
            path=kept.path,
            owner_id=kept.owner_id,
            owner=self.user_by_id(kept.owner_id).name,
            version=kept.versions[version - 1],
            trashed_at=kept.trashed_at,
            trash_ends_at=None if kept.trashed_at is None else kept.trashed_at + TRASH_SECONDS,
        )

    def folder(self, path: str) -> Folder:
        """Describe a folder."""
        inside = [f for f in self.folders if split_path(f)[0] == path]
        files = sum(split_path(f)[0] == path for f in self.files)
        many = self.many.get(path)
        return Folder(path, files + (many.count if many else 0), len(inside), self.folders[path])

    def children(self, path: str) -> tuple[list[str], list[str], Many | None]:
        """List what lies directly in a folder, in the server's order."""
        if path and path not in self.folders:
            raise NotFoundError(what="folder", name=path, see="sft ls")
        order = lambda name: (fold(split_path(name)[1]), name)
        folders = sorted((f for f in self.folders if split_path(f)[0] == path), key=order)
        files = sorted((f for f in self.files if split_path(f)[0] == path), key=order)
        return folders, files, self.many.get(path)

    def numbered(self, folder: str, number: int) -> File:
        """Bring one of many files into being."""
        many = self.many[folder]
        return self.record(self._made(folder, many, number))

    def below(self, path: str) -> Iterator[File]:
        """Give every file in a folder and below it."""
        prefix = f"{path}/" if path else ""
        for name, kept in sorted(self.files.items()):
            if name.startswith(prefix):
                yield self.record(kept)
        for folder, many in self.many.items():
            if f"{folder}/".startswith(prefix):
                for number in range(many.count):
                    yield self.numbered(folder, number)

    def _numbered(self, path: str) -> Kept | None:
        folder, name = split_path(path)
        many = self.many.get(folder)
        if many is None:
            return None
        digits = "".join(c for c in name if c.isdigit())
        number = int(digits or -1)
        if not 0 <= number < many.count or many.pattern.format(number) != name:
            return None
        return self._made(folder, many, number)

    def _made(self, folder: str, many: Many, number: int) -> Kept:
        path = join_path(folder, many.pattern.format(number))
        author = self.user_by_id(many.author_id)
        version = FileVersion(
            number=1,
            author_id=author.id,
            author=author.name,
            public_key=author.keys[0].public_key,
            size=many.size + 37 * (number % 1009),
            digest=bytes(64),
            dated_at=many.dated_at + 60 * number,
            stored_at=many.dated_at + 60 * number,
            signed_name=path,
        )
        return Kept(number.to_bytes(16, "big"), path, author.id, [version])


def invitation_point(seed: bytes) -> bytes:
    """Give the public half of an invitation."""
    return InvitationKey.from_seed(seed).point


def _digest(content: bytes | None, path: str, size: int) -> bytes:
    data = content if content is not None else f"{path} {size}".encode()
    return hashlib.blake2b(data, digest_size=64).digest()
