"""The demo that a person explores: a private server with three people and real files, made ready in seconds.

    ada    admin       welcome.md (three versions), handbook
    max    maintainer  python, plans (a file and a folder of it in the trash; one has three versions, the last by ada),
                       staged-forgery (one file, whose bytes the server exchanged)
    gus    guest       nothing: guests read

An invitation for eva is open. Rules. Everything lies in one temporary folder and goes with it; the server ends with the block.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from sft.demo.files import (
    BUDGET,
    FORGED,
    FORGED_ACCOUNT,
    TRUE_ACCOUNT,
    WELCOME,
    lay_out_files_of_ada,
    lay_out_files_of_max,
    lay_out_files_to_send,
    write_text,
)
from sft.demo.stage import DemoStage, UnexpectedError, beginning
from sft.errors import LocalFileError
from sft.model.names import safe

SERVER_NAME: Final = "demo"
_STEERING: Final = ("SFT_HOME", "SFT_PROFILE", "SFT_PASSPHRASE_FILE")


class Exhibit:
    """A private server with people and files, for as long as the block runs that it heads."""

    def __init__(self) -> None:
        self._left_behind = ExitStack()
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._left_behind.close()

    def begin(self, report: Callable[[str], object] = lambda _: None) -> Path:
        """Make everything ready, and return the state folder of its admin (blocks).

        Args:
            report: gets what is done now.

        Raises:
            LocalFileError: it could not be.
        """
        try:
            return self._made_ready(report)
        except (UnexpectedError, OSError, subprocess.TimeoutExpired) as error:
            raise LocalFileError(
                str(error),
                path="The private server",
                problem=f"could not be made ready: {safe(beginning(str(error)))}",
                remedy="See where it stops: sft demo --script",
            ) from error

    @property
    def here(self) -> Path:
        """The folder with files to send."""
        if self._folder is None:
            raise UnexpectedError("nothing is made ready")
        return self._folder / "yours"

    @staticmethod
    def environ(environ: Mapping[str, str], state: Path) -> dict[str, str]:
        """Return an environment that leads to the demo, whatever ours says."""
        kept = {name: value for name, value in environ.items() if name not in _STEERING}
        return {**kept, "SFT_HOME": str(state)}

    # -- the steps ----------------------------------------------------------------------------------

    def _made_ready(self, report: Callable[[str], object]) -> Path:
        folder = self._folder = Path(tempfile.mkdtemp(prefix="sft-demo-"))
        self._left_behind.callback(shutil.rmtree, folder, ignore_errors=True)
        stage = DemoStage(folder)
        self._left_behind.enter_context(stage.server("--name", SERVER_NAME))
        people = _People(stage)
        for words, step in (
            ("ada joins", people.ada_joins),
            ("ada invites", people.ada_invites),
            ("max and gus join", people.others_join),
            ("files are stored", people.files_are_stored),
            ("new versions are stored", people.second_versions),
            ("and one more", people.third_versions),
            ("one file is forged", people.file_is_forged),
        ):
            report(f"  {words}")
            step()
        return folder / "ada"


class _People:
    """What the three of them do; what does not depend on each other, at the same time."""

    def __init__(self, stage: DemoStage) -> None:
        self._stage = stage
        self._files = stage.folder / "files"
        self._links: dict[str, str] = {}

    def ada_joins(self) -> None:
        link = self._stage.operator("invite", "--role", "admin", "--user", "ada").out
        _together(lambda: self._join("ada", link), lambda: lay_out_files_to_send(self._stage.folder / "yours"))

    def ada_invites(self) -> None:
        _together(
            lambda: self._invite("max", "maintainer"),
            lambda: self._invite("gus", "guest"),
            lambda: self._invite("eva", "maintainer"),
        )

    def others_join(self) -> None:
        _together(lambda: self._join("max", self._links["max"]), lambda: self._join("gus", self._links["gus"]))

    def files_are_stored(self) -> None:
        of_ada = lay_out_files_of_ada(self._files / "ada")
        of_max = lay_out_files_of_max(self._files / "max")
        _together(
            lambda: self._stage.sft("ada", "put", *map(str, of_ada)),
            lambda: self._stage.sft("max", "put", *map(str, of_max)),
        )

    def second_versions(self) -> None:
        _together(
            lambda: self._store_again("ada", "welcome.md", WELCOME[1]),
            lambda: self._store_again("max", "plans/budget.csv", BUDGET[1]),
        )

    def third_versions(self) -> None:
        _together(
            lambda: self._store_again("ada", "welcome.md", WELCOME[2]),
            lambda: self._store_again("ada", "plans/budget.csv", BUDGET[2]),
            lambda: self._stage.sft("max", "rm", "-r", "--yes", "plans/draft.md", "plans/archive"),
        )

    def file_is_forged(self) -> None:
        self._stage.exchange(FORGED, TRUE_ACCOUNT, FORGED_ACCOUNT)

    # -- what they have in common -----------------------------------------------------------------

    def _invite(self, name: str, role: str) -> None:
        made = self._stage.sft("ada", "invite", "--user", name, "--role", role)
        self._links[name] = made.out

    def _join(self, name: str, link: str) -> None:
        self._stage.join(name, link, "--device", f"{name}-laptop")

    def _store_again(self, who: str, path: str, text: str) -> None:
        source = write_text(self._files / f"{who}-{len(text)}" / Path(path).name, text)
        self._stage.sft(who, "put", str(source), "--as", path, "--replace")


def _together(*acts: Callable[[], object]) -> None:
    """Run several functions at once; the first fault is raised."""
    with ThreadPoolExecutor(len(acts)) as threads:
        for begun in [threads.submit(act) for act in acts]:
            begun.result()
