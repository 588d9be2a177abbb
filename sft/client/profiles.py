"""The servers that this computer has joined: address, pinned key, who we are there.

Rules. A server is its key, never its address: an address may be mended by anybody, a pinned key is replaced only by a server
link that a person gave. A profile is written before its server hears of it (``user_id`` 0 until then), so that the same
invitation goes on with the same key. Everything here blocks; changes hold the state's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from sft.errors import LocalFileError, NotJoinedError, ProfileUnknownError, UsageError
from sft.model.links import format_address, parse_address, parse_server_link

if TYPE_CHECKING:
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


class _ProfilesFile(Struct, frozen=True):
    """The file: profiles in order of making."""

    default: str = ""
    servers: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles of one state."""

    state: StateFolder

    def all(self) -> list[Profile]:
        """List joined and pending ones, in order of making."""
        return list(self._read().servers)

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
            taken = {one.name for one in kept.servers}
            name, count = profile.name, 1
            while name in taken:
                count += 1
                name = f"{profile.name}-{count}"
            profile = msgspec.structs.replace(profile, name=name)
            self._write(_ProfilesFile(kept.default, (*kept.servers, profile)))
        return profile

    def update(self, name: str, **fields: str | int | bytes) -> Profile:
        """Replace some fields of a profile; what another process changed meanwhile stays.

        Raises:
            ProfileUnknownError: it was forgotten meanwhile.
        """
        with self.state.locked():
            kept = self._read()
            new = msgspec.structs.replace(_named(kept, name), **fields)
            servers = tuple(new if one.name == name else one for one in kept.servers)
            self._write(_ProfilesFile(kept.default, servers))
        return new

    def set_default(self, name: str) -> None:
        with self.state.locked():
            kept = self._read()
            self._write(_ProfilesFile(_named(kept, name).name, kept.servers))

    def forget(self, name: str) -> Profile:
        """Drop a profile; its key file is put aside, never destroyed, for it opens the account."""
        with self.state.locked():
            kept = self._read()
            gone = _named(kept, name)
            rest = tuple(one for one in kept.servers if one.name != name)
            self._write(_ProfilesFile("" if kept.default == name else kept.default, rest))
            if all(one.key_file != gone.key_file for one in rest):
                self._put_aside(gone)
        return gone

    def set_address(self, name: str, address: str) -> Profile:
        """Look for a server elsewhere: its key stays its identity. UsageError if it is not HOST:PORT."""
        host, port = parse_address(address)
        return self.update(name, host=host, port=port)

    def accept_link(self, name: str, link_text: str, *, now: int) -> Profile:
        """Take key and address from a server link that a person gave.

        Raises:
            LinkIncompleteError: the link was cut.
            UsageError: it is no server link, or of a server of another name.
        """
        from sft.crypto.keys import ServerPublic

        link = parse_server_link(link_text)
        old = self.choose(name)
        if link.server_name != old.server_name:
            raise UsageError(
                problem=f"This link is of {link.server_name}, not of {old.server_name}",
                remedy="Join that one with an invitation",
            )
        if link.server_key == old.server_key:
            return self.update(name, host=link.host, port=link.port)
        return self.update(
            name,
            host=link.host,
            port=link.port,
            server_key=link.server_key,
            server_id=ServerPublic(link.server_key).server_id(),
            pinned_at=now,
        )

    def _put_aside(self, profile: Profile) -> None:
        count, leaf = 1, profile.key_file.rpartition("/")[2]
        while self.state.read(target := f"keys/forgotten/{leaf}.{count}") is not None:
            count += 1
        if self.state.read(profile.key_file) is not None:
            self.state.move(profile.key_file, target)

    def _read(self) -> _ProfilesFile:
        data = self.state.read(_FILE)
        if data is None:
            return _ProfilesFile()
        try:
            return msgspec.json.decode(data, type=_ProfilesFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LocalFileError(
                str(error),
                path=str(self.state.path(_FILE)),
                problem="is damaged",
                remedy="Move it aside and join again; your keys lie in keys/ beside it",
            ) from error

    def _write(self, kept: _ProfilesFile) -> None:
        self.state.write(_FILE, msgspec.json.format(msgspec.json.encode(kept)))


def _default(kept: _ProfilesFile) -> str:
    """The chosen one, else the first; one that was never acknowledged cannot be used."""
    joined = [one.name for one in kept.servers if one.joined]
    return kept.default if kept.default in joined else next(iter(joined), "")


def _named(kept: _ProfilesFile, name: str) -> Profile:
    for profile in kept.servers:
        if profile.name == name:
            return profile
    raise ProfileUnknownError(name=name)
