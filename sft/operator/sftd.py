"""``sftd``: the same as ``twistd sft``, for installers that link only our own scripts.

``sftd serve`` stays in the foreground and leaves no pid file; a mistake in the options ends with
status 2, as everywhere in sft.
"""

from __future__ import annotations

import sys
from typing import Any


def run() -> None:
    """Run twistd with our plugin's options."""
    from twisted.python import usage
    from twisted.scripts import twistd

    runner: Any = twistd  # its names are not exported for type checkers
    config = runner.ServerOptions()
    try:
        config.parseOptions(["--nodaemon", "--pidfile=", "sft", *sys.argv[1:]])
    except usage.error as error:
        print(f"sftd: {error}", file=sys.stderr)
        print("      sftd --help shows what there is", file=sys.stderr)
        raise SystemExit(2) from None
    sys.argv[0] = "sftd"
    runner.runApp(config)
