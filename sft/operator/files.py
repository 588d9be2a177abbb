"""Answer ``twistd sft file …``."""

from __future__ import annotations

from typing import Any

from sft.client.connection import ServerConnection
from sft.crypto.digests import digest_text
from sft.crypto.keys import PublicKey
from sft.model.names import safe
from sft.model.records import File
from sft.model.text import local_time, size_text, utc_time
from sft.operator.clock import wall_clock
from sft.operator.printing import print_json, print_table
from sft.wire import messages as m


def file_json(file: File) -> dict[str, object]:
    """Describe a file for scripts."""
    version = file.version
    return {
        "path": file.path,
        "file": file.id.hex(),
        "version": version.number,
        "size": version.size,
        "author": version.author,
        "owner": file.owner,
        "created_at": utc_time(version.stored_at),
        "dated_at": utc_time(version.dated_at),
        "digest": digest_text(version.digest),
        "trashed_at": None if file.trashed_at is None else utc_time(file.trashed_at),
    }


async def list_files(session: ServerConnection, options: Any) -> int:
    """Print all files, in order of creation."""
    found: list[File] = []
    after = 0
    while True:
        page = await session.request(m.FindFiles, m.FilesFound, after=after)
        found += page.files
        after = page.next
        if not after:
            break
    if options["json"]:
        print_json([file_json(each) for each in found])
        return 0
    now = wall_clock()
    rows = [
        (
            each.path,
            size_text(each.version.size),
            f"v{each.version.number}",
            each.owner,
            local_time(each.version.stored_at, now=now),
        )
        for each in found
    ]
    print_table(("path", "size", "version", "owner", "stored"), rows)
    return 0


async def show(session: ServerConnection, options: Any) -> int:
    """Print one file."""
    file = (await session.request(m.ShowFile, m.FileShown, path=options["PATH"].strip("/"))).file
    key = PublicKey.decode(file.version.public_key)
    if options["json"]:
        signature = file.version.signature.decode("ascii", "replace")
        print_json(
            {
                **file_json(file),
                "key_words": key.words(),
                "minisign_key": key.text(),
                "signature": signature,
            }
        )
        return 0
    version, now = file.version, wall_clock()
    print(f"{safe(file.path)}  {size_text(version.size)}  v{version.number}")
    print(
        f"stored {local_time(version.stored_at, now=now)}, dated {local_time(version.dated_at, now=now)}"
    )
    print(
        f"signed by {safe(version.author)} as {safe(version.signed_name)}; owner {safe(file.owner)}"
    )
    print(f"key {key.words()}  {key.text()}")
    print(digest_text(version.digest))
    return 0


async def delete(session: ServerConnection, options: Any) -> int:
    """Move a file, or a folder with all in it, to the trash."""
    path = options["PATH"].strip("/")
    done = (
        await session.request(
            m.Delete, m.FileDeleted, path=path, recursive=bool(options["recursive"])
        )
    ).deleted
    if options["json"]:
        ends = utc_time(done.trash_ends_at)
        print_json(
            {"path": done.path, "files": done.files, "folders": done.folders, "trash_ends_at": ends}
        )
        return 0
    print(
        f"{safe(done.path)} is in the trash until {local_time(done.trash_ends_at, now=wall_clock())}"
    )
    return 0
