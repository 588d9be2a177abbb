"""Where nothing lies, a list says what can be done next, also to whoever may do little."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sft.client.api.search import name_question
from sft.model.access import Role
from tests.tui.ui_driver import driven
from tests.unit.client.test_listings import run
from tui.gateway import Listed
from tui.panes.remote import RemoteSide


class NothingThere:
    """A server on which every folder is empty."""

    def __init__(self, role: Role | None) -> None:
        self.connection = SimpleNamespace(role=role, account="acme")
        self.files = self

    async def list_folder(self, *_: object, **__: object) -> Listed:
        return Listed((), (), (), "")


def side(role: Role | None, admins: str = "ada, eva") -> RemoteSide:
    async def named() -> str:
        return admins

    one = RemoteSide(NothingThere(role), lambda _: None, lambda: 0.0, named)
    run(one.rows(None).ensure(0, 10))
    return one


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MAINTAINER])
def test_whoever_may_store_is_told_how(role):
    assert "c stores from your computer" in side(role).emptiness
    assert "n makes a folder" in side(role).emptiness


def test_a_guest_is_told_what_it_takes_and_who_decides():
    words = side(Role.GUEST).emptiness
    assert "You can read; storing needs a maintainer." in words
    assert "An admin can make you one: ada, eva." in words
    assert "c stores" not in words
    assert side(Role.GUEST, "").emptiness.endswith("An admin can make you one.")


def test_trash_and_search_say_how_to_go_back():
    one = side(Role.ADMIN)
    one.in_trash = True
    assert one.emptiness.endswith("T goes back.")
    one.in_trash, one.question = False, name_question("ze\u202ebra", 0)
    assert "zebra" not in one.emptiness
    assert "s asks for another; esc goes back." in one.emptiness


async def test_it_stands_below_the_way_up_too(tmp_path):
    async with driven(tmp_path, "gus") as ui:
        await ui.go("finance/2026/Q2")
        assert ui.names() == [".."]
        assert "An admin can make you one: ada, eva." in ui.text("#remote")
