"""What a server lists ends, whatever it would like: order, counts and a total are demanded."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from sft.client.api import files, people, trash, tree
from sft.errors import ListingTooLongError, RemoteProtocolError
from sft.limits import ADDED_MEANWHILE, LISTED_AT_ONCE
from sft.model.names import fold
from sft.model.records import File, FileVersion, Folder, Page, TrashedFolder, TrashPage, UserPage
from sft.wire.messages import FolderPage, ListFolder, ListTrash, TrashListed, UserList
from tests.unit.client.memory_server import ADA_KEY, user


class Server:
    """Answers each request as a function says."""

    server_name = "acme"
    log = None

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0
        self.log = None

    async def request(self, kind, reply, /, **fields):
        assert reply in {FolderPage, TrashListed, UserList}
        self.asked += 1
        page = self.answer(kind, fields)
        return reply(id=1, page=page)


def run(coroutine):
    """Run what never waits."""
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def folder(path, files=0, folders=0):
    return Folder(path, files, folders, 1)


def pages_of(*pages):
    """A server with these pages of one folder."""
    return Server(lambda _, fields: pages[int(fields["cursor"] or 0)])


def file_at(path, trashed_at=None, size=1):
    version = FileVersion(1, 7, "ada", ADA_KEY.public.encode(), size, bytes(64), 1, 1, path, 1, b"")
    return File(bytes(16), path, 7, "ada", version, trashed_at)


def test_pages_that_go_on_in_order_are_one_listing():
    server = pages_of(
        Page((folder("a/B"), folder("a/c")), (), "1"),
        Page((folder("a/ä"),), (file_at("a/b.txt"),), "2"),
        Page((), (file_at("a/C.txt"),)),
    )
    listing = run(files.list_folder(server, "a"))
    assert [each.path for each in listing.folders] == ["a/B", "a/c", "a/ä"]
    assert [each.path for each in listing.files] == ["a/b.txt", "a/C.txt"]
    assert sorted(map(fold, ("B", "c", "ä"))) == [fold("B"), fold("c"), fold("ä")]


@pytest.mark.parametrize(
    "pages",
    [
        [Page((), (), "1"), Page((), ())],
        [Page((folder("a/c"), folder("a/b")), ())],
        [Page((folder("a/c"),), (), "1"), Page((folder("a/b"),), ())],
        [Page((folder("a/c"),), (), "1"), Page((folder("a/C"),), ())],
        [Page((), (file_at("a/c"),), "1"), Page((), (file_at("a/b"),))],
        [Page((), (file_at("a/c"),), "1"), Page((folder("a/d"),), ())],
        [Page((folder("b/c"),), ())],
        [Page((folder(""),), ())],
    ],
)
def test_a_listing_that_does_not_go_on_breaks_the_protocol(pages):
    with pytest.raises(RemoteProtocolError):
        run(files.list_folder(pages_of(*pages), "a"))


def test_a_folder_holds_little_more_than_its_parent_announced():
    names = itertools.count()

    def answer(_, fields):
        if not fields["path"]:
            return Page((folder("a", files=3),), ())
        return Page((), tuple(file_at(f"a/{next(names):09}") for _ in range(500)), "more")

    server = Server(answer)
    with pytest.raises(RemoteProtocolError):
        run_walk(server)
    assert server.asked == 1 + ADDED_MEANWHILE // 500 + 1


def run_walk(server, total=None):
    from twisted.internet.defer import Deferred

    ended = []
    Deferred.fromCoroutine(tree.walk(server, total=total)).addBoth(ended.append)
    (outcome,) = ended
    if hasattr(outcome, "raiseException"):
        outcome.raiseException()
    return outcome


def test_a_walk_ends_in_words_of_its_own_over_all_folders():
    many = tuple(folder(f"{number:03}") for number in range(500))

    def answer(_, fields):
        # Every folder holds five hundred, and says so: nothing but the total ends it.
        path = fields["path"]
        return Page(tuple(folder(f"{path}/{each.path}" if path else each.path, 0, 500) for each in many), ())

    server = Server(answer)
    with pytest.raises(ListingTooLongError) as ended:
        run_walk(server, files.Total(server, 5000))
    assert ended.value.values == {"server": "acme", "limit": 5000}
    assert server.asked < 11 + 8, "and those that were asked at once"


def test_a_million_entries_are_what_one_question_may_bring():
    total = files.Total(Server(None))
    total.add(LISTED_AT_ONCE)
    with pytest.raises(ListingTooLongError):
        total.add(1)


def trashed(path, trashed_at):
    return TrashedFolder(1, path, 1, 1, trashed_at, "ada", 99)


@pytest.mark.parametrize(
    "pages",
    [
        [TrashPage((), (), "more")],
        [TrashPage((), (file_at("a", 5), file_at("b", 6)))],
        [TrashPage((trashed("a", 5), trashed("b", 6)), ())],
        [TrashPage((), (file_at("a", 5),), "more"), TrashPage((trashed("b", 6),), ())],
        [TrashPage((trashed("a", 5),), (), "more"), TrashPage((), (file_at("b", 6),))],
    ],
)
def test_a_trash_that_is_out_of_order_or_stands_still_is_refused(pages):
    following = iter(pages)
    with pytest.raises(RemoteProtocolError):
        run(trash.list_trash(Server(lambda _, __: next(following))))


def test_folders_and_files_of_the_trash_come_in_one_order():
    pages = iter(
        [
            TrashPage((trashed("c", 8), trashed("d", 5)), (file_at("a", 9), file_at("b", 5)), "more"),
            TrashPage((trashed("f", 3),), (file_at("e", 5), file_at("g", 1))),
        ]
    )
    found = run(trash.list_trash(Server(lambda _, __: next(pages))))
    assert [each.path for each in found] == ["a", "c", "d", "b", "e", "f", "g"]


@pytest.mark.long
def test_trash_without_end_ends():
    page = TrashPage((), (file_at("a", 5),) * 500, "more")
    server = Server(lambda kind, _: page if kind is ListTrash else None)
    with pytest.raises(ListingTooLongError):
        run(trash.list_trash(server))


@pytest.mark.parametrize(
    "pages",
    [
        [UserPage((user(7, "ada", ADA_KEY),), 7), UserPage((user(7, "ada", ADA_KEY),), 0)],
        [UserPage((user(9, "eva", ADA_KEY), user(8, "gus", ADA_KEY)), 0)],
        [UserPage((user(7, "ada", ADA_KEY),), 9), UserPage((user(10, "gus", ADA_KEY),), 0)],
        [UserPage((), 5), UserPage((), 0)],
    ],
)
def test_people_ascend_and_a_page_goes_on_after_its_last(pages):
    given = iter(pages)
    with pytest.raises(RemoteProtocolError):
        run(people.list_users(Server(lambda *_: next(given))))


@pytest.mark.long
def test_people_without_end_end():
    class Next:
        """Somebody who joined after everybody."""

        joined = 0

        @property
        def id(self):
            self.joined += 1
            return self.joined

    anybody = Next()

    class Endless(UserPage, frozen=True):
        @property
        def next(self):
            return anybody.joined

    with pytest.raises(ListingTooLongError):
        run(people.list_users(Server(lambda *_: Endless((anybody,) * 500))))


def test_one_page_is_judged_by_itself():
    server = Server(lambda kind, _: Page((folder("a/c"), folder("a/b")), ()) if kind is ListFolder else None)
    with pytest.raises(RemoteProtocolError):
        run(files.list_page(server, "a", "cursor"))


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"file": file_at("b", 5)},
        {"file": replace(file_at("a", 5), trashed_at=None)},
        {"folder": trashed("b", 5)},
        {"file": file_at("a", 5), "folder": trashed("a", 5)},
    ],
)
def test_something_else_in_the_trash_than_was_asked_for_is_refused(shown):
    class Showing(Server):
        async def request(self, kind, reply, /, **fields):
            return reply(id=1, **shown)

    with pytest.raises(RemoteProtocolError):
        run(trash.show_trashed(Showing(None), "a"))
