"""Answer ``twistd sft user …``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sft.client.connection import ServerConnection
from sft.crypto.keys import PublicKey
from sft.errors import UsageError
from sft.model.access import Role
from sft.model.names import safe
from sft.model.records import User
from sft.model.text import role_noun, size_text, utc_time
from sft.operator.printing import print_json, print_table
from sft.wire import messages as m


def role_of(text: str) -> Role:
    """Read a role; UsageError names the three."""
    try:
        return Role(text)
    except ValueError:
        raise UsageError(
            problem=f"There is no role {text}", remedy="guest, maintainer or admin"
        ) from None


def user_json(user: User) -> dict[str, object]:
    """Describe a user for scripts."""
    return {
        "id": user.id,
        "name": user.name,
        "role": str(user.role),
        "state": str(user.state),
        "created_at": utc_time(user.created_at),
        "files": user.files,
        "bytes": user.bytes_stored,
        "keys": [
            {
                "device": key.device,
                "minisign_key": PublicKey.decode(key.public_key).text(),
                "key_words": PublicKey.decode(key.public_key).words(),
                "added_at": utc_time(key.added_at),
                "ended_at": None if key.ended_at is None else utc_time(key.ended_at),
            }
            for key in user.keys
        ],
    }


async def list_users(session: ServerConnection, options: Any) -> int:
    """Print everybody."""
    users: list[User] = []
    after = 0
    while True:
        page = (await session.request(m.ListUsers, m.UserList, after=after)).page
        users += page.users
        after = page.next
        if not after:
            break
    if options["json"]:
        print_json([user_json(user) for user in users])
        return 0
    rows = [
        (user.name, user.role, user.state, user.files, size_text(user.bytes_stored), _words(user))
        for user in users
    ]
    print_table(("name", "role", "state", "files", "size", "key"), rows)
    return 0


def _words(user: User) -> str:
    return PublicKey.decode(user.keys[-1].public_key).words() if user.keys else ""


async def show_user(session: ServerConnection, options: Any) -> int:
    """Print one person."""
    user = (await session.request(m.ShowUser, m.UserShown, user_id=0, name=options["NAME"])).user
    if options["json"]:
        print_json(user_json(user))
        return 0
    print(
        f"{safe(user.name)}  {user.role}  {user.state}  {user.files} files, {size_text(user.bytes_stored)}"
    )
    for key in user.keys:
        public = PublicKey.decode(key.public_key)
        ended = "" if key.ended_at is None else f", ended {utc_time(key.ended_at)}"
        print(
            f"  {safe(key.device)}: {public.words()}  {public.text()}  since {utc_time(key.added_at)}{ended}"
        )
    return 0


async def change_role(session: ServerConnection, options: Any) -> int:
    """Give a role."""
    role = role_of(options["ROLE"])
    done = await session.request(m.ChangeRole, m.UserShown, name=options["NAME"], role=role)
    return _acted(
        options,
        done.user,
        f"{safe(done.user.name)} is {role_noun(role)} now (was {safe(done.before)})",
    )


async def disable(session: ServerConnection, options: Any) -> int:
    """Lock out."""
    done = await session.request(m.DisableUser, m.UserShown, name=options["NAME"])
    return _acted(options, done.user, f"{safe(done.user.name)} is disabled")


async def enable(session: ServerConnection, options: Any) -> int:
    """Let in again."""
    done = await session.request(m.EnableUser, m.UserShown, name=options["NAME"])
    return _acted(options, done.user, f"{safe(done.user.name)} may come in again")


async def remove(session: ServerConnection, options: Any) -> int:
    """Remove for good; asks on a terminal, needs --yes off one."""
    name = options["NAME"]
    if not options["yes"]:
        if not sys.stdin.isatty():
            raise UsageError(
                problem=f"Removing {safe(name)} cannot be undone", remedy="Say so: --yes"
            )
        print(
            f"Remove {safe(name)}? Signed out now, for good; the files stay. Type the name: ",
            end="",
            file=sys.stderr,
        )
        sys.stderr.flush()
        if sys.stdin.readline().strip() != name:
            raise UsageError(
                problem="That is another name; nobody was removed",
                remedy="Again, with the same name",
            )
    done = await session.request(m.RemoveUser, m.UserShown, name=name, files_to=options["files-to"])
    return _acted(options, done.user, f"{safe(done.user.name)} is removed")


async def add(session: ServerConnection, options: Any) -> int:
    """Register a person by public key."""
    key = _key_from(options["PUBLIC_KEY"])
    done = await session.request(
        m.AddUser,
        m.UserShown,
        name=options["NAME"],
        role=role_of(options["role"]),
        public_key=key.encode(),
        device=options["device"],
    )
    return _acted(
        options,
        done.user,
        f"{safe(done.user.name)} is {role_noun(done.user.role)}; key {key.words()}",
    )


def _key_from(given: str) -> PublicKey:
    """Read a public key, or the file that holds one."""
    path = Path(given)
    try:
        return PublicKey.parse(path.read_text(encoding="utf-8") if path.is_file() else given)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            problem=f"The key file {safe(given)} cannot be read",
            remedy="Give the file that sft key export wrote, or the key itself: RW...",
        ) from error


def _acted(options: Any, user: User, sentence: str) -> int:
    if options["json"]:
        print_json(user_json(user))
    else:
        print(sentence)
    return 0
