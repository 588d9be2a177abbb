"""One try to give an event to a hook, by its program or over HTTP; blocks, and ends in the hook's time.

Rules. A problem is one line of ours, in which nothing of a URL stands, and of what the other end said the first line, escaped:
it is shown and logged.
"""

from __future__ import annotations

from typing import Final

from sft.ledger.event_document import EventDocument
from sft.limits import HOOK_OUTPUT_BYTES
from sft.model.hooks import Hook
from sft.model.names import safe
from sft.server.hook_program import HookPrograms
from sft.server.webhook import headers, read_keys
from sft.transport.http_post import HttpPost, split_url

_SAID_MOST: Final = 200  # characters
_GOOD: Final = range(200, 300)


class HookDelivery:
    """Gives events to one hook; ``cut`` ends the try that is under way, and lets nothing follow."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._programs = HookPrograms()
        self._post = HttpPost()

    def __call__(self, document: EventDocument, sent_at: int) -> str:
        """Give it an event; return what is wrong, "" where it was taken.

        Args:
            sent_at: Unix seconds.
        """
        try:
            return self._started(document) if self._hook.run else self._posted(document, sent_at)
        except OSError as error:
            # What the system says of an address may have it; of a name that is not found, it has no more than that.
            what = self._hook.run[0] if self._hook.run else "its receiver"
            return f"{what}: {safe(error.strerror or type(error).__name__)}"

    def cut(self) -> None:
        self._programs.cut()
        self._post.cut()

    def _started(self, document: EventDocument) -> str:
        hook = self._hook
        said = {"SFT_HOOK": hook.name, "SFT_EVENT": document.type, "SFT_EVENT_ID": document.data.id}
        ended = self._programs(hook.run, document.encode() + b"\n", said, seconds=hook.timeout)
        if ended.status == 0:
            return ""
        if ended.status is None:
            problem = f"it took longer than {hook.timeout} seconds, and was killed"
        elif ended.status < 0:
            problem = f"it ended by signal {-ended.status}"
        else:
            problem = f"it ended with status {ended.status}"
        return _with_words(problem, ended.output)

    def _posted(self, document: EventDocument, sent_at: int) -> str:
        hook, body = self._hook, document.encode()
        keys = read_keys(hook.secret) if hook.secret else []
        said = headers(document.data.id, sent_at, body, keys)
        reply = self._post(split_url(hook.url), body, said, seconds=hook.timeout, answer_bytes=HOOK_OUTPUT_BYTES)
        return "" if reply.status in _GOOD else _with_words(f"it answers with status {reply.status}", reply.body)


def _with_words(problem: str, output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return f"{problem}: {safe(lines[0][:_SAID_MOST])}" if lines else problem
