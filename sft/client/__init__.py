"""The one client library: command line and full-screen UI stand on it, and scripts may.

    from twisted.internet.task import react
    from sft import client

    async def main(reactor):
        async with await client.login(reactor) as session:
            await client.put(session, ["report.pdf"], to="finance")
            for file in (await client.list_folder(session, "finance")).files:
                print(file.path, file.version.size)
            for got in await client.get(session, ["finance"], to="copies"):
                print(got.local, "signed by", got.verdict.author)

    react(main)

The names in ``__all__`` are for everybody. What fails is raised, as an SftError; all of it runs on the reactor's thread.

    state, profiles, identity, pins     what this computer keeps: joined servers, keys, people
    loop, concurrency                   what runs it: Twisted's reactor, or the small loop of commands
    joining, dialing, connecting        a logged-in connection, and how it comes about
    session                             what is done with it
    reconnect                           one that comes back by itself
    api                                 requests and listings
    transfers                           what to send or fetch, one file and many, the queue of a UI
    trust, local_verify, receipts       whose bytes these are, and what the server acknowledged
    script                              the few acts that a script wants

Rules. Nothing here prints, asks or knows a terminal. Files are touched on the pool alone; Twisted on the reactor alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

# Imported when they are asked for: every command imports this package, and most need little of it (test_imports.py).
if TYPE_CHECKING:
    from sft.client.api.files import delete, list_folder, make_folder, move, show_file
    from sft.client.api.people import list_users
    from sft.client.api.tree import walk
    from sft.client.script import get, login, put, verify
    from sft.client.session import Session
    from sft.client.transfers.part_file import ConflictPolicy
    from sft.errors import SftError

__all__ = [
    "ConflictPolicy",
    "Session",
    "SftError",
    "delete",
    "get",
    "list_folder",
    "list_users",
    "login",
    "make_folder",
    "move",
    "put",
    "show_file",
    "verify",
    "walk",
]

_MODULES: Final = {
    **dict.fromkeys(("delete", "list_folder", "make_folder", "move", "show_file"), "sft.client.api.files"),
    "list_users": "sft.client.api.people",
    "walk": "sft.client.api.tree",
    **dict.fromkeys(("get", "login", "put", "verify"), "sft.client.script"),
    "Session": "sft.client.session",
    "ConflictPolicy": "sft.client.transfers.part_file",
    "SftError": "sft.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
