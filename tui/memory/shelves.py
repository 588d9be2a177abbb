"""Files and folders of the world as one person may use them: pages, moves, deletions, with the refusals of the real server."""

from __future__ import annotations

import msgspec

from sft.client.trust import SignatureState
from sft.errors import (
    ExistsError,
    FolderInTheWayError,
    FolderNotEmptyError,
    NameClashError,
    NotFoundError,
    NotYoursError,
    RoleForbidsError,
)
from sft.limits import TRASH_SECONDS
from sft.model.access import ACTS, Caller, Permission, Resource, allows, least_role, may
from sft.model.names import fold, parse_path, split_path
from sft.model.records import Deleted, File, User
from tui.gateway import Listed
from tui.memory.world import Kept, World

PAGE = 500
JUDGED_PAGE = 85  # signatures make pages of the real server small


def require(world: World, caller: User, permission: Permission) -> None:
    """Refuse what the role table does not allow."""
    if allows(caller.role, permission):
        return
    needed = least_role(permission)
    admins = ", ".join(user.name for user in world.users if user.role.value == "admin")
    raise RoleForbidsError(
        role=caller.role.value, act=ACTS[permission], name=caller.name,
        needed=needed.value if needed else "", admins=admins,
    )  # fmt: skip


def page(world: World, path: str, cursor: str, *, judged: bool) -> Listed:
    """Give one page of a folder."""
    folders, files, many = world.children(path)
    first = int(cursor or 0)
    size = JUDGED_PAGE if judged else PAGE
    total = len(folders) + len(files) + (many.count if many else 0)
    shown_folders, shown_files = [], []
    for number in range(first, min(first + size, total)):
        if number < len(folders):
            shown_folders.append(world.folder(folders[number]))
        elif number < len(folders) + len(files):
            shown_files.append(world.file(files[number - len(folders)]))
        else:
            shown_files.append(world.numbered(path, number - len(folders) - len(files)))
    following = first + size
    return Listed(
        tuple(shown_folders),
        tuple(shown_files),
        tuple(state_of(world, file) if judged else None for file in shown_files),
        str(following) if following < total else "",
    )


def state_of(world: World, file: File) -> SignatureState:
    """Say what is known of a file that was not read."""
    if file.path in world.unknown_signers:
        return SignatureState.UNKNOWN
    return SignatureState.SIGNED


def make_folder(world: World, caller: User, path: str) -> bool:
    """Make a folder."""
    require(world, caller, Permission.FOLDER_MAKE)
    path = parse_path(path)
    if path in world.files:
        raise FolderInTheWayError(path=path, what="file")
    _clash(world, path)
    if path in world.folders:
        return False
    world.add_folder(path)
    return True


def move(world: World, caller: User, old: str, new: str) -> File | None:
    """Give a file or folder another path."""
    require(world, caller, Permission.FILE_WRITE)
    new = parse_path(new)
    kept = world.files.get(old)
    if kept is None and old not in world.folders:
        raise NotFoundError(what="file", name=old, see="sft ls")
    if new in world.files:
        raise exists(world, new)
    if new in world.folders:
        raise FolderInTheWayError(path=new, what="folder")
    if fold(old) != fold(new):
        _clash(world, new)
    if kept is not None:
        require_right(world, caller, Permission.FILE_WRITE, kept, "rename")
        _place(world, kept, new)
        return world.record(kept)
    for path in [p for p in world.files if p.startswith(f"{old}/")]:
        require_right(world, caller, Permission.FILE_WRITE, world.files[path], "rename")
    for path in [p for p in world.files if p.startswith(f"{old}/")]:
        _place(world, world.files[path], new + path.removeprefix(old))
    for path in [f for f in world.folders if f == old or f.startswith(f"{old}/")]:
        created_at = world.folders.pop(path)
        world.add_folder(new + path.removeprefix(old), created_at)
    return None


def delete(world: World, caller: User, path: str, *, recursive: bool) -> Deleted:
    """Move a file, or a folder and all in it, to the trash."""
    require(world, caller, Permission.FILE_DELETE)
    ends = int(world.now) + TRASH_SECONDS
    if path in world.files:
        _bin(world, caller, world.files[path])
        return Deleted(path, 1, 0, ends)
    if path not in world.folders:
        raise NotFoundError(what="file", name=path, see="sft ls")
    below = [kept for name, kept in world.files.items() if name.startswith(f"{path}/")]
    inner = [f for f in world.folders if f.startswith(f"{path}/")]
    if (below or inner) and not recursive:
        raise FolderNotEmptyError(path=path)
    for kept in below:
        require_right(world, caller, Permission.FILE_DELETE, kept, "delete")
    for kept in below:
        _bin(world, caller, kept)
    for folder in [*inner, path]:
        del world.folders[folder]
    return Deleted(path, len(below), len(inner) + 1, ends)


def restore(world: World, caller: User, path: str) -> File:
    """Bring back what was last deleted from a path."""
    require(world, caller, Permission.FILE_DELETE)
    for kept in reversed(world.trash):
        if kept.path != path:
            continue
        require_right(world, caller, Permission.FILE_DELETE, kept, "restore")
        if path in world.files:
            raise exists(world, path)
        world.trash.remove(kept)
        kept.trashed_at = None
        world.add_folder(split_path(path)[0])
        world.files[path] = kept
        return world.record(kept)
    raise NotFoundError(what="deleted file", name=path, see="sft ls --trash")


def trash(world: World, caller: User) -> Listed:
    """List what the caller may restore."""
    mine = [
        world.record(kept)
        for kept in reversed(world.trash)
        if has_right(caller, Permission.FILE_DELETE, kept)
    ]
    return Listed((), tuple(mine), tuple(None for _ in mine), "")


def exists(world: World, path: str) -> ExistsError:
    """Say that a name is taken."""
    kept = world.files[path]
    version = kept.versions[-1]
    return ExistsError(
        path=path, version=version.number, author=version.author, stored_at=version.stored_at,
        size=version.size, digest=f"blake2b512:{version.digest.hex()}", author_id=version.author_id,
    )  # fmt: skip


def has_right(caller: User, permission: Permission, kept: Kept) -> bool:
    """Return whether a person may do something to a file."""
    asking = Caller(caller.id, None, caller.name, caller.role)
    return may(asking, permission, Resource(kept.owner_id))


def require_right(
    world: World, caller: User, permission: Permission, kept: Kept, verb: str
) -> None:
    """Refuse an act on a file of somebody else's."""
    if not has_right(caller, permission, kept):
        admins = ", ".join(user.name for user in world.users if user.role.value == "admin")
        owner = world.user_by_id(kept.owner_id).name
        raise NotYoursError(path=kept.path, owner=owner, act=verb, admins=admins)


def _clash(world: World, path: str) -> None:
    folder, name = split_path(path)
    for other in [*world.files, *world.folders]:
        there, its_name = split_path(other)
        if there == folder and other != path and fold(its_name) == fold(name):
            raise NameClashError(name=name, existing=its_name)


def _place(world: World, kept: Kept, path: str) -> None:
    del world.files[kept.path]
    kept.path = path
    world.add_folder(split_path(path)[0])
    world.files[path] = kept


def _bin(world: World, caller: User, kept: Kept) -> None:
    require_right(world, caller, Permission.FILE_DELETE, kept, "delete")
    del world.files[kept.path]
    kept.trashed_at = int(world.now)
    world.trash.append(kept)


def changed(world: World, user: User, **fields: object) -> User:
    """Replace a person's record."""
    new = msgspec.structs.replace(user, **fields)
    world.users[user.id - 1] = new
    return new
