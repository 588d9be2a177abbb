"""Real servers and real users, each a process of its own; whatever a test leaves running is stopped by its id."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Person, ServerProcess

NewServer = Callable[..., ServerProcess]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a server's socket has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sft-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def module_server() -> Iterator[ServerProcess]:
    """One running server for all tests of a module; it ends well, and has logged no fault."""
    with tempfile.TemporaryDirectory(prefix="sft-") as made:
        server = ServerProcess(Path(made))
        server.start()
        try:
            yield server
            assert server.stop() == 0
            assert "Traceback" not in server.log.read_text()
        finally:
            server.kill()


@pytest.fixture
def new_server(folder: Path) -> Iterator[NewServer]:
    """Makes servers that end with the test: ``new_server(*options, within=FOLDER)``, not started yet."""
    made: list[ServerProcess] = []

    def make(*options: str, within: Path | None = None, descriptors: int = 0) -> ServerProcess:
        made.append(ServerProcess(within or folder, *options, descriptors=descriptors))
        return made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def server(new_server: NewServer) -> ServerProcess:
    """A running server of this test alone."""
    made = new_server()
    made.start()
    return made


@pytest.fixture
def new_person(folder: Path) -> Callable[[str], Person]:
    """Makes people who have joined nothing yet."""
    return lambda name: Person(folder, name)


@pytest.fixture
def joined(new_person: Callable[[str], Person], server: ServerProcess) -> Callable[..., Person]:
    """Makes people who have joined the server of this test."""

    def make(name: str, role: str = "maintainer") -> Person:
        person = new_person(name)
        person.join(server, role)
        return person

    return make
