"""The last act is taken back, and nothing that somebody else did meanwhile."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sft.errors import ChangedSinceError, ConnectionLostError, FolderNotEmptyError, NotFoundError
from sft.model.names import split_path
from sft.model.records import Deleted, FileSeen, Folder
from tests.tui.ui_driver import driven
from tests.unit.client.test_listings import file_at, run
from tui.gateway import Listed
from tui.undo import DeletedStep, MadeStep, MovedStep, OthersActedError, RestoredStep, Undo, missing_above

ENDS = 1000


class Shelf:
    """Files and folders by path, and a trash whose last entry is the newest."""

    def __init__(self, *paths: str) -> None:
        self.files = {path: file_at(path) for path in paths}
        self.folders: dict[str, Folder] = {}
        self.trash = []

    async def list_folder(self, path, cursor="", *, judged=True):
        assert not judged
        folders = tuple(each for each in self.folders.values() if split_path(each.path)[0] == path)
        return Listed(folders, (), (), "")

    async def details(self, path, _version=0):
        if path not in self.files:
            raise NotFoundError(what="file", name=path)
        return type("Details", (), {"file": self.files[path]})

    async def last_deleted(self, path, ends_at):
        return next((e for e in reversed(self.trash) if e.path == path and e.trash_ends_at >= ends_at), None)

    async def move(self, old, new):
        if old in self.files:
            self.files[new] = replace(self.files.pop(old), path=new)
            return self.files[new]
        self.folders[new] = replace(self.folders.pop(old), path=new)
        return None

    async def delete(self, path, *, recursive=False, seen=None):
        if path in self.folders and not recursive and any(each.startswith(f"{path}/") for each in self.files):
            raise FolderNotEmptyError(path=path)
        if path in self.files and seen is not None and seen != seen_of(self.files[path]):
            raise ChangedSinceError(path=path, author="ada", seen=1, version=2, stored_at=1)
        gone = self.files.pop(path, None) or self.folders.pop(path)
        if not isinstance(gone, Folder):
            self.trash.append(replace(gone, trash_ends_at=ENDS))
        return Deleted(path, 1, 0, ENDS)

    async def restore(self, path, _seen):
        entry = next(each for each in reversed(self.trash) if each.path == path)
        self.trash.remove(entry)
        self.files[path] = replace(entry, trash_ends_at=None)
        return self.files[path]


def seen_of(file):
    return FileSeen(file.id, file.version.number)


def newer(file):
    return replace(file, version=replace(file.version, number=file.version.number + 1))


def undone(shelf, *steps, what="act"):
    undo = Undo()
    assert undo.note("acme", what, steps) == "u undoes"
    return run(undo.take_back(shelf))


def test_what_a_lost_connection_left_can_be_taken_back_yet():
    shelf, undo = Shelf("d/a", "d/b"), Undo()
    for path in ("d/a", "d/b"):
        run(shelf.delete(path))
    undo.note("acme", "deletion", [DeletedStep("d/a", ENDS), DeletedStep("d/b", ENDS)])
    restore = shelf.restore

    async def lost(path, seen):
        if path == "d/a":
            raise ConnectionLostError
        return await restore(path, seen)

    shelf.restore = lost
    with pytest.raises(ConnectionLostError):
        run(undo.take_back(shelf))
    assert set(shelf.files) == {"d/b"}
    shelf.restore = restore
    assert run(undo.take_back(shelf)) == ("a: deletion undone.", ["d"])
    assert set(shelf.files) == {"d/a", "d/b"}
    assert undo.reason_against("acme")


def test_a_deletion_comes_back_each_thing_of_it():
    shelf = Shelf("d/a", "d/b")
    for path in ("d/a", "d/b"):
        run(shelf.delete(path))
    steps = [DeletedStep("d/a", ENDS), DeletedStep("d/b", ENDS)]
    assert undone(shelf, *steps, what="deletion") == ("2 things: deletion undone.", ["d"])
    assert set(shelf.files) == {"d/a", "d/b"}


@pytest.mark.parametrize("meanwhile", ["brought back", "another deleted"])
def test_a_deletion_that_others_went_on_from_stays(meanwhile):
    shelf = Shelf("d/a")
    run(shelf.delete("d/a"))
    if meanwhile == "brought back":
        run(shelf.restore("d/a", None))
    else:
        shelf.trash.append(replace(file_at("d/a"), trash_ends_at=ENDS + 1))
    before = dict(shelf.files), list(shelf.trash)
    with pytest.raises(OthersActedError, match=r"brought it back|Another a was deleted since"):
        undone(shelf, DeletedStep("d/a", ENDS))
    assert (shelf.files, shelf.trash) == before


def test_a_file_goes_back_where_it_was():
    shelf = Shelf("new/b")
    step = MovedStep("old/a", "new/b", seen_of(shelf.files["new/b"]))
    assert undone(shelf, step, what="move") == ("a: move undone.", ["new", "old"])
    assert set(shelf.files) == {"old/a"}


@pytest.mark.parametrize("meanwhile", ["a newer version", "gone", "another"])
def test_a_file_that_others_changed_stays_where_it_is(meanwhile):
    shelf = Shelf("b")
    step = MovedStep("a", "b", seen_of(shelf.files["b"]))
    if meanwhile == "a newer version":
        shelf.files["b"] = newer(shelf.files["b"])
    elif meanwhile == "gone":
        del shelf.files["b"]
    else:
        shelf.files["b"] = replace(shelf.files["b"], id=b"\1" * 16)
    with pytest.raises(OthersActedError, match="Somebody moved, deleted or replaced b since"):
        undone(shelf, step)
    assert "a" not in shelf.files


def test_a_folder_goes_back_and_another_of_its_name_does_not():
    shelf = Shelf()
    shelf.folders["x/b"] = Folder("x/b", 0, 0, 7)
    assert undone(shelf, MovedStep("x/a", "x/b", None, 7))[1] == ["x"]
    assert set(shelf.folders) == {"x/a"}
    with pytest.raises(OthersActedError):
        undone(shelf, MovedStep("x/c", "x/a", None, 8))
    with pytest.raises(OthersActedError):
        undone(shelf, MovedStep("x/c", "x/none", None, 8))


def test_a_new_folder_goes_only_while_it_is_empty():
    shelf = Shelf("n/theirs")
    shelf.folders["n"] = Folder("n", 1, 0, 7)
    with pytest.raises(FolderNotEmptyError):
        undone(shelf, MadeStep("n", 7))
    del shelf.files["n/theirs"]
    assert undone(shelf, MadeStep("n", 7), what="new folder") == ("n: new folder undone.", [""])
    assert not shelf.folders


def test_of_several_folders_that_were_made_at_once_all_go_and_the_outermost_is_named():
    shelf = Shelf("notes/a")
    shelf.folders = {path: Folder(path, 0, 0, 7) for path in ("notes", "notes/x", "notes/x/y")}
    assert run(missing_above(shelf, "notes/p/q/r", "notes")) == ["notes/p", "notes/p/q"]
    assert run(missing_above(shelf, "notes/x/y/z/r", "notes")) == ["notes/x/y/z"]
    assert run(missing_above(shelf, "notes/r", "notes")) == []
    steps = [MadeStep(path, 7) for path in ("notes/x", "notes/x/y")]
    assert undone(shelf, *steps, what="new folder") == ("x: new folder undone.", ["notes", "notes/x"])
    assert set(shelf.folders) == {"notes"}


def test_a_folder_that_somebody_made_anew_is_not_ones_own():
    shelf = Shelf()
    shelf.folders["n"] = Folder("n", 0, 0, 8)
    for step in (MadeStep("n", 7), MadeStep("gone", 7)):
        with pytest.raises(OthersActedError, match="since"):
            undone(shelf, step)
    assert set(shelf.folders) == {"n"}


def test_what_was_brought_back_is_deleted_again_as_it_was_seen():
    shelf = Shelf("a")
    seen = seen_of(shelf.files["a"])
    shelf.files["a"] = newer(shelf.files["a"])
    with pytest.raises(ChangedSinceError):
        undone(shelf, RestoredStep("a", seen))
    undone(shelf, RestoredStep("a", seen_of(shelf.files["a"])))
    assert not shelf.files


def test_one_level_at_one_server():
    undo = Undo()
    assert undo.reason_against("acme").startswith("Nothing to undo.")
    undo.note("acme", "deletion", [DeletedStep("a", ENDS)])
    assert undo.reason_against("acme") == ""
    assert undo.reason_against("other") == "What was done last was done at acme."
    shelf = Shelf("a")
    run(shelf.delete("a"))
    run(undo.take_back(shelf))
    assert undo.reason_against("acme").startswith("Nothing to undo.")
    undo.note("acme", "deletion", [DeletedStep("a", ENDS)])
    assert undo.note("acme", "restoring", []) == ""
    assert undo.reason_against("acme").startswith("Nothing to undo.")


@pytest.mark.every_run
async def test_u_takes_back_a_deletion_from_another_screen_and_says_when_there_is_nothing(tmp_path):
    async with driven(tmp_path) as ui:
        await ui.press("u")
        assert ui.said().startswith("Nothing to undo.")
        await ui.go("photos")
        ui.put_cursor_on("summer-01.jpg")
        await ui.press("d", "right", "enter")
        assert not ui.service.has("photos/summer-01.jpg")
        assert ui.said().endswith("u undoes")
        await ui.press("2", "u")
        assert ui.service.has("photos/summer-01.jpg")
        assert ui.said() == "summer-01.jpg: deletion undone."
        await ui.press("1")
        assert ui.names()[1] == "summer-01.jpg"


async def test_what_was_taken_back_before_a_refusal_is_shown(tmp_path):
    async with driven(tmp_path, "ada") as ui:
        await ui.go("finance/2026")
        await ui.press("n")
        await ui.type("one/two")
        await ui.press("enter")
        assert ui.service.below("finance/2026/one") == ["finance/2026/one/two"]
        ui.service.store("finance/2026/one/theirs.txt", "ada", b"x")
        await ui.press("u")
        assert ui.said().startswith("finance/2026/one is not empty")
        assert ui.service.below("finance/2026/one") == ["finance/2026/one/theirs.txt"]
        assert "1 file" in next(line for line in ui.text().splitlines() if " one/ " in line), "the list was read anew"


async def test_u_takes_back_a_new_name_unless_somebody_stored_since(tmp_path):
    async with driven(tmp_path, "ada") as ui:
        await ui.go("finance/2026")
        for stored_since in (False, True):
            ui.put_cursor_on("contract.pdf")
            await ui.press("r")
            await ui.type("treaty")
            await ui.press("enter")
            assert ui.service.has("finance/2026/treaty.pdf")
            if stored_since:
                ui.service.store("finance/2026/treaty.pdf", "ada", b"newer")
            await ui.press("u")
            assert ui.service.has("finance/2026/contract.pdf") is not stored_since
        assert ui.said() == "Not undone. Somebody moved, deleted or replaced treaty.pdf since."
