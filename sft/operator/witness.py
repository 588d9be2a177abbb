"""``sftd witness``: its folder in the home, its start, and what others need of it.

    HOME/witness/         0700
      keys                0600: name and seeds (``sft.witness.key_file``), made at the first start
      lock                held by the process that witnesses
      policy              C2SP tlog-policy: the ``log`` lines say which logs it witnesses; those of --log beside them
      logs/               the newest checkpoint of each log

Rules. It takes nothing else of the home: a home may have a witness and no server. A record that is not its own, or keys that
are not whole, are refused, never made anew: what is missing may be lying elsewhere, and a witness that forgot can be lied to.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sft import durable, limits
from sft.cli.next_steps import NextSteps
from sft.errors import HomeError, PolicyError
from sft.hardening import keep_memory_private
from sft.ledger.policy import Policy
from sft.operator.home import Home, HomeLock
from sft.operator.listening import listen_at
from sft.operator.process import ProcessService
from sft.transport.threads import Pool
from sft.witness.cosigned import CosignedCheckpoints
from sft.witness.cosigner import Cosigner
from sft.witness.key_file import KEYS, WitnessKeys, make_keys, read_keys
from sft.witness.web import WitnessFactory

FOLDER: Final = "witness"
POLICY: Final = "policy"
LOGS: Final = "logs"


class WitnessService(ProcessService):
    """What twistd runs for ``witness``.

    Args:
        folder: of the witness.
        listen: HOST:PORT, or a Twisted endpoint string.
        logs: verifier keys of ``--log``.
        name: of a new witness; an old one has its own, and another is refused.
    """

    what = "witness"

    def __init__(
        self, reactor: Any, folder: Path, steps: NextSteps, *, listen: str, logs: Sequence[str], name: str
    ) -> None:
        super().__init__(reactor, steps)
        self._folder = folder
        self._listen = listen
        self._given = logs
        self._name = name
        self._lock = HomeLock(Home(folder))
        self._pool = Pool(reactor, threads=1, name="witness")
        self._port: Any = None
        self._factory: WitnessFactory | None = None
        self._logs_folder = -1

    async def _start(self) -> None:
        keep_memory_private()
        with _acting(self._folder):
            durable.make_private_folder(self._folder)
        if not self._lock.take():
            _refuse(self._folder, "another witness runs on it", "Stop that one, or use another --home")
        keys = open_keys(self._folder, self._name)
        logs = witnessed_logs(self._folder, self._given)
        records = self._open_records(keys)
        cosigner = Cosigner(keys.cosigners, records, logs, _wall_clock)
        factory = self._factory = WitnessFactory(self._reactor, cosigner, self._pool, on_fault=self._fault)
        self._pool.start()
        self._port = await listen_at(self._reactor, self._listen, factory)
        self._say(f"Witness {keys.name} of {len(logs.logs)} logs at {self._listen}.")
        for log in logs.logs:
            self._event_log.note("witnessing", log=log.key.name)
        # The last line of a start, as the server's: whoever waits for it finds everything done.
        self._event_log.note("listening", at=self._listen, name=keys.name)

    @property
    def address(self) -> Any:
        """Where it listens, once it does."""
        return self._port.getHost()

    async def _stop(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            stopping = port.stopListening()
            if isinstance(stopping, Deferred):
                await stopping
        if self._factory is not None:
            self._factory.drop_connections()
        # A checkpoint that is being kept is kept to its end: the lock is let go of after it.
        self._pool.stop()
        if self._logs_folder >= 0:
            os.close(self._logs_folder)
            self._logs_folder = -1
        self._lock.drop()

    def _open_records(self, keys: WitnessKeys) -> CosignedCheckpoints:
        cosigners = [each.public for each in keys.cosigners]
        with _acting(self._folder):
            self._logs_folder = durable.open_folder(self._folder, LOGS, make=True)
            try:
                return CosignedCheckpoints(self._logs_folder, cosigners)
            except ValueError as fault:
                _refuse(
                    self._folder,
                    f"{LOGS}/{fault} is not what this witness wrote",
                    "Put back the newest copy of it, or begin a new witness in another --home",
                )

    def _fault(self, failure: Failure) -> None:
        if isinstance(failure.value, OSError):
            self._end_with("checkpoint-fault", failure.value)
        else:
            self._event_log.failed(failure, "request-fault")


def open_keys(folder: Path, name: str) -> WitnessKeys:
    """Read a witness's keys, making them where there is neither a key nor a record; under its lock.

    Raises:
        HomeError: they cannot be read or made, or have another name.
    """
    with _acting(folder), durable.opened_folder(folder) as opened:
        try:
            keys = read_keys(opened)
        except PermissionError as error:
            _refuse(
                folder,
                f"its {KEYS} cannot be read ({error})",
                f"Did nobody read it? Then chmod 600 {folder / KEYS}; else begin a new witness in another --home",
            )
        except ValueError:
            _refuse(folder, f"its {KEYS} is damaged", "Put back a copy of it")
        if keys is None:
            if (folder / LOGS).exists() and any((folder / LOGS).iterdir()):
                _refuse(
                    folder, f"it has records and no {KEYS}", "Put back a copy of it, or begin anew in another --home"
                )
            try:
                keys = make_keys(opened, name or default_name())
            except ValueError:
                _refuse(
                    folder,
                    "that is no name of a witness",
                    "Give --name such as witness.example.org/w1: no space, no plus",
                )
    if name and keys.name != name:
        _refuse(folder, f"the witness there is {keys.name}", "Leave --name out, or use another --home")
    return keys


def witnessed_logs(folder: Path, given: Sequence[str]) -> Policy:
    """Return the logs of a witness's policy file and of ``--log``; HomeError where there are none, or a line is bad."""
    try:
        written = Policy.parse(
            "".join(f"log {vkey}\n" for vkey in given).encode("utf-8", "surrogateescape") + b"quorum none\n"
        )
    except PolicyError as error:
        _refuse(
            folder, f"--log is not a log's key: {error.values['problem']}", "Give it as its operator did: NAME+HASH+KEY"
        )
    kept = Policy()
    with _acting(folder), durable.opened_folder(folder) as opened, contextlib.suppress(FileNotFoundError):
        try:
            kept = Policy.parse(durable.read_regular(opened, POLICY, limits.POLICY_BYTES))
        except PolicyError as error:
            _refuse(folder, f"line {error.values['line']} of its {POLICY}: {error.values['problem']}", "Mend that line")
    added = tuple(each for each in written.logs if each.key not in {log.key for log in kept.logs})
    if {each.key.public for each in added} & {each.key.public for each in kept.logs}:
        _refuse(
            folder, f"a key of --log is in its {POLICY} under another name", "Which log is meant? Leave the other out"
        )
    logs = (*kept.logs, *added)
    if not logs:
        _refuse(folder, "it has no log to witness", f"Give --log KEY, or write log lines into {folder / POLICY}")
    return Policy(logs=logs)


def policy_lines(keys: WitnessKeys, url: str) -> list[str]:
    """Write what others put into their policies to have this witness count: both of its cosignatures."""
    lines, names = [], []
    for cosigner in keys.cosigners:
        names.append(f"{keys.name}-{cosigner.public.kind.name.partition('_')[0].lower()}")
        lines.append(" ".join(part for part in ("witness", names[-1], cosigner.public.vkey(), url) if part))
    return [*lines, f"group {keys.name} all {' '.join(names)}"]


def show_key(folder: Path, name: str, url: str) -> int:
    """Print the witness's lines for policies, making its keys where there are none; return the exit status."""
    lock = HomeLock(Home(folder))
    try:
        with _acting(folder):
            durable.make_private_folder(folder)
        held = lock.take()
        if not held and not (folder / KEYS).exists():
            _refuse(folder, "a witness starts on it", "Once more, when it has started")
        lines = policy_lines(open_keys(folder, name), url)
    finally:
        lock.drop()
    print(*lines, sep="\n")
    return 0


def default_name() -> str:
    """Name a witness after its computer."""
    return f"{os.uname().nodename}/witness"


def _wall_clock() -> int:
    return int(time.time())


@contextmanager
def _acting(folder: Path) -> Iterator[None]:
    """Turn the system's faults into ours."""
    try:
        yield
    except OSError as error:
        _refuse(
            folder,
            f"it cannot be opened ({error.strerror or error})",
            "Look at its disk and at whose it is, then again",
        )


def _refuse(folder: Path, problem: str, remedy: str) -> NoReturn:
    raise HomeError(home=str(folder), problem=problem, remedy=remedy)
