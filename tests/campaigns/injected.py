"""Let the system refuse writes, syncs and renames while a home is looked after: no room (ENOSPC), a bad disk (EIO); by strace.

    python tests/campaigns/injected.py [--only ACT] [--times 20] [--seed 1] [--folder DIR]

A rotation, new data keys, a collection of the trash, a rebuild after a lost database, a backup, and a server that takes an
upload: each in a process of its own, of which one call, or every one from it on, fails. Whatever it says, it says in words, and
what it has acknowledged is there: afterwards the same is done without faults, the check reads every content and finds nothing.
Each backup that has its name then, with the one that was cut, is put back, and every content of it verified.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.processes import Person, ServerProcess, clean_environment, say, script

STRACE: Final = shutil.which("strace")
# What strace runs goes on when strace is killed: its child is to die with it.
DYING: Final = shutil.which("setpriv")
CALLS: Final = "pwrite64,pwritev,writev,fsync,fdatasync,syncfs,ftruncate,fallocate,renameat,renameat2,unlinkat"
ERRORS: Final = ("ENOSPC", "EIO")
FILES: Final = 12
ACTS: Final = ("vault rotate-key", "vault rotate-key --reencrypt", "vault collect", "vault rebuild", "backup")
UPLOADS: Final = "uploads"
BACKUPS: Final = "backups"
SECONDS: Final = 120


def injected(folder: Path, *, times: int, seed: int, acts: Sequence[str] = ACTS, uploads: bool = True) -> int:
    """Run the campaign; return how many calls failed. AssertionError says what went wrong."""
    draw = random.Random(seed)
    server = ServerProcess(folder)
    person = _fill(server, folder, draw)
    whole = folder / "whole"
    shutil.copytree(server.home, whole)
    failed = 0
    for act in acts:
        calls = _calls(server, _begin(server, whole, act))
        for number in range(times):
            _begin(server, whole, act)
            error, (call, when) = draw.choice(ERRORS), draw.choice(calls)
            rest = draw.choice(("", "+"))
            failing = CALLS if rest else call
            done = _under_strace(server, act, f"-einject={failing}:error={error}:when={when}{rest}")
            failed += 1
            assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
            again = server.operate(*_words(server, act))
            assert again.returncode == 0, again.stdout + again.stderr
            _check(server, FILES)
            put_back = _put_back(server, acknowledged=2 if done.returncode == 0 else 1) if _is_backup(act) else 0
            backups = f", {put_back} put back" if put_back else ""
            say(
                f"{act} {number + 1}: {error} at {call} {when}{rest} of {len(calls)} calls, status {done.returncode}{backups}"
            )
    if uploads:
        failed += _uploads(server, person, folder, draw, times)
    return failed


def _fill(server: ServerProcess, folder: Path, draw: random.Random) -> Person:
    server.start()
    try:
        person = Person(folder, "max")
        person.join(server, "maintainer")
        many = person.folder / "many"
        many.mkdir()
        for number in range(FILES):
            (many / f"{number}.bin").write_bytes(draw.randbytes(draw.choice((17_000, 70_000))))
        assert person.sft("put", "many").returncode == 0
    finally:
        server.stop()
    return person


def _begin(server: ServerProcess, whole: Path, act: str) -> str:
    """Have the home as it was before everything; for a rebuild without its database, for a backup with no folder of any."""
    shutil.rmtree(server.home)
    shutil.copytree(whole, server.home)
    if _is_backup(act):
        shutil.rmtree(server.home.parent / BACKUPS, ignore_errors=True)
    if act == "vault rebuild":
        for path in (server.home / "data").glob("sft.sqlite*"):
            path.unlink()
    return act


def _calls(server: ServerProcess, act: str) -> list[tuple[str, int]]:
    """Do the act without a fault; return its calls, each with how many of its name its thread had made: so strace counts."""
    done = _under_strace(server, act, f"-etrace={CALLS}")
    assert done.returncode == 0, done.stdout + done.stderr
    return _traced_calls(server)


def _traced_calls(server: ServerProcess) -> list[tuple[str, int]]:
    made, found = Counter[tuple[str, str]](), list[tuple[str, int]]()
    for line in (server.home.parent / "strace").read_text(encoding="utf-8", errors="replace").splitlines():
        thread, _, rest = line.partition(" ")
        call = rest.strip().partition("(")[0]
        if call in CALLS.split(","):
            made[thread, call] += 1
            found.append((call, made[thread, call]))
    return found


def _under_strace(server: ServerProcess, act: str, *options: str) -> subprocess.CompletedProcess[str]:
    words = [*_traced(server, options), script("twistd"), "sft", "--home", str(server.home), *_words(server, act)]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=clean_environment(),
        cwd=server.home.parent,
    )


def _is_backup(act: str) -> bool:
    return act == "backup"


def _words(server: ServerProcess, act: str) -> list[str]:
    return [*act.split(), *([str(server.home.parent / BACKUPS)] if _is_backup(act) else [])]


def _put_back(server: ServerProcess, *, acknowledged: int) -> int:
    """Put every backup back that is there, each into a home of its own; return how many that were."""
    backups, trial = str(server.home.parent / BACKUPS), ServerProcess(server.home.parent)
    trial.home = server.home.parent / "trial"
    listed = server.operate_json("restore", backups, "--list")
    assert isinstance(listed, list)
    assert len(listed) >= acknowledged, listed
    for each in listed:
        trial.home.mkdir(mode=0o700)
        shutil.copy(server.home / "master.key", trial.home / "master.key")
        said = trial.operate_json("restore", backups, "--snapshot", each["name"])
        assert isinstance(said, dict)
        assert (said["published"], said["faults"], said["files"]) == (True, [], FILES), said
        shutil.rmtree(trial.home)
    return len(listed)


def _traced(server: ServerProcess, options: Sequence[str]) -> list[str]:
    return [str(STRACE), "-f", "-qq", "-o", str(server.home.parent / "strace"), *options]


def _check(server: ServerProcess, versions: int) -> None:
    report = server.operate_json("vault", "check", "--read-data")
    assert isinstance(report, dict)
    assert report["faults"] == [], report["faults"]
    assert report["versions"] >= versions, report["versions"]


def _uploads(server: ServerProcess, person: Person, folder: Path, draw: random.Random, times: int) -> int:
    """Have a server that takes uploads, gives and deletes fail at its writes: what it acknowledged is there afterwards."""
    whole, knowing = folder / "whole", folder / "knowing"  # a client that saw more than the home has rightly refuses it
    shutil.copytree(person.folder, knowing)

    def begin(content: bytes) -> None:
        _begin(server, whole, "serve")
        shutil.rmtree(person.folder)
        shutil.copytree(knowing, person.folder)
        (person.folder / "new.bin").write_bytes(content)

    contents = {length: draw.randbytes(length) for length in (300, 20_000, 700_000)}
    calls: dict[int, list[tuple[str, int]]] = {}
    for length, content in contents.items():
        begin(content)
        traced = _serving_under_strace(server, f"-etrace={CALLS}")
        traced.start()
        assert _put_and_remove(person)
        traced.kill()
        calls[length] = _traced_calls(server)
    for number in range(times):
        length = draw.choice(sorted(contents))
        content = contents[length]
        error, (call, when) = draw.choice(ERRORS), draw.choice(calls[length])
        rest = draw.choice(("", "+", "+7"))
        begin(content)
        faulty = _serving_under_strace(server, f"-einject={CALLS if rest else call}:error={error}:when={when}{rest}")
        stored, said = False, ""
        try:
            faulty.start()
            stored = _put_and_remove(person)
        except RuntimeError as ended:
            said = str(ended)
        finally:
            faulty.kill()
        assert "Traceback" not in said, said
        server.start()
        try:
            if stored:
                got = person.sft("get", "new.bin", "--to", f"got{number}")
                assert got.returncode == 0, got.stderr
                assert (person.folder / f"got{number}" / "new.bin").read_bytes() == content
            _check(server, FILES)
        finally:
            server.stop()
        say(f"upload {number + 1}: {error} at {call} {when}{rest}, {'stored' if stored else 'refused'}")
    return times


def _serving_under_strace(server: ServerProcess, option: str) -> ServerProcess:
    dying = (str(DYING), "--pdeathsig", "KILL")
    traced = ServerProcess(server.home.parent, program=(*_traced(server, [option]), *dying, script("twistd")))
    traced.port = server.port
    return traced


def _put_and_remove(person: Person) -> bool:
    """Whether the upload was acknowledged."""
    stored = person.sft("put", "new.bin").returncode == 0
    person.sft("rm", "many/0.bin")
    return stored


def main() -> None:
    """Run the campaign as the options say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=(*ACTS, UPLOADS))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if STRACE is None or DYING is None:
        parser.error("strace or setpriv is not here")
    say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        only = options.only
        acts = ACTS if only is None else () if only == UPLOADS else (only,)
        failed = injected(
            Path(folder), times=options.times, seed=options.seed, acts=acts, uploads=only in (None, UPLOADS)
        )
    say(f"{failed} times a call failed, and nothing was lost")


if __name__ == "__main__":
    main()
