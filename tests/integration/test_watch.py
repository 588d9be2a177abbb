"""`sft watch` over a real server, on a clock that a test moves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sft.client.api.tree import walk
from sft.client.heads import Heads
from sft.client.transfers import watch
from sft.client.transfers.batch import put_all
from sft.client.transfers.exclude import Excludes
from sft.client.transfers.plan import PutItem
from sft.client.transfers.watch import FolderWatch, WatchOptions
from sft.errors import ChangedSinceError, ConnectionLostError, LocalFileError, NameNotAllowedError
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import ServerFixture, on_reactor


class EndedError(Exception):
    """The script is over."""


class Script:
    """What happens between the looks; each takes a second."""

    def __init__(self, top: Path, *steps: Callable[[], object], **options) -> None:
        self.seconds = 0.0
        self.steps = list(steps)
        self.sent, self.odd = [], []
        how = WatchOptions(2, 1, **options)
        self.watch = FolderWatch(
            top, "inbox", how, sent=self.sent.append, odd=lambda name, why: self.odd.append((Path(name).name, why)),
            now=lambda: self.seconds, pause=self.pause,
        )  # fmt: skip

    async def pause(self, seconds: float) -> None:
        self.seconds += seconds
        if not self.steps:
            raise EndedError
        self.steps.pop(0)()

    async def over(self, session, *steps: Callable[[], object]) -> list[tuple[str, str]]:
        """Watch until the steps are done; return what was sent meanwhile."""
        self.steps += steps
        self.sent.clear()
        with pytest.raises(EndedError):
            await self.watch.over(session)
        return [(each.item.path, each.stage.value) for each in self.sent]


def nothing() -> None:
    """Let a second pass."""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "top" / "sub").mkdir(parents=True)
    (tmp_path / "top" / "old.txt").write_bytes(b"old")
    return tmp_path / "top"


async def listed(session) -> dict[str, int]:
    return {file.path: file.version.number for file in (await walk(session)).files}


@on_reactor
@pytest.mark.every_run
async def test_what_appears_is_sent_when_it_is_still_and_once(server: ServerFixture, top: Path):
    session = await server.session("max")
    script = Script(top)
    assert await script.over(session, nothing) == []  # it might be written yet
    assert await script.over(session, nothing, nothing) == [("inbox/old.txt", "stored")]
    new = top / "sub" / "new.txt"
    growing = [lambda: new.write_bytes(b"n"), lambda: new.write_bytes(b"ne"), lambda: new.write_bytes(b"new"), nothing]
    assert await script.over(session, *growing) == []
    assert await script.over(session, nothing, nothing) == [("inbox/sub/new.txt", "stored")]
    assert await script.over(session, lambda: new.write_bytes(b"newer"), nothing, nothing) == [
        ("inbox/sub/new.txt", "stored"),
    ]  # fmt: skip
    assert await listed(session) == {"inbox/old.txt": 1, "inbox/sub/new.txt": 2}


@on_reactor
async def test_up_to_where_the_log_was_shown_is_kept_while_it_goes_on(server: ServerFixture, top: Path):
    """Whoever loses power then holds the server to it all the same."""
    session = await server.session("max")
    assert await Script(top).over(session, nothing, nothing, nothing) == [("inbox/old.txt", "stored")]
    kept = Heads(session.state, session.server_id).read()
    assert [each.checkpoint for each in kept] == [session.log.told.checkpoint]


@on_reactor
async def test_a_restart_sends_nothing_again_and_what_goes_here_stays_there(server: ServerFixture, top: Path):
    session = await server.session("max")
    await Script(top).over(session, nothing, nothing)
    script = Script(top)
    assert await script.over(session, nothing, nothing, nothing) == []
    assert await script.over(session, (top / "old.txt").unlink, nothing, nothing, nothing) == []
    assert await listed(session) == {"inbox/old.txt": 1}


@on_reactor
async def test_a_lost_connection_is_told_and_the_next_goes_on(server: ServerFixture, top: Path):
    session = await server.session("max")
    script = Script(top, nothing, session.abort)
    with pytest.raises(ConnectionLostError):
        await script.watch.over(session)
    again = await server.session("max")
    (top / "new.txt").write_bytes(b"new")
    sent = await script.over(again, nothing, nothing)
    assert set(sent) <= {("inbox/old.txt", "stored"), ("inbox/new.txt", "stored")}
    assert await listed(again) == {"inbox/old.txt": 1, "inbox/new.txt": 1}


@on_reactor
async def test_a_version_that_somebody_stored_meanwhile_is_named_once_and_stays(server: ServerFixture, top: Path):
    session, other = await server.session("max"), await server.session("ada")
    script = Script(top)
    await script.over(session, nothing, nothing)
    theirs = top.parent / "theirs"
    theirs.write_bytes(b"by ada")
    await script.watch._compare(session, lambda *_: None)
    await put_all(other, [PutItem(theirs, "inbox/old.txt", 6)], replace=True)
    script.watch._compare = _as_it_was
    await script.over(session, lambda: (top / "old.txt").write_bytes(b"changed here"), nothing, nothing, nothing)
    assert [type(each.error) for each in script.sent] == [ChangedSinceError]
    assert await listed(session) == {"inbox/old.txt": 2}


async def _as_it_was(*_: object) -> None:
    """Compare nothing anew."""


@on_reactor
async def test_what_cannot_be_sent_is_told_once_and_what_is_excluded_never(server: ServerFixture, top: Path):
    session = await server.session("max")
    (top / "link").symlink_to("old.txt")
    (top / "a:b").write_bytes(b"no name there")
    (top / "x.tmp").write_bytes(b"tmp")
    script = Script(top, excludes=Excludes(["*.tmp"]))
    await script.over(session, nothing, nothing, nothing, nothing)
    assert [(name, why if isinstance(why, str) else type(why)) for name, why in script.odd] == [
        ("link", "is a link"), ("a:b", NameNotAllowedError),
    ]  # fmt: skip
    assert await listed(session) == {"inbox/old.txt": 1}


@on_reactor
async def test_a_folder_that_goes_is_told_and_sent_when_it_is_made_again(server: ServerFixture, top: Path):
    session = await server.session("max")
    script = Script(top)
    await script.over(session, nothing, nothing)
    assert await script.over(session, lambda: shutil.rmtree(top), nothing, nothing) == []
    assert [(name, type(why)) for name, why in script.odd] == [("top", LocalFileError)]

    def make_again() -> None:
        top.mkdir()
        (top / "old.txt").write_bytes(b"old")
        (top / "new.txt").write_bytes(b"new")

    sent = await script.over(session, make_again, nothing, nothing, nothing)
    assert sent == [("inbox/new.txt", "stored"), ("inbox/old.txt", "unchanged")]
    assert await listed(session) == {"inbox/new.txt": 1, "inbox/old.txt": 1}


@on_reactor
async def test_a_file_that_is_replaced_while_it_is_sent_is_sent_once_it_is_still(
    server: ServerFixture, top: Path, monkeypatch
):
    session = await server.session("max")
    put = watch.put_all

    async def replace_and_put(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(watch, "put_all", put)
        (top / "other").write_bytes(b"another")
        (top / "other").rename(top / "old.txt")
        return await put(*arguments, **options)

    monkeypatch.setattr(watch, "put_all", replace_and_put)
    script = Script(top)
    assert await script.over(session, nothing, nothing) == []
    assert await script.over(session, nothing, nothing, nothing) == [("inbox/old.txt", "stored")]
    assert await server.get(await server.raw("gus"), "inbox/old.txt") == b"another"
    assert script.odd == []


@on_reactor
async def test_a_renamed_file_is_sent_under_its_new_name_and_no_loop_of_links_is_walked(
    server: ServerFixture, top: Path
):
    session = await server.session("max")
    script = Script(top)
    await script.over(session, nothing, nothing)
    (top / "sub" / "up").symlink_to("..")
    (top / "old.txt").rename(top / "sub" / "new.txt")
    assert await script.over(session, nothing, nothing, nothing) == [("inbox/sub/new.txt", "stored")]
    assert [(name, why) for name, why in script.odd] == [("up", "is a link")]
    assert await listed(session) == {"inbox/old.txt": 1, "inbox/sub/new.txt": 1}


@on_reactor
async def test_what_comes_all_at_once_goes_in_parts_and_each_once(server: ServerFixture, top: Path, monkeypatch):
    monkeypatch.setattr(watch, "_SENT_AT_ONCE", 20)
    session = await server.session("max")
    for number in range(50):
        (top / f"{number}.txt").write_bytes(b"%d" % number)
    script = Script(top)
    sent = await script.over(session, nothing, nothing, nothing)
    assert len(sent) == len(set(sent)) == len(await listed(session)) == 51


def test_the_command_says_what_it_stores_and_an_interrupt_ends_it_well(cli: LiveCli, top: Path):
    how = ("--settle", "0", "--interval", "0.1")
    first = cli.interrupted("max", "stored  inbox/old.txt", "watch", str(top), ":inbox", *how)
    assert (first.status, first.lines) == (0, ["stored  inbox/old.txt  v1  3 B", "Watched: stored 1; 3 B."])
    (top / "link").symlink_to("old.txt")
    again = cli.interrupted("max", "is a link, and is not sent", "watch", str(top), "inbox", *how)
    assert (again.status, again.lines) == (1, ["Watched: stored 0, 1 not; 0 B."])
    assert cli.sft("max", "watch", str(top / "none"), "inbox").status == 10
    assert cli.sft("max", "watch", str(top), "a:b", "--profile", "c").status == 2
