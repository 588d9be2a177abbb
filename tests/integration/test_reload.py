"""A running server reads its configuration anew: what it takes, what waits, and what is wrong and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sft.operator.home import Home
from sft.service import settings
from tests.integration.server_fixture import copy_server, on_reactor, until
from tests.integration.test_first_start import LOOPBACK, Service


class Reread(Service):
    """A service that reads its configuration anew, with what it says of that."""

    async def again(self, text: str) -> list[str]:
        self.home.configuration_file.write_text(text)
        self.said.clear()
        with self._heard():
            self.running.reread()
            await until(lambda: self.says("reload"), f"it says so: {self.said}")
            async with self.running._turn:
                pass  # it has come to its end
        return self.said


@on_reactor
async def test_what_is_safe_is_taken_at_once_and_the_rest_waits(template: Path, tmp_path: Path):
    service = Reread(copy_server(template, tmp_path / "s").home)
    await service.start()
    assert service.running._server is not None
    context = service.running._server.context
    listened = context.info.address
    text = 'trash_days = 7\nregistration = "open"\npublic = "a.example:1"\nexempt = ["10.0.0.0/8"]\nname = "other"\n'
    said = await service.again(f'{text}master_key = "passphrase"\n')
    assert "option-changed option=trash_days to=7" in said
    assert "option-waits option=master_key until=restart" in said
    assert "reloaded taken=5 waiting=1" in said
    assert context.policy.trash_days == 7
    assert context.admission.is_exempt("10.1.2.3")
    info = context.info
    assert (info.name, info.registration, info.address) == ("other", "open", "a.example:1")
    assert await context.read_apart(settings.server_info) == info
    # What waits goes on waiting; what is as it was is not taken again; what is said no more is the default again.
    assert "reloaded taken=2 waiting=1" in await service.again(
        'registration = "open"\nexempt = ["10.0.0.0/8"]\nname = "other"\nmaster_key = "passphrase"\n'
    )
    assert (context.policy.trash_days, context.info.address) == (30, listened)
    await service.stop()


@on_reactor
@pytest.mark.every_run
async def test_what_is_wrong_changes_nothing_and_is_named(template: Path, tmp_path: Path):
    service = Reread(copy_server(template, tmp_path / "s").home)
    await service.start()
    assert service.running._server is not None
    (said,) = await service.again("trash_days = 7\ntrash_day = 7\n")
    assert said.startswith(f'reload-refused place="{service.home.configuration_file}, line 2" problem=')
    assert service.running._server.context.policy.trash_days == 30
    await service.stop()


@on_reactor
async def test_a_stop_while_it_is_read_anew_is_no_fault(template: Path, tmp_path: Path):
    service = Reread(copy_server(template, tmp_path / "s").home)
    await service.start()
    with service._heard():
        for _ in range(3):
            service.running.reread()
        await service.stop()
        async with service.running._turn:
            pass
    assert not service.says("fault"), service.said
    assert not service.says("refused"), service.said


@on_reactor
async def test_a_control_socket_that_somebody_removed_is_made_again_where_the_home_is_still_the_servers(
    template: Path, tmp_path: Path
):
    service = Reread(copy_server(template, tmp_path / "s").home)
    await service.start()
    home, server = service.home, service.running._server
    assert server is not None
    first = home.control.stat().st_ino
    await service.again("")
    assert home.control.stat().st_ino == first
    home.control.unlink()
    assert any(line.startswith("control-made-again ") for line in await service.again(""))
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(home.control))
    # By itself too, but for a home that lies elsewhere now.
    assert server._control is not None
    assert server._control._looking.running
    home.control.unlink()
    home.path.rename(tmp_path / "moved")
    home.path.mkdir()
    await server._control.look()
    assert list(home.path.iterdir()) == []
    home.path.rmdir()
    (tmp_path / "moved").rename(home.path)
    await server._control.look()
    assert home.control.is_socket()
    await service.stop()
    assert not home.control.exists()


def test_what_serve_was_given_rules_until_the_file_says_otherwise(tmp_path: Path):
    home, given = Home(tmp_path), {"listen": LOOPBACK, "name": "acme"}
    home.remember(given)
    again = home.configured_again(given).required()
    assert (again.listen, again.name) == (LOOPBACK, "acme")
    home.configuration_file.write_text('name = "other"\nlisten = "127.0.0.1:1"\n')
    again = home.configured_again(given).required()
    assert (again.listen, again.name) == (LOOPBACK, "other")
