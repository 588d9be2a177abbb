"""A hook's request over HTTP, as Standard Webhooks has it: headers that name, date and sign an event.

    webhook-id          of the event, the same at each try
    webhook-timestamp   of this try, Unix seconds
    webhook-signature   "v1," and base64 of HMAC-SHA256 over "id.timestamp.body"; one for each key, separated by a blank

Rules. Keys are read anew for each try, so that another key needs nothing but the file: the new one on a line below the old
one, and the old one taken out when every receiver has the new one. A file that others can read holds no secret, and is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
from collections.abc import Sequence
from typing import Final

from sft import __version__

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = (16, 64)  # of one key, least and most
_KEYS_MOST: Final = 4
_FILE_BYTES: Final = 4096


def read_keys(path: str) -> list[bytes]:
    """Read the keys of a secret's file, one a line; OSError, with words of ours in ``strerror``, where it holds none."""
    with open(path, "rb") as file:  # noqa: PTH123 - a text of the configuration
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "the secret is no file")
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise OSError(0, "others can read the file of the secret: chmod 600")
        lines = file.read(_FILE_BYTES).split()
    keys = [_key(line) for line in lines]
    if not 1 <= len(keys) <= _KEYS_MOST:
        raise OSError(0, f"the file of the secret has 1 to {_KEYS_MOST} lines")
    return keys


def headers(event_id: str, sent_at: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of one try."""
    said = {
        "Content-Type": "application/json",
        "User-Agent": f"sft/{__version__}",
        "webhook-id": event_id,
        "webhook-timestamp": str(sent_at),
    }
    if keys:
        said["webhook-signature"] = " ".join(_signature(key, event_id, sent_at, body) for key in keys)
    return said


def _signature(key: bytes, event_id: str, sent_at: int, body: bytes) -> str:
    made = hmac.digest(key, f"{event_id}.{sent_at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(made).decode()}"


def _key(line: bytes) -> bytes:
    text = line.decode("ascii", "replace").removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise OSError(0, "the secret is not whsec_ and base64") from fault
    if not _KEY_BYTES[0] <= len(key) <= _KEY_BYTES[1]:
        raise OSError(0, f"the secret has not {_KEY_BYTES[0]} to {_KEY_BYTES[1]} bytes")
    return key
