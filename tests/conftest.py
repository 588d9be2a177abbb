"""One event loop and one reactor for all tests, hypothesis's profiles, and which tests are of every run.

Rules. What begins much takes long by its nature, and is of the long run: an app of the interface (half a second of a core), a
server with its people on sockets (a fifth), processes. What each part is for has a test or a few in every run, marked
``every_run``. Of a table of cases that is marked ``sampled(n)``, and of each with more than eight, some are of every run,
evenly over the table, the others of the long one. Whoever names a file has all of its tests that are not marked as long
themselves.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from tests.loop import LOOP, reactor

if TYPE_CHECKING:
    from collections.abc import Callable

# Collecting makes a million objects that all stay: no look through them would find anything to free.
gc.disable()

# What tests write goes to memory, where the system has enough of it to give. None of them asks a disk what it keeps when the
# power fails: they look at which calls were made, and in which order. To wait until a disk has it was most of a test's time.
_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 << 30  # of two workers with the largest files
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK):
    _found = os.statvfs(_MEMORY)
    if _found.f_bavail * _found.f_frsize >= _ROOM_BYTES:
        os.environ["TMPDIR"] = str(_MEMORY)  # of the processes that tests start, too
        tempfile.tempdir = None

# What a terminal can do, and whether one is there, each test says itself: who runs them changes no outcome.
for _name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLORTERM", "SFT_ASCII"):
    os.environ.pop(_name, None)
os.environ["TERM"] = "xterm-256color"
# Nor whether it was started in the background of a shell, of which every process that a test interrupts would inherit this.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

for _name, _examples in (("fixed", 10), ("mutants", 25)):
    hypothesis.settings.register_profile(
        _name, max_examples=_examples, derandomize=True, deadline=None, database=None, print_blob=True
    )
# A campaign looks for new cases; what it finds becomes an example in a test.
hypothesis.settings.register_profile("search", max_examples=5000, deadline=None, database=None)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fixed")
hypothesis.settings.load_profile(_PROFILE)
if _PROFILE == "fixed":
    # Else it parses every module that is loaded for the constants in it, in each worker (four seconds where nothing is cached),
    # and a test's inputs depend on which modules others have loaded before it. Campaigns look with them.
    _NO_CONSTANTS = providers._local_constants
    providers._get_local_constants = lambda: _NO_CONSTANTS


def _session_loop() -> asyncio.AbstractEventLoop:
    # One function object for all tests: a new one each time would make pytest-asyncio close the loop in between.
    return LOOP


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"twisted": _session_loop}


_HERE = str(Path(__file__).parent)
_BEGIN_MUCH = (f"{_HERE}/integration/", f"{_HERE}/e2e/", f"{_HERE}/unit/cli/test_run.py")
_SCREENS = f"{_HERE}/tui/"


_WHOLE_TABLE, _LARGE_TABLE = 8, 20  # cases


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # A module of long tests alone is not even read where they are not run.
    if collection_path.suffix != ".py" or not str(collection_path).startswith(_BEGIN_MUCH):
        return None
    if config.getoption("markexpr") != "not long" or collection_path in _named(config):
        return None
    return True if "every_run" not in collection_path.read_text("utf-8") else None


def _named(config: pytest.Config) -> set[Path]:
    return {config.invocation_params.dir / arg.partition("::")[0] for arg in config.args}


def _begins_much(item: pytest.Item) -> bool:
    path = str(item.path)
    if path.startswith(_SCREENS):  # those that run the app are coroutines
        return inspect.iscoroutinefunction(getattr(item, "obj", None))
    return path.startswith(_BEGIN_MUCH)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    usual = config.getoption("markexpr") == "not long"
    named = _named(config) if usual else set()
    sizes = Counter(item.nodeid.partition("[")[0] for item in items)
    cases: Counter[str] = Counter()
    for item in items:
        if item.path in named:
            continue
        if _begins_much(item) and item.get_closest_marker("every_run") is None:
            item.add_marker(pytest.mark.long)
        table = item.nodeid.partition("[")[0]
        sampled = item.get_closest_marker("sampled")
        usual_step = 1 if sizes[table] <= _WHOLE_TABLE else 3 if sizes[table] <= _LARGE_TABLE else 5
        each = sampled.args[0] if sampled else usual_step
        if cases[table] % each:
            item.add_marker(pytest.mark.long)
        cases[table] += 1


def pytest_configure(config: pytest.Config) -> None:
    # A worker tells of each test six times, in messages of a kilobyte. What nobody is shown costs a third of the time between
    # two tests, most of it in the process that hands tests out, for which no core is left.
    asked_for = config.option.verbose > 0 or config.option.durations or config.option.xmlpath
    if hasattr(config, "workerinput") and not asked_for:
        (worker,) = (each for each in config.pluginmanager.get_plugins() if type(each).__name__ == "WorkerInteractor")
        worker.sendevent = partial(_send_what_is_shown, worker.sendevent)


def _send_what_is_shown(send: Callable[..., None], event: str, **what: Any) -> None:
    report = what["data"] if event == "testreport" else {}
    if event in {"logstart", "logfinish"} or (report.get("outcome") == "passed" and report["when"] != "call"):
        return
    if report:
        report["keywords"] = {}
    send(event, **what)


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.getoption("--hypothesis-seed") if _PROFILE == "search" else "derandomized"
    return f"hypothesis: profile {_PROFILE}, seed {seed}"


def pytest_unconfigure(config: pytest.Config) -> None:
    # Its threads are no daemons: left alone they keep the process from ending.
    if reactor.threadpool is not None:
        reactor.threadpool.stop()


def pytest_collection_finish(session: pytest.Session) -> None:
    # None of that is ever looked through again, and what lives as long as one test is looked through seldom.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
