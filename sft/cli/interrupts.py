"""Ctrl-C before anything has begun: the process ends by it, without Python's account of what it was just importing.

Rules. Only where the signal has Python's own meaning is that given away, and taken back. Who ignores it, as a shell does for
what it has in the background, goes on ignoring it.
"""

import signal


def end_at_once() -> None:
    """Have SIGINT end the process, until ``raise_again``; for while modules are loaded and nothing is held."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_again() -> None:
    """Have SIGINT raise KeyboardInterrupt: something is held from now on that has to be let go in order."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
