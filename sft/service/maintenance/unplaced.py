"""Contents that found no place in an index that was made again, as files: for who knows where they belong.

    object, its sidecar → DIR/AUTHOR/PATH/vN-OBJECT, with its signature and the author's key beside it

Rules. The folder is the operator's and holds contents in the clear, for its owner alone. Every name in it was checked as names
are, and nothing in it is written over: what is there already is left as it is, so a run that was killed is gone on with. A file
has its name when all of it was read, is what its author signed, and is on the disk; then the object can be put aside.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sft import durable
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import PublicKey
from sft.model.names import parse_component, parse_user_name
from sft.service.author_signature import Sidecar
from sft.service.path_lookup import require_path
from sft.vault.objects import require_digest
from sft.vault.vault import SealedKey, Vault

_SIGNATURE: Final = ".minisig"
_KEY: Final = ".pub"
_PART: Final = ".part"
_ID_DIGITS: Final = 8


def export(
    folder: Path, vault: Vault, object_id: bytes, key: SealedKey, sidecar: Sidecar, each: Callable[[int], None]
) -> None:
    """Write a content to a folder, which is made if need be; what is there already stays.

    Args:
        each: told of every chunk's length.

    Raises:
        OSError: it cannot be written.
        ObjectMissingError, ObjectCorruptError: it is not what its author signed; nothing is left of it.
        NameNotAllowedError: what lies beside it names no path or person.
    """
    require_path(sidecar.path)
    below = [parse_user_name(sidecar.user_name), *map(parse_component, sidecar.path.split("/"))]
    name = f"v{sidecar.version}-{object_id.hex()[:_ID_DIGITS]}"
    with suppress(FileExistsError):  # whose it is and who may enter stays as it is: what is made in it is private
        folder.mkdir(durable.PRIVATE_FOLDER)
    place = durable.open_folder(folder)
    try:
        for component in below:
            inner = durable.sub_folder(place, component, make=True)
            os.close(place)
            place = inner
        if _is_there(place, name):
            return
        _write_content(place, name, vault, object_id, key, sidecar, each)
        _write_beside(place, name + _SIGNATURE, sidecar.signature)
        _write_beside(place, name + _KEY, PublicKey.decode(sidecar.public_key).pub_file().encode())
        durable.rename_no_replace(place, name + _PART, place, name)
        durable.sync_folder(place)
    finally:
        os.close(place)


def _is_there(place: int, name: str) -> bool:
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=place, follow_symlinks=False)
        return True
    return False


def _write_content(
    place: int, name: str, vault: Vault, object_id: bytes, key: SealedKey, sidecar: Sidecar,
    each: Callable[[int], None],
) -> None:  # fmt: skip
    part = name + _PART
    with suppress(FileNotFoundError):
        os.unlink(part, dir_fd=place)
    file, found = durable.create_new(place, part), blake2b_512()
    try:
        for chunk in vault.read_whole(object_id, sidecar.size, key):
            found.update(chunk)
            durable.write_all(file, chunk)
            each(len(chunk))
        require_digest(object_id, found.digest(), sidecar.digest)
        durable.sync_file(file)
    except BaseException:
        with suppress(OSError):
            os.unlink(part, dir_fd=place)
        raise
    finally:
        os.close(file)


def _write_beside(place: int, name: str, data: bytes) -> None:
    with suppress(FileExistsError):  # of a run that was killed: a signature and a key are the same again
        durable.write_new(place, name, data)
