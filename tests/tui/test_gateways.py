"""The gateway over the client library, to a real server in this process: each of its calls does what the screens count on."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from sft.client.agent.held_key import lock, seconds_left
from sft.client.api.trash import trash_seen
from sft.client.connection_info import ServerNotice, Status
from sft.client.transfers.progress import TransferStage
from sft.client.trust import SignatureState
from sft.errors import (
    BadRequestError,
    ConnectionLostError,
    ExistsError,
    LastAdminError,
    LocalExistsError,
    NotFoundError,
    RoleForbidsError,
    SessionEndedError,
    UnreachableError,
)
from sft.model.access import Role
from sft.model.links import parse_invitation
from sft.model.records import InvitationState, KeyEnd, RestoredFolder, UserState
from tests.fakes.acme import MAY_3
from tests.fakes.gateway import FakeGateway
from tests.fakes.memory_service import MemoryService, key_of
from tests.tui.virtual_clock import standing_clock
from tui.live.local_state import start_agent

pytestmark = pytest.mark.every_run  # no app runs in any of them


class Reach:
    """A server with four people, and their computers."""

    def __init__(self) -> None:
        self.service = MemoryService(name="acme", now=MAY_3)
        self.service.enroll("ada", Role.ADMIN)
        for name, role in (("max", Role.MAINTAINER), ("mia", Role.MAINTAINER), ("gus", Role.GUEST)):
            self.service.enroll(name, role, by="ada")
        self.gateways: list[FakeGateway] = []

    async def open(self, user: str) -> FakeGateway:
        self.gateways.append(FakeGateway(self.service, user))
        return self.gateways[-1]


@pytest.fixture
async def reach():
    reach = Reach()
    with standing_clock(asyncio.get_running_loop()):
        yield reach
        for gateway in reach.gateways:
            await gateway.close()
    reach.service.close()


async def online(reach, user: str = "ada"):
    gateway = await reach.open(user)
    (account,) = [one for one in await gateway.accounts.all() if one.joined]
    await gateway.use(account.name)
    return gateway


async def store(gateway, folder: Path, name: str, content: bytes, to: str = "", **options):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    plan = await gateway.transfers.plan_put([str(folder / name)], to=to)
    (result,) = await gateway.transfers.put(plan.items, folders=plan.folders, **options)
    return result


async def until(condition) -> None:
    while not condition():  # noqa: ASYNC110 - the clock of a test jumps
        await asyncio.sleep(0.01)


async def test_an_account_comes_online_and_says_who_it_is(reach):
    gateway = await reach.open("max")
    seen = []
    gateway.listen(seen.append)
    (account,) = await gateway.accounts.all()
    assert (account.user, account.joined, account.protected) == ("max", True, False)
    assert gateway.connection.status is Status.NONE
    await gateway.use(account.name)
    connection = gateway.connection
    assert connection.online
    assert (connection.user, connection.role, connection.server) == ("max", Role.MAINTAINER, "acme")
    assert [event.status for event in seen][-1] is Status.ONLINE


async def test_nothing_can_be_asked_before(reach):
    gateway = await reach.open("max")
    with pytest.raises(ConnectionLostError):
        await gateway.files.list_folder("")


async def test_a_key_that_follows_is_connected_with_and_the_end_of_the_one_before_is_no_news(reach):
    gateway = await online(reach, "max")
    (before,), seen = await gateway.accounts.all(), []
    gateway.listen(seen.append)
    account = await gateway.keys.rotate(None)
    assert account.key_words != before.key_words
    assert [getattr(event, "status", event) for event in seen] == [Status.CONNECTING, Status.ONLINE]
    ended, active = await gateway.keys.all()
    assert (ended.end_leaf is None, active.end_leaf is None) == (False, True)
    other = await online(reach, "mia")
    with pytest.raises(NotFoundError):
        await other.keys.revoke(active.public_key, KeyEnd.RETIRED)


async def test_a_file_is_stored_shown_verified_and_got(reach, tmp_path):
    gateway = await online(reach)
    result = await store(gateway, tmp_path / "out", "a.txt", b"hello", "x/y")
    assert result.error is None
    listed = await gateway.files.list_folder("x/y")
    assert [file.path for file in listed.files] == ["x/y/a.txt"]
    assert listed.states == (SignatureState.VERIFIED,), "its author has read it"
    details = await gateway.files.details("x/y/a.txt")
    assert details.receipt_kept
    assert details.first_seen_at is not None
    assert len(details.words.replace(" ", "-").split("-")) == 8
    reader = await online(reach, "max")
    assert (await reader.files.list_folder("x/y")).states == (SignatureState.SIGNED,)
    assert (await reader.files.details("x/y/a.txt")).state is SignatureState.SIGNED
    plan = await reader.transfers.plan_get(["x/y/a.txt"])
    (read,) = await reader.transfers.verify(plan.items)
    assert read.error is None
    assert (await reader.files.list_folder("x/y")).states == (SignatureState.VERIFIED,)
    assert (await reader.files.details("x/y/a.txt")).state is SignatureState.VERIFIED
    plan = await gateway.transfers.plan_get(["x/y/a.txt"])
    (got,) = await gateway.transfers.get(plan.items, to=tmp_path / "in")
    assert got.local.read_bytes() == b"hello"
    (again,) = await gateway.transfers.get(plan.items, to=tmp_path / "in")
    assert (again.error, again.stage) == (None, TransferStage.UNCHANGED)
    got.local.write_bytes(b"other")
    (again,) = await gateway.transfers.get(plan.items, to=tmp_path / "in")
    assert isinstance(again.error, LocalExistsError)


async def test_the_same_bytes_again_are_there_already_and_others_need_a_decision(reach, tmp_path):
    gateway = await online(reach)
    await store(gateway, tmp_path / "out", "a.txt", b"one")
    assert (await store(gateway, tmp_path / "out", "a.txt", b"one")).stored.unchanged
    clash = await store(gateway, tmp_path / "out", "a.txt", b"two")
    assert isinstance(clash.error, ExistsError)
    assert clash.error.values["version"] == 1
    replaced = await store(gateway, tmp_path / "out", "a.txt", b"two", replace=True)
    assert replaced.stored.version == 2
    assert (await gateway.files.details("a.txt", 1)).file.version.size == 3


async def test_progress_is_told(reach, tmp_path):
    gateway = await online(reach)
    seen = []
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_bytes(b"x" * 300_000)
    plan = await gateway.transfers.plan_put([str(tmp_path / "out" / "a")], to="")
    await gateway.transfers.put(plan.items, report=seen.append)
    assert seen[-1].stage.value == "stored"
    assert max(one.done_bytes for one in seen) == 300_000


async def test_pages_follow_one_another_without_gap_or_repetition(reach, tmp_path):
    gateway = await online(reach)
    source = tmp_path / "many"
    source.mkdir()
    for number in range(230):
        (source / f"{number:03}.txt").write_bytes(b"%d" % number)
    plan = await gateway.transfers.plan_put([str(source)], to="")
    results = await gateway.transfers.put(plan.items)
    assert all(result.error is None for result in results)
    for judged in (True, False):
        names, cursor = [], ""
        while True:
            listed = await gateway.files.list_folder("many", cursor, judged=judged)
            assert len(listed.states) == len(listed.files)
            names += [file.path for file in listed.files]
            cursor = listed.next
            if not cursor:
                break
        assert names == [f"many/{number:03}.txt" for number in range(230)]


async def test_folders_are_made_once_moved_and_deleted_whole(reach, tmp_path):
    gateway = await online(reach)
    assert await gateway.files.make_folder("a/b")
    assert not await gateway.files.make_folder("a/b")
    await store(gateway, tmp_path / "out", "f.txt", b"1", "a/b")
    assert await gateway.files.move("a/b", "a/c") is None
    assert [file.path for file in (await gateway.files.list_folder("a/c")).files] == ["a/c/f.txt"]
    deleted = await gateway.files.delete("a/c", recursive=True)
    assert deleted.files == 1
    with pytest.raises(NotFoundError):
        await gateway.files.list_folder("a/c")


async def test_what_was_deleted_lies_in_the_trash_and_comes_back(reach, tmp_path):
    gateway = await online(reach)
    await store(gateway, tmp_path / "out", "f.txt", b"1")
    await gateway.files.delete("f.txt")
    trash = await gateway.files.list_trash()
    assert [file.path for file in trash] == ["f.txt"]
    assert trash[0].trash_ends_at is not None
    assert (await gateway.files.restore("f.txt", trash_seen(trash[0]))).path == "f.txt"
    assert await gateway.files.list_trash() == []


async def test_a_folder_goes_to_the_trash_and_comes_back_as_one_thing(reach, tmp_path):
    gateway = await online(reach)
    for to in ("a", "a/b"):
        await store(gateway, tmp_path / "out", "f", b"1", to=to)
    await gateway.files.delete("a", recursive=True)
    (folder,) = await gateway.files.list_trash()
    assert (folder.path, folder.files, folder.folders) == ("a", 2, 2)
    assert await gateway.files.restore("a", trash_seen(folder)) == RestoredFolder("a", 2, 2)
    assert await gateway.files.list_trash() == []


async def test_a_moved_file_keeps_its_signature(reach, tmp_path):
    gateway = await online(reach)
    await store(gateway, tmp_path / "out", "f.txt", b"1")
    moved = await gateway.files.move("f.txt", "g.txt")
    assert (moved.path, moved.version.signed_name) == ("g.txt", "f.txt")
    assert (await gateway.files.details("g.txt")).error is None


async def test_a_guest_who_tries_is_refused_whatever_a_screen_greys(reach, tmp_path):
    gateway = await online(reach, "gus")
    result = await store(gateway, tmp_path / "out", "f.txt", b"1")
    assert isinstance(result.error, RoleForbidsError)
    for act in (
        gateway.files.make_folder("x"),
        gateway.people.invite(role=Role.ADMIN, name=None, seconds=60),
        gateway.people.change_role("gus", Role.ADMIN),
        gateway.people.invitations(),
        gateway.people.sessions(),
        gateway.people.kick(1),
    ):
        with pytest.raises(RoleForbidsError):
            await act


async def test_people_and_roles(reach):
    gateway = await online(reach)
    assert [user.name for user in await gateway.people.users()] == ["ada", "max", "mia", "gus"]
    assert (await gateway.people.change_role("gus", Role.MAINTAINER)).role is Role.MAINTAINER
    assert (await gateway.people.disable("gus")).state is UserState.DISABLED
    assert (await gateway.people.enable("gus")).state is UserState.ACTIVE
    assert (await gateway.people.remove("mia", "max")).state is UserState.REMOVED
    with pytest.raises(LastAdminError):
        await gateway.people.change_role("ada", Role.GUEST)


async def test_an_invitation_lets_one_person_in(reach):
    gateway = await online(reach)
    invited = await gateway.people.invite(role=Role.GUEST, name="tom", seconds=3600)
    link = parse_invitation(invited.link)
    assert (link.role, link.user_name, link.server_name) == (Role.GUEST, "tom", "acme")
    newcomer, guest = await reach.open(""), await online(reach, "gus")
    assert await newcomer.accounts.all() == []
    told, told_a_guest = [], []
    gateway.listen(told.append)
    guest.listen(told_a_guest.append)
    account = await newcomer.accounts.join(link, user_name="tom", device="desk", passphrase=None)
    notice = ServerNotice("joined", {"name": "tom", "role": "guest", "invitation": invited.invitation.id})
    await until(lambda: notice in told)  # whoever invites hears of it, and nobody else
    assert told_a_guest == []
    assert (account.user, account.joined, account.role) == ("tom", True, "guest")
    await newcomer.use(account.name)
    assert newcomer.connection.user == "tom"
    states = {one.id: one.state for one in await gateway.people.invitations()}
    assert states[invited.invitation.id] is InvitationState.USED


async def test_a_withdrawn_invitation_is_void(reach):
    gateway = await online(reach)
    made = (await gateway.people.invite(role=Role.GUEST, name=None, seconds=3600)).invitation
    await gateway.people.withdraw(made.id)
    (one,) = [each for each in await gateway.people.invitations() if each.id == made.id]
    assert one.state is InvitationState.WITHDRAWN


async def test_an_admin_sees_who_is_connected_and_ends_a_session_for_good(reach):
    admin, other = await online(reach), await online(reach, "max")
    told = []
    other.listen(told.append)
    numbers = {one.user: one.id for one in await admin.people.sessions()}
    assert list(numbers) == ["ada", "max"]
    await admin.people.kick(numbers["max"])
    await until(lambda: other.connection.status is Status.REFUSED)
    assert isinstance(other.connection.error, SessionEndedError)
    assert other.connection.error.values == {"by": "ada"}
    assert [event.values for event in told if isinstance(event, ServerNotice)] == [{"why": "kicked", "by": "ada"}]
    assert [one.user for one in await admin.people.sessions()] == ["ada"]
    with pytest.raises(NotFoundError):
        await admin.people.kick(numbers["max"])
    (account,) = await other.accounts.all()
    await other.use(account.name)
    assert other.connection.online


async def test_files_go_to_nobody_who_could_not_store_them(reach):
    gateway = await online(reach)
    await gateway.people.disable("mia")
    with pytest.raises(NotFoundError):
        await gateway.people.remove("max", "mia")
    with pytest.raises(RoleForbidsError):
        await gateway.people.remove("max", "gus")
    with pytest.raises(BadRequestError):
        await gateway.people.remove("max", "max")
    await gateway.people.remove("max", "")
    with pytest.raises(NotFoundError):
        await gateway.people.enable("max")


async def test_a_lost_line_is_told_and_comes_back(reach):
    gateway = await online(reach)
    seen = []
    gateway.listen(seen.append)
    gateway.lose()
    await until(lambda: gateway.connection.status is Status.AWAY)
    with pytest.raises(ConnectionLostError):
        await gateway.files.list_folder("")
    await until(lambda: gateway.connection.again_at is not None)
    gateway.come_back()
    gateway.again()
    await until(lambda: gateway.connection.online)
    assert (await gateway.files.list_folder("")).next == ""


async def test_a_server_that_is_not_there_is_away_and_said(reach):
    gateway = await reach.open("max")
    (account,) = await gateway.accounts.all()
    await gateway.accounts.set_address(account.name, "elsewhere.org:9")
    with pytest.raises(UnreachableError):
        await gateway.use(account.name)
    assert gateway.connection.status is Status.AWAY


async def test_the_keyring_knows_everybody(reach, tmp_path):
    gateway = await online(reach)
    await store(gateway, tmp_path / "out", "f.txt", b"1")
    await gateway.files.details("f.txt")
    ring = await gateway.local.keyring()
    assert ring.account.user == "ada"
    assert "ada" in {pin.name for pin in ring.people}
    assert ring.receipts >= 1
    assert (await gateway.local.public_key_file()).startswith("untrusted comment: ")


async def test_passphrases_are_drawn_of_five_words(reach):
    gateway = await reach.open("max")
    drawn = {gateway.local.suggested_passphrase() for _ in range(3)}
    assert len(drawn) == 3
    assert {len(words.split("-")) for words in drawn} == {5}


async def test_a_passphrase_protects_the_key_from_then_on(reach):
    gateway = await online(reach)
    await gateway.local.change_passphrase(None, "correct horse")
    (account,) = await gateway.accounts.all()
    assert account.protected


async def test_what_is_saved_is_there_later(reach):
    gateway = await online(reach)
    assert await gateway.local.load("queue.json") is None
    await gateway.local.save("queue.json", b"[]")
    assert await gateway.local.load("queue.json") == b"[]"


async def test_a_name_is_owned_by_one_at_a_time_and_free_when_its_owner_is_gone(reach):
    gateway = await online(reach)
    assert await gateway.local.hold("queue.json")
    assert not await gateway.local.hold("queue.json")
    assert await gateway.local.hold("queue-2.json")
    await gateway.local.let_go("queue.json")
    assert await gateway.local.hold("queue.json")


async def test_two_of_one_person_own_a_name_in_turn(reach):
    first = await online(reach)
    second = FakeGateway(reach.service, beside=first)
    reach.gateways.append(second)
    assert await first.local.hold("queue.json")
    assert not await second.local.hold("queue.json")
    await first.close()
    reach.gateways.remove(first)
    assert await second.local.hold("queue.json")


async def test_the_account_asked_for_last_is_the_one_in_use(reach):
    gateway = await reach.open("max")
    (account,) = await gateway.accounts.all()
    both = asyncio.gather(gateway.use(account.name), gateway.use(account.name))
    await both
    await until(lambda: gateway.connection.online)
    assert (await gateway.files.list_folder("")).next == ""


@pytest.mark.long
def test_an_agent_that_is_started_from_here_is_a_process_that_holds_the_key_until_it_is_locked():
    with tempfile.TemporaryDirectory(prefix="sft-") as made:
        folder, key = Path(made) / "run", key_of("max")
        start_agent(folder, key, 60, {"XDG_RUNTIME_DIR": made})
        assert 0 < seconds_left(folder, key.public) <= 60
        assert lock(folder, key.public)
        assert seconds_left(folder, key.public) is None
