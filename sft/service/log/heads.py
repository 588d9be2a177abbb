"""Signing the log's heads, and reading the last one that was kept.

Rules. A log's name is fixed at its start: from the server's name as it was then, its id, and the epoch. A head is signed by the
server's key; while sessions are there that were shown an older key, by that as well, for they know no other. What was kept by
an older key is believed as far as the keyring says that the key in use follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from sft.crypto.keys import ServerKey, ServerPublic
from sft.crypto.signed_note import text_of
from sft.crypto.succession import verify_succession
from sft.errors import CryptoError, LogDamagedError
from sft.ledger.checkpoints import Checkpoint, Origin, open_checkpoint, sign_checkpoint

_PARTING = "\n\n"  # of a note's text and its signature lines


def log_host(server_name: str) -> str:
    """Spell a server's name so that an origin can have it."""
    return quote(server_name, safe="!$&'()*,;=:@")


class HeadSigner:
    """Signs the heads of one server's log; any thread may add a key.

    Args:
        host: as ``log_host`` made it at the log's start.
        key: the server's.
    """

    def __init__(self, host: str, server_id: bytes, key: ServerKey) -> None:
        self._host = host
        self._server_id = server_id
        self._keys: tuple[ServerKey, ...] = (key,)

    def origin(self, epoch: int) -> Origin:
        return Origin.of_server(self._host, self._server_id, epoch)

    def follow(self, key: ServerKey) -> None:
        """Sign by another key of the server's from now on, and by those before it."""
        if all(each.seed != key.seed for each in self._keys):
            self._keys = (*self._keys, key)

    def sign(self, size: int, root: bytes, epoch: int) -> str:
        """Sign a head: the note, with a line for each key, the newest first."""
        checkpoint = Checkpoint(self.origin(epoch), size, root)
        newest, *older = reversed(self._keys)
        note = sign_checkpoint(newest, checkpoint)
        return note + "".join(sign_checkpoint(key, checkpoint).rpartition(_PARTING)[2] for key in older)


def read_kept_head(
    note: str | None, signer: HeadSigner, server: ServerPublic, successions: Sequence[str]
) -> Checkpoint:
    """Read the last head that was kept, of whatever epoch.

    Args:
        signer: knows what the server's logs are called.
        successions: which keys the server's one followed.

    Raises:
        LogDamagedError: there is none, or it is not this log's.
    """
    if note is None:
        raise LogDamagedError(problem="its last head is missing")
    keys = [server, *(ServerPublic(verify_succession(each).old_key) for each in reversed(successions))]
    for key in keys:
        try:
            origin = signer.origin(Checkpoint.parse(text_of(note)).origin.epoch)
            return open_checkpoint(note, origin, key)
        except CryptoError:
            continue
    raise LogDamagedError(problem="its last head is not signed by this server")
