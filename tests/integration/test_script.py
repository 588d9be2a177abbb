"""The public names of the client library, used as a script uses them."""

from __future__ import annotations

import textwrap

import pytest

from sft import client
from sft.errors import ExistsError, LocalFileError, NotFoundError, SftError
from tests.integration.server_fixture import ServerFixture, bridged, content

PUBLIC = [
    "ConflictPolicy", "Session", "SftError", "delete", "get", "list_folder", "list_users", "login",
    "make_folder", "move", "put", "show_file", "verify", "walk",
]  # fmt: skip


def example() -> str:
    """The script in the docstring of the package."""
    _, _, text = (client.__doc__ or "").partition("\n\n")
    script, _, _ = text.partition("\n\nThe names in")
    return textwrap.dedent(script)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def logged_in(server: ServerFixture, name: str, **how):
    from twisted.internet import reactor

    server.point_at_server(name, server.port)
    environ = {"SFT_HOME": str(server.state_of(name).data)}
    return await client.login(reactor, environ=environ, **how)


@pytest.mark.every_run
def test_the_public_names_are_these_and_each_is_there():
    assert client.__all__ == PUBLIC
    assert all(getattr(client, name).__name__ == name for name in PUBLIC)
    with pytest.raises(AttributeError, match="no attribute 'connect_operator'"):
        client.connect_operator  # noqa: B018


async def test_the_example_does_what_it_says(server: ServerFixture, folder, monkeypatch, capsys):
    from twisted.internet import reactor

    *lines, last = example().splitlines()
    assert (len(lines) <= 12, last) == (True, "react(main)")
    server.point_at_server("max", server.port)
    monkeypatch.setenv("SFT_HOME", str(server.state_of("max").data))
    (folder / "report.pdf").write_bytes(b"%PDF")
    space: dict[str, object] = {}
    exec("\n".join(lines), space)  # noqa: S102 - the text of our own documentation
    await bridged(space["main"](reactor))
    assert capsys.readouterr().out.splitlines() == ["finance/report.pdf 4", "copies/finance/report.pdf signed by max"]
    assert (folder / "copies/finance/report.pdf").read_bytes() == b"%PDF"


@pytest.mark.every_run
async def test_a_script_stores_finds_moves_and_deletes(server: ServerFixture, folder):
    (folder / "photos").mkdir()
    (folder / "photos" / "a").write_bytes(b"a")
    (folder / "photos" / "large").write_bytes(content(200_000))

    async def script():
        async with await logged_in(server, "max") as session:
            stored = await client.put(session, [folder / "photos"])
            assert [result.stored.version for result in stored] == [1, 1]
            assert await client.make_folder(session, "old")
            await client.move(session, "photos/a", "old/a")
            found = await client.walk(session)
            assert [file.path for file in found.files] == ["old/a", "photos/large"]
            assert len(await client.verify(session, ["photos/*"])) == 1
            await client.delete(session, "old", recursive=True)
            assert {user.name for user in await client.list_users(session)} >= {"ada", "max"}
            return (await client.show_file(session, "photos/large")).version.size

    assert await bridged(script()) == 200_000


async def test_what_fails_is_raised_and_what_worked_is_there(server: ServerFixture, folder):
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode())

    async def script():
        async with await logged_in(server, "max") as session:
            await client.put(session, ["a"])
            (folder / "a").write_bytes(b"other")
            with pytest.raises(ExistsError):
                await client.put(session, ["a", "b"])
            await client.show_file(session, "b")
            await client.put(session, ["a"], replace=True)
            with pytest.raises(NotFoundError):
                await client.get(session, ["a", "nothing"], to="out")
            assert not (folder / "out").exists()
            with pytest.raises(LocalFileError):
                await client.put(session, ["b", "missing"], to="more")
            with pytest.raises(NotFoundError):
                await client.list_folder(session, "more")

    await bridged(script())


@pytest.mark.parametrize("profile", ["nowhere", None])
async def test_without_such_a_profile_there_is_no_session(server: ServerFixture, folder, profile):
    with pytest.raises(SftError):
        await bridged(client.login(None, profile, environ={"SFT_HOME": str(folder / "empty")}))
