"""What is said of a right is what the server does with the act: every person, act and thing, with one of each state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sft.crypto.keys import InvitationKey, SigningKey
from sft.errors import BadRequestError, NotFoundError, RequestError, RoleForbidsError
from sft.model.access import Caller, Permission, Role
from sft.model.policy import ServerPolicy
from sft.model.records import KeyEnd, UserState
from sft.model.rights import ASKED_RIGHTS, About, Ground
from sft.service import (
    accounts,
    commits,
    destroying,
    downloads,
    expiry,
    files,
    folders,
    invitations,
    key_resets,
    keys,
    open_uploads,
    owners,
    quota_changes,
    receiving,
    trash,
    uploads,
)
from sft.service.asked_rights import JUDGES, PAGE_PEOPLE, AskedPerson, Granted, explain_right, list_allowed
from sft.service.settings import Registration, SettingsChange, change_settings
from sft.service.use_case import USE_CASES
from sft.store.database import Database
from tests.fakes.memory_backend import MemoryBackend, Shelf
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    MAX,
    MIA,
    NOW,
    OPERATOR,
    Person,
    ServiceFixture,
    digest_of,
    open_copy,
    person,
    reset,
)
from tests.unit.service.test_figures import make, rm

DEE = person(5, "dee", Role.MAINTAINER)  # disabled
LEA = person(6, "lea", Role.MAINTAINER)  # removed: what she had goes to max
KAI = person(7, "kai", Role.MAINTAINER)  # without a key
EVERYBODY = (ADA, MAX, MIA, GUS, DEE, LEA, KAI)

# What lies at each path is made in ``_make_world``; the last of them are free, impossible, or taken by another spelling.
PATHS = (
    "of-ada", "of-max", "of-mia", "of-gus", "of-lea",
    "max", "max/deep/er", "mixed", "made-by-ada", "left", "left/b", "going", "going/d", "going/d/e", "round", "gone",
    "gone-twice", "gone-folder", "gone-folder/a", "gone-mixed", "gone-left", "taken", "taken-by-folder",
    "free", "no/such/folder", "max/free", "going/free", "MAX/deep", "Of-max", "of-max/below", "CON", "a:b",
)  # fmt: skip
NAMES = ("ada", "max", "gus", "dee", "lea", "kai", "nobody")
SIZE = 10


@pytest.fixture(scope="module")
def standing_world(tmp_path_factory: pytest.TempPathFactory, service_template: Path) -> tuple[Path, Shelf]:
    """What is made for ``world``, once: its database, and what its vault holds."""
    database = open_copy(service_template, tmp_path_factory.mktemp("world"))
    backend = MemoryBackend()
    _make_world(ServiceFixture(database.path.parent, database, backend))
    database.close()
    return database.path, backend.shelf


@pytest.fixture
def world(tmp_path: Path, shared_database: Database, standing_world: tuple[Path, Shelf]) -> ServiceFixture:
    """A server with one of each state; what is handed over stays where it is, for nothing runs here page by page."""
    path, shelf = standing_world
    reset(shared_database, path)
    backend = MemoryBackend()
    backend.shelf = deepcopy(shelf)
    return ServiceFixture(tmp_path, shared_database, backend)


def _make_world(services: ServiceFixture) -> None:
    for each in (DEE, LEA, KAI):
        key = each.public_key
        services.act(accounts.add_user, accounts.AddUserInput(OPERATOR, each.caller.name, Role.MAINTAINER, key))
    services.change_user(GUS, role=Role.MAINTAINER)
    for who in (ADA, MAX, MIA, GUS, LEA):
        services.put(who, f"of-{who.caller.name}")
    services.change_user(GUS, role=Role.GUEST)
    for path, who in (
        ("max/deep/er/a", MAX), ("mixed/a", MAX), ("left/b", LEA), ("gone", MAX), ("gone-twice", MAX),
        ("gone-folder/a", MAX), ("gone-mixed/a", MAX), ("gone-left/a", LEA), ("taken", MAX), ("taken-by-folder", MAX),
        ("going/d/e/f", MIA), ("round/going/x", MIA),
    ):  # fmt: skip
        services.put(who, path)
    make(services, "made-by-ada", ADA)
    services.put(MIA, "mixed/b")
    services.put(MIA, "gone-mixed/b")
    for path in ("gone", "gone-twice", "gone-folder", "gone-left", "taken", "taken-by-folder"):
        rm(services, path, ADA)
    rm(services, "gone-mixed", ADA)
    services.put(MIA, "gone-twice", file_id=bytes(16))
    rm(services, "gone-twice", MIA)
    services.put(MIA, "taken", file_id=bytes([1]) * 16)
    make(services, "taken-by-folder", MIA)
    services.act(accounts.remove, accounts.RemoveUserInput(OPERATOR, "lea", files_to="max"))
    services.act(accounts.disable, accounts.DisableInput(OPERATOR, "dee"))
    services.end_key(KAI)
    for path in ("going", "round/going"):
        services.act(owners.change_owner, owners.ChangeOwnerInput(MIA.caller, path, "max"))
    services.put(MAX, "going/later")


# -- the acts themselves, each done and taken back -----------------------------------------------------------


class _TakenBackError(Exception):
    """Nothing of it is to stay."""


def _done(services: ServiceFixture, act: Callable[..., Any], item: Any) -> object:
    """Do an act, and take it back; return what came of it."""
    outcome: object = None

    @contextmanager
    def taken_back() -> Iterator[Any]:
        try:
            with services.log.transaction(services.now) as transaction:
                yield transaction
                raise _TakenBackError
        except _TakenBackError:
            pass

    with taken_back() as transaction:
        (outcome,) = act(transaction, [services.signed(item)])
    return outcome


def _asked(services: ServiceFixture, query: Callable[..., Any], caller: Caller, **fields: Any) -> object:
    try:
        return services.ask(query, caller, **fields)
    except RequestError as refusal:
        return refusal


def _list(services: ServiceFixture, who: Person, path: str) -> object:
    found = _asked(services, files.list_folder, who.caller, path=path)
    return _asked(services, files.show_file, who.caller, path=path) if isinstance(found, NotFoundError) else found


def _get(services: ServiceFixture, who: Person, path: str) -> object:
    found = _asked(services, downloads.begin, who.caller, storage=services.storage, path=path)
    if not isinstance(found, NotFoundError):
        return found
    # A client that is asked for a folder lists it, and gets one file after another.
    listed = _asked(services, files.list_folder, who.caller, path=path)
    return found if isinstance(listed, NotFoundError) else listed


def _put(services: ServiceFixture, who: Person, path: str) -> object:
    seen = _asked(services, files.show_file, OPERATOR, path=path)
    version, prev, file_id = 1, None, digest_of(path.encode())[:16]
    if not isinstance(seen, RequestError):
        version, prev, file_id = seen.version.number + 1, seen.version.digest, seen.id  # type: ignore[attr-defined]
    begun = _asked(
        services, uploads.begin, who.caller,
        storage=services.storage, path=path, file_id=file_id, version=version, size=SIZE,
    )  # fmt: skip
    if isinstance(begun, RequestError):
        return begun
    pending = services.pend(who, path, bytes(SIZE), version=version, prev=prev, file_id=file_id)
    return _done(services, commits.commit, pending)


def _expire(services: ServiceFixture, who: Person, path: str) -> object:
    seen = services.seen(path)
    file_id = bytes(16) if seen is None else seen.file_id
    return _done(services, expiry.set_expiry, expiry.Expiry(who.caller, path, file_id, NOW + 3600))


def _role(services: ServiceFixture, who: Person, name: str) -> object:
    other = Role.GUEST if name != "gus" else Role.MAINTAINER
    return _done(services, accounts.change_role, accounts.ChangeRoleInput(who.caller, name, other))


def _of(act: Callable[..., Any], item: Callable[[Caller, str], Any]) -> Callable[[ServiceFixture, Person, str], object]:
    return lambda services, who, about: _done(services, act, item(who.caller, about))


def _in_trash(act: Callable[..., Any], item: Callable[..., Any]) -> Callable[[ServiceFixture, Person, str], object]:
    return lambda services, who, about: _done(
        services, act, item(who.caller, about, services.seen_in_trash(who.caller, about))
    )


NEW_KEY = SigningKey.from_seed(bytes([99]) * 32, bytes(8)).public.encode()

REAL: dict[str, Callable[[ServiceFixture, Person, str], object]] = {
    "ls": _list,
    "get": _get,
    "put": _put,
    "mkdir": _of(folders.make_folder, folders.MakeFolderInput),
    "mv": _of(folders.move, lambda caller, path: folders.MoveInput(caller, path, "moved")),
    "rm": _of(trash.delete, lambda caller, path: trash.Deletion(caller, path, recursive=True)),
    "restore": _in_trash(trash.restore, trash.Restoration),
    "destroy": _in_trash(destroying.destroy_trashed, destroying.TrashDestruction),
    "expire": _expire,
    "owner": lambda services, who, path: _done(
        services, owners.change_owner, owners.ChangeOwnerInput(who.caller, path, "ada", services.seen(path))
    ),
    "readers": lambda services, who, path: _asked(services, receiving.list_readers, who.caller, path=path),
    "invite": _of(
        invitations.make, lambda caller, _: invitations.MakeInvitationInput(caller, InvitationKey.generate().point)
    ),
    "add": _of(accounts.add_user, lambda caller, _: accounts.AddUserInput(caller, "new", Role.GUEST, NEW_KEY)),
    "role": _role,
    "disable": _of(accounts.disable, accounts.DisableInput),
    "enable": _of(accounts.enable, accounts.EnableInput),
    "remove": _of(accounts.remove, accounts.RemoveUserInput),
    "quota": _of(
        quota_changes.change_quota, lambda caller, name: quota_changes.ChangeQuotaInput(caller, name, 1 << 40, None)
    ),
    "reset-key": _of(
        keys.reset_key, lambda caller, name: keys.ResetKeyInput(caller, name, NEW_KEY, "d", KeyEnd.RETIRED)
    ),
}


def _things(word: str) -> tuple[str, ...]:
    about = ASKED_RIGHTS[word].about
    return PATHS if about is About.PATH else NAMES if about is About.PERSON else ("",)


def _said(services: ServiceFixture, word: str, about: str, who: Person, by: Person = ADA, size: int = SIZE) -> Any:
    return services.ask(explain_right, by, act=word, about=about, user=who.caller.name, size=size)


def _require_same(services: ServiceFixture, word: str, about: str, who: Person) -> AskedPerson:
    said: AskedPerson = _said(services, word, about, who)
    real = REAL[word](services, who, about)
    case = (word, about, who.caller.name, said.answer, real)
    if isinstance(said.answer, RequestError):
        assert isinstance(real, RequestError), case
        assert (type(said.answer), said.answer.values) == (type(real), real.values), case
    else:
        assert not isinstance(real, RequestError), case
    return said


@pytest.mark.parametrize("word", ASKED_RIGHTS)
@pytest.mark.sampled(3)
def test_what_is_said_is_what_the_act_does(world: ServiceFixture, word: str) -> None:
    allowed = {}
    for about in _things(word):
        answers = {who.caller.name: _require_same(world, word, about, who).answer for who in EVERYBODY}
        allowed[about] = {name for name, answer in answers.items() if isinstance(answer, Granted)}
        page = world.ask(list_allowed, ADA, act=word, about=about, size=SIZE)
        assert ({each.user for each in page.people}, page.next) == (allowed[about], 0), about
    # The world shows both of each act.
    assert any(allowed.values())
    assert not all({who.caller.name for who in EVERYBODY} <= names for names in allowed.values())


def test_every_act_of_people_on_files_and_people_can_be_asked_about() -> None:
    assert set(JUDGES) == set(ASKED_RIGHTS) == set(REAL)
    asked = {judge.act for judge in JUDGES.values()}
    of_more = {
        destroying.destroy_version, uploads.begin, uploads.find, downloads.begin_many, receiving.confirm_received,
        receiving.begin_downloads, open_uploads.resume_upload, invitations.withdraw, key_resets.offer_reset,
    }  # fmt: skip
    permissions = {
        Permission.FILE_WRITE, Permission.FILE_DELETE, Permission.FOLDER_MAKE, Permission.FILE_READ, Permission.USER_MANAGE,
        Permission.ROLE_CHANGE, Permission.INVITATION_MANAGE, Permission.DOWNLOAD_READ,
    }  # fmt: skip
    acts = {act for act, case in USE_CASES.items() if case.permission in permissions and case.logs is not None}
    assert {USE_CASES[act].name for act in acts - asked - of_more} == set()


@pytest.mark.parametrize(
    ("word", "about", "who", "ground", "owner"),
    [
        ("rm", "of-max", ADA, Ground.ROLE, "max"),
        ("rm", "of-max", MAX, Ground.OWNER, "max"),
        ("rm", "of-lea", MAX, Ground.HEIR, "max"),
        ("rm", "left", MAX, Ground.HEIR, "max"),
        ("put", "free", MAX, Ground.NEW, ""),
        ("put", "of-max", MAX, Ground.OWNER, "max"),
        ("get", "of-max", GUS, Ground.ROLE, "max"),
        ("invite", "", ADA, Ground.ROLE, ""),
        ("restore", "gone-left", MAX, Ground.HEIR, "max"),
        ("ls", "", GUS, Ground.ROLE, ""),
    ],
)
def test_why_one_may(world: ServiceFixture, word: str, about: str, who: Person, ground: Ground, owner: str) -> None:
    said = _said(world, word, about, who)
    assert said == AskedPerson(who.caller.name, who.caller.role, UserState.ACTIVE, Granted(ground, owner))


@pytest.mark.parametrize("size", [0, SIZE])
@pytest.mark.parametrize(
    "policy",
    [
        ServerPolicy(quota_files=1),
        ServerPolicy(quota_bytes=20),
        ServerPolicy(total_quota_bytes=100),
        ServerPolicy(file_bytes=SIZE - 1),
    ],
)
@pytest.mark.sampled(3)
def test_quotas_are_judged_as_an_upload_is(
    world: ServiceFixture, monkeypatch: pytest.MonkeyPatch, policy: ServerPolicy, size: int
) -> None:
    monkeypatch.setattr("tests.unit.service.test_asked_rights.SIZE", size)
    world.database.policy = policy
    answers = []
    for about in ("free", "of-max", "of-mia", "of-lea", "mixed/a"):
        for who in (ADA, MAX, MIA, GUS):
            said: AskedPerson = _said(world, "put", about, who, size=size)
            real = _put(world, who, about)
            assert isinstance(said.answer, RequestError) == isinstance(real, RequestError), (about, who, said, real)
            if isinstance(said.answer, RequestError) and isinstance(real, RequestError):
                assert (said.answer.code, said.answer.values) == (real.code, real.values)
                answers.append(said.answer.code)
    assert set(answers) & {"QUOTA_BYTES", "QUOTA_FILES", "TOO_LARGE"} or not size


@pytest.mark.parametrize("to", ["mia", "max", "gus", "nobody"])
def test_the_quota_of_who_is_to_get_it_is_judged_as_the_hand_over_is(world: ServiceFixture, to: str) -> None:
    world.database.policy = ServerPolicy(quota_files=3)
    answers = set()
    for path in ("of-max", "of-mia", "mixed", "max", "made-by-ada", "going/later", "nothing"):
        for who in (ADA, MAX, GUS):
            said: AskedPerson = world.ask(explain_right, ADA, act="owner", about=path, user=who.caller.name, to=to)
            item = owners.ChangeOwnerInput(who.caller, path, to, world.seen(path))
            real = _done(world, owners.change_owner, item)
            page = world.ask(list_allowed, ADA, act="owner", about=path, to=to)
            may = isinstance(said.answer, Granted)
            assert (
                may == (who.caller.name in {each.user for each in page.people}) == (not isinstance(real, RequestError))
            )
            if isinstance(said.answer, RequestError) and isinstance(real, RequestError):
                assert (said.answer.code, said.answer.values) == (real.code, real.values), (path, who)
            answers.add("" if isinstance(said.answer, Granted) else said.answer.code)
    assert answers >= {"mia": {"RECEIVER_QUOTA", ""}, "max": {""}}.get(to, {"NOT_YOURS"})


def test_only_what_is_handed_over_goes_to_somebody(world: ServiceFixture) -> None:
    for asked in (explain_right, list_allowed):
        with pytest.raises(BadRequestError):
            world.ask(asked, ADA, act="rm", about="of-max", to="mia")


def test_the_last_admin_and_closed_registration(world: ServiceFixture) -> None:
    for word in ("role", "disable", "remove"):
        assert _require_same(world, word, "ada", ADA).answer.code == "LAST_ADMIN"  # type: ignore[union-attr]
    world.change_user(MIA, role=Role.ADMIN)
    for word in ("role", "disable", "remove"):
        assert isinstance(_require_same(world, word, "ada", ADA).answer, Granted)
    world.act(change_settings, SettingsChange(registration=Registration.CLOSED))
    assert _require_same(world, "invite", "", ADA).answer.code == "REGISTRATION_CLOSED"  # type: ignore[union-attr]


# -- who may ask, and what they learn ------------------------------------------------------------------------


@pytest.mark.parametrize("who", [MAX, GUS])
def test_who_manages_no_people_asks_about_themselves_alone(world: ServiceFixture, who: Person) -> None:
    for word, about in [(each, about) for each in ASKED_RIGHTS for about in (_things(each)[0], _things(each)[-1])]:
        for name in ("mia", "nobody"):  # whether there is somebody is no matter
            with pytest.raises(RoleForbidsError):
                world.ask(explain_right, who, act=word, about=about, user=name)
        with pytest.raises(RoleForbidsError):
            world.ask(list_allowed, who, act=word, about=about)
        caller = replace(who.caller, role=Role.GUEST)  # what a session remembers is not believed
        named = world.ask(explain_right, caller, act=word, about=about, user=who.caller.name)
        alone = world.ask(explain_right, caller, act=word, about=about)
        by_admin = _said(world, word, about, who, size=0)
        assert _plain(named) == _plain(alone) == _plain(by_admin)


def _plain(said: AskedPerson) -> object:
    answer = said.answer
    return (said.user, said.role, said.state, answer if isinstance(answer, Granted) else (answer.code, answer.values))


@pytest.mark.parametrize("word", ["restore", "destroy"])
def test_a_guest_learns_nothing_of_the_trash(world: ServiceFixture, word: str) -> None:
    about = ("gone", "gone-folder/a", "never-was", "of-max")
    assert len({str(_plain(world.ask(explain_right, GUS, act=word, about=path))) for path in about}) == 1


def test_the_operator_asks_about_everybody_and_about_themselves(world: ServiceFixture) -> None:
    assert _plain(world.ask(explain_right, OPERATOR, act="rm", about="of-max", user="mia")) == _plain(
        _said(world, "rm", "of-max", MIA)
    )
    own = world.ask(explain_right, OPERATOR, act="rm", about="of-max")
    assert (own.user, own.role, own.answer) == ("operator", "operator", Granted(Ground.ROLE, "max"))
    assert world.ask(explain_right, OPERATOR, act="get", about="of-max").answer.code == "ROLE_FORBIDS"


def test_nobody_has_the_name(world: ServiceFixture) -> None:
    with pytest.raises(NotFoundError):
        world.ask(explain_right, ADA, act="rm", about="of-max", user="nobody")


@pytest.mark.parametrize(("act", "about"), [("fly", "of-max"), ("rm", ""), ("invite", "of-max"), ("role", "")])
def test_what_cannot_be_asked(world: ServiceFixture, act: str, about: str) -> None:
    for query in (explain_right, list_allowed):
        with pytest.raises(BadRequestError):
            world.ask(query, ADA, act=act, about=about)


# -- many people ---------------------------------------------------------------------------------------------


def test_many_people_are_judged_page_by_page(services: ServiceFixture) -> None:
    services.put(MAX, "of-max")
    more = PAGE_PEOPLE + 20
    for number in range(more):
        role = Role.MAINTAINER if number % 2 else Role.GUEST
        key = SigningKey.from_seed(bytes([number + 100]) * 32, bytes([7]) * 8).public.encode()
        services.act(accounts.add_user, accounts.AddUserInput(OPERATOR, f"p{number}", role, key))
    names, after, pages = [], 0, 0
    while True:
        page = services.ask(list_allowed, ADA, act="put", about="free", after=after)
        names += [each.user for each in page.people]
        pages += 1
        after = page.next
        if not after:
            break
    assert names == ["ada", "max", "mia", *(f"p{number}" for number in range(more) if number % 2)]
    assert pages == 2
