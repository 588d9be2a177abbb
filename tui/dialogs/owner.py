"""Hands things over: says what that means, and asks to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from sft.model.records import User
from sft.model.text import count_text, shown_name
from tui.dialogs.dialog import Dialog, static
from tui.text import cut_name, shown
from tui.widgets.choice import Choice, Option

_NAME_CELLS: Final = 40


class ChooseOwner(Dialog[str]):
    """Gives the name of who gets them, or None.

    Args:
        names: of what is handed over, without its folder.
        people: who may own files.
        me: id of who hands over, for whom there is no line.
        has_folders: they go with all in them.
    """

    def __init__(self, names: Sequence[str], people: Sequence[User], *, me: int, has_folders: bool) -> None:
        one = len(names) == 1
        what = cut_name(shown(shown_name(names[0])), _NAME_CELLS) if one else f"{count_text(len(names))} things"
        super().__init__(f"Hand over {what}?", act="Hand over", safe="Keep")
        self._others = [user for user in people if user.id != me]
        self._has_folders = has_folders
        self._one = one
        self.allow_act(allowed=bool(self._others))

    def content(self) -> ComposeResult:
        it = "it" if self._one else "them"
        if self._has_folders:
            yield static("With all in it, which follows file by file." if self._one else "Folders go with all in them.")
        yield static(f"Only the new owner and admins can change {it} then, or hand {it} back.")
        if self._others:
            options = [Option(user.name, shown(user.name), user.role.value) for user in self._others]
            # Marked at first: enter at once hands over nothing.
            yield Choice(
                [Option("", "nobody", "as it is"), *options], self.sft.glyphs, most=6, label_cells=20, id="hand-over-to"
            )
        else:
            yield static("Nobody else here may own files.", "dialog-space")

    def first_focus(self) -> Widget | None:
        """Who gets it."""
        return next(iter(self.query(Choice)), None)

    @on(Choice.Chosen)
    def act(self) -> None:
        for choice in self.query(Choice):
            self.dismiss(choice.value or None)
