"""What a role may not do is refused by the server, whatever the UI believes: greying saves a way, it grants nothing.

The UI of these tests has loaded everything as an admin's and is deaf to the notice that it is a guest's now: it greys nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest

from sft.client.reconnect import Reconnector
from sft.client.transfers.queue.job import JobState
from sft.errors import RoleForbidsError
from sft.model.access import ACTS as ROLE_ACTS
from sft.model.access import Permission, Role, allows
from sft.wire import messages as m
from tests.integration.server_fixture import ServerFixture, bridged
from tests.integration.ui_driver import UiDriver, opened_ui
from tui.keys import ACTS

Do = Callable[[UiDriver], Awaitable[None]]


async def _folder(ui: UiDriver) -> None:
    await ui.press("1")
    if ui.files.remote_side.in_trash:
        await ui.press("T")
    await ui.side(here=False)


async def _rename(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.walk_to("mine.txt")
    await ui.press("r")
    await ui.asked("TextPrompt")
    await ui.type("other")
    await ui.press("enter")


async def _new_folder(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.press("n")
    await ui.asked("TextPrompt")
    await ui.type("mine")
    await ui.press("enter")


async def _delete(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.walk_to("mine.txt")
    await ui.press("d")
    await ui.asked("Confirm")
    await ui.press("y")


async def _restore(ui: UiDriver) -> None:
    """Its list was read while that was allowed, and stands there yet."""
    await ui.walk_to("old.txt")
    await ui.press("u")


async def _trash(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.press("T")


async def _put(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.side(here=True)
    await ui.walk_to("sent.txt")
    await ui.press("c")
    await ui.landed(JobState.FAILED)


async def _hand_over(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.walk_to("mine.txt")
    await ui.press("O")
    await ui.asked("ChooseOwner")
    await ui.press("down", "enter")


async def _expire(ui: UiDriver) -> None:
    await _folder(ui)
    await ui.walk_to("mine.txt")
    await ui.press("e")
    await ui.asked("TextPrompt")
    await ui.press("enter")


async def _people(ui: UiDriver, tab: int, name: str) -> None:
    await ui.press("3")
    await ui.calm()
    while "invitations" in str(ui.app.focused.id) or "sessions" in str(ui.app.focused.id):
        await ui.press("left_square_bracket")
    await ui.press(*["right_square_bracket"] * tab)
    await ui.walk_to(name)


async def _invite(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("i")
    await ui.asked("Invite")
    await ui.press("enter", "enter", "enter")


async def _role(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("r")
    await ui.asked("ChooseRole")
    await ui.press("down", "enter")


async def _switch(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("e")
    await ui.asked("Confirm")
    await ui.press("y")


async def _remove(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("d")
    await ui.asked("Remove")
    await ui.type("gus")
    await ui.press("enter")


async def _quota(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("L")
    await ui.asked("SetQuota")
    await ui.press("ctrl+u")
    await ui.type("1M")
    await ui.press("enter", "enter", "enter")


async def _reset(ui: UiDriver) -> None:
    await _people(ui, 0, "gus")
    await ui.press("K")
    await ui.asked("OfferNewKey")
    await ui.press("enter")
    await ui.type("gus")
    await ui.press("enter")


async def _status(ui: UiDriver) -> None:
    """Every key of that screen is for what one request shows."""
    await ui.press("1", "7")
    await ui.calm()


async def _withdraw(ui: UiDriver) -> None:
    await _people(ui, 1, "eve")
    await ui.press("x")
    await ui.asked("Confirm")
    await ui.press("y")


async def _kick(ui: UiDriver) -> None:
    await _people(ui, 2, "gus")
    await ui.press("x")
    await ui.asked("Confirm")
    await ui.press("y")


WAYS: list[tuple[str, Do, Permission]] = [
    ("files.restore", _restore, Permission.FILE_DELETE),
    ("files.trash", _trash, Permission.FILE_DELETE),
    ("files.transfer", _put, Permission.FILE_WRITE),
    ("files.rename", _rename, Permission.FILE_WRITE),
    ("files.owner", _hand_over, Permission.FILE_WRITE),
    ("files.expiry", _expire, Permission.FILE_DELETE),
    ("files.new_folder", _new_folder, Permission.FOLDER_MAKE),
    ("files.delete", _delete, Permission.FILE_DELETE),
    ("people.invite", _invite, Permission.INVITATION_MANAGE),
    ("people.role", _role, Permission.ROLE_CHANGE),
    ("people.switch", _switch, Permission.USER_MANAGE),
    ("people.remove", _remove, Permission.USER_MANAGE),
    ("people.stop", _withdraw, Permission.INVITATION_MANAGE),
    ("people.stop", _kick, Permission.SESSION_MANAGE),
    ("people.quota", _quota, Permission.USER_MANAGE),
    ("people.reset", _reset, Permission.USER_MANAGE),
    ("app.status", _status, Permission.SESSION_MANAGE),
    ("status.read", _status, Permission.SESSION_MANAGE),
    ("status.next_tab", _status, Permission.SESSION_MANAGE),
    ("status.previous_tab", _status, Permission.SESSION_MANAGE),
]


@pytest.mark.every_run
def test_every_act_that_a_guest_may_not_do_is_tried_below():
    needing = {act.id for act in ACTS.values() if act.permission is not None and not allows(Role.GUEST, act.permission)}
    assert needing | {"files.transfer"} == {name for name, _, _ in WAYS}


def _rows(server: ServerFixture) -> list[str]:
    """Everything in the server's database but how far it is with its own reading, which goes on meanwhile."""
    own = ('INSERT INTO "checks"', 'INSERT INTO "row_sums"')
    with closing(sqlite3.connect(f"file:{server.home.database}?mode=ro", uri=True)) as database:
        return [line for line in database.iterdump() if not line.startswith(own)]


@pytest.mark.long
async def test_a_ui_that_greys_nothing_is_refused_by_the_server(server: ServerFixture, tmp_path, monkeypatch):
    async def prepare() -> None:
        operator = await server.operator()
        await operator.ask(m.ChangeRole, name="mia", role=Role.ADMIN)
        await server.put("mia", "mine.txt", b"mine")
        await server.put("mia", "old.txt", b"old")
        mia = await server.raw("mia")
        await mia.ask(m.Delete, path="old.txt")
        await mia.ask(m.MakeInvitation, public_key=b"\1" * 32, role=Role.GUEST, name="eve", seconds=60)
        mia.abort()
        await server.raw("gus")

    await bridged(prepare())
    here = tmp_path / "here"
    here.mkdir()
    (here / "sent.txt").write_bytes(b"sent")
    monkeypatch.setattr(Reconnector, "_noticed", lambda self, notice: None)
    async with opened_ui(server, "mia", here) as ui:
        await _people(ui, 1, "eve")
        await _people(ui, 2, "gus")
        # From here on nothing is read anew: a guest would not be told.
        people = ui.app.frame.view_of("people")
        monkeypatch.setattr(people, "shown", lambda: None)
        monkeypatch.setattr(people, "read", _unread)
        await ui.press("1", "T")
        await ui.walk_to("old.txt")
        operator = await bridged(server.operator())
        await bridged(_demote(operator))
        assert ui.gateway.connection.role is Role.ADMIN
        before = _rows(server)
        for name, do, permission in WAYS:
            ui.hush()
            await do(ui)
            refusal = f"Guests do not {ROLE_ACTS[permission]}."
            await ui.until(lambda refusal=refusal: refusal in ui.said() or refusal in ui.text(), f"{name}: {refusal}")
            assert _rows(server) == before, name
            if ui.dialog():
                await ui.press("escape")
            await ui.calm()
        assert [job.failures[0].code for job in ui.jobs] == [RoleForbidsError.code]


async def _unread(**_: object) -> None:
    """What was read before stays in sight."""


async def _demote(operator) -> None:
    answer = await operator.ask(m.ChangeRole, name="mia", role=Role.GUEST)
    assert isinstance(answer, m.UserShown), answer
    operator.abort()


@pytest.mark.long
@pytest.mark.parametrize("name", ["gus", "max"])
async def test_what_is_greyed_says_why_and_asks_nothing(server: ServerFixture, tmp_path, name: str):
    """The same acts, by a UI that greys: nothing leaves it."""
    await bridged(server.put("ada", "hers.txt", b"hers"))
    async with opened_ui(server, name, tmp_path / "here") as ui:
        before = _rows(server)
        await ui.press("3")
        await ui.walk_to("mia")
        for key in ("i", "r", "e", "d"):
            ui.hush()
            await ui.press(key)
            assert ui.said().startswith(f"{ui.gateway.connection.role.value.capitalize()}s do not")
            assert ui.dialog() == ""
        await ui.press("1")
        await ui.walk_to("hers.txt")
        for key in ("r", "d"):
            ui.hush()
            await ui.press(key)
            refused = {"gus": "Guests do not", "max": "hers.txt belongs to ada: only they"}[name]
            assert ui.said().startswith(refused), ui.said()
            assert ui.dialog() == ""
        assert _rows(server) == before
