"""Invitations that let nobody in, and names that are taken: what the form says, and what is still good."""

from __future__ import annotations

import pytest

from sft.client.api import people
from sft.model.access import Role
from sft.wire import messages as m
from tests.integration.server_fixture import ServerFixture, bridged
from tests.integration.ui_driver import UiDriver, ask, opened_ui, plain

pytestmark = pytest.mark.long

# -- invitations that let nobody in ----------------------------------------------------------------------------------------


async def _invitation(server: ServerFixture, *, name: str | None = None) -> tuple[str, int]:
    async def make():
        session = await server.session("ada")
        link, made = await people.invite(session, role=Role.GUEST, name=name, seconds=3600)
        await session.close()
        return link.text(), made.id

    return await bridged(make())


async def _try_to_join(ui: UiDriver, link: str, name: str) -> None:
    await ui.sees("Welcome to sft")
    await ui.paste(link)
    await ui.press("enter")
    await ui.asked("Join")
    await ui.type(name)
    await ui.press("enter")
    await ui.type("pass")
    await ui.press("enter")
    await ui.type("pass")
    await ui.press("enter", "enter")


async def _withdraw(server: ServerFixture, number: int) -> None:
    await ask(server, m.WithdrawInvitation, invitation_id=number)


async def _let_it_end(server: ServerFixture, number: int) -> None:
    clock = server.here.writer._clock
    server.here.writer._clock = lambda: clock() + 3601


async def _use_it(server: ServerFixture, number: int) -> None:
    """Nothing: the test itself joins with it first."""


@pytest.mark.parametrize(
    ("happens", "said", "step"),
    [
        (_withdraw, "This invitation was withdrawn.", "Ask an admin for a new one"),
        (_let_it_end, "This invitation ended on", "Ask ada for a new one"),
        (_use_it, "This invitation was used on", "Tell the admin who sent it now"),
    ],
)
async def test_an_invitation_that_is_over_says_so_and_what_to_do(server: ServerFixture, tmp_path, happens, said, step):
    link, number = await _invitation(server)
    if happens is _use_it:
        async with opened_ui(server, "eve", tmp_path / "eve", joined=False) as eve:
            await _try_to_join(eve, link, "eve")
            await eve.online()
    await happens(server, number)
    async with opened_ui(server, "tom", tmp_path / "tom", joined=False) as tom:
        await _try_to_join(tom, link, "tom")
        await tom.sees(said, step)
        assert tom.dialog() == "Join"
        plain(tom)
        await tom.press("escape")
        assert tom.dialog() == ""
    assert "tom" not in [user.name for user in (await ask(server, m.ListUsers)).page.users]


async def test_a_name_that_is_taken_costs_nothing_and_another_one_joins(server: ServerFixture, tmp_path):
    link, _ = await _invitation(server)
    async with opened_ui(server, "tom", tmp_path / "tom", joined=False) as tom:
        await _try_to_join(tom, link, "max")
        await tom.sees("max exists on acme already.", "your invitation is still good")
        plain(tom)
        # The key is made: its passphrase is asked for once, and the first typing opens nothing.
        await tom.type("tom")
        await tom.press("enter")
        await tom.type("wrong")
        await tom.press("enter", "enter")
        await tom.sees("That passphrase does not open the key.")
        await tom.type("pass")
        await tom.press("enter", "enter")
        await tom.online()
        await tom.hears("Welcome, tom. You are a guest")
