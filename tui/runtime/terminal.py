"""The terminal that the UI draws on: the toolkit's, with what it leaves open closed.

Rules. It is written on standard output: standard error may go to a file. Whatever was switched on is switched off again. A
terminal that is gone ends the app and blocks nothing. Only what stopped us by ctrl+z is undone by ``fg``; where no shell
waits for us we do not stop, for nobody could bring us back.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TextIO

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_LOOK_SECONDS: Final = 0.05  # how soon the end of the app is seen
_ESCAPE: Final = b"\x1b"
_READ_BYTES: Final = 4096

HUNG_UP: Final = 128 + signal.SIGHUP
_MOUSE_PIXELS_OFF: Final = "\x1b[?1016l"  # the toolkit switches them on where a terminal has them


class Terminal(LinuxDriver):
    """Input and output of the UI."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file = _Output(sys.__stdout__ or sys.stdout, self._gone)  # type: ignore[assignment]  # write and flush are all it needs
        self._stopped = False

    @property
    def can_suspend(self) -> bool:
        """Whether a shell waits for us: it leads our session, and we are not of its group."""
        return os.getsid(0) != os.getpgrp()

    def start_application_mode(self) -> None:
        """Take the terminal; in the background that is refused, and tried again when we are in front."""
        self._writer_thread = None
        super().start_application_mode()  # type: ignore[no-untyped-call]  # the toolkit's
        self._stopped = self._writer_thread is None

    def stop_application_mode(self) -> None:
        if self._mouse_pixels:
            self.write(_MOUSE_PIXELS_OFF)
            self._mouse_pixels = False
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until the app ends; what is not UTF-8 is no key, and no reason to end."""
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as readable:
            readable.register(self.fileno, selectors.EVENT_READ)
            pause = _LOOK_SECONDS
            while not self.exit_event.is_set():
                found, pause = readable.select(pause), _LOOK_SECONDS
                if found:
                    data = os.read(self.fileno, _READ_BYTES)
                    if not data:
                        self._gone()
                        return
                    if data.endswith(_ESCAPE):  # the key, unless more follows at once
                        pause = constants.ESCAPE_DELAY
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)

    def _run_input_thread(self) -> None:
        # The toolkit would print a traceback on the terminal.
        try:
            self.run_input_thread()
        except OSError:
            self._gone()
        except Exception as error:  # noqa: BLE001 - the app ends by it, in its own words
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)  # noqa: SLF001 - the toolkit's one way

    def stop_job(self) -> None:
        """Stop as ctrl+z stops any program: with all of the job, which may be more than us (``make run``)."""
        # First the terminal: the others stop at once, and then the shell writes on it.
        self._give_back()
        os.killpg(os.getpgrp(), signal.SIGTSTP)

    def _sigtstp_application(self, *_: object) -> None:
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _give_back(self) -> None:
        if self._writer_thread is not None and not self._stopped:
            self.suspend_application_mode()
            self._stopped = self._must_signal_resume = True

    def _sigcont_application(self, *_: object) -> None:
        if self._stopped:
            self.resume_application_mode()
        else:
            # Somebody else stopped us: the terminal is still ours, with whatever was written on it meanwhile.
            self._loop.call_soon_threadsafe(self._app.app_resume_signal.publish, self._app)

    def _gone(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._app.exit, HUNG_UP)


class _Output:
    """A stream that is silent once it cannot be written: the thread that writes must not die with the terminal."""

    def __init__(self, stream: TextIO, gone: Callable[[], None]) -> None:
        self._stream = stream
        self._gone = gone
        self._open = True

    def write(self, text: str) -> None:
        if self._open:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._close()

    def flush(self) -> None:
        if self._open:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._close()

    def fileno(self) -> int:
        return self._stream.fileno()

    def _close(self) -> None:
        self._open = False
        self._gone()
