"""The act of Files that has things go to the trash by themselves: files of the server, or what is put from here.

Rules. What is put is in the queue with its time span, which begins when it is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sft.model.text import count_text, expiry_seconds, local_time, shown_name
from tui.dialogs.ask import TextPrompt
from tui.messages import Severity
from tui.panes.entry import Entry, EntryKind
from tui.screens import files_rules as rules
from tui.screens.files_context import FilesContext

_NEVER = "never"
_BACK = "It can be brought back from there as any deleted file."


def _span(text: str) -> str:
    """Check a time span."""
    expiry_seconds(text)
    return text


def _span_or_never(text: str) -> str:
    text = text.strip().lower()
    return text if text == _NEVER else _span(text)


class ExpiryActs:
    """What expires."""

    def __init__(self, files: FilesContext) -> None:
        self._files = files

    def act_expiry(self) -> None:
        """Put what is chosen here so that it expires, or say of what is chosen there when it does."""
        files = self._files
        paths = files.pane.chosen
        found = files.pane.found(paths)
        chosen = [found[path] for path in paths if path in found]
        if files.is_local:
            files.start(partial(self._put, paths, rules.title(paths, found)))
        elif len(chosen) < len(paths) or any(entry.kind is not EntryKind.FILE for entry in chosen):
            files.report("Only files expire, no folder.", Severity.WARNING)
        else:
            files.start(partial(self._expire, chosen))

    async def _put(self, paths: Sequence[str], title: str) -> None:
        files = self._files
        to, folder = files.remote_side.path, files.remote_side.folder_text
        each = "Each goes" if len(paths) > 1 or title.endswith("/") else "It goes"
        span = await files.app.push_screen_wait(
            TextPrompt(
                f"Put {title}, to expire",
                lines=[f"{each} to {folder}, and from there to the trash by itself.", _BACK],
                label="After 12h, 7d or 2w", value="7d", act="Put", check=_span,
            )
        )  # fmt: skip
        if span is not None:
            job = files.sft.queue.put(paths, to, title, expires_seconds=expiry_seconds(span))
            files.report(f"{title} {'go' if len(paths) > 1 else 'goes'} to {folder}")
            files.sft.ordered_in_files(job)
            files.pane.lines.select_keys(set())

    async def _expire(self, chosen: Sequence[Entry]) -> None:
        one = len(chosen) == 1
        name = shown_name(chosen[0].name) if one else f"{count_text(len(chosen))} files"
        span = await self._files.app.push_screen_wait(
            TextPrompt(
                f"When {name} {'goes' if one else 'go'} to the trash by {'itself' if one else 'themselves'}",
                lines=[_BACK],
                label="After 12h, 7d or 2w; or never",
                value="7d", act="Set it", check=_span_or_never,
            )
        )  # fmt: skip
        if span is None:
            return
        expires_at = None if span == _NEVER else int(self._files.now) + expiry_seconds(span)
        try:
            for entry in chosen:
                await self._files.gateway.files.set_expiry(entry.path, entry.file_id, expires_at)
            said = f"{'does' if one else 'do'} not go to the trash by {'itself' if one else 'themselves'}"
            if expires_at is not None:
                said = f"{'goes' if one else 'go'} to the trash {local_time(expires_at, now=self._files.now)}"
            self._files.report(f"{name} {said}.", Severity.SUCCESS)
        finally:
            self._files.pane.lines.select_keys(set())
            self._files.remote.read(anew=True)
