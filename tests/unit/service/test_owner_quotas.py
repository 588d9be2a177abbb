"""What is handed over has to fit the quota of who gets it; a folder's files have their room from the decision on."""

from __future__ import annotations

import pytest

from sft.errors import QuotaBytesError, QuotaFilesError, ReceiverQuotaError
from sft.model.policy import ServerPolicy
from sft.model.quota_events import QuotaNear
from sft.model.quotas import NO_LIMIT, Usage
from sft.service.accounts import RemoveUserInput, remove
from sft.service.files import show_file
from sft.service.maintenance.old_versions import destroy_old_versions
from sft.service.open_uploads import OpenUpload, open_uploads
from sft.service.quota_changes import show_quota
from tests.unit.service.service_fixture import ADA, MAX, MIA, OPERATOR, Person, ServiceFixture
from tests.unit.service.test_figures import faults, rm
from tests.unit.service.test_owners import finish, give, owner_of, pending
from tests.unit.service.test_quotas import give as set_quota
from tests.unit.service.test_quotas import owned


def reserved(services: ServiceFixture, who: Person) -> Usage:
    report = services.ask(show_quota, ADA, name=who.caller.name)
    return Usage(report.reserved_files, report.reserved_bytes)


def missing(services: ServiceFixture, path: str, to: Person = MIA, who: Person = MAX) -> str:
    with pytest.raises(ReceiverQuotaError) as refusal:
        give(services, path, to, who)
    values = dict(refusal.value.values)
    assert (values.pop("path"), values.pop("owner"), values.pop("admins")) == (path, to.caller.name, "ada")
    return str(values.pop("missing"))


@pytest.fixture
def tree(services: ServiceFixture) -> ServiceFixture:
    """Of max's four files below one folder, of 10 bytes each, one of two versions of that size, one in the trash."""
    for path in ("d/a", "d/b", "d/e/c", "d/gone"):
        services.put(MAX, path, path.encode().ljust(10))
    services.replace(MAX, "d/a", bytes(10), services.ask(show_file, MAX, path="d/a"))
    rm(services, "d/gone", MAX)
    return services


# -- a file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room_bytes", "room_files", "said"),
    [(19, 1, "1 B"), (20, 0, "1 file"), (5, 0, "15 B and 1 file"), (20, 1, ""), (NO_LIMIT, NO_LIMIT, "")],
)
def test_a_file_with_all_its_versions_fits_or_stays(
    tree: ServiceFixture, room_bytes: int, room_files: int, said: str
) -> None:
    set_quota(tree, MIA, size_bytes=room_bytes, files=room_files)
    before = len(tree.events)
    if said:
        assert missing(tree, "d/a") == said
        assert (owner_of(tree, "d/a"), len(tree.events)) == ("max", before)
    else:
        give(tree, "d/a", MIA)
        assert owned(tree, MIA) == Usage(1, 20)
    assert faults(tree) == []


def test_who_is_over_their_quota_gives_to_nobody_who_is_too(tree: ServiceFixture) -> None:
    tree.database.policy = ServerPolicy(quota_bytes=20)
    give(tree, "d/a", MIA)
    assert missing(tree, "d/b") == "10 B"
    give(tree, "d/b", MAX)  # what is theirs already, is


def test_an_admin_is_refused_as_well_and_can_give_more_first(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=19)
    assert missing(tree, "d/a", who=ADA) == "1 B"
    set_quota(tree, MIA, size_bytes=20)
    give(tree, "d/a", MIA, ADA)


def test_what_is_reserved_for_an_upload_is_no_room_for_a_gift(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=30)
    tree.act(open_uploads, OpenUpload(b"o" * 16, MIA.id, "x", owner_id=MIA.id, version=1, size=11))
    assert missing(tree, "d/a") == "1 B"


def test_who_comes_near_their_quota_by_a_gift_is_told(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=40)
    tree.database.policy = ServerPolicy(total_quota_bytes=50)  # of all together it is nothing more
    give(tree, "d/b", MIA)
    give(tree, "d", MIA, ADA)
    finish(tree)
    told = [each for each in tree.events if isinstance(each, QuotaNear) and each.user_id is not None]
    assert [(each.user_id, each.percent, each.size_bytes) for each in told] == [(MIA.id, 95, 40)]


# -- a folder --------------------------------------------------------------------------------------------------


def test_of_a_folder_all_in_it_fits_or_all_stays(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=39, files=2)
    assert missing(tree, "d") == "1 B and 1 file"
    assert (pending(tree), owner_of(tree, "d/a")) == ([], "max")
    set_quota(tree, MIA, size_bytes=40, files=3)
    give(tree, "d", MIA)
    finish(tree)
    assert owned(tree, MIA) == Usage(3, 40)
    assert owned(tree, MAX) == Usage(1, 10)  # what lies in the trash stays whose it was
    assert faults(tree) == []


def test_what_is_theirs_in_it_already_counts_once(tree: ServiceFixture) -> None:
    tree.put(MIA, "d/mias", bytes(100))
    tree.put(ADA, "d/adas", bytes(1000))
    set_quota(tree, MIA, size_bytes=1140, files=5)
    give(tree, "d", MIA, ADA)
    assert reserved(tree, MIA) == Usage(4, 1040)
    finish(tree)
    assert owned(tree, MIA) == Usage(5, 1140)


def test_what_is_being_handed_over_to_them_counts_for_them_already(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=50)
    tree.act(remove, RemoveUserInput(OPERATOR, "max", files_to="mia"))
    assert owned(tree, MIA) == Usage(4, 50)
    give(tree, "d", MIA, ADA)
    assert reserved(tree, MIA) == Usage()
    finish(tree)
    assert owned(tree, MIA) == Usage(4, 50)
    assert faults(tree) == []


def test_its_room_is_reserved_until_its_rows_have_followed(tree: ServiceFixture) -> None:
    tree.put(MAX, "other/f", bytes(10))
    set_quota(tree, MIA, size_bytes=49, files=4)
    give(tree, "d", MIA)
    assert (owned(tree, MIA), reserved(tree, MIA)) == (Usage(), Usage(3, 40))
    assert missing(tree, "other") == "1 B"
    with pytest.raises(QuotaBytesError):
        tree.put(MIA, "mine", bytes(10))
    tree.put(MIA, "mine", bytes(9))
    with pytest.raises(QuotaFilesError):
        tree.put(MIA, "another", b"")
    finish(tree)
    assert (owned(tree, MIA), reserved(tree, MIA)) == (Usage(4, 49), Usage())
    assert faults(tree) == []


def test_page_by_page_what_has_followed_is_reserved_no_more(
    tree: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sft.service.maintenance.folder_hand_overs.HAND_OVER_ROWS", 1)
    set_quota(tree, MIA, size_bytes=40)
    give(tree, "d", MIA)
    sums = set()

    def act(function: object, item: object, act: object = tree.act) -> object:
        done = act(function, item)  # type: ignore[operator]
        sums.add(owned(tree, MIA) + reserved(tree, MIA))
        return done

    monkeypatch.setattr(tree, "act", act)
    finish(tree)
    assert sums == {Usage(3, 40)}


def test_versions_that_are_destroyed_meanwhile_leave_nothing_reserved(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=40)
    give(tree, "d", MIA)
    tree.database.policy = ServerPolicy(versions_kept=1)
    tree.ask(destroy_old_versions, OPERATOR, context=tree.job_context)()
    finish(tree)
    assert (owned(tree, MIA), reserved(tree, MIA)) == (Usage(3, 30), Usage())
    assert faults(tree) == []


# -- a removal -------------------------------------------------------------------------------------------------


def test_a_removal_is_refused_for_no_quota_and_the_heir_is_told(tree: ServiceFixture) -> None:
    set_quota(tree, MIA, size_bytes=20, files=1)
    tree.act(remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    assert owned(tree, MIA) == Usage(4, 50)
    (told,) = [each for each in tree.events if isinstance(each, QuotaNear)]
    assert (told.user_id, told.percent, told.size_bytes, told.quota_bytes) == (MIA.id, 95, 50, 20)
    with pytest.raises(QuotaBytesError):
        tree.put(MIA, "more", b"1")
