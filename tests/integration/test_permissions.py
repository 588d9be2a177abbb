"""Who may do what, asked over the wire by clients that check nothing themselves.

The mission's table stands here in its own words; the matrix of every request is made from the tables of the code, so that a
request without a route, a rule or an example fails.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import pytest

from sft.client.api.trash import trash_seen
from sft.crypto.keys import InvitationKey, SigningKey
from sft.errors import HandshakeFailedError
from sft.model.access import OPERATOR, Caller, Holder, Permission, Resource, Role, allows, least_role, may
from sft.model.records import FileSeen, KeyEnd
from sft.server.routes import ROUTES, JobRoute
from sft.service.use_case import USE_CASES
from sft.vault.master_key import CommandMasterKey
from sft.vault.master_key_store import MasterKeyStore
from sft.wire import messages as m
from sft.wire.events import Welcomed
from sft.wire.login import Claim
from tests.integration.server_fixture import Person, Raw, RawUpload, ServerFixture, alone, content, on_reactor, until
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES

LARGE = content(200_000)

# -- the mission's table ------------------------------------------------------------------------------


async def _uploads(server: ServerFixture, raw: Raw, name: str) -> Any:
    small = await server.put(name, "mission/small", b"mine", raw)
    large = await server.put(name, "mission/large", LARGE, raw)
    assert type(small) is type(large)
    return large


async def _downloads(server: ServerFixture, raw: Raw, name: str) -> Any:
    return await raw.ask(m.GetFile, path="of-mia", version=0, window=8)


async def _manages(server: ServerFixture, raw: Raw, name: str) -> Any:
    key = SigningKey.generate().public.encode()
    added = await raw.ask(m.AddUser, name="new", role=Role.GUEST, public_key=key, device="d")
    disabled = await raw.ask(m.DisableUser, name="extra")
    enabled = await raw.ask(m.EnableUser, name="extra")
    removed = await raw.ask(m.RemoveUser, name="new")
    assert type(added) is type(disabled) is type(enabled) is type(removed), removed
    return added


async def _changes_roles(server: ServerFixture, raw: Raw, name: str) -> Any:
    return await raw.ask(m.ChangeRole, name="extra", role=Role.MAINTAINER)


async def _deletes_own(server: ServerFixture, raw: Raw, name: str) -> Any:
    return await raw.ask(m.Delete, path=f"to-delete-of-{name}")


async def _deletes_others(server: ServerFixture, raw: Raw, name: str) -> Any:
    return await raw.ask(m.Delete, path="to-delete-of-mia")


async def _moving(raw: Raw, path: str) -> dict[str, Any]:
    """See a file that is to move."""
    file = (await raw.ask(m.ShowFile, path=path)).file
    return {"old": path, "seen": FileSeen(file.id, file.version.number)}


async def _renames_others(server: ServerFixture, raw: Raw, name: str) -> Any:
    return await raw.ask(m.Move, **await _moving(raw, "to-move-of-mia"), new="renamed")


async def _replaces_others(server: ServerFixture, raw: Raw, name: str) -> Any:
    seen = (await raw.ask(m.ShowFile, path="of-mia")).file
    return await server.put(name, "of-mia", b"x", raw, file_id=seen.id, version=2, prev=seen.version.digest)


YES, NO, NOT_YOURS = "yes", "ROLE_FORBIDS", "NOT_YOURS"
MISSION: dict[str, tuple[Any, dict[str, str]]] = {
    "upload": (_uploads, {"ada": YES, "max": YES, "gus": NO}),
    "download every file": (_downloads, {"ada": YES, "max": YES, "gus": YES}),
    "manage users": (_manages, {"ada": YES, "max": NO, "gus": NO}),
    "change roles": (_changes_roles, {"ada": YES, "max": NO, "gus": NO}),
    "delete own files": (_deletes_own, {"ada": YES, "max": YES, "gus": NO}),
    "delete files of others": (_deletes_others, {"ada": YES, "max": NOT_YOURS, "gus": NO}),
    "rename files of others": (_renames_others, {"ada": YES, "max": NOT_YOURS, "gus": NO}),
    "replace files of others": (_replaces_others, {"ada": YES, "max": NOT_YOURS, "gus": NO}),
}


@pytest.mark.parametrize("name", ["ada", "max", "gus"])
@on_reactor
@pytest.mark.every_run
async def test_the_permission_table_of_the_mission(server: ServerFixture, name: str):
    await _prepare(server)
    raw = await server.raw(name)
    for row, (act, rights) in MISSION.items():
        answer = await act(server, raw, name)
        if rights[name] == YES:
            assert not isinstance(answer, m.Refusal), (row, answer)
        else:
            assert isinstance(answer, m.Refusal), (row, answer)
            assert answer.code == rights[name], row


async def _prepare(server: ServerFixture) -> None:
    """Give everybody files, guests too: gus stored his while he was a maintainer."""
    operator = await server.operator()
    await operator.ask(m.ChangeRole, name="gus", role=Role.MAINTAINER)
    for name in ("ada", "max", "mia", "gus"):
        raw = await server.raw(name)
        for prefix in ("", "to-move-", "to-give-", "to-delete-", "to-restore-", "to-destroy-", "to-show-"):
            path = f"{prefix}of-{name}"
            assert isinstance(await server.put(name, path, path.encode(), raw), m.FileStored)
        raw.abort()
    await operator.ask(m.ChangeRole, name="gus", role=Role.GUEST)
    key = SigningKey.generate().public.encode()
    await operator.ask(m.AddUser, name="extra", role=Role.GUEST, public_key=key, device="d")


# -- the matrix -----------------------------------------------------------------------------------------

# Requests whose answer also depends on whose the file is.
OWNERSHIP = {
    m.Move, m.ChangeOwner, m.Delete, m.Restore, m.DestroyTrashed, m.DestroyVersion, m.SetExpiry, m.PutFiles,
    m.BeginUpload, m.ListReaders, m.ShowTrashed,
}  # fmt: skip


class _Example:
    """What a request of each kind says, in a server where it would succeed for who may."""

    def __init__(self, server: ServerFixture, raw: Raw, person: Person | None, owner: str) -> None:
        self.server = server
        self.raw = raw
        self.person = person
        self.path = f"of-{owner}"
        self.new_key = SigningKey.generate()

    async def seen(self) -> dict[str, Any]:
        file = (await self.raw.ask(m.ShowFile, path=self.path)).file
        version = file.version
        return {"file_id": file.id, "version": version.number + 1, "prev": version.digest}

    def sign(self, data: bytes, **fields: Any) -> bytes:
        # The operator has no key: any signature will do to be refused.
        return (self.person or self.server.people["mia"]).sign(self.path, data, **fields)

    async def fields(self, kind: type[m.Request]) -> dict[str, Any]:
        made = getattr(self, f"of_{kind.__name__}", None)
        if made is None:
            raise AssertionError(f"{kind.__name__} has no example here")
        return await made()

    async def of_ListFolder(self):
        return {"path": ""}

    async def of_ListTrash(self):
        return {}

    async def of_SearchNames(self):
        return {"words": ("a",)}

    async def of_ShowFile(self):
        return {"path": self.path}

    async def of_MakeFolder(self):
        return {"path": "a folder"}

    async def of_Move(self):
        return {**await _moving(await self.server.raw("ada"), f"to-move-{self.path}"), "new": "moved"}

    async def of_ChangeOwner(self):
        moving = await _moving(await self.server.raw("ada"), f"to-give-{self.path}")
        return {"path": moving["old"], "seen": moving["seen"], "owner": "mia"}

    async def of_Delete(self):
        return {"path": f"to-delete-{self.path}"}

    async def of_Restore(self):
        operator = await self.server.operator()
        assert isinstance(await operator.ask(m.Delete, path=f"to-restore-{self.path}"), m.FileDeleted)
        return await self._in_trash(f"to-restore-{self.path}")

    async def of_ShowTrashed(self):
        operator = await self.server.operator()
        assert isinstance(await operator.ask(m.Delete, path=f"to-show-{self.path}"), m.FileDeleted)
        return {"path": f"to-show-{self.path}"}

    async def _in_trash(self, path):
        shown = await (await self.server.operator()).ask(m.ShowTrashed, path=path)
        return {"path": path, "seen": trash_seen(shown.file)}

    async def of_SetExpiry(self):
        file = (await (await self.server.raw("ada")).ask(m.ShowFile, path=self.path)).file
        return {"path": self.path, "file_id": file.id, "expires_at": self.server.here.clock() + 3600}

    async def of_DestroyTrashed(self):
        operator = await self.server.operator()
        assert isinstance(await operator.ask(m.Delete, path=f"to-destroy-{self.path}"), m.FileDeleted)
        return await self._in_trash(f"to-destroy-{self.path}")

    async def of_DestroyVersion(self):
        raw = await self.server.raw("ada")
        file = (await raw.ask(m.ShowFile, path=self.path)).file
        seen = {"file_id": file.id, "version": 2, "prev": file.version.digest}
        assert isinstance(await self.server.put("ada", self.path, b"newer", raw, **seen), m.FileStored)
        return {"path": self.path, "file_id": file.id, "version": 1}

    async def of_PutFiles(self):
        signature = self.sign(b"new", **await self.seen())
        return {"files": (m.SmallPut(self.path, signature, b"new"),)}

    async def of_ShowFiles(self):
        return {"paths": (self.path,)}

    async def of_GetFiles(self):
        return {"files": (m.WantedFile(self.path),)}

    async def of_BeginUpload(self):
        seen = await self.seen()
        del seen["prev"]
        return {"path": self.path, "size": len(LARGE), "window": 8, "upload_id": bytes(16), **seen}

    async def of_FindUpload(self):
        return {"upload_id": bytes(16)}

    async def of_GetFile(self):
        return {"path": self.path, "version": 0, "window": 8}

    async def of_ShowSelf(self):
        return {}

    async def of_ListUsers(self):
        return {}

    async def of_ShowUser(self):
        return {"user_id": 0, "name": "mia"}

    async def of_AddUser(self):
        key = SigningKey.generate().public.encode()
        return {"name": "newer", "role": Role.GUEST, "public_key": key, "device": "d"}

    async def of_ChangeRole(self):
        return {"name": "extra", "role": Role.MAINTAINER}

    async def of_DisableUser(self):
        return {"name": "extra"}

    async def of_ShowQuota(self):
        return {"name": "mia"}

    async def of_ExplainRight(self):
        return {"act": "rm", "about": self.path}

    async def of_ListAllowed(self):
        return {"act": "rm", "about": self.path}

    async def of_ChangeQuota(self):
        return {"name": "mia", "size_bytes": 1 << 40, "files": None}

    async def of_EnableUser(self):
        return {"name": "extra"}

    async def of_RemoveUser(self):
        return {"name": "extra"}

    async def of_AddKey(self):
        return {"public_key": self.new_key.public.encode(), "device": "d"}

    async def of_RotateKey(self):
        return {"public_key": self.new_key.public.encode(), "device": "d"}

    async def of_RevokeKey(self):
        second = SigningKey.generate().public.encode()
        if self.person is not None:
            added = await (await self.server.raw(self.person.name)).ask(m.AddKey, public_key=second, device="d")
            assert isinstance(added, m.UserShown)
        return {"public_key": second, "reason": KeyEnd.RETIRED}

    async def _add(self, name):
        added = {"name": name, "role": Role.GUEST, "public_key": SigningKey.generate().public.encode(), "device": "d"}
        assert isinstance(await (await self.server.operator()).ask(m.AddUser, **added), m.UserShown)

    async def of_ResetKey(self):
        await self._add("lost")
        reset = {"name": "lost", "public_key": self.new_key.public.encode(), "device": "d"}
        return {**reset, "reason": KeyEnd.RETIRED}

    async def of_OfferReset(self):
        await self._add("locked")
        return {"name": "locked", "public_key": InvitationKey.generate().point, "reason": KeyEnd.RETIRED}

    async def of_MakeInvitation(self):
        point = InvitationKey.generate().point
        return {"public_key": point, "role": Role.GUEST, "name": None, "seconds": 3600}

    async def of_ListInvitations(self):
        return {}

    async def of_WithdrawInvitation(self):
        made = await (await self.server.operator()).ask(m.MakeInvitation, **await self.of_MakeInvitation())
        return {"invitation_id": made.invitation.id}

    async def of_ShowServer(self):
        return {}

    async def of_ListSessions(self):
        return {}

    async def of_TestHook(self):
        return {"hook": "none"}

    async def of_ShowConfiguration(self):
        return {}

    async def of_ShowStatus(self):
        return {}

    async def of_KickSession(self):
        return {"session_id": 10**9}

    async def of_ShowVault(self):
        return {}

    async def of_RebuildVault(self):
        return {}

    async def of_CheckVault(self):
        return {}

    async def of_RotateMasterKey(self):
        return {}

    async def of_CollectTrash(self):
        return {}

    async def of_BeginBackup(self):
        return {"epoch": 1, "settings": bytes(32)}

    async def of_EndBackup(self):
        return {"objects": 0, "copied": 0, "size": 0}

    async def of_FindFiles(self):
        return {}

    async def of_ReadLog(self):
        return {}

    async def of_ReadRecord(self):
        return {"number": 0}

    async def of_ProveLeaf(self):
        return {"number": 0}

    async def of_ConfirmReceived(self):
        # It comes to the files that were downloaded: ``test_receiving`` has the rest of it.
        return {"versions": (FileSeen(bytes(16), 1),), "statement": b"-"}

    async def of_ListReaders(self):
        return {"path": self.path}


@pytest.mark.every_run
def test_every_request_has_a_route_and_an_example():
    requests = {kind for kind in CLIENT_MESSAGES if issubclass(kind, m.Request)}
    assert set(ROUTES) == requests == set(m.ANSWERS)
    examples = {name[3:] for name in vars(_Example) if name.startswith("of_")}
    assert examples == {kind.__name__ for kind in requests}


def _permission(server: ServerFixture, kind: type[m.Request]) -> Permission:
    route = ROUTES[kind]
    if isinstance(route, JobRoute):
        return USE_CASES[route.jobs(server.here, kind(1))[0][0]].permission
    return USE_CASES[route.use_case].permission


def _expected(server: ServerFixture, kind: type[m.Request], holder: Holder, *, is_owner: bool) -> str:
    """Say by the tables alone what the answer has to be: empty, or the code of a refusal."""
    permission = _permission(server, kind)
    if not allows(holder, permission):
        return "OPERATOR_ONLY" if least_role(permission) is None else "ROLE_FORBIDS"
    caller = Caller(1, 1, "x", holder)
    right = may(caller, permission, Resource(1 if is_owner else 2))
    return "" if right or kind not in OWNERSHIP else "NOT_YOURS"


HOLDERS = {"ada": Role.ADMIN, "max": Role.MAINTAINER, "gus": Role.GUEST, OPERATOR: OPERATOR}


@pytest.mark.parametrize(
    ("name", "owned"),
    [(name, owned) for name in HOLDERS for owned in (True, False) if (name, owned) != (OPERATOR, True)],
)
@on_reactor
async def test_every_request_as_every_role_on_own_and_foreign_files(server: ServerFixture, name: str, owned: bool):
    await _prepare(server)
    allowed = 0
    for kind in ROUTES:
        raw = await (server.operator() if name == OPERATOR else server.raw(name))
        example = _Example(server, raw, server.people.get(name), name if owned else "mia")
        if kind is m.BeginUpload:
            answer = await _upload(raw, example)
        else:
            answer = await raw.ask(kind, **await example.fields(kind))
            if isinstance(answer, m.FilesStored) and isinstance(answer.results[0], m.RefusedFile):
                answer = alone(answer)
        expected = _expected(server, kind, HOLDERS[name], is_owner=owned)
        if name == OPERATOR and kind is m.PutFiles:
            expected = "BAD_REQUEST"  # no key, so nothing that it stores could be signed
        if kind is m.TestHook:
            expected = expected or "NOT_FOUND"  # this server has no hooks
        if kind is m.FindUpload:
            expected = expected or "UPLOAD_GONE"
        if kind is m.ConfirmReceived:
            expected = expected or "BAD_REQUEST"
        if expected:
            assert isinstance(answer, m.Refusal), (kind, answer)
            assert answer.code == expected, kind
        else:
            assert type(answer) in m.ANSWERS[kind], (kind, answer)
            allowed += 1
            if kind is m.RotateKey:
                server.people[name] = dataclasses.replace(server.people[name], key=example.new_key)
        raw.abort()
    assert allowed


async def _upload(raw: Raw, example: _Example) -> Any:
    fields = await example.of_BeginUpload()
    person = example.person or example.server.people["mia"]
    seen = await example.seen()
    return await RawUpload(raw, person, fields["path"], LARGE, **seen).begin().whole()


# -- the operator ---------------------------------------------------------------------------------------


@on_reactor
@pytest.mark.every_run
async def test_nobody_is_operator_on_the_network_listener(server: ServerFixture):
    raw = await server.dial(Claim.operator())
    assert raw.gone
    assert not raw.inbox_has(Welcomed)
    assert not server.here.sessions.all()
    await until_line(server, "no-login", "control socket")


@on_reactor
async def test_a_person_may_log_in_at_the_control_socket_and_is_no_operator(server: ServerFixture):
    person = server.people["gus"]
    claim = Claim.login("gus", person.key.public)
    raw = await server.dial(claim, person.key, control=True)
    assert (await raw.ask(m.CheckVault)).code == "OPERATOR_ONLY"


@on_reactor
async def test_who_may_not_rotate_learns_nothing_of_the_master_key(server: ServerFixture):
    server.here.master_keys = MasterKeyStore(server.home.keyring, CommandMasterKey(["true"]), "command:true")
    assert (await (await server.raw("gus")).ask(m.RotateMasterKey)).code == "OPERATOR_ONLY"
    assert (await (await server.operator()).ask(m.RotateMasterKey)).code == "MASTER_KEY_ELSEWHERE"


@on_reactor
async def test_the_log_names_the_operator_and_the_uid(server: ServerFixture):
    raw = await server.operator()
    await raw.ask(m.DisableUser, name="mia")
    await until_line(server, "operator session=", f"uid={os.getuid()}")
    await until_line(server, "user-disabled", "by=operator", "name=mia")


async def until_line(server: ServerFixture, *parts: str) -> None:
    await until(
        lambda: any(all(part in line for part in parts) for line in server.lines),
        f"a line with {parts}: {server.lines}",
    )


@pytest.mark.every_run
def test_what_a_person_proves_at_login_is_not_what_the_operator_needs():
    # The form alone forbids a key beside the claim of an operator.
    claim = Claim("operator", "ada", None, "", None)
    with pytest.raises(HandshakeFailedError):
        claim.require_form()
