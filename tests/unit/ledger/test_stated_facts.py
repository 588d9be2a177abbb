"""What a statement has to say for the leaf that it stands in."""

from __future__ import annotations

from typing import Any

import pytest

from sft.crypto.signatures import FileSignature
from sft.crypto.statement import ACTS, StatementComment
from sft.errors import CryptoError
from sft.ledger.facts import Facts
from sft.ledger.leaves import LeafKind
from sft.ledger.stated_facts import fields_of, require_said
from tests.unit.ledger.written_log import ADA, by_ada, json_bytes, stated

FILE = "11" * 16
ONE_FILE = {"file": bytes.fromhex(FILE), "version": 2, "folder": 0, "files": 0, "folders": 0}
ONE_FOLDER = {"file": b"", "version": 0, "folder": 7, "files": 3, "folders": 2}
IN_TRASH = {"trashed_at": 50, "path": "d/a"}
OF_FILE = {"file_id": FILE, "version": 2, **IN_TRASH}
OF_FOLDER = {"folder_id": 7, "files": 3, "folders": 2, **IN_TRASH}

# Of each kind: the act, what is signed, the facts, and which of them the statement is held to.
WHOLE: dict[LeafKind, tuple[str, dict[str, Any], dict[str, Any]]] = {
    LeafKind.FILE_PURGE_BEGUN: ("destroy", {**ONE_FILE, **IN_TRASH}, OF_FILE),
    LeafKind.FILE_RESTORED: ("restore", {**ONE_FILE, **IN_TRASH}, OF_FILE),
    LeafKind.FOLDER_PURGE_BEGUN: ("destroy", {**ONE_FOLDER, **IN_TRASH}, OF_FOLDER),
    LeafKind.FOLDER_RESTORED: ("restore", {**ONE_FOLDER, **IN_TRASH}, OF_FOLDER),
    LeafKind.VERSIONS_DESTROYED: (
        "destroy-version",
        {"file": bytes.fromhex(FILE), "version": 2, "path": "d/a"},
        {"versions": [[FILE, 2]], "path": "d/a"},
    ),
    LeafKind.EXPIRY_CHANGED: (
        "expire",
        {"file": bytes.fromhex(FILE), "path": "d/a", "expires_at": 9},
        {"file_id": FILE, "path": "d/a", "expires_at": 9},
    ),
    LeafKind.FOLDER_MADE: ("make-folder", {"path": "d"}, {"path": "d"}),
    LeafKind.FOLDER_MOVED: ("move", {"file": b"", "version": 0, "old": "a", "new": "b"}, {"old": "a", "new": "b"}),
}
IN_PART: dict[LeafKind, tuple[str, dict[str, Any], dict[str, Any]]] = {
    LeafKind.FILE_MOVED: (
        "move",
        {"file": bytes.fromhex(FILE), "version": 2, "old": "a", "new": "b"},
        {"file_id": FILE, "old": "a", "new": "b"},
    ),
    LeafKind.FILE_DELETED: (
        "delete",
        {"path": "d/a", "recursive": False, "file": bytes.fromhex(FILE), "version": 2},
        {"file_id": FILE, "path": "d/a"},
    ),
    LeafKind.FOLDER_DELETED: ("delete", {"path": "d", "recursive": True, "file": b"", "version": 0}, {"path": "d"}),
    LeafKind.OWNER_CHANGED: (
        "owner",
        {"file": bytes.fromhex(FILE), "version": 2, "path": "d/a", "owner": "max"},
        {"file_id": FILE, "path": "d/a"},
    ),
    LeafKind.FOLDER_OWNER_CHANGED: ("owner", {"file": b"", "version": 0, "path": "d", "owner": "max"}, {"path": "d"}),
}
OTHERS: dict[str, tuple[Any, ...]] = {  # of each fact: what else it could say
    "file_id": ("22" * 16, "", None, "no hexadecimal"),
    "versions": ([[FILE, 1]], [["22" * 16, 2]], [], [[FILE, 2], [FILE, 3]], 2),
    "version": (1,),
    "folder_id": (8, None),
    "files": (4, None, []),
    "folders": (3, None),
    "trashed_at": (51, None, -1),
    "path": ("d/b", None),
    "old": ("c", None),
    "new": ("c", None),
    "expires_at": (10, None),
}


def judged(kind: LeafKind, act: str, said: dict[str, Any], facts: dict[str, Any], *, with_text: bool) -> None:
    signature, text = stated(act, said)
    parsed = FileSignature.parse(signature.encode())
    decoded = Facts.decode(json_bytes(by_ada(**{name: value for name, value in facts.items() if value is not None})))
    comment = StatementComment.parse(parsed.comment)
    require_said(kind, decoded, ADA.public, parsed, comment, text if with_text else "")


@pytest.mark.parametrize("kind", [*WHOLE, *IN_PART])
def test_a_statement_of_the_facts_holds_with_its_text_and_without(kind: LeafKind) -> None:
    for with_text in (True, False):
        judged(kind, *(WHOLE | IN_PART)[kind], with_text=with_text)


@pytest.mark.parametrize(
    ("kind", "with_text"), [*((kind, True) for kind in WHOLE | IN_PART), *((k, False) for k in WHOLE)]
)
def test_one_of_anything_else_does_not(kind: LeafKind, with_text: bool) -> None:
    act, said, facts = (WHOLE | IN_PART)[kind]
    for name in facts:
        for other in OTHERS[name]:
            with pytest.raises(CryptoError):
                judged(kind, act, said, {**facts, name: other}, with_text=with_text)


def test_which_statements_can_be_written_again() -> None:
    facts = Facts()
    assert all(fields_of(kind, facts).keys() == ACTS[act].keys() for kind, (act, _, _) in WHOLE.items())
    assert all(fields_of(kind, facts).keys() < ACTS[act].keys() for kind, (act, _, _) in IN_PART.items())


def test_a_deletion_of_whatever_lies_there_names_no_file() -> None:
    said = {"path": "d/a", "recursive": False, "file": b"", "version": 0}
    judged(LeafKind.FILE_DELETED, "delete", said, {"file_id": FILE, "path": "d/a"}, with_text=True)
