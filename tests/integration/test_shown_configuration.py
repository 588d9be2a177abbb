"""``sftd config show`` of a server that runs: what it has, from where it has that, and what is written otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sft.operator.control import perform
from sft.operator.home import Home
from tests.integration.server_fixture import copy_server, on_reactor
from tests.integration.test_first_start import Service
from tests.integration.test_reload import Reread
from tests.loop import reactor


async def shown(
    home: Home, capsys: pytest.CaptureFixture[str], option: str = "", *, asks_json: bool = False
) -> list[str]:
    """Return the lines of the command as it is typed in a shell with an environment of its own."""
    from sft.operator.config import show_served

    capsys.readouterr()
    status = await perform(reactor, home, show_served, {"option": option, "json": asks_json})
    said = capsys.readouterr()
    assert status == 0, said.err
    return [*said.out.splitlines(), *said.err.splitlines()]


@on_reactor
@pytest.mark.every_run
async def test_the_environment_that_counts_is_the_servers(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = copy_server(template, tmp_path / "s").home.path
    (path / "sft.toml").write_text("versions_kept = 3\n")
    service = Service(Home(path, environment={"SFT_SERVER_TRASH_DAYS": "7"}))
    await service.start()
    elsewhere = Home(path, environment={"SFT_SERVER_TRASH_DAYS": "60", "SFT_SERVER_LOG_LEVEL": "debug"})
    lines = await shown(elsewhere, capsys)
    assert "trash_days\t7\tenvironment" in lines
    assert "versions_kept\t3\tfile" in lines
    assert 'log_level\t"info"\tdefault' in lines
    assert [line for line in lines if "this shell" in line] == [
        "SFT_SERVER_LOG_LEVEL of this shell means nothing to the server that runs.",
        "SFT_SERVER_TRASH_DAYS of this shell means nothing to the server that runs.",
    ]
    alone = await shown(elsewhere, capsys, "trash-days")
    assert "from     environment" in alone
    documents = json.loads((await shown(elsewhere, capsys, asks_json=True))[0])
    assert {each["option"]: each["value"] for each in documents}["trash_days"] == 7
    await service.stop()


@on_reactor
async def test_what_is_written_and_not_taken_yet_is_named(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    service = Reread(copy_server(template, tmp_path / "s").home)
    await service.start()
    service.home.configuration_file.write_text('trash_days = 7\nmaster_key = "passphrase"\n')
    lines = await shown(service.home, capsys)
    assert "trash_days\t30\tdefault" in lines
    assert lines[-2:] == [
        'Written and not taken yet: master_key = "passphrase"; at the next start.',
        "Written and not taken yet: trash_days = 7; at once, when the server gets SIGHUP.",
    ]
    await service.again('trash_days = 7\nmaster_key = "passphrase"\n')
    lines = await shown(service.home, capsys)
    assert "trash_days\t7\tfile" in lines
    assert 'master_key\t"file"\tdefault' in lines
    assert lines[-1] == 'Written and not taken yet: master_key = "passphrase"; at the next start.'
    await service.stop()


@on_reactor
async def test_what_is_wrong_in_the_file_is_said_beside_what_rules(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    service = Service(copy_server(template, tmp_path / "s").home)
    await service.start()
    service.home.configuration_file.write_text("trash_day = 7\n")
    from sft.operator.config import show_served

    assert await perform(reactor, service.home, show_served, {"option": "", "json": False}) == 10
    said = capsys.readouterr()
    assert "trash_days\t30\tdefault" in said.out
    assert "Did you mean trash_days?" in said.err
    await service.stop()
