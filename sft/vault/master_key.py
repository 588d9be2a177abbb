"""Where the master key comes from: a file, a credential, a passphrase, a command (FORMAT.md §6).

    sft-argon2id-1 OPSLIMIT MEMLIMIT SALT       the parameters of a passphrase, one line

Rules. The key is 32 bytes. It is never an argument, never in the environment, never in a message. A file that others can
read is refused, not used with a warning, and so is one inside the folder that it should protect. A rotation writes the new
key (or the new parameters) beside the old as ``.new`` before the keyring turns to it, and settles after: a cut in between
leaves both, and ``open_keyring`` finds the one that fits.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from sft.crypto import passphrase
from sft.crypto.keys import Entropy
from sft.errors import KeyFormatError, MasterKeyError, VaultError
from sft.vault.keyring import WRONG_MASTER_KEY, Keyring
from sft.vault.layout import KEY_BYTES
from sft.vault.staged_file import StagedFile

COMMAND_SECONDS: Final = 30.0

_KEY_FILE: Final = "master key file"

_PARAMETERS: Final = re.compile(rb"sft-argon2id-1 ([0-9]{1,3}) ([0-9]{1,10}) ([0-9a-f]{32})\n")


class MasterKeySource(Protocol):
    """What a server's start asks for its master key."""

    def candidates(self) -> list[bytes]:
        """Return the key; and a second one after a rotation that was cut.

        Raises:
            MasterKeyError: there is none, or it must not be used.
        """

    def settle(self, master_key: bytes) -> None:
        """Keep the key that opened the keyring, and drop what a cut rotation left beside it."""


def open_keyring(sealed: bytes, candidates: Sequence[bytes]) -> tuple[Keyring, bytes]:
    """Open a keyring with the first key that fits, else MasterKeyError; return it, and the key for ``settle``."""
    for master_key in candidates:
        try:
            return Keyring.open(sealed, master_key), master_key
        except VaultError as fault:
            if fault.values["problem"] != WRONG_MASTER_KEY:
                raise
    raise MasterKeyError(problem=WRONG_MASTER_KEY)


def parse_master_key(data: bytes) -> bytes:
    """Read a key as it lies in a file or comes out of a command: 32 raw bytes, hexadecimal or base64.

    Raises:
        MasterKeyError: anything else. The message says nothing of what was found.
    """
    if len(data) == KEY_BYTES:
        return data
    text = data.strip()
    with contextlib.suppress(ValueError, binascii.Error):
        key = bytes.fromhex(text.decode("ascii")) if len(text) == 2 * KEY_BYTES else b""
        key = key or base64.b64decode(text, validate=True)
        if len(key) == KEY_BYTES:
            return key
    raise MasterKeyError(problem="the master key is not 32 bytes in hexadecimal, base64 or raw")


class FileMasterKey:
    """The key in a file of its own.

    Args:
        path: of the file.
        data_folder: what the key protects; a path inside it is refused.
        entropy: what new keys are drawn from.
    """

    def __init__(self, path: Path, *, data_folder: Path | None = None, entropy: Entropy = os.urandom) -> None:
        if data_folder is not None and path.resolve().is_relative_to(data_folder.resolve()):
            raise MasterKeyError(problem=f"the master key file {path} lies within the folder that it protects")
        self.path = path
        self._files = StagedFile(path, _KEY_FILE, 0o077)
        self._entropy = entropy

    def create(self) -> bytes:
        """Draw a key and keep it in the file, which must not be there."""
        master_key = self._entropy(KEY_BYTES)
        self._files.create(_text(master_key))
        return master_key

    def read(self) -> bytes:
        """Read the key; MasterKeyError for no file, one that others can read, or no key in it."""
        return parse_master_key(self._files.read())

    def look(self) -> None:
        """Look whether the next start would find the key; MasterKeyError where it would not."""
        self.read()

    def candidates(self) -> list[bytes]:
        """Read the key, and the one of a rotation that was cut."""
        staged = self._files.read_staged()
        return [self.read(), *([] if staged is None else [parse_master_key(staged)])]

    def stage(self, master_key: bytes | None = None) -> bytes:
        """Keep a new key, drawn here unless given, beside the old one, and return it: a rotation's first step.

        Raises:
            MasterKeyError: there is one already: it may be what seals the keyring, and is never written over.
        """
        drawn = self._entropy(KEY_BYTES) if master_key is None else master_key
        self._files.stage(_text(drawn))
        return drawn

    def settle(self, master_key: bytes) -> None:
        """Make the file hold this key alone: the last step of a rotation, and of every start."""
        if self.read() == master_key:
            self._files.drop_staged()
            return
        staged = self._files.read_staged()
        if staged is None or parse_master_key(staged) != master_key:
            raise ValueError("this key lies in neither file")
        self._files.take_staged()


class CredentialMasterKey:
    """The key in a service's credential, which whoever starts the service gives anew at each start: it is only ever read.

    systemd grants it by an access control list, whose mask shows as a group bit; the folder around it is closed.

    Args:
        path: of the credential.
    """

    def __init__(self, path: Path) -> None:
        self._file = StagedFile(path, _KEY_FILE, 0o037)

    def read(self) -> bytes:
        """Read the key.

        Raises:
            MasterKeyError: no file, one that others can read, or no key in it.
        """
        return parse_master_key(self._file.read())

    def candidates(self) -> list[bytes]:
        return [self.read()]

    def settle(self, master_key: bytes) -> None:
        """Keep nothing: the key lies elsewhere, and so does its rotation."""


class PassphraseMasterKey:
    """The key from a passphrase by Argon2id; its parameters lie in a file that is no secret.

    Args:
        path: of the parameters.
        ask: gives the passphrase.
        ops: passes over the memory, for new parameters.
        mem: memory in bytes, for new parameters.
        entropy: what new salts are drawn from.
    """

    def __init__(
        self,
        path: Path,
        ask: Callable[[], str],
        *,
        ops: int = passphrase.OPSLIMIT,
        mem: int = passphrase.MEMLIMIT,
        entropy: Entropy = os.urandom,
    ) -> None:
        self._files = StagedFile(path, "file of passphrase parameters", 0o022)
        self._ask = ask
        self._limits = ops, mem
        self._entropy = entropy

    def create(self) -> bytes:
        """Draw parameters, keep them in the file, which must not be there, and derive the key."""
        line = self._new_parameters()
        master_key = _derive(self._ask(), line)
        self._files.create(line)
        return master_key

    def read(self) -> bytes:
        """Derive the key; whether the passphrase is right the keyring says."""
        return _derive(self._ask(), self._files.read())

    def look(self) -> None:
        """Look whether the next start would find the parameters; MasterKeyError where it would not."""
        self._files.read()

    def candidates(self) -> list[bytes]:
        """Derive the key, and the one of a rotation that was cut, from one passphrase."""
        typed = self._ask()
        lines = [self._files.read(), self._files.read_staged()]
        return [_derive(typed, line) for line in lines if line is not None]

    def stage(self, ask_new: Callable[[], str]) -> bytes:
        """Keep new parameters beside the old and derive the new key; the first step of a rotation."""
        line = self._new_parameters()
        master_key = _derive(ask_new(), line)
        self._files.stage(line)
        self._ask = ask_new
        return master_key

    def settle(self, master_key: bytes) -> None:
        """Make the file hold the parameters of this key alone."""
        staged = self._files.read_staged()
        if staged is None:
            return
        typed = self._ask()
        if _derive(typed, staged) == master_key:
            self._files.take_staged()
        elif _derive(typed, self._files.read()) == master_key:
            self._files.drop_staged()
        else:
            raise ValueError("this key is of neither file")

    def _new_parameters(self) -> bytes:
        ops, mem = self._limits
        salt = self._entropy(passphrase.SALT_BYTES)
        return f"sft-argon2id-1 {ops} {mem} {salt.hex()}\n".encode("ascii")


class CommandMasterKey:
    """The key from the output of a command, such as that of a key management service.

    Args:
        argv: program and arguments; no shell reads them.
        timeout_seconds: after that the command is killed.
    """

    def __init__(self, argv: Sequence[str], *, timeout_seconds: float = COMMAND_SECONDS) -> None:
        if not argv:
            raise MasterKeyError(problem="the command for the master key is empty")
        self._argv = list(argv)
        self._timeout_seconds = timeout_seconds

    def read(self) -> bytes:
        """Run the command; what it says on standard error goes to ours."""
        try:
            # The operator's own setting, an argument list: nothing of a peer is in it.
            done = subprocess.run(
                self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=self._timeout_seconds
            )
        except subprocess.TimeoutExpired:
            # Not chained: the fault carries what was printed so far, which may be the key.
            raise MasterKeyError(
                problem=f"the command for the master key took over {self._timeout_seconds:g} s"
            ) from None
        except OSError as fault:
            raise MasterKeyError(
                str(fault), problem=f"the command for the master key, {self._argv[0]}, cannot run"
            ) from fault
        if done.returncode:
            raise MasterKeyError(problem=f"the command for the master key ended with status {done.returncode}")
        return parse_master_key(done.stdout)

    def candidates(self) -> list[bytes]:
        return [self.read()]

    def settle(self, master_key: bytes) -> None:
        """Keep nothing: the key lies elsewhere, and so does its rotation."""


def _text(master_key: bytes) -> bytes:
    if len(master_key) != KEY_BYTES:
        raise ValueError(f"a master key has {KEY_BYTES} bytes, not {len(master_key)}")
    return master_key.hex().encode("ascii") + b"\n"


def _derive(typed: str, line: bytes) -> bytes:
    if not typed:
        raise MasterKeyError(problem="the passphrase of the master key is empty")
    found = _PARAMETERS.fullmatch(line)
    if found is None:
        raise MasterKeyError(problem="the file of passphrase parameters is damaged")
    try:
        return passphrase.derive(typed, bytes.fromhex(found[3].decode()), int(found[1]), int(found[2]))
    except KeyFormatError as fault:
        raise MasterKeyError(fault.detail, problem="the file of passphrase parameters is damaged") from fault
