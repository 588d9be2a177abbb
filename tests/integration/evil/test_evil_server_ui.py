"""An evil server against the full-screen interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from sft.client.connection_info import Status
from sft.client.trust_chain import LinkName, Standing, chain_of
from sft.crypto.digests import blake2b_512
from sft.wire import messages as m
from tests.integration.evil import file_attacks, history_attacks, key_attacks
from tests.integration.evil.attacks import ATTACKS, Refused
from tests.integration.evil.evil_server import EvilServer
from tests.integration.live_cli import LiveCli
from tests.integration.server_fixture import bridged
from tests.integration.ui_driver import UiDriver, opened_ui, plain
from tests.loop import LOOP


async def test_it_stops_with_the_same_words_and_stays_so(
    cli: LiveCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evil = EvilServer(cli, monkeypatch)
    await bridged(evil.server.put("max", "plan", b"the plan"))
    async with opened_ui(evil.server, "gus", tmp_path / "here") as ui:
        await ui.sees("plan")
        evil.tell(lambda message: replace(message, evidence=None) if isinstance(message, m.FilesContent) else message)
        await ui.walk_to("plan")
        await ui.press("c")
        await ui.until(lambda: "STOP" in ui.screen(), "the line says STOP")
        await ui.until(lambda: "does not prove what it says of these files" in ui.alarm(), ui.alarm())
        assert ui.gateway.connection.status is Status.STOPPED
    evil.be_honest()
    assert evil.mark("gus").exists()
    async with opened_ui(evil.server, "gus", tmp_path / "here", online=False) as ui:
        await ui.until(lambda: "does not prove what it says of these files" in ui.alarm(), ui.alarm())
        await ui.until(lambda: ui.dialog() == "LogStop", "all of the screen says it")


async def test_no_link_of_the_chain_holds_because_another_one_was_broken_first(
    cli: LiveCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    evil = EvilServer(cli, monkeypatch)
    one = bytes(16)
    await bridged(evil.server.put("max", "plan", b"the plan", file_id=one))
    before = blake2b_512(b"the plan").digest()
    await bridged(evil.server.put("max", "plan", b"the newer plan", file_id=one, version=2, prev=before))

    def spoiled(message: m.Message) -> m.Message:
        if not isinstance(message, m.FileShown):
            return message
        version = message.file.version
        return replace(message, file=replace(message.file, version=replace(version, dated_at=version.dated_at + 1)))

    async with opened_ui(evil.server, "gus", tmp_path / "here") as ui:
        await ui.sees("plan")
        evil.hear(lambda message: replace(message, version=1) if isinstance(message, m.ShowFile) else message)
        evil.tell(spoiled)
        chain = chain_of(await ui.gateway.files.chain("plan"), now=0)
    links = {link.name: link for link in chain.links}
    assert links[LinkName.SIGNATURE].standing is Standing.BROKEN
    assert links[LinkName.LOG].standing is Standing.BROKEN, "an older version is not the newest, whatever else is wrong"
    assert "shows version 1 of plan as the newest" in " ".join(links[LinkName.LOG].lines)


# What it tries, and in which words it is told: a list of files asks who wrote them, before anybody gets one.
STOPPED = {
    history_attacks.rolled_back: "shows a history without what this computer saw at",
    history_attacks.forked: "does not prove that what max saw at",
    file_attacks.row_as_it_was: "does not prove who its people are",
    key_attacks.another_key_answered: "does not prove who its people are",
    key_attacks.another_key_listed: "does not prove who its people are",
}


@pytest.mark.long
@pytest.mark.parametrize("lie", STOPPED, ids=lambda lie: lie.__name__)
def test_it_stops_in_full_with_the_words_and_the_evidence_and_stays_so_when_it_is_opened_again(
    cli: LiveCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lie: Callable[[EvilServer], Refused]
) -> None:
    evil = EvilServer(cli, monkeypatch)
    (attack,) = [each for each in ATTACKS if each.try_ is lie]
    who, words, _ = lie(evil)
    assert evil.controls, "nothing was got where nobody lied yet"

    async def stops() -> None:
        async with opened_ui(evil.server, who, tmp_path / "here", online=False) as ui:
            await ui.until(lambda: ui.dialog() == "LogStop" or ui.files.remote.rows is not None, "it is asked")
            if ui.dialog() != "LogStop":  # what neither the login nor the list of files has shown
                await (_get(ui, words[1]) if words[0] == "get" else ui.press("3"))
            await _is_stopped(ui, attack.code, STOPPED[lie])
            assert not list((tmp_path / "here").iterdir()), "nothing lies under any name"

    async def is_stopped_still() -> None:
        async with opened_ui(evil.server, who, tmp_path / "here", online=False) as ui:
            await _is_stopped(ui, attack.code, STOPPED[lie])
            await ui.press("enter", "R")
            await ui.calm()
            assert ui.gateway.connection.status is Status.STOPPED
            assert "plan" not in ui.names()

    LOOP.run_until_complete(stops())
    asked = len(evil.said)
    evil.be_honest()
    LOOP.run_until_complete(is_stopped_still())
    assert len(evil.said) == asked, "it is asked nothing more, whatever it says now"


async def _get(ui: UiDriver, name: str) -> None:
    await ui.walk_to(name)
    await ui.press("c")


async def _is_stopped(ui: UiDriver, code: str, says: str) -> None:
    """Wait until all of the screen says that it is a stop, why, and what to do."""
    await ui.asked("LogStop")
    await ui.sees("STOP: acme contradicts its own log", says, "show the operator the evidence")
    assert ui.gateway.connection.status is Status.STOPPED
    assert ui.gateway.connection.error.code == code
    assert says in ui.alarm()
    evidence = Path(ui.gateway.connection.error.values["evidence"])
    assert f"\nwhat {code}: " in evidence.read_text()
    plain(ui)
