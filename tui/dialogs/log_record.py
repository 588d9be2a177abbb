"""One leaf of the log: what its record says, what of it can be erased, and what proves it, in words.

Rules. The proof is asked for anew: that this very leaf is under the newest head. Every text of the record is a stranger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from sft.client.logged import LogLine
from sft.client.logged_statement import SignedBy
from sft.errors import SftError
from sft.ledger.checkpoints import Checkpoint
from sft.ledger.leaves import LeafKind, StateTreeKind
from sft.model.text import clock_text, count_text, local_time, shown_name
from tui.dialogs.dialog import SCROLLING, Dialog
from tui.text import shown

_SIGNED_THEMSELVES: Final = frozenset({LeafKind.FILE_COMMITTED, LeafKind.FILE_REPLACED})
_SHOWN_APART: Final = frozenset({"statement", "statement_text", "by"})
_TREES: Final = {StateTreeKind.USERS: "people", StateTreeKind.FILES: "files"}
_MOST_CHARACTERS: Final = 2000  # of one value
_NAME_CELLS: Final = 14


class LogRecord(Dialog[None]):
    """Shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    wide = True

    def __init__(self, line: LogLine) -> None:
        super().__init__(f"Log {count_text(line.number)}", safe="Close")
        self._line = line
        self._proof = "asking the server…"
        self._statement = "" if line.is_signed else _unsigned(line)

    def content(self) -> ComposeResult:
        yield Static("", id="record-text", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._show()
        self.work(self._prove)

    async def _prove(self) -> None:
        activity = self.sft.gateway.activity
        try:
            leaf, head = await activity.prove(self._line.number)
            same = leaf == self._line.leaf
            self._proof = _proved(head, self.sft.glyphs.verified) if same else "another leaf than the one that is shown"
            self._show()
            signed = await activity.signed_by(self._line)
            if signed is not None:
                self._statement = _signed(signed, self.sft.glyphs.verified, self.sft.now())
        except SftError as error:
            self.complain(error)
        self._show()

    def _show(self) -> None:
        self.query_one("#record-text", Static).update(self._text())
        self.call_after_refresh(self._fit)

    def _text(self) -> Content:
        line, activity = self._line, self.sft.gateway.activity
        parts: list[str | tuple[str, str]] = []

        def head(text: str) -> None:
            parts.extend(["\n\n" if parts else "", (text, "bold $quiet")])

        def field(name: str, value: str, style: str = "") -> None:
            parts.extend([("\n" if parts else "") + f"{name:<{_NAME_CELLS}}", (value, style)])

        when = local_time(line.time, now=self.sft.now(), weekday=True).rpartition(" ")[0]
        field("when", f"{when} {clock_text(line.time)}, by the server's clock")
        by = "not yours to see" if line.record is None else shown(shown_name(activity.name(line.actor_id)))
        field("who", by)
        field("what", line.words)
        head("RECORD")
        if line.record is None:
            parts.append("\nIt is not yours to see: the leaf alone is, which names nobody.")
        for name, value in _said(line.facts):
            field(name, value)
        key = line.facts.get("by")
        if isinstance(key, dict):
            field("by", f"user {key.get('user')}, key {key.get('key')}")
        head("WHAT CAN BE ERASED")
        personal = _said(line.personal)
        for name, value in personal:
            field(name, value)
        if not personal:
            had = line.leaf.personal is not None
            parts.append("\nIt was erased, or is not yours to see." if had else "\nNothing: it names nobody.")
        head("PROOF")
        field("leaf", count_text(line.number))
        field("its hash", line.leaf.hash().hex())
        for root in line.leaf.state_roots:
            tree = next((words for kind, words in _TREES.items() if kind == root.kind), f"tree {root.kind}")
            field(tree, f"{count_text(root.size)} slots after it, under the root")
            field(f"{tree} root", root.root.hex())
        field("inclusion", self._proof)
        field("statement", self._statement or "asking the server…")
        return Content.assemble(*parts)


def _said(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (shown(name)[: _NAME_CELLS - 1], shown(_value(value)))
        for name, value in fields.items()
        if name not in _SHOWN_APART
    ]


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return (
        text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} and {len(text) - _MOST_CHARACTERS} more"
    )


def _proved(head: Checkpoint, sign: str) -> str:
    return f"{sign} it is one of the {count_text(head.size)} leaves under the server's newest head"


def _unsigned(line: LogLine) -> str:
    if line.record is None:
        return "not yours to see"
    if line.kind in _SIGNED_THEMSELVES:
        return "none: the version's own signature says who stored it (v checks it, in Files)"
    return "none: an act of the server or its operator"


def _signed(signed: SignedBy, sign: str, now: float) -> str:
    name = shown(shown_name(signed.name))
    if not signed.words or signed.at is None:
        return f"it holds under no key of {name}: tell the operator" if signed.name else "of somebody who is not there"
    whole = "this very act" if signed.whole else "act and time; the names in it were erased"
    return f"{sign} {name} signed {whole}, {local_time(signed.at, now=now)}, with {signed.words}"
