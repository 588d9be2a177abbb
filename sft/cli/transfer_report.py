"""What became of many items of a put or get: lines, one document, and the exit status.

Rules. A few named items are told one by one, a whole folder in one sentence; what failed is listed last, and whole. An
item that fails alone is the command's own failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sft.cli.batch import status_of_many, tell_failures
from sft.cli.columns import aligned
from sft.cli.failures import error_json
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.errors import SftError
from sft.model.text import count_text, duration_text, size_text


class TransferReport:
    """Collects results and tells of them.

    Args:
        whole: there was a folder or a pattern among what was named.
    """

    done_word: ClassVar[str] = "done"
    undone: ClassVar[str] = "Not done"

    def __init__(self, invocation: Invocation, *, whole: bool) -> None:
        self.invocation = invocation
        self.server = ""
        self.seconds = 0.0
        self._whole = whole
        self._items: list[Document] = []
        self._rows: list[Sequence[str]] = []
        self._failed: list[tuple[str, SftError]] = []
        self._bytes = 0

    def done(self, document: Document, row: Sequence[str], size_bytes: int) -> None:
        """Take an item that was done."""
        self._items.append(document)
        self._rows.append(row)
        self._bytes += size_bytes

    def refused(self, name: str, error: SftError) -> None:
        """Take an item that was never tried."""
        self.failed(name, error, path=None)

    def failed(self, name: str, error: SftError, *, path: str | None) -> None:
        """Take an item that failed."""
        self._failed.append((name, error))
        self._items.append(
            {
                "source": name,
                "path": path,
                "result": "failed",
                "error": error_json(error, now=self.invocation.now),
            }
        )

    def remarks(self) -> list[str]:
        """Say what else there is to say of the whole."""
        return []

    def more(self) -> dict[str, Any]:
        """Give further fields of the document."""
        return {}

    def told(self) -> int:
        """Tell of everything; say the exit status."""
        console = self.invocation.console
        errors = [error for _, error in self._failed]
        done = len(self._items) - len(errors)
        status = status_of_many(errors, done)
        alone = len(self._items) == 1 and bool(errors)
        if console.json:
            console.document(
                {
                    "server": self.server or self.invocation.profile().server_name,
                    "items": self._items,
                    "done": done,
                    "failed": len(errors),
                    "bytes": self._bytes,
                    "seconds": round(self.seconds, 3),
                    **self.more(),
                    "exit": status,
                }
            )
        if not alone:
            self._tell_done(done)
        tell_failures(self.invocation, self._failed, self.undone, alone=alone, head=not self._whole)
        return status

    def _tell_done(self, done: int) -> None:
        console = self.invocation.console
        if not self._whole:
            for line in aligned(self._rows):
                console.result(line)
            return
        total = len(self._items)
        noun = "file" if total == 1 else "files"
        moved = f"{size_text(self._bytes)}, {duration_text(self.seconds)}."
        of_all = f"{self.done_word} {count_text(done)} of {count_text(total)} {noun}"
        said = [f"{of_all}, {moved}", *self.remarks()]
        if self._failed:
            said.append(f"{self.undone}, {count_text(len(self._failed))}:")
        console.result("  ".join(said))
