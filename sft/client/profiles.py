"""The servers that this computer has joined: address, pinned key, who we are there.

Rules. A server is its id and its key, pinned apart, never its address: an address may be mended by anybody, a pinned key is
replaced by one that it says follows it, or by a server link that a person gave, and the id by nothing. A profile is written
before its server hears of it (``user_id`` 0 until then), so that the same invitation goes on with the same key. Everything
here blocks; changes hold the state's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from sft.client.record_file import Contents, RecordFile
from sft.errors import LocalFileError, NotJoinedError, ProfileUnknownError, UsageError
from sft.model.links import ServerLink, format_address, parse_address, parse_server_link

if TYPE_CHECKING:
    from pathlib import Path

    from sft.client.state import StateFolder
    from sft.crypto.keys import PublicKey, ServerPublic
_FILE: Final = "profiles.json"


class Profile(Struct, frozen=True):
    """One joined server, or one that is being joined.

    Args:
        name: how this computer calls it.
        server_id: hash of the server's first key, which file signatures name.
        public_key: ours there, minisign's 42 bytes.
        key_file: where its secret half lies in the state.
        role: as last seen; what we may do is the server's to say.
        invitation: public half of the invitation that this profile was made for.
        next_key: one that is to follow ours, and may do so already; its secret half lies in ``next_key_file``.
        former_keys: keys of ours that this computer had there before, each followed by the next.
        earlier_keys: the server's that were pinned before, each of which said that the next one follows it.
    """

    name: str
    server_name: str
    host: str
    port: int
    server_key: bytes
    server_id: bytes
    public_key: bytes
    key_file: str
    device: str
    user_name: str = ""
    user_id: int = 0
    role: str = ""
    joined_at: int = 0
    pinned_at: int = 0
    invitation: bytes = b""
    former_keys: tuple[bytes, ...] = ()
    next_key: bytes = b""
    next_key_file: str = ""
    earlier_keys: tuple[bytes, ...] = ()

    @property
    def address(self) -> str:
        return format_address(self.host, self.port)

    @property
    def joined(self) -> bool:
        """Whether the server has acknowledged us."""
        return self.user_id > 0

    @property
    def key(self) -> PublicKey:
        from sft.crypto.keys import PublicKey

        return PublicKey.decode(self.public_key)

    @property
    def server(self) -> ServerPublic:
        """The pinned key of the server."""
        from sft.crypto.keys import ServerPublic

        return ServerPublic(self.server_key)


class Forgotten(NamedTuple):
    """A profile that was dropped, and the two files with which its server is joined again."""

    profile: Profile
    key_file: Path
    link_file: Path


class Profiles(Struct, frozen=True):
    """The profiles of one state."""

    state: StateFolder

    def all(self) -> list[Profile]:
        """List joined and pending ones, in order of making."""
        return self._read().records

    def default_name(self) -> str:
        """Return the name of the profile that is used when none is named; empty without any."""
        return _default(self._read())

    def choose(self, name: str | None = None) -> Profile:
        """Find a profile that can be used; the default one if none is named.

        Raises:
            NotJoinedError: there is none yet.
            ProfileUnknownError: none of that name.
        """
        kept = self._read()
        if name is not None:
            return _named(kept, name)
        default = _default(kept)
        if not default:
            raise NotJoinedError
        return _named(kept, default)

    def add(self, profile: Profile) -> Profile:
        """Keep a new profile, under a name of its own (``acme``, then ``acme-2``)."""
        with self.state.locked():
            kept = self._read()
            taken = {one.name for one in kept.records}
            name, count = profile.name, 1
            while name in taken:
                count += 1
                name = f"{profile.name}-{count}"
            profile = msgspec.structs.replace(profile, name=name)
            self._write(kept, [*kept.records, profile])
        return profile

    def update(self, name: str, **fields: str | int | bytes | tuple[bytes, ...]) -> Profile:
        """Replace some fields of a profile; what another process changed meanwhile stays.

        Raises:
            ProfileUnknownError: it was forgotten meanwhile.
        """
        with self.state.locked():
            kept = self._read()
            new = msgspec.structs.replace(_named(kept, name), **fields)
            self._write(kept, [new if one.name == name else one for one in kept.records])
        return new

    def set_default(self, name: str) -> None:
        with self.state.locked():
            kept = self._read()
            self._write(kept, kept.records, default=_named(kept, name).name)

    def forget(self, name: str) -> Forgotten:
        """Drop a profile; its key file is put aside, never destroyed, for it opens the account."""
        with self.state.locked():
            kept = self._read()
            gone = _named(kept, name)
            rest = [one for one in kept.records if one.name != name]
            default = kept.rest.get("default", "")
            self._write(kept, rest, default="" if default == name else default)
            return self._put_aside(gone, shared=any(one.key_file == gone.key_file for one in rest))

    def set_address(self, name: str, address: str) -> Profile:
        """Look for a server elsewhere: its key stays its identity. UsageError if it is not HOST:PORT."""
        host, port = parse_address(address)
        return self.update(name, host=host, port=port)

    def accept_link(self, name: str, link_text: str, *, now: int) -> Profile:
        """Take key and address from a server link that a person gave.

        Raises:
            LinkIncompleteError: the link was cut.
            UsageError: it is no server link, or of another server.
        """
        link = parse_server_link(link_text)
        old = self.choose(name)
        require_same_server(old, link)
        if link.server_key == old.server_key:
            return self.update(name, host=link.host, port=link.port)
        # What the old key has signed counts no more: nobody says that it was only lost.
        return self.update(
            name, host=link.host, port=link.port, server_key=link.server_key, pinned_at=now, earlier_keys=()
        )

    def _put_aside(self, profile: Profile, *, shared: bool) -> Forgotten:
        """Keep the server's link, and the key where no other profile ``shared`` it, under a name of their own."""
        count, leaf = 1, profile.key_file.rpartition("/")[2]
        while not self._is_free(target := f"keys/forgotten/{leaf}.{count}"):
            count += 1
        link = ServerLink(
            profile.host, profile.port, profile.server_key, profile.server_name, server_id=profile.server_id
        )
        link_file = self.state.write(f"{target}.link", f"{link.text()}\n".encode())
        if shared:
            target = profile.key_file
        elif self.state.read(profile.key_file) is not None:
            self.state.move(profile.key_file, target)
        return Forgotten(profile, self.state.path(target), link_file)

    def _is_free(self, name: str) -> bool:
        return self.state.read(name) is None and self.state.read(f"{name}.link") is None

    def _read(self) -> Contents[Profile]:
        try:
            return _FORM.read(self.state.read(_FILE), self.state.path(_FILE))
        except ValueError as error:
            raise LocalFileError(
                str(error),
                path=str(self.state.path(_FILE)),
                problem="is damaged",
                remedy="Move it aside and join again; your keys lie in keys/ beside it",
            ) from error

    def _write(self, before: Contents[Profile], profiles: list[Profile], **rest: str) -> None:
        self.state.write(_FILE, msgspec.json.format(_FORM.write(profiles, before, **rest)))


def require_same_server(profile: Profile, link: ServerLink) -> None:
    """Refuse a link of another server with a UsageError, one of the same name too: people's keys are pinned under the id."""
    if (link.server_name, link.server_id) == (profile.server_name, profile.server_id):
        return
    what = link.server_name if link.server_name != profile.server_name else "another server of that name"
    raise UsageError(
        problem=f"This link is of {what}, not of {profile.server_name}", remedy="Join that one with an invitation"
    )


_FORM: Final = RecordFile(Profile, "servers", key="name")


def _default(kept: Contents[Profile]) -> str:
    """The chosen one, else the first; one that was never acknowledged cannot be used."""
    joined = [one.name for one in kept.records if one.joined]
    default = kept.rest.get("default", "")
    return default if default in joined else next(iter(joined), "")


def _named(kept: Contents[Profile], name: str) -> Profile:
    for profile in kept.records:
        if profile.name == name:
            return profile
    raise ProfileUnknownError(name=name)
