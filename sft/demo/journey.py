"""The journey of `sft demo`: the main job, step by step, on real files, without a person.

Rules. Each step says what it did, how long it took and how fast; the first that does not do what it should ends the journey
with status 1. Nothing outside the stage's folder is touched.
"""

from __future__ import annotations

import filecmp
import random
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sft.cli.invocation import Invocation
from sft.cli.json_output import Document
from sft.demo.files import FORGED_ACCOUNT, INVOICE, TRUE_ACCOUNT, write_text
from sft.demo.stage import DemoStage, Ended, UnexpectedError, beginning, changed_byte, library_files
from sft.limits import MIB
from sft.model.names import safe
from sft.model.text import count_text, duration_text, rate_text, size_text

BIG: Final = "big.bin"
LIBRARY: Final = "library"
FAILED_STATUS: Final = 1
_ROLE_FORBIDS_STATUS: Final = 4
_VERIFICATION_STATUS: Final = 7
_NUMBER_COLUMNS: Final = 3


class Journey:
    """The steps, in order, and what each came to."""

    def __init__(self, invocation: Invocation, stage: DemoStage, big_bytes: int, most_files: int | None) -> None:
        self._console = invocation.console
        self._stage = stage
        self._big_bytes = big_bytes
        self._most_files = most_files
        self._files = stage.folder / "files"
        self._out = stage.folder / "out"
        self._library: list[Path] = []
        self._began = 0.0
        self.steps: list[Document] = []

    def run(self) -> int:
        """Go through all steps; return the exit status."""
        began = time.monotonic()
        self._began = began
        try:
            self._prepare()
            with self._stage.server() as pid:
                self._report(f"private server started: sftd, process {pid}, loopback only")
                for step in self._with_server():
                    step()
            self._report("server stopped")
        except (UnexpectedError, OSError, subprocess.TimeoutExpired) as error:
            self._report(safe(str(error).replace("\n", "; ")), good=False)
            return FAILED_STATUS
        self._console.result(f"Everything did what it should, in {duration_text(time.monotonic() - began)}.")
        return 0

    def _with_server(self) -> tuple[Callable[[], None], ...]:
        return (
            self._admin_joins,
            self._others_join,
            self._library_is_stored,
            self._big_file_is_stored,
            self._retry_changes_nothing,
            self._library_is_got,
            self._big_file_is_got,
            self._guest_is_refused,
            self._changed_byte_is_refused,
            self._forgery_is_refused,
            self._minisign_agrees,
        )

    # -- the steps --------------------------------------------------------------------------------

    def _prepare(self) -> None:
        source = Path(sysconfig.get_paths()["stdlib"])
        for below in library_files(source)[: self._most_files]:
            target = self._files / LIBRARY / below
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / below, target)
            self._library.append(below)
        # The same bytes each time: a demo that fails can be repeated.
        randomness = random.Random(self._big_bytes)  # noqa: S311 - content, no secret
        with (self._files / BIG).open("wb") as big:
            for _ in range(self._big_bytes // MIB):
                big.write(randomness.randbytes(MIB))
        self._report(
            f"made ready: {count_text(len(self._library))} files of Python's own library, "
            f"one file of {size_text(self._big_bytes)}"
        )

    def _admin_joins(self) -> None:
        link = self._stage.operator("invite", "--role", "admin", "--user", "ada").out
        self._stage.join("ada", link)
        self._report("ada joined as admin, with an invitation by the operator")

    def _others_join(self) -> None:
        for name, role in (("max", "maintainer"), ("gus", "guest")):
            link = self._stage.sft("ada", "invite", "--user", name, "--role", role).out
            self._stage.join(name, link)
        self._report("max joined as maintainer and gus as guest, with invitations by ada")

    def _library_is_stored(self) -> None:
        source = str(self._files / LIBRARY)
        self._moved(self._stage.sft("max", "put", source, "--json"), "stored", len(self._library))

    def _big_file_is_stored(self) -> None:
        self._moved(self._stage.sft("max", "put", str(self._files / BIG), "--json"), "stored", 1)

    def _retry_changes_nothing(self) -> None:
        ended = self._stage.sft("max", "put", str(self._files / BIG), "--json")
        results = [item["result"] for item in ended.document()["items"]]
        _require(results == ["unchanged"], f"a retry gave {results}")
        self._report("stored again: nothing to do, it is there already")

    def _library_is_got(self) -> None:
        ended = self._stage.sft("gus", "get", LIBRARY, "--to", str(self._out), "--json")
        for below in self._library:
            self._require_same(Path(LIBRARY) / below)
        self._moved(ended, "verified", len(self._library))

    def _big_file_is_got(self) -> None:
        ended = self._stage.sft("gus", "get", BIG, "--to", str(self._out), "--with-signature", "--json")
        self._require_same(Path(BIG))
        self._moved(ended, "verified", 1)

    def _guest_is_refused(self) -> None:
        source = str(self._files / LIBRARY / self._library[0])
        ended = self._stage.sft("gus", "put", source, status=_ROLE_FORBIDS_STATUS)
        _require("[ROLE_FORBIDS]" in ended.err, f"another refusal than expected: {beginning(ended.err)}")
        self._report(f"gus may not store: {_sentence(ended)}")

    def _changed_byte_is_refused(self) -> None:
        target = self._stage.folder / "changed"
        with changed_byte(self._stage.object_of(self._big_bytes)):
            ended = self._stage.sft("gus", "get", BIG, "--to", str(target), status=_VERIFICATION_STATUS)
        left = list(target.glob("*")) if target.exists() else []
        _require(not left, f"something was kept of a changed file: {left}")
        self._report(f"one byte changed in the vault: {_sentence(ended)}")
        self._stage.sft("gus", "get", BIG, "--to", str(target), "--json")
        self._report("the byte put back: verified again")

    def _forgery_is_refused(self) -> None:
        invoice, target = write_text(self._files / "invoice.txt", INVOICE), self._stage.folder / "forged"
        self._stage.sft("max", "put", str(invoice), "--json")
        self._stage.exchange("invoice.txt", TRUE_ACCOUNT, FORGED_ACCOUNT)
        ended = self._stage.sft("gus", "get", "invoice.txt", "--to", str(target), status=_VERIFICATION_STATUS)
        _require("[SIGNATURE_BAD]" in ended.err, f"another refusal than expected: {beginning(ended.err)}")
        left = list(target.glob("*")) if target.exists() else []
        _require(not left, f"something was kept of a forged file: {left}")
        self._report(f"a file forged with all of the server's keys: {_sentence(ended)}")

    def _minisign_agrees(self) -> None:
        minisign = shutil.which("minisign")
        if minisign is None:
            self._report("minisign is not installed here: its opinion was not asked")
            return
        public = self._stage.folder / "max.pub"
        public.write_text(self._stage.sft("max", "key", "export").out)
        big, signature = self._out / BIG, self._out / f"{BIG}.minisig"
        asked = [minisign, "-V", "-H", "-p", str(public), "-m", str(big), "-x", str(signature)]
        ended = subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        _require(ended.returncode == 0, "minisign refuses the signature")
        self._report("the stock minisign accepts max's signature")

    # -- what they have in common -----------------------------------------------------------------

    def _moved(self, ended: Ended, word: str, files: int) -> None:
        document = ended.document()
        results = {item["result"] for item in document["items"]}
        right = results == {word} and document["done"] == files
        _require(right, f"{document['done']} of {files} files {word}: {sorted(results)}")
        size, seconds = document["bytes"], document["seconds"]
        what = BIG if files == 1 else f"{count_text(files)} files"
        speed = rate_text(size, seconds)
        if files > 1:
            speed += f", {count_text(round(files / max(seconds, 0.001)))} files/s"
        who = "max stored" if word == "stored" else "gus got and verified"
        self._report(f"{who} {what}, {size_text(size)}, {speed}", size_bytes=size, files=files)

    def _require_same(self, below: Path) -> None:
        same = filecmp.cmp(self._files / below, self._out / below, shallow=False)
        _require(same, f"{below} is not what was stored")

    def _report(self, text: str, *, good: bool = True, size_bytes: int | None = None, files: int | None = None) -> None:
        seconds = time.monotonic() - self._began
        number = f"{len(self.steps) + 1:{_NUMBER_COLUMNS}}"
        mark = self._console.mark("✓" if good else "✗")
        self.steps.append({"step": text, "ok": good, "seconds": round(seconds, 3), "bytes": size_bytes, "files": files})
        self._console.result(f"{number} {mark} {duration_text(seconds):>9}  {text}")
        self._console.flush()
        self._began = time.monotonic()


def _sentence(ended: Ended) -> str:
    first = ended.err.strip().splitlines()[0] if ended.err.strip() else ""
    return safe(first.removeprefix("sft: "))


def _require(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise UnexpectedError(otherwise)
