"""Starting an agent with a key that was opened here.

Rules. The key goes over a pipe that nobody else has, and in no argument or variable of the environment. What held it before is
asked to forget it first. The agent belongs to no terminal: closing one ends it only where nothing else would.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sft.client.agent.held_key import lock
from sft.client.agent.place import ends_with_login, socket_path
from sft.client.agent.process import READY
from sft.errors import AgentError

if TYPE_CHECKING:
    from sft.crypto.keys import SigningKey

_PASSED: Final = ("LD_LIBRARY_PATH", "LANG", "LC_ALL")


def start(folder: Path, key: SigningKey, seconds: int, environ: Mapping[str, str]) -> None:
    """Have an agent hold a key from now on (blocks).

    Args:
        folder: where its socket is to lie.
        environ: of the login that it belongs to.

    Raises:
        AgentError: it does not start, and says why.
    """
    lock(folder, key.public)
    leader = 0 if ends_with_login(environ) else os.getsid(0)
    path = socket_path(folder, key.public)
    words = [sys.executable, "-P", "-m", "sft.client.agent.process", str(path), str(seconds), str(leader)]
    passed = {name: environ[name] for name in _PASSED if name in environ}
    try:
        agent = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**passed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the code that runs here
            start_new_session=True,
        )
    except OSError as error:
        raise AgentError(str(error), problem=str(error.strerror)) from error
    with agent.stdin, agent.stdout:  # type: ignore[union-attr]
        agent.stdin.write(key.public.key_id + key.seed)  # type: ignore[union-attr]
        agent.stdin.flush()  # type: ignore[union-attr]
        said = agent.stdout.readline(1024).decode("utf-8", "replace").strip()  # type: ignore[union-attr]
    agent.wait()
    if said != READY:
        raise AgentError(said, problem=said or "it ended at once")
