"""Escape and the key behind it, where both came at once: then they are one key with alt, by the same bytes.

Rules. Nothing here has a key with alt, unless a person gave it one: so it was two, as on a line that delivers what was typed in
one piece. In a field it stays one: there alt with a letter moves in the text elsewhere, and escape would drop what was typed. A
digit right behind escape, b and f stay one key too: the toolkit has other names for these bytes.
"""

from __future__ import annotations

from collections.abc import Collection

from textual import events

_ALT = "alt+"


def keys_of(event: events.Key, given: Collection[str], *, typing: bool) -> list[events.Key]:
    """Return the keys that an event stands for, in order.

    Args:
        given: what a person gave to acts, as the toolkit writes keys.
        typing: a field has the focus.
    """
    is_one = typing or not event.key.startswith(_ALT) or event.key in given or event.character is None
    if is_one or len(event.character or "") != 1:
        return [event]
    return [events.Key("escape", "\x1b"), events.Key(event.character or "", event.character)]
