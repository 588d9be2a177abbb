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
from tests.integration.seat import Seat, seated
from tests.integration.site import Site, bridged
from tui.keys import ACTS

Do = Callable[[Seat], Awaitable[None]]


async def _folder(seat: Seat) -> None:
    await seat.press("1")
    if seat.files.remote_side.in_trash:
        await seat.press("T")
    await seat.side(here=False)


async def _rename(seat: Seat) -> None:
    await _folder(seat)
    await seat.walk_to("mine.txt")
    await seat.press("r")
    await seat.asked("TextPrompt")
    await seat.type("other")
    await seat.press("enter")


async def _new_folder(seat: Seat) -> None:
    await _folder(seat)
    await seat.press("n")
    await seat.asked("TextPrompt")
    await seat.type("mine")
    await seat.press("enter")


async def _delete(seat: Seat) -> None:
    await _folder(seat)
    await seat.walk_to("mine.txt")
    await seat.press("d")
    await seat.asked("Confirm")
    await seat.press("y")


async def _restore(seat: Seat) -> None:
    """Its list was read while that was allowed, and stands there yet."""
    await seat.walk_to("old.txt")
    await seat.press("u")


async def _trash(seat: Seat) -> None:
    await _folder(seat)
    await seat.press("T")


async def _put(seat: Seat) -> None:
    await _folder(seat)
    await seat.side(here=True)
    await seat.walk_to("sent.txt")
    await seat.press("c")
    await seat.landed(JobState.FAILED)


async def _people(seat: Seat, tab: int, name: str) -> None:
    await seat.press("3")
    await seat.calm()
    while "invitations" in str(seat.app.focused.id) or "sessions" in str(seat.app.focused.id):
        await seat.press("left_square_bracket")
    await seat.press(*["right_square_bracket"] * tab)
    await seat.walk_to(name)


async def _invite(seat: Seat) -> None:
    await _people(seat, 0, "gus")
    await seat.press("i")
    await seat.asked("Invite")
    await seat.press("enter", "enter", "enter")


async def _role(seat: Seat) -> None:
    await _people(seat, 0, "gus")
    await seat.press("r")
    await seat.asked("ChooseRole")
    await seat.press("down", "enter")


async def _switch(seat: Seat) -> None:
    await _people(seat, 0, "gus")
    await seat.press("e")
    await seat.asked("Confirm")
    await seat.press("y")


async def _remove(seat: Seat) -> None:
    await _people(seat, 0, "gus")
    await seat.press("d")
    await seat.asked("Remove")
    await seat.type("gus")
    await seat.press("enter")


async def _withdraw(seat: Seat) -> None:
    await _people(seat, 1, "eve")
    await seat.press("x")
    await seat.asked("Confirm")
    await seat.press("y")


async def _kick(seat: Seat) -> None:
    await _people(seat, 2, "gus")
    await seat.press("x")
    await seat.asked("Confirm")
    await seat.press("y")


WAYS: list[tuple[str, Do, Permission]] = [
    ("files.restore", _restore, Permission.FILE_DELETE),
    ("files.trash", _trash, Permission.FILE_DELETE),
    ("files.transfer", _put, Permission.FILE_WRITE),
    ("files.rename", _rename, Permission.FILE_WRITE),
    ("files.new_folder", _new_folder, Permission.FOLDER_MAKE),
    ("files.delete", _delete, Permission.FILE_DELETE),
    ("people.invite", _invite, Permission.INVITATION_MANAGE),
    ("people.role", _role, Permission.ROLE_CHANGE),
    ("people.switch", _switch, Permission.USER_MANAGE),
    ("people.remove", _remove, Permission.USER_MANAGE),
    ("people.stop", _withdraw, Permission.INVITATION_MANAGE),
    ("people.stop", _kick, Permission.SESSION_MANAGE),
]


def test_every_act_that_a_guest_may_not_do_is_tried_below():
    needing = {
        act.id
        for act in ACTS.values()
        if act.permission is not None and not allows(Role.GUEST, act.permission)
    }
    assert needing | {"files.transfer"} == {name for name, _, _ in WAYS}


def _rows(site: Site) -> list[str]:
    """Everything in the server's database."""
    with closing(sqlite3.connect(f"file:{site.home.database}?mode=ro", uri=True)) as database:
        return list(database.iterdump())


async def test_a_ui_that_greys_nothing_is_refused_by_the_server(site: Site, tmp_path, monkeypatch):
    async def prepare() -> None:
        operator = await site.operator()
        await operator.ask(m.ChangeRole, name="mia", role=Role.ADMIN)
        await site.put("mia", "mine.txt", b"mine")
        await site.put("mia", "old.txt", b"old")
        mia = await site.raw("mia")
        await mia.ask(m.Delete, path="old.txt")
        await mia.ask(
            m.MakeInvitation, public_key=b"\1" * 32, role=Role.GUEST, name="eve", seconds=60
        )
        mia.abort()
        await site.raw("gus")

    await bridged(prepare())
    here = tmp_path / "here"
    here.mkdir()
    (here / "sent.txt").write_bytes(b"sent")
    monkeypatch.setattr(Reconnector, "_noticed", lambda self, notice: None)
    async with seated(site, "mia", here) as seat:
        await _people(seat, 1, "eve")
        await _people(seat, 2, "gus")
        # From here on nothing is read anew: a guest would not be told.
        people = seat.app.frame.view_of("people")
        monkeypatch.setattr(people, "shown", lambda: None)
        monkeypatch.setattr(people, "read", _unread)
        await seat.press("1", "T")
        await seat.walk_to("old.txt")
        operator = await bridged(site.operator())
        await bridged(_demote(operator))
        assert seat.gateway.connection.role is Role.ADMIN
        before = _rows(site)
        for name, do, permission in WAYS:
            seat.hush()
            await do(seat)
            refusal = f"Guests do not {ROLE_ACTS[permission]}."
            await seat.until(
                lambda refusal=refusal: refusal in seat.said() or refusal in seat.text(),
                f"{name}: {refusal}",
            )
            assert _rows(site) == before, name
            if seat.dialog():
                await seat.press("escape")
            await seat.calm()
        assert [job.troubles[0].code for job in seat.jobs] == [RoleForbidsError.code]


async def _unread(**_: object) -> None:
    """What was read before stays in sight."""


async def _demote(operator) -> None:
    answer = await operator.ask(m.ChangeRole, name="mia", role=Role.GUEST)
    assert isinstance(answer, m.UserShown), answer
    operator.abort()


@pytest.mark.parametrize("name", ["gus", "max"])
async def test_what_is_greyed_says_why_and_asks_nothing(site: Site, tmp_path, name: str):
    """The same acts, by a UI that greys: nothing leaves it."""
    await bridged(site.put("ada", "hers.txt", b"hers"))
    async with seated(site, name, tmp_path / "here") as seat:
        before = _rows(site)
        await seat.press("3")
        await seat.walk_to("mia")
        for key in ("i", "r", "e", "d"):
            seat.hush()
            await seat.press(key)
            assert seat.said().startswith(
                f"{seat.gateway.connection.role.value.capitalize()}s do not"
            )
            assert seat.dialog() == ""
        await seat.press("1")
        await seat.walk_to("hers.txt")
        for key in ("r", "d"):
            seat.hush()
            await seat.press(key)
            refused = {"gus": "Guests do not", "max": "hers.txt belongs to ada: only they"}[name]
            assert seat.said().startswith(refused), seat.said()
            assert seat.dialog() == ""
        assert _rows(site) == before
