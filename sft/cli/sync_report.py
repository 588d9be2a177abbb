"""What became of a sync: lines, one document, and the exit status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sft.cli.batch import SOME_STATUS, show_failures, status_of_many
from sft.cli.columns import aligned
from sft.cli.failures import error_json
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.cli.transfer_report import show_moved, show_skipped, skipped_documents
from sft.client.transfers.local_tree import Skipped
from sft.client.trust import Verdict
from sft.errors import SftError
from sft.model.names import safe
from sft.model.text import count_text, duration_text, size_text

_DONE: Final = ("stored", "got", "replaced", "deleted")
_WOULD: Final = tuple(f"would {word}" for word in ("store", "get", "replace", "delete"))


class SyncReport:
    """Collects what changed, and shows it.

    Args:
        up: the server's folder is the target.
        dry_run: nothing is done.
    """

    def __init__(self, invocation: Invocation, *, up: bool, dry_run: bool) -> None:
        self.server = ""
        self.seconds = 0.0
        self.same = 0
        self.newer = 0
        self.excluded = 0
        self.skipped: Sequence[Skipped] = ()
        self._invocation = invocation
        self._up = up
        self._dry_run = dry_run
        self._items: list[Document] = []
        self._rows: list[list[str]] = []
        self._count: Counter[str] = Counter()
        self._failed: list[tuple[str, SftError]] = []
        self._moved: list[tuple[str, Verdict]] = []
        self._bytes = 0
        self._refusal: SftError | None = None

    def changed(
        self, result: str, path: str, local: str, *, version: int | None = None, size: int | None = None
    ) -> None:
        """Take a file or folder that was changed at the target, or would be."""
        self._count[result] += 1
        self._items.append(
            {"path": path, "local": local, "result": result, "version": version, "size": size, "error": None}
        )
        self._rows.append([result, safe(path if self._up else local), "" if size is None else size_text(size)])
        if not self._dry_run:
            self._bytes += size or 0

    def refuse(self, error: SftError) -> None:
        """Take note of why the run would do nothing at all, whose trial this is."""
        self._refusal = error

    def failed(self, path: str | None, local: str | None, error: SftError) -> None:
        self._failed.append((local or path or "", error))
        why = error_json(error, now=self._invocation.now, steps=self._invocation.steps)
        self._items.append(
            {"path": path, "local": local, "result": "failed", "version": None, "size": None, "error": why}
        )

    def moved(self, path: str, verdict: Verdict) -> None:
        """Take note that a file that was got was signed under another name."""
        self._moved.append((path, verdict))

    @property
    def all_went(self) -> bool:
        return not self._failed

    def finish(self, *remarks: str) -> int:
        """Show everything; return the exit status."""
        console = self._invocation.console
        errors = [error for _, error in self._failed]
        done = self._count.total() + self.same
        status = status_of_many(errors, done, self._invocation.ended) or (SOME_STATUS if self.skipped else 0)
        if self._dry_run:
            status = 0 if self._refusal is None else self._refusal.exit_status
        if console.json:
            console.document(self._document(done, status))
        if self._dry_run:
            for line in aligned(self._rows):
                console.result(line)
        console.result("  ".join([self._sentence(), *self._remarks(), *remarks]))
        show_moved(console, self._moved)
        show_failures(self._invocation, self._failed, "Not done", alone=False)
        show_skipped(console, self.skipped)
        if self._refusal is not None:
            show_failures(self._invocation, [("", self._refusal)], "", alone=True)
        return status

    def _sentence(self) -> str:
        words = _WOULD if self._dry_run else _DONE
        said = [f"{word} {count_text(self._count[word])}" for word in words if self._count[word]]
        said.append(f"{count_text(self.same)} the same")
        if self._dry_run:
            return f"Nothing was done: {', '.join(said)}."
        return f"{', '.join(said)}; {size_text(self._bytes)}, {duration_text(self.seconds)}."

    def _remarks(self) -> list[str]:
        said = [f"{count_text(self.newer)} newer there were left alone."] if self.newer else []
        return said + ([f"{count_text(self.excluded)} excluded."] if self.excluded else [])

    def _document(self, done: int, status: int) -> dict[str, Any]:
        return {
            "server": self.server,
            "direction": "up" if self._up else "down",
            "dry_run": self._dry_run,
            "items": self._items,
            "skipped": skipped_documents(self.skipped),
            "same": self.same,
            "newer": self.newer,
            "excluded": self.excluded,
            "done": done,
            "failed": len(self._failed),
            "refusal": self._refusal
            and error_json(self._refusal, now=self._invocation.now, steps=self._invocation.steps),
            "bytes": self._bytes,
            "seconds": round(self.seconds, 3),
            "exit": status,
        }
