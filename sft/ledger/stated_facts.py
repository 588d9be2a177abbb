"""What a statement has to say for the leaf that it stands in: the facts, read as the fields that a person signs.

    facts of a leaf → fields of its act, all or some → the text that was signed, or the signature over all of them

Rules. Where the facts hold every field, the text is written again from them, whether it was erased or not. Of other acts those
fields are compared that the facts hold, as long as the text is there: else what the comment says is all that is known. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sft.crypto.keys import PublicKey
from sft.crypto.signatures import FileSignature, verify_statement
from sft.crypto.statement import ACTS, ActStatement, StatementComment
from sft.errors import CryptoError
from sft.ledger.facts import Facts
from sft.ledger.leaves import LeafKind

_NO_FILE = {"file": b"", "version": 0}


def require_said(
    kind: LeafKind, facts: Facts, public: PublicKey, signature: FileSignature, comment: StatementComment, text: str
) -> None:
    """Check that a statement says what the leaf tells of.

    Args:
        comment: of the signature, which was found to be the key's.
        text: what was found to be signed; empty where it was erased.

    Raises:
        CryptoError: it says something else.
    """
    said = fields_of(kind, facts)
    if text:
        stated = ActStatement.parse(text).fields
        if comment.act == "delete" and not stated["file"]:
            said.pop("file", None)  # of whatever file lies there
        for name, value in said.items():
            if name in stated and stated[name] != value:
                raise CryptoError(f"it names another {name} than the facts")
    elif said.keys() == ACTS[comment.act].keys():
        try:
            statement = ActStatement(comment, said)
            statement.text()
        except (ValueError, TypeError, AttributeError) as fault:
            raise CryptoError(f"the facts are none that it could name: {fault}") from fault
        verify_statement(public, statement, signature)


def fields_of(kind: LeafKind, facts: Facts) -> dict[str, Any]:
    """Return the fields of the statement that a leaf of a kind carries, as far as its facts hold them."""
    file_id, path = _bytes(facts.file_id), facts.path
    if kind in {LeafKind.FILE_RESTORED, LeafKind.FILE_PURGE_BEGUN}:
        return {
            "file": file_id,
            "version": facts.version,
            "folder": 0,
            "files": 0,
            "folders": 0,
            "trashed_at": facts.trashed_at,
            "path": path,
        }
    if kind in {LeafKind.FOLDER_RESTORED, LeafKind.FOLDER_PURGE_BEGUN}:
        inside = {"files": facts.files, "folders": facts.folders, "trashed_at": facts.trashed_at}
        return {**_NO_FILE, "folder": facts.folder_id, **inside, "path": path}
    return _of_versions(facts) if kind is LeafKind.VERSIONS_DESTROYED else dict(_of_places(kind, facts, file_id))


def _of_versions(facts: Facts) -> dict[str, Any]:
    one = facts.versions if isinstance(facts.versions, tuple) and len(facts.versions) == 1 else (("", 0),)
    return {"file": _bytes(one[0][0]), "version": one[0][1], "path": facts.path}


def _of_places(kind: LeafKind, facts: Facts, file_id: bytes) -> Mapping[str, Any]:
    """Return what is said of a place: where something is, or where it goes."""
    match kind:
        case LeafKind.FOLDER_MADE:
            return {"path": facts.path}
        case LeafKind.FOLDER_MOVED:
            return {**_NO_FILE, "old": facts.old, "new": facts.new}
        case LeafKind.FILE_MOVED:
            return {"file": file_id, "old": facts.old, "new": facts.new}
        case LeafKind.EXPIRY_CHANGED:
            return {"file": file_id, "path": facts.path, "expires_at": facts.expires_at or 0}
        case LeafKind.FILE_DELETED | LeafKind.OWNER_CHANGED:
            return {"file": file_id, "path": facts.path}
        case LeafKind.FOLDER_DELETED | LeafKind.FOLDER_OWNER_CHANGED:
            return {**_NO_FILE, "path": facts.path}
        case _:
            return {}


def _bytes(text: str | None) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        return b""
