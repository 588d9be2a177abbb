"""An old content made the newest version again: got and verified as any get, then stored as a new version.

Rules. The content travels, for who signs the new version has held every byte of it against its author's signature. What was
the newest when this began is replaced and nothing else. The file's date comes along; who brought it back is the author.
"""

from __future__ import annotations

from pathlib import Path

from sft.client.api.files import show_file
from sft.client.session import Session
from sft.client.transfers.batch import PutResult, get_all, put_all
from sft.client.transfers.plan import PutItem, plan_get
from sft.client.transfers.progress import Report
from sft.errors import NewestVersionError, NoVersionError


async def bring_version_back(
    session: Session, path: str, number: int, *, within: Path, report: Report | None = None
) -> PutResult:
    """Make the content of an older version of a file its newest again.

    Args:
        within: an empty folder of this computer, for the content until it is stored.
        report: called with every step of the storing.

    Raises:
        NewestVersionError: it is the newest.
        VersionDestroyedError: its content is gone.
        ChangedSinceError: another version was stored meanwhile.
        SftError: it cannot be got, does not verify or cannot be stored.
    """
    newest = (await show_file(session, path)).version.number
    if number == newest:
        raise NewestVersionError(path=path, version=number)
    plan = await plan_get(session, [path], version=number)
    for refused in plan.refused:
        raise refused.error
    results = await get_all(session, plan.items, to=within, keep_parts=False)
    for got in results:
        if got.error is not None or got.local is None:
            raise got.error or _no_version(path, number, newest)
        item = PutItem(got.local, path, got.item.size)
        (stored,) = await put_all(session, [item], if_version=newest, report=report)
        if stored.error is not None:
            raise stored.error
        return stored
    raise _no_version(path, number, newest)


def _no_version(path: str, number: int, newest: int) -> NoVersionError:
    return NoVersionError(path=path, version=number, versions=f"others, up to {newest}")
