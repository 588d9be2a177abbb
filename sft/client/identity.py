"""The key of one profile: a minisign secret key file in the state, opened when it is needed.

Rules. The file is minisign's own, 0600, copied into the state where it came from elsewhere. Opening a protected one costs
seconds and up to a gigabyte: never on the reactor's thread. Where an agent holds it (``sft.client.agent``), that signs. A
passphrase comes from a file or from whoever asks; it is in no argument, log or repr.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sft.client.agent.held_key import held_key
from sft.client.os_errors import translating_os_errors
from sft.crypto import key_file
from sft.errors import KeyFormatError, KeyLockedError, LocalFileError
from sft.limits import KIB
from sft.model.text import shell_path

if TYPE_CHECKING:
    from sft.client.profiles import Profile
    from sft.client.state import StateFolder
    from sft.crypto.keys import PublicKey, SigningKey
    from sft.transport.threads import Pool

Ask = Callable[[], Awaitable[str]]
"""Returns a passphrase; raises KeyLockedError where nobody can be asked."""

KeyEncoder = Callable[["SigningKey", str | None], str]
"""Writes a key down, protected by a passphrase or by none; says what a guess at it costs."""

_KEY_FILE_BYTES: Final = 4 * KIB
_PASSPHRASE_FILE_BYTES: Final = 4 * KIB


def key_file_name(public: PublicKey) -> str:
    """Return where the secret half of a key lies in the state."""
    return f"keys/{public.words().replace(' ', '-')}.key"


def encode_key(key: SigningKey, passphrase: str | None) -> str:
    """Write a key down; a guess at its passphrase costs what this project asks for."""
    return key_file.encode(key, passphrase)


def passphrase_from(environ: Mapping[str, str], ask: Ask | None) -> Ask:
    """Return where a passphrase comes from: the file that SFT_PASSPHRASE_FILE names, else a person, else nowhere."""
    named = environ.get("SFT_PASSPHRASE_FILE")
    path = Path(named or "").expanduser()

    async def from_file() -> str:
        return read_passphrase_file(path)  # a line of a file of its owner: not worth a thread

    return from_file if named else ask or given(None)


def given(passphrase: str | None) -> Ask:
    """Return what answers with this passphrase; None is nobody to ask."""

    async def answer() -> str:
        if passphrase is None:
            raise KeyLockedError
        return passphrase

    return answer


class Identity:
    """The key pair of one profile."""

    def __init__(self, state: StateFolder, profile: Profile) -> None:
        self._state = state
        self._profile = profile

    @property
    def public(self) -> PublicKey:
        """The public half; known without opening the secret one."""
        return self._profile.key

    @property
    def words(self) -> str:
        return self.public.words()

    def encrypted(self) -> bool:
        """Return whether a passphrase protects the key (blocks)."""
        return key_file.is_encrypted(self._text())

    def export(self) -> str:
        return self.public.pub_file()

    def needs_passphrase(self) -> bool:
        """Return whether a passphrase has to be asked for: one protects the key, and no agent holds it (blocks)."""
        return self.encrypted() and self._held() is None

    async def unlock(self, pool: Pool, ask: Ask) -> SigningKey:
        """Return the key to sign with: an agent's where one holds it, else opened; raises what ``open`` does."""
        held = None if self._state.runtime is None else await pool.run(self._held)
        return held if held is not None else await self.open(pool, ask)

    async def open(self, pool: Pool, ask: Ask) -> SigningKey:
        """Open the key itself.

        Raises:
            KeyLockedError: it needs a passphrase, and nobody can be asked.
            PassphraseWrongError: not that one; asking again is the caller's.
            KeyFormatError: the file is damaged, or is of another key than the profile says.
        """
        text = await pool.run(self._text)
        if not key_file.is_encrypted(text):
            key = key_file.decode(text, _none_needed)
        else:
            key = await open_protected(pool, text, await ask())
        if key.public != self.public:
            raise KeyFormatError("the key file is of another key than the profile")
        return key

    async def change_passphrase(
        self, pool: Pool, ask_old: Ask, new: str | None, *, encode_key: KeyEncoder = encode_key
    ) -> None:
        """Protect the key by another passphrase, or by none; raises what ``open`` does.

        Args:
            encode_key: writes keys down, and says what a guess at the passphrase costs.
        """
        key = await self.open(pool, ask_old)

        def write() -> None:
            self._state.write(self._profile.key_file, encode_key(key, new).encode())

        await pool.run(write)

    def _held(self) -> SigningKey | None:
        # Nobody asks an agent for a key that is open to whoever reads it.
        return held_key(self._state.runtime, self.public) if self.encrypted() else None

    def _text(self) -> str:
        data = self._state.read_secret(self._profile.key_file)
        if data is None:
            raise LocalFileError(
                path=str(self._state.path(self._profile.key_file)),
                problem="is missing: it is your key",
                remedy="Put it back from a copy, or ask an admin for a new invitation",
            )
        return _text_of(data)


async def open_protected(pool: Pool, text: str, passphrase: str) -> SigningKey:
    """Open a protected key file on the pool.

    Raises:
        PassphraseWrongError: not that one.
        LocalFileError: this computer has too little memory free for it.
    """

    def decode() -> SigningKey:
        try:
            return key_file.decode(text, lambda: passphrase)
        except MemoryError as error:
            raise LocalFileError(
                path="The key",
                problem="needs more memory to open than is free here",
                remedy="Close something, then the same command again",
            ) from error

    return await pool.run(decode)


def read_key_file(path: Path) -> str:
    """Read a secret key file that a person named (blocks).

    Raises:
        LocalFileError: it cannot be read, or others may read it.
        KeyFormatError: it is no minisign secret key.
    """
    text = _text_of(_read_private(path, _KEY_FILE_BYTES + 1, "a secret key"))
    key_file.is_encrypted(text)
    return text


def read_passphrase_file(path: Path) -> str:
    """Read the first line of a file that a person named (blocks); LocalFileError if it cannot be, or others may read it."""
    try:
        return (
            _read_private(path, _PASSPHRASE_FILE_BYTES, "a passphrase").decode("utf-8").split("\n", 1)[0].rstrip("\r")
        )
    except UnicodeDecodeError as error:
        raise LocalFileError(
            path=str(path), problem="does not hold text", remedy="Write the passphrase into it"
        ) from error


def _read_private(path: Path, most: int, what: str) -> bytes:
    """Read what nobody else may: refused where the mode lets others, as ssh does with its keys; a pipe is its writer's own."""
    with translating_os_errors(path), path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LocalFileError(
                path=str(path),
                problem=f"may be read by others, and is {what}",
                remedy=f"Did nobody? Then chmod 600 {shell_path(str(path))}; else take another",
            )
        return file.read(most)


def _text_of(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyFormatError("a key file is text") from None


def _none_needed() -> str:
    raise KeyLockedError
