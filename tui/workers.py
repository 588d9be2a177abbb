"""How screens begin what takes time: by a function, never a coroutine that one cancelled early would leave behind.

Rules. What a job raises is said in the message line, and the app goes on: a refusal in its own words, a fault of ours by its
reference.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any, cast

from textual.dom import DOMNode
from textual.worker import Worker

from sft.errors import SftError
from tui.context import AppContext


def start_worker(
    node: DOMNode,
    job: Callable[[], Coroutine[Any, Any, object]],
    *,
    group: str,
    exclusive: bool = False,
    keys_wait: bool = False,
) -> Worker[object]:
    """Run a job as a worker of a node.

    Args:
        exclusive: first cancel what runs in its group there.
        keys_wait: what is typed meanwhile is for what the job shows, a dialog or another list.
    """
    app = cast("AppContext", node.app)
    waiting = ExitStack()
    if keys_wait:
        waiting.enter_context(app.keys_wait())

    async def guarded() -> object:
        try:
            with waiting:
                return await job()
        except SftError as error:
            app.frame.view.report_error(error)
        except Exception as error:  # noqa: BLE001 - a fault of ours is reported, it ends nothing
            # Whoever quits takes away the widgets that a late answer was for.
            if node.is_attached and node.is_running:
                app.frame.view.report_fault(error)
            else:
                app.gateway.local.keep_fault("".join(traceback.format_exception(error)))
        return None

    # The toolkit's type for work is so wide that no result can be inferred from it.
    worker: Worker[object] = node.run_worker(cast("Any", guarded), group=group, exclusive=exclusive)
    return worker
