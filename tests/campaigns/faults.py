"""Let every call on files fail, one after another and two at a time, in all that a home goes through: ``make faults``.

    first start    a home is made
    rotation       everything is sealed under a new master key
    reencryption   and under new data keys, a new row key and a new server key, as after a leak
    recovery       a start after a kill
    collection     what was in the trash is destroyed
    together       small files are stored by one request, in the database and in the vault
    segments       an upload of several segments is written
    resumption     one that a kill has cut goes on, from its finished segment
    expiry         one that nobody has gone on with is given up
    upgrade        the database is copied, and every setting gets its MAC anew by a migration

Each trial is a process of its own that ends without tidying up, as by a kill; after every other one the power is cut: what no
sync of a folder has made durable is undone. Then a home must open, with no fault in it, hold what it held, be found clean, and
the start after must find nothing to mend. The calls are those of ``os`` and of SQLite; what reads by ``open()`` is not counted.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from twisted.internet.task import Clock

from sft.crypto.keys import ServerPublic
from sft.crypto.succession import leads_to, verify_succession
from sft.errors import ExistsError, NotFoundError, SftError, UploadGoneError
from sft.limits import KEPT_SECONDS, SEGMENT_BYTES, SEGMENT_CHUNKS
from sft.model.access import operator_caller
from sft.operator import bootstrap
from sft.operator.bootstrap import OpenedHome, open_home, open_master_keys
from sft.operator.configuration import Configuration
from sft.operator.home import Home
from sft.server.event_log import EventLog
from sft.service import accounts, commits, downloads, pending, trash, uploads
from sft.service.maintenance import check, given_up_uploads, purging, rotation, row_keys
from sft.service.open_uploads import OpenUpload, note_segments, open_uploads, resume_upload
from sft.service.pending import Pending, Unwritten
from sft.service.upload import Point, Upload
from sft.store import migration
from sft.vault.keyring_file import load_keyring
from tests.fakes import later_migration
from tests.fakes.faulty_os import FaultyOs
from tests.fakes.faulty_sqlite import FaultySqlite
from tests.fakes.signed_acts import signed
from tests.processes import say
from tests.unit.service.service_fixture import ADA, chunks_of, digest_of, file_id_of, signature_of

KEPT: Final = {"small.txt": b"small", "d/large.bin": bytes(range(256)) * 800, "d/e/other.bin": b"x" * 70_000}
GOES: Final = {"gone.txt": b"gone", "d/gone.bin": b"y" * 70_000}
GOES_WITH_FOLDER: Final = {"gone/a/small.txt": b"away", "gone/a/large.bin": b"z" * 70_000, "gone/b.txt": b"b"}
TOGETHER: Final = {f"many/f{number}": bytes([number]) * (300 if number % 2 else 20_000) for number in range(6)}
CUT_PATH: Final = "d/cut.bin"
CUT: Final = bytes(range(256)) * (SEGMENT_BYTES // 256) + b"and a little more" * 9000
CUT_CHUNKS: Final = chunks_of(CUT)
CUT_ID: Final = b"u" * 16
OPERATOR: Final = operator_caller()
LONG_AGO: Final = 1 << 40
ROUND: Final = 10  # so many calls of a loop are tried


def opened(home: Home) -> OpenedHome:
    return open_home(home, Configuration(name="acme"), reactor=Clock(), event_log=EventLog(), on_fatal=lambda _: None)


@contextmanager
def serving(home: Home) -> Iterator[OpenedHome]:
    """Open a home; a fault leaves it as a kill does."""
    whole = opened(home)
    yield whole
    whole.close()


def ask(whole: OpenedHome, query: Callable[..., Any], caller: Any, **fields: Any) -> Any:
    with whole.context.begin_read() as reading:
        return query(reading, caller, **fields)


def put(whole: OpenedHome, path: str, content: bytes) -> None:
    storage = whole.context.storage
    signature = signature_of(ADA, path, content, server_id=storage.server_id)
    upload = ask(
        whole, uploads.begin, ADA.caller, storage=storage, path=path, file_id=file_id_of(path), version=1,
        size=len(content),
    )  # fmt: skip
    if upload.announcement is not None:
        whole.context.act_blocking(open_uploads, upload.announcement)
    upload.start()
    upload.append(upload.seal(chunks_of(content), last=True))
    item = upload.finish(digest_of(content), signature)
    pending.acknowledge_one(item, whole.context.act_blocking(commits.commit, item))


def put_together(whole: OpenedHome, contents: dict[str, bytes]) -> None:
    """Store small files as one request does."""
    storage, acts = whole.context.storage, whole.context.writer
    ready = [
        pending.put_small(
            storage, ADA.caller, ADA.public_key, path=path, content=content,
            signature=signature_of(ADA, path, content, server_id=storage.server_id),
        )
        for path, content in contents.items()
    ]  # fmt: skip
    for opened in [acts.submit(open_uploads, each.announcement) for each in ready if isinstance(each, Unwritten)]:
        opened.result()
    written: list[Pending] = [each.write() if isinstance(each, Unwritten) else each for each in ready]
    for committed in [acts.submit(commits.commit, each) for each in written]:
        committed.result()


def begin_cut(whole: OpenedHome, resume: Point | None = None) -> Upload:
    upload: Upload = ask(
        whole, uploads.begin, ADA.caller, storage=whole.context.storage, path=CUT_PATH, file_id=file_id_of(CUT_PATH),
        version=1, size=len(CUT), upload_id=CUT_ID, resume=resume,
    )  # fmt: skip
    return upload


def start_cut(whole: OpenedHome) -> Upload:
    upload = begin_cut(whole)
    assert upload.announcement is not None
    whole.context.act_blocking(open_uploads, upload.announcement)
    upload.start()
    return upload


def push(whole: OpenedHome, upload: Upload, end: int = len(CUT_CHUNKS)) -> None:
    """Bring an upload to so many chunks, and do with full segments what the server does."""
    while upload.chunks < end:
        batch = CUT_CHUNKS[upload.chunks : min(upload.chunks + 64, end)]
        upload.append(upload.seal(batch, last=upload.chunks + len(batch) == len(CUT_CHUNKS)))
        done = upload.settle()
        if done is not None:
            whole.context.act_blocking(note_segments, done)
            upload.note(done.segments)


def go_on(whole: OpenedHome) -> None:
    """Go on with an upload from its finished segment; UploadGoneError if there is none."""
    upload = begin_cut(whole, Point(SEGMENT_CHUNKS, digest_of(CUT[:SEGMENT_BYTES])))
    whole.context.act_blocking(resume_upload, upload.resumption)
    while upload.recall():
        pass
    upload.start()
    finish(whole, upload)


def finish(whole: OpenedHome, upload: Upload) -> None:
    push(whole, upload)
    signature = signature_of(ADA, CUT_PATH, CUT, server_id=whole.context.storage.server_id)
    item = upload.finish(digest_of(CUT), signature)
    pending.acknowledge_one(item, whole.context.act_blocking(commits.commit, item))


def content_of(whole: OpenedHome, path: str) -> bytes:
    download = ask(whole, downloads.begin, ADA.caller, storage=whole.context.storage, path=path, version=0)
    download.start()
    content = b""
    while sealed := download.read(8):
        content += b"".join(download.open(sealed))
    download.close()
    return content


def run_job(whole: OpenedHome, query: Callable[..., Any], **fields: Any) -> Any:
    return ask(whole, query, OPERATOR, context=whole.context.job_context, **fields)()


# -- what a home goes through ---------------------------------------------------------------------------


def first_start(home: Home) -> None:
    with serving(home):
        pass


def rotate(home: Home) -> None:
    with serving(home) as whole:
        run_job(whole, rotation.rotate, master_keys=whole.context.master_keys)


def reencrypt(home: Home) -> None:
    with serving(home) as whole:
        keys = {"master_keys": whole.context.master_keys, "row_keys": whole.context.row_keys}
        run_job(whole, row_keys.renew_keys, **keys)
        run_job(whole, rotation.reencrypt)


def collect(home: Home) -> None:
    with serving(home) as whole:
        run_job(whole, purging.collect, until=LONG_AGO)


def store_together(home: Home) -> None:
    with serving(home) as whole:
        put_together(whole, TOGETHER)


def write_segments(home: Home) -> None:
    with serving(home) as whole:
        finish(whole, start_cut(whole))


def resume(home: Home) -> None:
    with serving(home) as whole:
        go_on(whole)


def expire(home: Home) -> None:
    with serving(home) as whole:
        run_job(whole, given_up_uploads.give_up_overdue)


def upgrade(home: Home) -> None:
    keyring = open_master_keys(home, "file").open()
    migration.keep_copy(home.database)
    later_migration.run(home.database, home.path.with_name("scripts"), keyring.row_key, keyring.server_id)


def filled(home: Home) -> None:
    """Make a home with files, some of them in the trash."""
    with serving(home) as whole:
        added = accounts.AddUserInput(OPERATOR, ADA.caller.name, ADA.caller.role, ADA.public_key)
        whole.context.act_blocking(accounts.add_user, added)
        for path, content in (KEPT | GOES | GOES_WITH_FOLDER).items():
            put(whole, path, content)
        for path in GOES:
            delete(whole, trash.Deletion(ADA.caller, path))
        delete(whole, trash.Deletion(ADA.caller, "gone", recursive=True))


def delete(whole: OpenedHome, item: trash.Deletion) -> None:
    whole.context.act_blocking(trash.delete, signed(item, ADA.key, whole.context.storage.server_id))


def killed(home: Home) -> None:
    """Make a home that a kill has left with something of everything: half an upload, a whole one, a purge, a rotation begun."""
    filled(home)
    with serving(home) as whole:
        whole.context.act_blocking(purging.purge, purging.PurgeInput(OPERATOR, LONG_AGO, tuple(range(1, 100))))
        vault = whole.context.storage.vault
        for object_id in (bytes(16), b"o" * 16):
            whole.context.act_blocking(open_uploads, OpenUpload(object_id, None, "half"))
        vault.begin(bytes(16), 70_000)
        orphan = vault.begin(b"o" * 16, 3)
        orphan.append(orphan.seal([b"abc"], last=True))
        orphan.finish(None)
        source = whole.context.master_keys.require_rotatable()
        source.stage()
    (home.path / ".0123456789abcdef.part").write_bytes(b"half")


def cut(home: Home) -> None:
    """Make a home in which an upload was cut after its first segment."""
    filled(home)
    with serving(home) as whole:
        push(whole, start_cut(whole), SEGMENT_CHUNKS + 1)


def cut_long_ago(home: Home) -> None:
    bootstrap._wall_clock = lambda: int(time.time()) - KEPT_SECONDS - 60  # of this process, which makes the template
    cut(home)


class Scenario(NamedTuple):
    """Something that a home goes through."""

    name: str
    begins: Callable[[Home], None] | None
    does: Callable[[Home], None]
    then: Callable[[OpenedHome], None] = lambda _: None  # what is demanded besides


def require_each_whole(whole: OpenedHome) -> None:
    """Demand that of what was stored together each is there whole, or not at all."""
    for path, content in TOGETHER.items():
        with suppress(NotFoundError):
            assert content_of(whole, path) == content, path


def require_cut_goes_on(whole: OpenedHome) -> None:
    """Demand that an upload is stored, or goes on where it was: what was finished is lost by no fault."""
    with suppress(ExistsError):
        go_on(whole)
    assert content_of(whole, CUT_PATH) == CUT


def require_cut_is_no_trouble(whole: OpenedHome) -> None:
    """Demand that an upload is stored, goes on, or is gone without a trace."""
    try:
        require_cut_goes_on(whole)
    except UploadGoneError:
        finish(whole, start_cut(whole))
        assert content_of(whole, CUT_PATH) == CUT


SCENARIOS: Final = (
    Scenario("first start", None, first_start),
    Scenario("rotation", filled, rotate),
    Scenario("reencryption", filled, reencrypt),
    Scenario("recovery", killed, first_start),
    Scenario("collection", filled, collect),
    Scenario("together", filled, store_together, require_each_whole),
    Scenario("segments", filled, write_segments, require_cut_is_no_trouble),
    Scenario("resumption", cut, resume, require_cut_goes_on),
    Scenario("expiry", cut_long_ago, expire, require_cut_is_no_trouble),
    Scenario("upgrade", filled, upgrade),
)


# -- trials -----------------------------------------------------------------------------------------------


def in_process(work: Callable[[], Any]) -> str:
    """Run something in a process of its own that ends without tidying up; gives what it says, or its fault."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            said = work()
            os.write(writing, str(said or "").encode())
            status = 0
        except BaseException:  # noqa: BLE001 - a child tells its parent and ends, whatever it was
            os.write(writing, traceback.format_exc().encode()[-8000:])
        finally:
            os._exit(status)
    os.close(writing)
    said = b""
    while more := os.read(reading, 1 << 16):
        said += more
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status:
        raise AssertionError(said.decode() or f"it ended with {status}")
    return said.decode()


def go_through(scenario: Scenario, home: Home, fail: set[int], *, late: bool, cut: bool) -> str:
    """Go through a scenario with faults; give the names of the calls."""
    faulty = FaultyOs(fail, late=late)
    FaultySqlite(faulty.step)
    with faulty.counting(), suppress(SftError):  # told in words: that is all that is asked of it
        scenario.does(home)
    names = list(faulty.names)
    if cut:
        faulty.cut_power()
    return " ".join(name.replace(" ", "-") for name in names)


def require_whole(home: Home, *, empty: bool, then: Callable[[OpenedHome], None] = lambda _: None) -> None:
    """Demand that a home opens, holds what it held, is clean, and that nothing is left to mend."""
    if home.database.exists():
        later_migration.take_back(home.database)
    with serving(home) as whole:
        context = whole.context
        rotation.finish_rotation(context.job_context, context.master_keys)
        if context.storage.vault.keyring.older_row_key is not None:
            row_keys.finish_row_key(context.job_context, context.master_keys, context.row_keys)
        if not empty:
            for path, content in KEPT.items():
                assert content_of(whole, path) == content, path
        then(whole)
        require_followed(whole)
        if context.storage.vault.keyring.successions:
            # What lies beside the objects is under the row key before until they are sealed anew: the same command again.
            run_job(whole, rotation.reencrypt)
        report = run_job(whole, check.check)
        assert not report.faults, report
        assert not whole.context.storage.vault.keyring.rotating
        load_keyring(home.keyring)
    with serving(home) as whole:
        assert not whole.notes, whole.notes
    left = [path.name for path in home.path.rglob("*") if path.name.endswith((".part", ".new"))]
    assert not left, left


def require_followed(whole: OpenedHome) -> None:
    """Demand that who has pinned the server's first key comes to the one that it shows, wherever that is told."""
    context, keyring = whole.context, whole.context.storage.vault.keyring
    shown, notes = context.server_key.public, keyring.successions
    first = ServerPublic(verify_succession(notes[0]).old_key) if notes else shown
    assert first.server_id() == keyring.server_id
    assert leads_to(context.successions, keyring.server_id, first, shown)
    assert whole.home.server_key() == context.info.public_key == shown.point


class Trials:
    """Trials of one scenario in a folder."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.scenario = scenario
        self.folder = folder
        self.template = folder / "template"
        self.count = 0
        if scenario.begins is not None:
            begins = scenario.begins
            in_process(lambda: begins(Home(self.template)))

    def one(self, *fail: int, late: bool = False, cut: bool = False) -> list[str]:
        """Make one trial; give the names of the calls that it came to."""
        home = Home(self.folder / "home")
        if self.template.exists():
            shutil.copytree(self.template, home.path)
        try:
            names = in_process(lambda: go_through(self.scenario, home, set(fail), late=late, cut=cut))
            in_process(lambda: require_whole(home, empty=self.scenario.begins is None, then=self.scenario.then))
        except AssertionError as fault:
            how = f"{self.scenario.name}, calls {fail} fail{' late' * late}{', power cut' * cut}"
            raise AssertionError(f"{how}\n{fault}") from None
        finally:
            shutil.rmtree(home.path, ignore_errors=True)
        self.count += 1
        return names.split()


def different(calls: list[str]) -> list[int]:
    """Choose the calls that are not one more round of a loop, such as the one over the 256 folders of a vault."""

    def again(number: int, step: int) -> bool:
        return number > ROUND + step and calls[number - ROUND : number] == calls[number - ROUND - step : number - step]

    return [number for number in range(len(calls)) if not (again(number, 1) or again(number, 2))]


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300, help="pairs of faults in each scenario; 0: every pair")
    parser.add_argument("--only", default="", help="scenarios whose names hold this")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    say(f"seed {given.seed}")
    failures, total = 0, 0
    for scenario in SCENARIOS:
        if given.only not in scenario.name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            trials = Trials(scenario, Path(scratch))
            calls = trials.one()
            say(f"{scenario.name}: {len(calls)} calls: {dict(Counter(calls).most_common())}")
            singles = different(calls)
            pairs = [(first, second) for first in singles for second in singles if first < second]
            chosen = pairs if not given.pairs else draw.sample(pairs, min(given.pairs, len(pairs)))
            for number, fail in enumerate([*((single,) for single in singles), *chosen]):
                for late in (False, True):
                    try:
                        trials.one(*fail, late=late, cut=bool(number % 2))
                    except AssertionError as fault:
                        failures += 1
                        say(str(fault))
            say(f"{scenario.name}: {trials.count} trials")
            total += trials.count
    say(f"{total} trials, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
