"""What decides is read again where it is decided, and a change of rights ends what is under way at once."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from sft.crypto.keys import InvitationKey, SigningKey
from sft.model.access import Role
from sft.model.records import FileSeen
from sft.wire import messages as m
from sft.wire.events import LoginRefused, Welcomed
from sft.wire.login import Claim
from tests.integration.server_fixture import (
    Raw,
    RawUpload,
    ServerFixture,
    alone,
    content,
    on_reactor,
    readers_held,
    until,
    writer_held,
)

LARGE = content(1_200_000)


async def _half(server: ServerFixture, name: str, path: str = "big") -> RawUpload:
    """Begin an upload and send half of it; the server has let it begin."""
    raw = await server.raw(name)
    upload = RawUpload(raw, server.people[name], path, LARGE).begin()
    await upload.admitted()
    await upload.send(8)
    return upload


async def _nothing_of(server: ServerFixture, path: str) -> None:
    operator = await server.operator()
    assert (await operator.ask(m.ShowFile, path=path)).code == "NOT_FOUND"
    await server.clean()
    assert server.objects() == []


# -- between the beginning of an upload and its commit ------------------------------------------------------


async def _demote(operator: Raw) -> None:
    await operator.ask(m.ChangeRole, name="max", role=Role.GUEST)


async def _disable(operator: Raw) -> None:
    await operator.ask(m.DisableUser, name="max")


async def _remove(operator: Raw) -> None:
    await operator.ask(m.RemoveUser, name="max")


@pytest.mark.parametrize("change", [_demote, _disable, _remove])
@on_reactor
async def test_lost_rights_refuse_the_next_chunk_and_commit_nothing(server: ServerFixture, change):
    upload = await _half(server, "max")
    await change(await server.operator())
    answer = await upload.answer()
    assert answer.code == "RIGHTS_CHANGED"
    if change is _demote:
        # The session lives; what was in flight drains, up to the commit that means nothing now.
        await upload.raw.barrier()
        upload.raw.credit[upload.id] = 100
        for chunk in upload.chunks[8:10]:
            upload.raw.send_data(upload.id, chunk)
        await upload.raw.barrier()
        assert upload.raw.notices[0].kind == "role"
        assert upload.raw.notices[0].values == {"role": "guest", "by": "operator"}
        assert len(upload.raw.answers(upload.id)) == 1
    else:
        await upload.raw.until_gone()
        assert upload.raw.notices[0].kind == "ended"
        assert upload.raw.notices[0].values["by"] == "operator"
    await _nothing_of(server, "big")


@pytest.mark.parametrize("change", [_demote, _disable, _remove])
@on_reactor
@pytest.mark.every_run
async def test_the_commit_itself_reads_role_and_state_again(server: ServerFixture, change):
    raw = await server.raw("max")
    operator = await server.operator()
    path = "small"
    data = b"queued behind the change"
    signature = server.people["max"].sign(path, data)
    with writer_held(server) as held:
        changing = _sent(operator, change)
        await held.queued(1)
        request_id = raw.begin_put(path, signature, data)
        await held.queued(2)
    await changing
    await until(lambda: raw.gone or raw.answers(request_id))
    if change is _demote:
        assert alone(await raw.answer(request_id)).code == "ROLE_FORBIDS"
    await _nothing_of(server, path)


@pytest.mark.parametrize("change", [_demote, _disable, _remove])
@on_reactor
async def test_so_does_the_commit_of_a_large_upload(server: ServerFixture, change):
    upload = await _half(server, "max")
    operator = await server.operator()
    await upload.send()
    with writer_held(server) as held:
        changing = _sent(operator, change)
        await held.queued(1)
        upload.commit()
        await held.queued(2)
    await changing
    await until(lambda: upload.raw.gone or upload.answered)
    if change is _demote:
        assert (await upload.answer()).code == "ROLE_FORBIDS"
    await _nothing_of(server, "big")


def _sent(operator: Raw, change):
    return Deferred.fromCoroutine(change(operator))


@on_reactor
async def test_a_newer_version_stored_meanwhile_is_not_overwritten(server: ServerFixture):
    first = await server.put("max", "big", content(100_000, 2))
    mine, other = await server.raw("max"), await server.raw("ada")
    seen = (await mine.ask(m.ShowFile, path="big")).file
    upload = RawUpload(
        mine, server.people["max"], "big", LARGE,
        version=2, prev=seen.version.digest, file_id=seen.id,
    ).begin()  # fmt: skip
    await upload.admitted()
    await upload.send()
    replaced = await server.put(
        "ada", "big", b"ada was faster", other,
        file_id=seen.id, version=2, prev=seen.version.digest,
    )  # fmt: skip
    assert isinstance(first, m.FileStored)
    assert isinstance(replaced, m.FileStored)
    upload.commit()
    answer = await upload.answer()
    assert answer.code == "CHANGED_SINCE"
    assert answer.values["author"] == "ada"
    assert await server.get(other, "big") == b"ada was faster"
    await server.clean()
    assert len(server.objects()) == 1


@on_reactor
@pytest.mark.every_run
async def test_a_file_given_to_another_owner_meanwhile_is_not_replaced(server: ServerFixture):
    await server.put("max", "doc", content(100_000, 2))
    raw, ada = await server.raw("max"), await server.raw("ada")
    seen = (await raw.ask(m.ShowFile, path="doc")).file
    upload = RawUpload(
        raw, server.people["max"], "doc", LARGE,
        version=2, prev=seen.version.digest, file_id=seen.id,
    ).begin()  # fmt: skip
    await upload.admitted()
    await upload.send()
    given = await ada.ask(m.ChangeOwner, path="doc", owner="mia", seen=FileSeen(seen.id, 1))
    assert (given.change.owner, given.change.before) == ("mia", "max")
    upload.commit()
    assert (await upload.answer()).code == "NOT_YOURS"
    assert await server.get(raw, "doc") == content(100_000, 2)
    await server.clean()


@on_reactor
async def test_a_name_taken_meanwhile_refuses_the_commit(server: ServerFixture):
    upload = await _half(server, "max", "docs/plan")
    await upload.send()
    assert isinstance(await server.put("mia", "docs/PLAN", b"hers"), m.FileStored)
    upload.commit()
    assert (await upload.answer()).code == "NAME_CLASH"
    await server.clean()


@on_reactor
async def test_a_folder_that_became_a_file_meanwhile_refuses_the_commit(server: ServerFixture):
    upload = await _half(server, "max", "docs/plan")
    await upload.send()
    assert isinstance(await server.put("mia", "docs", b"a file now"), m.FileStored)
    upload.commit()
    assert (await upload.answer()).code == "NAME_IN_USE"
    await server.clean()


@on_reactor
async def test_two_uploads_to_one_name_one_wins(server: ServerFixture):
    first, second = await _half(server, "max"), await _half(server, "mia")
    await first.send()
    await second.send()
    with writer_held(server) as held:
        first.commit()
        await held.queued(1)
        second.commit()
        await held.queued(2)
    assert isinstance(await first.answer(), m.FileStored)
    assert (await second.answer()).code == "EXISTS"
    await server.clean()
    assert len(server.objects()) == 1


# -- other acts that wait behind a change -------------------------------------------------------------------


@on_reactor
@pytest.mark.every_run
async def test_two_admins_who_demote_each_other_at_once_leave_one(server: ServerFixture):
    operator = await server.operator()
    await operator.ask(m.ChangeRole, name="max", role=Role.ADMIN)
    ada, admin_max = await server.raw("ada"), await server.raw("max")
    with writer_held(server) as held:
        first = ada.begin(m.ChangeRole, name="max", role=Role.GUEST)
        await held.queued(1)
        second = admin_max.begin(m.ChangeRole, name="ada", role=Role.GUEST)
        await held.queued(2)
    assert isinstance(await ada.answer(first), m.UserShown)
    assert (await admin_max.answer(second)).code == "ROLE_FORBIDS"


@pytest.mark.parametrize(
    ("kind", "fields"), [(m.ChangeRole, {"role": Role.GUEST}), (m.DisableUser, {}), (m.RemoveUser, {})]
)
@pytest.mark.parametrize("by", ["ada", "operator"])
@on_reactor
async def test_nobody_takes_the_last_admin_away_not_even_two_at_once(server: ServerFixture, kind, fields, by: str):
    operator = await server.operator()
    await operator.ask(m.ChangeRole, name="max", role=Role.ADMIN)
    raw = await server.raw("ada") if by == "ada" else await server.operator()
    with writer_held(server) as held:
        first = operator.begin(kind, name="max", **fields)
        await held.queued(1)
        second = raw.begin(kind, name="ada", **fields)
        await held.queued(2)
    assert isinstance(await operator.answer(first), m.UserShown)
    assert (await raw.answer(second)).code == "LAST_ADMIN"


@pytest.mark.parametrize("what", ["withdrawn", "its maker is demoted", "used by another"])
@on_reactor
async def test_an_invitation_is_judged_again_in_the_transaction_that_makes_its_user(server: ServerFixture, what: str):
    operator, ada = await server.operator(), await server.raw("ada")
    await operator.ask(m.ChangeRole, name="max", role=Role.ADMIN)
    invitation, key, other = InvitationKey.generate(), SigningKey.generate(), SigningKey.generate()
    made = await ada.ask(m.MakeInvitation, public_key=invitation.point, role=Role.ADMIN, name=None, seconds=3600)

    def joining(name, key):
        claim = Claim.join(name, key.public, "laptop", invitation)
        return Deferred.fromCoroutine(server.dial(claim, key, invitation))

    with writer_held(server) as held:
        if what == "withdrawn":
            operator.begin(m.WithdrawInvitation, invitation_id=made.invitation.id)
        elif what == "used by another":
            first = joining("quick", other)
        else:
            operator.begin(m.ChangeRole, name="ada", role=Role.GUEST)
        await held.queued(1)
        late = joining("late", key)
        await held.queued(2)
    raw = await late
    refused = [event for event in raw.inbox if isinstance(event, LoginRefused)]
    expected = "INVITE_USED" if what == "used by another" else "INVITE_WITHDRAWN"
    assert [event.code for event in refused] == [expected]
    if what == "used by another":
        assert (await first).inbox_has(Welcomed)
    users = (await operator.ask(m.ListUsers)).page.users
    assert "late" not in [user.name for user in users]


@on_reactor
async def test_a_folder_is_deleted_only_if_every_file_in_it_is_ones_own_when_it_is_deleted(server: ServerFixture):
    raw, other = await server.raw("max"), await server.raw("mia")
    await server.put("max", "shared/mine", b"mine", raw)
    data = b"just arrived"
    signature = server.people["mia"].sign("shared/hers", data)
    with writer_held(server) as held:
        stored = other.begin_put("shared/hers", signature, data)
        await held.queued(1)
        deleting = raw.begin(m.Delete, path="shared", recursive=True)
        await held.queued(2)
    assert isinstance(alone(await other.answer(stored)), m.FileStored)
    assert (await raw.answer(deleting)).code == "NOT_YOURS"
    assert await server.get(raw, "shared/mine") == b"mine"


# -- what is under way ------------------------------------------------------------------------------------------


@on_reactor
async def test_a_promoted_users_upload_goes_on(server: ServerFixture):
    upload = await _half(server, "max")
    await (await server.operator()).ask(m.ChangeRole, name="max", role=Role.ADMIN)
    await upload.raw.when(lambda: upload.raw.notices)
    assert upload.raw.notices[0].values == {"role": "admin", "by": "operator"}
    assert isinstance(await upload.whole(), m.FileStored)
    await server.clean()


@on_reactor
async def test_a_promoted_session_may_at_once_what_its_new_role_may(server: ServerFixture):
    raw = await server.raw("gus")
    assert (await server.put("gus", "a", b"a", raw)).code == "ROLE_FORBIDS"
    await (await server.operator()).ask(m.ChangeRole, name="gus", role=Role.MAINTAINER)
    await raw.when(lambda: raw.notices)
    assert isinstance(await server.put("gus", "a", b"a", raw), m.FileStored)


@pytest.mark.parametrize("change", [_disable, _remove, "kick"])
@on_reactor
async def test_a_download_of_a_disabled_user_stops(server: ServerFixture, change):
    await server.put("mia", "big", LARGE)
    raw, operator = await server.raw("max"), await server.operator()
    request_id = raw.begin(m.GetFile, path="big", version=0, window=4)
    await raw.when(lambda: len(raw.data.get(request_id, [])) == 4)
    if change == "kick":
        sessions = (await operator.ask(m.ListSessions)).sessions
        (number,) = [each.id for each in sessions if each.user == "max"]
        assert [each.doing for each in sessions if each.user == "max"] == ["getting big"]
        await operator.ask(m.KickSession, session_id=number)
    else:
        await change(operator)
    raw.link.outbox.write(b"")
    await raw.until_gone()
    assert [each.code for each in raw.answers(request_id)[1:]] == [
        "INTERRUPTED" if change == "kick" else "RIGHTS_CHANGED"
    ]
    assert len(raw.data[request_id]) == 4
    assert raw.notices[0].kind == "ended"
    assert raw.reason is None, "the end was authenticated"


@on_reactor
@pytest.mark.every_run
async def test_a_download_that_begins_while_rights_change_is_refused(server: ServerFixture):
    await server.put("mia", "big", LARGE)
    raw, operator = await server.raw("max"), await server.operator()
    with readers_held(server):
        request_id = raw.begin(m.GetFile, path="big", version=0, window=4)
        await until(lambda: server.here.reading_pool.busy > 2, "the download begins")
        await _demote(operator)
    assert (await raw.answer(request_id)).code == "RIGHTS_CHANGED"
    assert request_id not in raw.data


async def _sessions_of(raw: Raw) -> dict[str, int]:
    return {each.user: each.id for each in (await raw.ask(m.ListSessions)).sessions}


@on_reactor
async def test_an_admin_sees_who_is_connected_and_ends_a_session_in_their_own_name(server: ServerFixture):
    await server.put("mia", "big", LARGE)
    max_, ada = await server.raw("max"), await server.raw("ada")
    request_id = max_.begin(m.GetFile, path="big", version=0, window=4)
    await max_.when(lambda: len(max_.data.get(request_id, [])) == 4)
    numbers = await _sessions_of(ada)
    assert set(numbers) >= {"ada", "max"}
    done = await ada.ask(m.KickSession, session_id=numbers["max"])
    assert done == m.Done(done.id, changed=True)
    max_.link.outbox.write(b"")
    await max_.until_gone()
    assert [each.values for each in max_.notices] == [{"why": "kicked", "by": "ada"}]
    (refusal,) = max_.answers(request_id)[1:]
    assert (refusal.code, refusal.values["problem"]) == ("INTERRUPTED", "ada ended your session")
    assert "max" not in await _sessions_of(ada)
    ended = f'session-end session={numbers["max"]} user=max why="kicked by ada"'
    await until(lambda: ended in server.lines, ended)
    again = await ada.ask(m.KickSession, session_id=numbers["max"])
    assert not again.changed


@on_reactor
async def test_who_ends_their_own_session_hears_that_it_was_done(server: ServerFixture):
    ada = await server.raw("ada")
    done = await ada.ask(m.KickSession, session_id=(await _sessions_of(ada))["ada"])
    assert done == m.Done(done.id, changed=True)
    await ada.until_gone()
    assert ada.reason is None, "the end was authenticated"


@pytest.mark.parametrize("request_kind", [m.ListSessions, m.KickSession])
@on_reactor
async def test_whoever_stops_being_an_admin_while_they_ask_about_sessions_is_refused(
    server: ServerFixture, request_kind
):
    operator = await server.operator()
    await operator.ask(m.ChangeRole, name="max", role=Role.ADMIN)
    max_, ada = await server.raw("max"), await server.raw("ada")
    fields = {} if request_kind is m.ListSessions else {"session_id": (await _sessions_of(ada))["ada"]}
    with readers_held(server):
        request_id = max_.begin(request_kind, **fields)
        await until(lambda: server.here.reading_pool.busy > 2, "the request waits for a reader")
        await _demote(operator)
    assert (await max_.answer(request_id)).code == "ROLE_FORBIDS"
    assert "ada" in await _sessions_of(ada)


@on_reactor
async def test_no_admin_ends_what_the_operator_does(server: ServerFixture):
    operator, ada = await server.operator(), await server.raw("ada")
    number = (await _sessions_of(ada))["operator"]
    assert (await ada.ask(m.KickSession, session_id=number)).code == "OPERATOR_ONLY"
    assert isinstance(await operator.ask(m.ListSessions), m.SessionList)


@on_reactor
async def test_a_demoted_users_download_goes_on(server: ServerFixture):
    await server.put("mia", "big", LARGE)
    raw = await server.raw("max")
    request_id = raw.begin(m.GetFile, path="big", version=0, window=8)
    await raw.when(lambda: raw.data.get(request_id))
    await _demote(await server.operator())
    await raw.when(lambda: raw.notices)
    raw.tell(m.Credit(id=request_id, chunks=24))
    await raw.when(lambda: len(raw.data[request_id]) == 19)
    assert b"".join(raw.data[request_id]) == LARGE


@on_reactor
async def test_a_disabled_user_is_told_so_at_the_next_login_and_an_enabled_one_gets_in(server: ServerFixture):
    operator, person = await server.operator(), server.people["max"]
    await _disable(operator)
    raw = await server.raw("max")
    assert [event.code for event in raw.inbox if isinstance(event, LoginRefused)] == ["LOGIN_REFUSED"]
    await operator.ask(m.EnableUser, name="max")
    assert (await server.dial(Claim.login("max", person.key.public), person.key)).inbox_has(Welcomed)


@on_reactor
@pytest.mark.every_run
async def test_nobody_logs_in_with_another_ones_name(server: ServerFixture):
    person = server.people["max"]
    raw = await server.dial(Claim.login("ada", person.key.public), person.key)
    assert [event.code for event in raw.inbox if isinstance(event, LoginRefused)] == ["LOGIN_REFUSED"]
