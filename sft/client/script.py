"""What a script does with the client library: logs in with a profile of this computer, puts, gets and verifies.

Rules. What fails is raised, one item of many too: the first that failed, when all others have ended. Whoever goes on has all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sft.client.connecting import connect
from sft.client.identity import given, passphrase_from
from sft.client.profiles import Profiles
from sft.client.session import Session
from sft.client.state import state_from
from sft.client.transfers.batch import GetResult, PutResult, get_all, put_all, verify_all
from sft.client.transfers.local_tree import Refused
from sft.client.transfers.part_file import ConflictPolicy
from sft.client.transfers.plan import GetPlan, plan_get, plan_put
from sft.errors import SftError


async def login(
    reactor: Any, profile: str | None = None, *, passphrase: str | None = None, environ: Mapping[str, str] = os.environ
) -> Session:
    """Log in to a server that this computer has joined; to be closed, best by ``async with``.

    Args:
        profile: as ``sft servers`` names it; else that of SFT_PROFILE, else the default one.
        passphrase: of the key; else that in the file that SFT_PASSPHRASE_FILE names, if the key needs one.
        environ: SFT_HOME may move the state.

    Raises:
        NotJoinedError, ProfileUnknownError: there is no such profile.
        KeyLockedError, PassphraseWrongError: the key does not open.
        UnreachableError, ServerKeyChangedError, LoginRefusedError, ConnectionLostError: no session.
    """
    state = state_from(environ)
    chosen = Profiles(state).choose(profile or environ.get("SFT_PROFILE") or None)
    ask = passphrase_from(environ, None) if passphrase is None else given(passphrase)
    return await connect(reactor, state, chosen, ask=ask)


async def put(
    session: Session, sources: Sequence[str | Path], *, to: str = "", replace: bool = False
) -> list[PutResult]:
    """Store files and whole folders in a folder of the server (``""`` is the root), signed.

    Args:
        replace: a file that is there becomes the version before; else ExistsError, unless it holds the same bytes.
    """
    plan = await session.pool.run(plan_put, [str(source) for source in sources], to=to)
    _require_none(plan.refused)
    return _complete(await put_all(session, plan.items, folders=plan.folders, replace=replace))


async def get(
    session: Session, names: Sequence[str], *, to: str | Path = ".", existing: ConflictPolicy = ConflictPolicy.REFUSE
) -> list[GetResult]:
    """Get files, whole folders and what fits a pattern into a folder of this computer, each verified before it has its name.

    Args:
        existing: what becomes of a file that has the name already.
    """
    plan = await _planned(session, names)
    got = await get_all(session, plan.items, to=Path(to), folders=plan.folders, existing=existing)
    return _complete(got)


async def verify(session: Session, names: Sequence[str]) -> list[GetResult]:
    """Read files as ``get`` does and judge them, keeping nothing."""
    plan = await _planned(session, names)
    return _complete(await verify_all(session, plan.items))


async def _planned(session: Session, names: Sequence[str]) -> GetPlan:
    plan = await plan_get(session, names)
    _require_none(plan.refused)
    return plan


class _Result(Protocol):
    @property
    def error(self) -> SftError | None: ...


R = TypeVar("R", bound=_Result)


def _complete(results: list[R]) -> list[R]:
    for result in results:
        if result.error is not None:
            raise result.error
    return results


def _require_none(refused: Sequence[Refused]) -> None:
    for each in refused:
        raise each.error
