"""Why may somebody do something, or not; and who may: asked of what decides the act, and nothing is done.

    login's rule → the role's permission → the act's own judgment         as in ``use_case`` and the act, one by one

Rules. Each act keeps what judges it in a function of its own, which it calls itself; here the same one is called, of the same
rows: no table says anything about rights a second time. What depends on more than was asked (which version was seen, where
something goes) the act decides. One asks about oneself, and who may manage people about everybody: so nobody learns here what
they could not by trying, and a role that may not do a thing at all is told so whatever lies at the path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from sft.errors import BadRequestError, RequestError
from sft.model.access import OPERATOR, Caller, Permission, Role
from sft.model.quotas import Usage
from sft.model.records import UserState
from sft.model.rights import ASKED_RIGHTS, HANDS_OVER, About, Ground
from sft.service import (
    accounts,
    commits,
    destroying,
    downloads,
    expiry,
    files,
    folders,
    invitations,
    keys,
    owners,
    quota_changes,
    receiving,
    trash,
    trashed,
)
from sft.service.caller import caller_of
from sft.service.path_lookup import PathLookup, ResolvedPath, require_path
from sft.service.quotas import Quotas
from sft.service.record_builder import RecordBuilder, blame_path
from sft.service.rights import ground_of, require_permission
from sft.service.use_case import USE_CASES, query
from sft.service.users import find_owner, find_user, no_user
from sft.store.files import newest_versions
from sft.store.row_types import FileRow, FolderRow, UserRow, VersionRow
from sft.store.rows import ReadTransaction
from sft.store.users import keys_of, user_by_name, users_after

PAGE_PEOPLE: Final = 100  # are judged for one answer: the worst acts take 25 ms for so many
_NEW_FILE_ID: Final = bytes(16)

Judged = FileRow | FolderRow | None
"""The row that a right was about; None for what is not there yet, or for no file or folder."""


class Granted(Struct, frozen=True):
    """That somebody may, and whose it is; empty for nobody's."""

    ground: Ground
    owner: str


class AskedPerson(Struct, frozen=True):
    """Somebody who was asked about, and whether they may: a refusal is the act's."""

    user: str
    role: str
    state: UserState
    answer: Granted | RequestError


class AllowedPage(Struct, frozen=True):
    """Who may, among the people that were judged for it; ``next`` is 0 at the end."""

    people: tuple[AskedPerson, ...]
    next: int


@query(Permission.SELF_READ)
def explain_right(
    reading: ReadTransaction, caller: Caller, *, act: str, about: str = "", user: str = "", size: int = 0, to: str = ""
) -> AskedPerson:
    """Say whether somebody may do something now, and by which rule.

    Args:
        act: a word of ``ASKED_RIGHTS``.
        about: path or name that it is about.
        user: the caller, where no name is given.
        size: of what is to be stored.
        to: who would own what is handed over; where it is nobody, no quota is judged.

    Raises:
        BadRequestError: no such act, or one by which nobody gets anything.
        RoleForbidsError: about another, and the caller may not manage people.
        NotFoundError: nobody has the name.
    """
    question = _Question(reading, act, about, size, to)
    if not user or user == caller.name:
        return question.person(UserState.ACTIVE, caller, caller)
    require_permission(reading, caller, Permission.USER_MANAGE)
    found = user_by_name(reading, user)
    if found is None:
        raise no_user(user)
    (answer,) = question.people([found])
    return answer


@query(Permission.USER_MANAGE)
def list_allowed(
    reading: ReadTransaction, caller: Caller, *, act: str, about: str = "", size: int = 0, to: str = "", after: int = 0
) -> AllowedPage:
    """Show of a page of people those who may do something now, in order of joining; ``after`` is ``next`` of the page before.

    Raises:
        BadRequestError: no such act, or one by which nobody gets anything.
    """
    del caller
    question = _Question(reading, act, about, size, to)
    users = users_after(reading, after, PAGE_PEOPLE + 1)
    page = users[:PAGE_PEOPLE]
    allowed = tuple(each for each in question.people(page) if isinstance(each.answer, Granted))
    return AllowedPage(allowed, page[-1].id if len(users) > len(page) else 0)


class _Question:
    """An act, and what it is about; one question may be asked about many people."""

    def __init__(self, reading: ReadTransaction, act: str, about: str, size: int, to: str) -> None:
        if act not in ASKED_RIGHTS:
            raise BadRequestError(problem="no act that can be asked about")
        if (ASKED_RIGHTS[act].about is About.NOTHING) != (not about) and act != "ls":
            raise BadRequestError(problem="what the act is about is missing, or too much")
        if to and act != HANDS_OVER:
            raise BadRequestError(problem="nobody gets anything by that act")
        self.reading = reading
        self.records = RecordBuilder(reading)
        self.about = about
        self.size = size
        self.to = to
        self._judge = JUDGES[act]
        self._permission = USE_CASES[self._judge.act].permission

    @cached_property
    def place(self) -> ResolvedPath:
        """What lies at the path; raises what the act does where it can be none."""
        require_path(self.about)
        return PathLookup(self.reading).one(self.about)

    @cached_property
    def newest(self) -> VersionRow | None:
        file = self.place.file
        return None if file is None else newest_versions(self.reading, [file])[file.id]

    @cached_property
    def quotas(self) -> Quotas:
        return Quotas(self.records)

    def people(self, users: Sequence[UserRow]) -> Iterator[AskedPerson]:
        """Judge people, each as whoever logs in with a key of theirs that is good, or else with the last that was."""
        found = keys_of(self.reading, [user.id for user in users])
        for user in users:
            nobody = Caller(user.id, None, user.name, Role(user.role))
            good = [key for key in found[user.id] if key.ended_at is None]
            key = next(reversed(good or found[user.id]), None)
            try:
                caller = caller_of(self.reading, user, key, 0)
            except RequestError as refusal:
                yield self.person(UserState(user.state), nobody, refusal)
            else:
                yield self.person(UserState(user.state), nobody, caller)

    def person(self, state: UserState, who: Caller, caller: Caller | RequestError) -> AskedPerson:
        """Judge somebody as the act would, who was let in or not."""
        answer = caller if isinstance(caller, RequestError) else self._answer(caller)
        return AskedPerson(who.name, str(who.role), state, answer)

    def _answer(self, caller: Caller) -> Granted | RequestError:
        if self._permission is None:
            raise BadRequestError(problem="no act that can be asked about")
        try:
            require_permission(self.reading, caller, self._permission)
            with blame_path(self.about):
                row = self._judge.judge(self, caller)
        except RequestError as refusal:
            return refusal
        owner = ""
        if row is not None:
            owner_id = self.records.owner_of(row)
            owner = OPERATOR if owner_id is None else self.records.name_of(owner_id)
        return Granted(ground_of(caller, self._permission, row), owner)


# -- what judges each act -----------------------------------------------------------------------------------


class Judge(Struct, frozen=True):
    """An act or a query, and what judges it.

    Attributes:
        judge: returns what it is about; raises what the act does.
    """

    act: Callable[..., Any]
    judge: Callable[[_Question, Caller], Judged]


def _list(question: _Question, caller: Caller) -> Judged:
    if not question.about:
        return None
    return question.place.subfolder or _get(Permission.FILE_LIST)(question, caller)


def _get(permission: Permission) -> Callable[[_Question, Caller], Judged]:
    def judge(question: _Question, caller: Caller) -> Judged:
        # Of a folder a client gets one file after another.
        folder = question.place.subfolder
        return folder or files.require_seen_file(question.reading, caller, permission, question.about)

    return judge


def _store(question: _Question, caller: Caller) -> Judged:
    """As ``commits`` does of a version of what is there, or of a new file."""
    place, newest = question.place, question.newest
    file = place.file
    put = commits.Put(_NEW_FILE_ID, 1) if file is None else commits.Put(file.file_id, file.newest + 1)
    commits.check_upload(question.records, caller, place, newest, put, id_is_known=False)
    quotas = question.quotas
    quotas.require_version(place.path, quotas.owner_of(file, caller), put.version, question.size, own=Usage())
    return file


def _hand_over(question: _Question, caller: Caller) -> Judged:
    """As ``owners`` does, of whoever is to get it, if that was said."""
    records, place = question.records, question.place
    row = owners.require_givable(records, caller, place)
    if question.to:
        owners.require_receivable(records, question.quotas, row, find_owner(question.reading, question.to), place.path)
    return row


def _make_folder(question: _Question, _caller: Caller) -> Judged:
    folders.require_makeable(question.place)
    return None


def _destroy(question: _Question, caller: Caller) -> Judged:
    require_path(question.about)
    return trashed.last_deleted(question.records, caller, question.about, verb="destroy").row


def _restore(question: _Question, caller: Caller) -> Judged:
    return trash.require_restorable(question.records, caller, question.place).row


def _readers(question: _Question, caller: Caller) -> Judged:
    return receiving.require_readers(question.records, caller, question.about)


def _at(judge: Callable[[RecordBuilder, Caller, ResolvedPath], Judged]) -> Callable[[_Question, Caller], Judged]:
    return lambda question, caller: judge(question.records, caller, question.place)


def _of_person(judge: Callable[[ReadTransaction, str], object]) -> Callable[[_Question, Caller], Judged]:
    def judge_person(question: _Question, _caller: Caller) -> Judged:
        judge(question.reading, question.about)
        return None

    return judge_person


def _invite(question: _Question, _caller: Caller) -> Judged:
    invitations.require_inviting(question.reading)
    return None


def _reset_key(question: _Question, caller: Caller) -> Judged:
    keys.require_resettable(question.reading, caller, question.about)
    return None


JUDGES: Final[Mapping[str, Judge]] = MappingProxyType(
    {
        "ls": Judge(files.list_folder, _list),
        "get": Judge(downloads.begin, _get(Permission.FILE_READ)),
        "put": Judge(commits.commit, _store),
        "mkdir": Judge(folders.make_folder, _make_folder),
        "mv": Judge(folders.move, _at(folders.require_movable)),
        "rm": Judge(trash.delete, _at(trash.require_deletable)),
        "restore": Judge(trash.restore, _restore),
        "destroy": Judge(destroying.destroy_trashed, _destroy),
        "expire": Judge(expiry.set_expiry, _at(expiry.require_expirable)),
        "owner": Judge(owners.change_owner, _hand_over),
        "readers": Judge(receiving.list_readers, _readers),
        "invite": Judge(invitations.make, _invite),
        "add": Judge(accounts.add_user, lambda _question, _caller: None),
        # Another role for an admin is that of one who is none.
        "role": Judge(accounts.change_role, _of_person(accounts.require_dispensable)),
        "disable": Judge(accounts.disable, _of_person(accounts.require_dispensable)),
        "enable": Judge(accounts.enable, _of_person(find_user)),
        "remove": Judge(accounts.remove, _of_person(accounts.require_removable)),
        "quota": Judge(quota_changes.change_quota, _of_person(find_user)),
        "reset-key": Judge(keys.reset_key, _reset_key),
    }
)
