"""The field for a pasted link: blanks, line breaks and box borders fall away, and letters act while it is empty.

Rules. A link begins with ``s``: so an empty field lets every other letter through to the screen, and a first start needs no
tab before ``e`` or ``?``. What the text is worth is not judged here.
"""

from __future__ import annotations

from typing import Final

from textual import events
from textual.widgets import Input

_BEGINNING: Final = "sft://"
_BOX: Final = range(0x2500, 0x2580)
_AROUND: Final = "|<>\"'`"


class LinkInput(Input):
    """A text field for one link, which may come in many lines."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, compact=True, placeholder="sft://", select_on_focus=False)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Say whether a key is text here; else the screen's bindings have it."""
        return super().check_consume_key(key, character) and self._takes(character)

    async def _on_key(self, event: events.Key) -> None:
        if not event.is_printable or self._takes(event.character):
            return
        # The toolkit's own field would keep it.
        event.stop()
        event.prevent_default()
        found = self.screen.active_bindings.get(event.key)
        if found is not None:
            await self.app.run_action(found.binding.action, found.node)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = cleaned(event.text)
        begins = text.lower().find(_BEGINNING)
        if begins >= 0:
            self.value = text[begins:]
            self.cursor_position = len(self.value)
        else:  # the rest of a link that came in two parts
            self.insert_text_at_cursor(text)

    def _takes(self, character: str | None) -> bool:
        if self.value or character is None:
            return True
        return character in "sS" or not cleaned(character)


def cleaned(text: str) -> str:
    """Drop what mail programs and terminals put between the characters of a link, and what no screen should get."""
    return "".join(
        character
        for character in text
        if character.isprintable()
        and not character.isspace()
        and ord(character) not in _BOX
        and character not in _AROUND
    )
