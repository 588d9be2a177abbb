"""The staged forgery of the demo: whoever runs a server, with all of its keys in hand, exchanges what stands in a file.

    python -m sft.demo.forgery HOME PATH OLD NEW

The object is sealed anew under its own data key, which the master key opens: so the server finds nothing wrong, and serves it.
What it lacks is the author's key: whoever gets the file is told that these are not the bytes that were signed.

Rules. It is for a private server that ends with the demo, and runs as a process of its own: nothing of a client knows a vault.
Old and new text have the same length. The file is larger than what lies in the database, which is only read.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from sft.crypto.stream import seal_chunk
from sft.limits import CHUNK_BYTES
from sft.operator.home import Home
from sft.vault.keyring_file import load_keyring
from sft.vault.layout import SealedKey, encode_header
from sft.vault.master_key import open_keyring, parse_master_key
from sft.vault.object_keys import ObjectKeys
from sft.vault.objects import open_whole

_OBJECT = (
    "SELECT object_id, size, epoch, sealed_key, later_keys FROM versions WHERE signed_name = ? ORDER BY number DESC"
)


def exchange(home: Home, path: str, old: bytes, new: bytes) -> None:
    """Exchange a text in the newest version of a file that is one segment of the vault (blocks).

    Raises:
        ValueError: there is no such file, or nothing to exchange in it.
        VaultError: the home's keys do not open it.
    """
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
        row = database.execute(_OBJECT, (path,)).fetchone()
    if row is None or len(old) != len(new):
        raise ValueError(f"{path} is not stored, or the texts differ in length")
    object_id, size, epoch, sealed_key, later = row
    keyring, _ = open_keyring(load_keyring(home.keyring), [parse_master_key(home.master_key.read_bytes())])
    key, header = SealedKey(epoch, sealed_key, later), encode_header(object_id)
    place = next(
        each for each in home.vault.rglob("*") if each.is_file() and each.read_bytes()[: len(header)] == header
    )
    content = open_whole(keyring, object_id, size, key, place.read_bytes())
    if old not in content:
        raise ValueError(f"{path} holds another text")
    payload = ObjectKeys.opened(keyring, object_id, key).payload(0)
    forged = content.replace(old, new)
    chunks = [forged[at : at + CHUNK_BYTES] for at in range(0, len(forged), CHUNK_BYTES)]
    sealed = [seal_chunk(payload, n, n == len(chunks) - 1, chunk) for n, chunk in enumerate(chunks)]
    place.write_bytes(b"".join([header, *sealed]))


if __name__ == "__main__":
    folder, name, before, after = sys.argv[1:]
    exchange(Home(Path(folder)), name, before.encode(), after.encode())
