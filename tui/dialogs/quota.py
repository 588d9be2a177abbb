"""Says how much somebody may own: bytes and files, each a number, none, or what everybody has; a refusal is shown here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from sft.errors import SftError
from sft.model.quotas import NO_LIMIT, limit_text, typed_limit
from sft.model.records import QuotaReport, User
from sft.model.sizes import parse_size, typed_size
from sft.model.text import owned_text, shown_name
from tui.dialogs.dialog import Dialog, static
from tui.text import cut_name, shown

_NAME_CELLS = 40


@dataclass(frozen=True, slots=True)
class Limits:
    """What somebody may own, as it is set for them: None is what everybody has, ``NO_LIMIT`` no limit."""

    size_bytes: int | None
    files: int | None


Change = Callable[[Limits], Awaitable[User | None]]
"""Asks the server; None where it could not even be asked, which has been reported."""


class SetQuota(Dialog[User]):
    """Gives the person as changed, or None.

    Args:
        before: what they may own, and what of it is taken.
    """

    def __init__(self, before: QuotaReport, change: Change) -> None:
        super().__init__(f"Quota of {cut_name(shown(shown_name(before.user)), _NAME_CELLS)}", act="Set quota")
        self._before = before
        self._change = change
        is_number = before.set_bytes is not None and before.set_bytes != NO_LIMIT
        size = typed_size(before.set_bytes or 0) if is_number else limit_text(before.set_bytes)
        self._bytes_field = Input(size, id="quota-bytes", compact=True, max_length=30)
        self._files_field = Input(limit_text(before.set_files), id="quota-files", compact=True, max_length=30)

    def content(self) -> ComposeResult:
        owned = self._before.owned
        has = owned_text(owned.files, owned.bytes_stored, owned.quota_files, owned.quota_bytes)
        yield static(f"Owned now: {has}.")
        with Horizontal(classes="field dialog-space"):
            yield static("Bytes", "field-name")
            yield self._bytes_field
            yield static("50G, none or default", "field-says")
        with Horizontal(classes="field -last"):
            yield static("Files", "field-name")
            yield self._files_field
            yield static("100000, none or default", "field-says")
        yield static(
            "Older versions and the trash count. What is owned already stays, whatever is set here.",
            "dialog-muted dialog-space",
        )

    def first_focus(self) -> Widget:
        return self._bytes_field

    @on(Input.Submitted, "#quota-bytes")
    def _next_field(self) -> None:
        self._files_field.focus()

    @on(Input.Submitted, "#quota-files")
    def act(self) -> None:
        field, what = self._bytes_field, "a size such as 50G"
        try:
            size_bytes = typed_limit(field.value, parse_size)
            field, what = self._files_field, "a number of files"
            limits = Limits(size_bytes, typed_limit(field.value, int))
        except ValueError:
            self.complain(f"That is no limit: {what}, none, or default.", field)
            return
        self.complain("")
        self.work(partial(self._ask, limits))

    async def _ask(self, limits: Limits) -> None:
        try:
            self.dismiss(await self._change(limits))
        except SftError as error:
            self.complain(error)
