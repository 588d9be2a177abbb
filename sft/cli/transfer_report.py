"""What became of many items of a put or get: lines, one document, and the exit status.

Rules. A few named items are shown one by one, a whole folder in one sentence. What has another name than the signed one is
named in any case; what failed is listed last, and whole. An item that fails alone is the command's own failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from sft.cli.batch import SOME_STATUS, show_failures, status_of_many
from sft.cli.columns import aligned
from sft.cli.console import Console
from sft.cli.failures import error_json
from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.client.transfers.local_tree import Skipped
from sft.client.transfers.progress import NO_RESUMPTION, Resumption
from sft.client.transfers.same import Step
from sft.client.trust import Verdict
from sft.errors import SftError
from sft.model.names import safe
from sft.model.text import code_of, count_text, counted, duration_text, sentence, shown_name, size_text

SKIPPED_LINES: Final = 20
_UNEXPIRING_LINES: Final = 20


def resumption_document(resumption: Resumption) -> Document:
    """Return what an interruption has cost, as fields of an item."""
    return {"resumed_bytes": resumption.resumed_bytes, "sent_again_bytes": resumption.sent_again_bytes}


class TransferReport:
    """Collects results and shows them: of each what is shown, and no more, for they are many.

    Args:
        done_word: begins the sentence on a whole folder: "stored".
        undone: heads the list of failures: "Not stored".
        empty: the fields of an item that has come to nothing.
        whole: there was a folder or a pattern among what was named.
        here: where what is unchanged lies: "there", or "here".

    Attributes:
        empty_folders: folders without a file that were made; their paths.
        hint: what may have been meant instead; said last.
        expires_at: when files of it expire that were given an expiry; None for none.
    """

    def __init__(
        self, invocation: Invocation, done_word: str, undone: str, empty: Document, *, whole: bool, here: str = "there"
    ) -> None:
        self.invocation = invocation
        self.server = ""
        self.seconds = 0.0
        self.unchanged = 0
        self.excluded = 0
        self.empty_folders: list[str] = []
        self.hint = ""
        self.expires_at: int | None = None
        self.skipped: Sequence[Skipped] = ()
        self._done_word = done_word
        self._undone = undone
        self._empty = {**empty, **resumption_document(NO_RESUMPTION)}
        self._whole = whole
        self._here = here
        self._total = 0
        self._items: list[Document] = []  # for --json
        self._rows: list[Sequence[str]] = []  # where each is shown
        self._failed: list[tuple[str, SftError]] = []
        self._moved: list[tuple[str, Verdict]] = []
        self._unconfirmed: list[tuple[int, SftError]] = []
        self._unexpiring: list[tuple[str, SftError, str]] = []
        self._bytes = 0
        self._would: Counter[str] = Counter()

    def done(self, document: Callable[[], Document], row: Callable[[], Sequence[str]], size_bytes: int) -> None:
        """Take an item that is done.

        Args:
            size_bytes: of it that have moved.
        """
        self._total += 1
        self._bytes += size_bytes
        if self.invocation.console.json:
            self._items.append({**self._empty, **document(), "error": None})
        elif not self._whole:
            self._rows.append(row())

    def unconfirmed(self, count: int, error: SftError) -> None:
        """Take note that the server does not know of so many files that they came."""
        self._unconfirmed.append((count, error))

    def unexpiring(self, path: str, error: SftError, *, next_step: str) -> None:
        """Take note that a file that is done does not expire as was asked for, and what to type to have it expire."""
        self._unexpiring.append((path, error, next_step))

    def _show_unexpiring(self) -> None:
        """Name each that is there all the same: the first of them, and how many more."""
        console, now = self.invocation.console, self.invocation.now
        if self._unexpiring:
            console.warn(f"Stored, but without the expiry, {count_text(len(self._unexpiring))}:")
        for path, error, step in self._unexpiring[:_UNEXPIRING_LINES]:
            reference = f" (ref {safe(error.ref)})" if error.ref else ""
            said = sentence(error, now=now).removesuffix(".")
            console.warn(f"  {safe(path)}   {said} [{code_of(error)}]   {step}{reference}")
        if len(self._unexpiring) > _UNEXPIRING_LINES:
            console.warn(f"    and {count_text(len(self._unexpiring) - _UNEXPIRING_LINES)} more; --json names all")

    def _write_unexpiring(self) -> None:
        """Have the documents of these say why."""
        items = {item["path"]: item for item in self._items if item["error"] is None}
        for path, error, step in self._unexpiring:
            why = error_json(error, now=self.invocation.now, steps=self.invocation.steps)
            items[path]["expiry_error"] = {**why, "next": step}

    def _show_unconfirmed(self) -> None:
        """Say of how many files their owners do not hear that they came, and why."""
        for count, error in self._unconfirmed:
            why = sentence(error, now=self.invocation.now)
            self.invocation.console.note(f"{count_text(count)} came whole, and the server does not know it: {why}")

    def moved(self, path: str, verdict: Verdict) -> None:
        """Take note that an item that is done was signed under another name."""
        self._moved.append((path, verdict))

    def failed(
        self,
        name: str,
        error: SftError,
        *,
        path: str | None = None,
        resumption: Resumption = NO_RESUMPTION,
        **more: Any,
    ) -> None:
        """Take an item that failed, or was never tried; with ``more`` fields."""
        self._total += 1
        self._failed.append((name, error))
        if not self.invocation.console.json:
            return
        why = error_json(error, now=self.invocation.now, steps=self.invocation.steps)
        self._items.append(
            {
                **self._empty,
                "source": name,
                "path": path,
                "result": "failed",
                **resumption_document(resumption),
                **more,
                "error": why,
            }
        )

    def foreseen(self, act: str, source: str, path: str, what: Step | SftError, size_bytes: int | None) -> None:
        """Take what would become of an item, were this no trial.

        Args:
            act: "store" or "get".
            what: ``Step.NEW``, ``REPLACE`` or ``SAME``, or why nothing would.
        """
        if not isinstance(what, Step):
            self.failed(source, what, path=path)
            return
        result = {Step.NEW: f"would {act}", Step.REPLACE: "would replace"}.get(what, what.value)
        self._would[result] += 1
        self.done(
            lambda: {"source": source, "path": path, "result": result, "size": size_bytes},
            lambda: [result, safe(path), "" if size_bytes is None else size_text(size_bytes)],
            0,
        )

    def finish_dry(self, *remarks: str, **more: Any) -> int:
        """Show what would be done; return status 0, whatever would fail."""
        console, failed = self.invocation.console, len(self._failed)
        if console.json:
            console.document(self._document(self._total - failed, status=0, dry_run=True, **more))
        for line in aligned(self._rows):
            console.result(line)
        said = [f"{count_text(count)} {result}" for result, count in sorted(self._would.items(), reverse=True)]
        refused = f"{count_text(failed)} would not go" if failed else ""
        whole = ", ".join([*said, *([refused] if refused else [])]) or "nothing to do"
        console.result("  ".join([f"Nothing was done: {whole}.", *remarks]))
        show_failures(self.invocation, self._failed, self._undone, alone=False)
        show_skipped(console, self.skipped)
        self._show_hint()
        return 0

    def finish(self, *remarks: str, **more: Any) -> int:
        """Show everything, with sentences on the whole and ``more`` fields of the document; return the exit status."""
        console = self.invocation.console
        errors = [error for _, error in self._failed]
        done = self._total - len(errors)
        unexpiring = [error for _, error, _ in self._unexpiring]
        status = status_of_many([*errors, *unexpiring], done if errors else 0, self.invocation.ended)
        status = status or (SOME_STATUS if self.skipped else 0)
        alone = self._total == 1 and bool(errors) and not self.skipped
        if console.json:
            self._write_unexpiring()
            console.document(self._document(done, status=status, dry_run=False, **more))
        if not alone:
            self._show_done(done, remarks)
        self._show_moved()
        self._show_unconfirmed()
        show_failures(self.invocation, self._failed, self._undone, alone=alone, head=not self._whole)
        self._show_unexpiring()
        show_skipped(console, self.skipped)
        self._show_hint()
        return status

    def _show_hint(self) -> None:
        if self.hint:
            self.invocation.console.note(f"     {self.hint}")

    def _document(self, done: int, *, status: int, dry_run: bool, **more: Any) -> Document:
        return {
            "server": self.server or self.invocation.profile().server_name,
            "dry_run": dry_run,
            "items": self._items,
            "done": done,
            "failed": len(self._failed),
            "bytes": self._bytes,
            "seconds": round(self.seconds, 3),
            **more,
            "exit": status,
        }

    def finish_aside(self) -> int:
        """Show what failed and what was moved alone: standard output holds the file; return the exit status."""
        errors = [error for _, error in self._failed]
        self._show_moved()
        self._show_unconfirmed()
        show_failures(self.invocation, self._failed, self._undone, alone=self._total == 1)
        return status_of_many(errors, self._total - len(errors), self.invocation.ended)

    def _show_moved(self) -> None:
        """Name every one that no row has named."""
        console = self.invocation.console
        if self._whole or console.quiet or console.json:
            show_moved(console, self._moved)

    def _show_done(self, done: int, remarks: Sequence[str]) -> None:
        console = self.invocation.console
        if not self._whole:
            for line in aligned(self._rows):
                console.result(line)
            return
        said = [self._sentence(done), *remarks]
        if self._failed:
            said.append(f"{self._undone}, {count_text(len(self._failed))}:")
        console.result("  ".join(said))

    def _sentence(self, done: int) -> str:
        if not self._total and self.empty_folders:
            word = "got" if self._here == "here" else "made"
            if len(self.empty_folders) == 1:
                return f"{word} {shown_name(f'{self.empty_folders[0]}/')}: no files in it."
            return f"{word} {counted(len(self.empty_folders), 'folder')}: no files in them."
        if not self._total:
            return f"nothing was {self._done_word}: there are no files."
        if self.unchanged == self._total:
            all_of_them = "the one file is" if self._total == 1 else f"all {count_text(self._total)} files are"
            return f"nothing to do: {all_of_them} {self._here} already."
        moved = f"{size_text(self._bytes)}, {duration_text(self.seconds)}."
        unchanged = f"  {count_text(self.unchanged)} {self._here} already." if self.unchanged else ""
        return f"{self._done_word} {count_text(done)} of {counted(self._total, 'file')}, {moved}{unchanged}"


def skipped_documents(skipped: Sequence[Skipped]) -> list[Document]:
    return [{"source": each.name, "what": each.what} for each in skipped]


def show_moved(console: Console, moved: Sequence[tuple[str, Verdict]]) -> None:
    """Name what was signed under another name, and by whom."""
    if moved:
        console.warn(f"Signed under another name, {count_text(len(moved))}:")
    for path, verdict in moved:
        by = f"; moved here by {shown_name(verdict.moved_by)}" if verdict.moved_by else ""
        signed = f"signed as {shown_name(verdict.signed_name)} by {shown_name(verdict.author)}"
        console.warn(f"  {safe(path)}   {signed}{by}")


def show_skipped(console: Console, skipped: Sequence[Skipped]) -> None:
    """Name what is neither file nor folder and stayed behind: the first of them, and how many more."""
    if not skipped:
        return
    console.warn(f"Skipped, {count_text(len(skipped))} (--exclude leaves out what is meant to stay):")
    for each in skipped[:SKIPPED_LINES]:
        console.warn(f"  {safe(each.name)}   is a {each.what}")
    if len(skipped) > SKIPPED_LINES:
        console.warn(f"  and {count_text(len(skipped) - SKIPPED_LINES)} more; --json names all")
