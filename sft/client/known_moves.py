"""Who moved files to where they lie, as one session has found out: a name for what is signed, an error for what is not.

Rules. What was found is of a version as a leaf stored it, at a path. That nobody signed a move is looked at anew each time.
"""

from __future__ import annotations

from sft.errors import MoveUnsignedError
from sft.model.records import File

MoveKey = tuple[bytes, int, str]


class KnownMoves:
    """What a session knows of moves."""

    def __init__(self) -> None:
        self._found: dict[MoveKey, str | MoveUnsignedError] = {}

    def is_open(self, file: File) -> bool:
        """Say whether a file lies elsewhere than it was signed to be, and nobody is known who signed that."""
        return file.path != file.version.signed_name and not isinstance(self._found.get(_key(file)), str)

    def note(self, file: File, found: str | MoveUnsignedError) -> None:
        self._found[_key(file)] = found

    def require(self, file: File) -> str:
        """Return who moved a file; MoveUnsignedError where nobody signed that."""
        found = self._found.get(_key(file))
        if isinstance(found, str):
            return found
        raise unsigned(file) if found is None else found


def unsigned(file: File) -> MoveUnsignedError:
    """Return the error for a file of which nobody signed that it lies where it does."""
    version = file.version
    return MoveUnsignedError(path=file.path, author=version.author, signed_name=version.signed_name)


def _key(file: File) -> MoveKey:
    return file.id, file.version.leaf, file.path
