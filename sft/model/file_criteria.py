"""What a file that is looked for is to be like, beside its name.

Rules. Criteria are about the newest version: who signed it, its size, when it was stored. The server asks its rows by them, and
holds what they gave to them once more; so does the client with what it is shown.
"""

from __future__ import annotations

from sft.model.names import fold
from sft.model.records import FileVersion, PersonName, Record, Seconds, Size


class FileCriteria(Record, frozen=True):
    """Criteria, all of which are to hold.

    Attributes:
        author: in any case; empty for anybody.
        smallest, largest: of the size, these too; None for any.
        since: stored then or later.
        until: stored before then; None for any time.
    """

    author: PersonName = ""
    smallest: Size = 0
    largest: Size | None = None
    since: Seconds | None = None
    until: Seconds | None = None

    def fits(self, version: FileVersion) -> bool:
        """Return whether a version is like that."""
        return (not self.author or fold(version.author) == fold(self.author)) and self.holds(
            version.size, version.stored_at
        )

    def holds(self, size: int, stored_at: int) -> bool:
        """Return whether size and time are like that."""
        return (
            self.smallest <= size
            and (self.largest is None or size <= self.largest)
            and (self.since is None or stored_at >= self.since)
            and (self.until is None or stored_at < self.until)
        )
