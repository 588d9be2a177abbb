"""What filter and sort need of every entry of a folder, in columns: about a hundred bytes for each.

Rules. Names lie behind one another in one block of bytes, divided by NUL, which no name holds: so a filter is a search of the
machine's own, not a walk over a million objects. Entries are made of it only for the lines in sight.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from sft.client.trust import SignatureState
from sft.model.names import fold
from tui.panes.entry import Entry, EntryKind

_END: Final = b"\0"


class Names:
    """Many texts, in their order, in one block."""

    def __init__(self) -> None:
        self._block = bytearray(_END)
        self._starts = array("Q")

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> str:
        start = self._starts[number]
        return self._block[start : self._block.index(_END, start)].decode(errors="surrogatepass")

    def add(self, text: str) -> None:
        """Take one more."""
        self._starts.append(len(self._block))
        self._block += text.encode(errors="surrogatepass") + _END

    def holding(self, part: str, first: int, last: int) -> Iterator[int]:
        """Find those from number ``first`` to before ``last`` that hold a part."""
        wanted = part.encode(errors="surrogatepass")
        if last <= first or _END in wanted:
            return
        at = self._starts[first]
        end = self._starts[last] if last < len(self._starts) else len(self._block)
        while (found := self._block.find(wanted, at, end)) >= 0:
            number = bisect_right(self._starts, found) - 1
            yield number
            if number + 1 >= last:
                return
            at = self._starts[number + 1]

    def exactly(self, text: str) -> Iterator[int]:
        """Find those that are exactly this."""
        wanted = _END + text.encode(errors="surrogatepass") + _END
        found = self._block.find(wanted)
        while found >= 0:
            yield bisect_right(self._starts, found + 1) - 1
            found = self._block.find(wanted, found + 1)


class Index:
    """What filter and sort need of every entry, in columns."""

    def __init__(self) -> None:
        self.folded = Names()
        self.sizes = array("q")
        self.dates = array("q")
        self.kinds = array("b")
        self.versions = array("l")
        self.states: dict[str, SignatureState] = {}
        self.cursor = ""
        self.begun = 0  # entries that were here when the page at the cursor began
        self.complete = False
        self.total_bytes = 0
        self._names = Names()
        self._people = _Few()
        self._folders = _Few()
        self._author_of = array("l")
        self._owner_of = array("l")
        self._owner_ids = array("q")
        self._folder_of = array("l")
        self._more: dict[int, tuple[tuple[int, int] | None, int | None]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def add(self, entry: Entry) -> None:
        """Take one entry."""
        self._folder_of.append(self._folders.number_of(entry.path.removesuffix(entry.name)))
        if entry.inside is not None or entry.until is not None:
            self._more[len(self)] = entry.inside, entry.until
        self._names.add(entry.name)
        self.folded.add(fold(entry.name))
        self.sizes.append(entry.size)
        self.dates.append(entry.at or 0)
        self.kinds.append(entry.kind)
        self.versions.append(entry.version)
        self._author_of.append(self._people.number_of(entry.author))
        self._owner_of.append(self._people.number_of(entry.owner))
        self._owner_ids.append(entry.owner_id)
        self.total_bytes += entry.size
        if entry.state is not None:
            self.states[entry.path] = entry.state  # of few: light pages judge nothing

    def path(self, number: int) -> str:
        """Give the path of an entry."""
        return self._folders.texts[self._folder_of[number]] + self._names[number]

    def find(self, path: str) -> int | None:
        """Find the number of an entry by its path."""
        for folder in self._folders.texts:
            if path.startswith(folder):
                for number in self._names.exactly(path[len(folder) :]):
                    if self.path(number) == path:
                        return number
        return None

    def entry(self, number: int) -> Entry:
        """Make an entry of what is indexed."""
        path = self.path(number)
        inside, until = self._more.get(number, (None, None))
        return Entry(
            kind=EntryKind(self.kinds[number]),
            name=self._names[number],
            path=path,
            size=self.sizes[number],
            at=self.dates[number] or None,
            version=self.versions[number],
            author=self._people.texts[self._author_of[number]],
            owner=self._people.texts[self._owner_of[number]],
            owner_id=self._owner_ids[number],
            inside=inside,
            state=self.states.get(path),
            until=until,
        )


class _Few:
    """Texts that many entries share, by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number_of(self, text: str) -> int:
        """Give the number of a text."""
        number = self._numbers.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(text)
        return number
