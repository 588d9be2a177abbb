"""Quotas: what fits is stored and nothing else, whoever stores it; what is under way has its room; who is near one is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import (
    NotFoundError,
    QuotaBytesError,
    QuotaFilesError,
    RequestError,
    RoleForbidsError,
    TooLargeError,
    UploadGoneError,
)
from sft.limits import CHUNK_BYTES, SEGMENT_BYTES
from sft.model.policy import ServerPolicy
from sft.model.quota_events import QuotaChanged, QuotaNear
from sft.model.quotas import NO_LIMIT, Usage
from sft.model.records import QuotaReport, QuotaUsage, User
from sft.service import accounts, uploads
from sft.service.accounts import RemoveUserInput
from sft.service.commits import commit
from sft.service.files import show_file
from sft.service.maintenance.purging import PurgeInput, purge
from sft.service.open_uploads import (
    EndUpload,
    GiveUp,
    GrowUpload,
    OpenUpload,
    Resumable,
    end_uploads,
    give_up_uploads,
    grow_uploads,
    open_uploads,
)
from sft.service.pending import Committed
from sft.service.quota_changes import ChangeQuotaInput, change_quota, show_quota
from sft.service.trash import Deletion, Restoration, delete, restore
from sft.store.figures import user_figures
from sft.store.totals import total_owned
from tests.unit.service.service_fixture import (
    ADA,
    MAX,
    MIA,
    OPERATOR,
    Person,
    ServiceFixture,
    digest_of,
    file_id_of,
    signature_of,
)

KIB = 1024


def rule(services: ServiceFixture, **limits: int) -> None:
    """Have the operator's configuration say so from now on."""
    services.database.policy = ServerPolicy(**limits)


def give(services: ServiceFixture, who: Person, *, size_bytes: int | None = None, files: int | None = None) -> None:
    with services.transaction() as transaction:
        row = user_figures(transaction, [who.id])[who.id]
        transaction.rows.update([replace(row, quota_bytes=size_bytes, quota_files=files)])


def owned(services: ServiceFixture, who: Person) -> Usage:
    with services.reading() as reading:
        row = user_figures(reading, [who.id])[who.id]
    return Usage(row.files, row.size_bytes)


def codes(outcomes: Sequence[object]) -> list[str]:
    return [each.code if isinstance(each, RequestError) else "" for each in outcomes]


# -- what is stored -----------------------------------------------------------------------------------------


def test_of_a_group_exactly_what_fits_is_stored(services: ServiceFixture) -> None:
    rule(services, quota_bytes=25)
    sizes = [10, 10, 10, 5, 1]  # the third does not fit, and those that are smaller still do
    outcomes = services.act_each(commit, *(services.pend(MAX, f"f{n}", bytes(size)) for n, size in enumerate(sizes)))
    assert codes(outcomes) == ["", "", "QUOTA_BYTES", "", "QUOTA_BYTES"]
    assert owned(services, MAX) == Usage(3, 25)


def test_a_refusal_says_whose_quota_how_much_is_taken_and_who_can_help(services: ServiceFixture) -> None:
    rule(services, quota_bytes=6, quota_files=2)
    services.put(MAX, "a", bytes(5))
    with pytest.raises(QuotaBytesError) as refused:
        services.put(MAX, "b", bytes(2))
    assert refused.value.values == {"path": "b", "owner": "max", "used_bytes": 5, "quota_bytes": 6, "admins": "ada"}
    services.put(MAX, "b", b"")
    with pytest.raises(QuotaFilesError) as refused_file:
        services.put(MAX, "c", b"")
    assert refused_file.value.values == {"path": "c", "owner": "max", "used": 2, "quota": 2, "admins": "ada"}


def test_each_has_their_own_quota(services: ServiceFixture) -> None:
    rule(services, quota_bytes=5, quota_files=1)
    give(services, MIA, size_bytes=NO_LIMIT, files=2)
    services.put(MAX, "max", bytes(5))
    for name in ("mia", "mias"):
        services.put(MIA, name, bytes(50))
    with pytest.raises(QuotaFilesError):
        services.put(MIA, "third", b"")
    with pytest.raises(QuotaFilesError):
        services.put(MAX, "second", b"")


def test_older_versions_and_the_trash_count_until_they_are_destroyed(services: ServiceFixture) -> None:
    rule(services, quota_bytes=10, quota_files=1)
    services.put(MAX, "a", bytes(6))
    seen = services.ask(show_file, MAX, path="a")
    with pytest.raises(QuotaBytesError):
        services.replace(MAX, "a", bytes(5), seen)
    services.replace(MAX, "a", bytes(4), seen)
    services.act(delete, Deletion(MAX.caller, "a"))
    with pytest.raises(QuotaFilesError):
        services.put(MAX, "b", b"")
    services.act(
        restore, Restoration(MAX.caller, "a", services.seen_in_trash(MAX.caller, "a"))
    )  # what is counted already comes back
    services.act(delete, Deletion(MAX.caller, "a"))
    services.act(purge, PurgeInput(OPERATOR, services.now, (1,)))
    services.put(MAX, "b", bytes(10))


def test_the_owner_pays_whoever_stores(services: ServiceFixture) -> None:
    rule(services, quota_bytes=10)
    services.put(MAX, "a", bytes(6))
    seen = services.ask(show_file, ADA, path="a")
    with pytest.raises(QuotaBytesError) as refused:
        services.replace(ADA, "a", bytes(5), seen)
    assert refused.value.values["owner"] == "max"
    services.replace(ADA, "a", bytes(4), seen)
    assert (owned(services, MAX), owned(services, ADA)) == (Usage(1, 10), Usage())


def test_of_what_is_handed_over_the_heir_pays(services: ServiceFixture) -> None:
    rule(services, quota_bytes=10)
    services.put(MAX, "a", bytes(6))
    services.put(MIA, "b", bytes(3))
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    seen = services.ask(show_file, MIA, path="a")
    with pytest.raises(QuotaBytesError) as refused:
        services.replace(MIA, "a", bytes(2), seen)
    assert refused.value.values["owner"] == "mia"
    services.replace(MIA, "a", bytes(1), seen)
    assert owned(services, MIA) == Usage(2, 10)


def test_a_removal_hands_over_more_than_fits_and_then_nothing_more_is_stored(services: ServiceFixture) -> None:
    rule(services, quota_bytes=10)
    services.put(MAX, "a", bytes(6))
    services.put(MIA, "b", bytes(6))
    services.act(accounts.remove, RemoveUserInput(ADA.caller, "max", files_to="mia"))
    assert owned(services, MIA) == Usage(2, 12)
    with pytest.raises(QuotaBytesError):
        services.put(MIA, "c", b"1")


def test_the_same_content_again_is_stored_whatever_is_left(services: ServiceFixture) -> None:
    rule(services, quota_bytes=5, quota_files=1)
    services.put(MAX, "a", bytes(5))
    assert services.put(MAX, "a", bytes(5)).unchanged
    rule(services, quota_bytes=1)
    assert services.put(MAX, "a", bytes(5)).unchanged


def test_a_quota_of_all_is_for_all_together(services: ServiceFixture) -> None:
    rule(services, total_quota_bytes=10, total_quota_files=3)
    services.put(MAX, "a", bytes(4))
    outcomes = services.act_each(commit, *(services.pend(who, who.caller.name, bytes(4)) for who in (MIA, ADA)))
    assert codes(outcomes) == ["", "QUOTA_BYTES"]
    (refusal,) = (each for each in outcomes if isinstance(each, QuotaBytesError))
    assert (refusal.values["owner"], refusal.values["used_bytes"]) == ("all people together", 8)
    services.put(ADA, "b", bytes(2))
    with pytest.raises(QuotaFilesError):
        services.put(ADA, "c", b"")
    with services.reading() as reading:
        assert total_owned(reading) == Usage(3, 10)


def test_no_file_is_larger_than_the_operator_says(services: ServiceFixture) -> None:
    rule(services, file_bytes=100 * KIB)
    with pytest.raises(TooLargeError) as refused:
        services.begin(MAX, "a", 100 * KIB + 1)
    assert refused.value.values == {"what": "a", "limit": "100 KiB"}
    services.commit(services.stream(MAX, "a", bytes(100 * KIB)))
    pipe = services.begin(MAX, "pipe", None)
    services.start(pipe)
    with pytest.raises(TooLargeError):
        services.push(pipe, bytes(2 * CHUNK_BYTES))
    rule(services, file_bytes=3)
    with pytest.raises(TooLargeError):
        services.put(MAX, "b", bytes(4))
    services.put(MAX, "b", bytes(3))


# -- what is under way ----------------------------------------------------------------------------------------


def resumable(size: int) -> Resumable:
    return Resumable(b"u" * 16, MAX.caller.key_id or 0, file_id_of("kept"), 1, size)


def announce(services: ServiceFixture, who: Person, path: str, size: int | None, **changes: Any) -> OpenUpload:
    upload = services.begin(who, path, size, **changes)
    assert upload.announcement is not None
    return upload.announcement


def test_what_cannot_fit_is_refused_at_its_beginning(services: ServiceFixture) -> None:
    rule(services, quota_bytes=100 * KIB)
    services.put(MAX, "a", bytes(KIB))
    with pytest.raises(QuotaBytesError):
        services.begin(MAX, "b", 99 * KIB + 1)
    services.begin(MAX, "b", 99 * KIB)
    rule(services, quota_files=1)
    with pytest.raises(QuotaFilesError):
        services.begin(MAX, "b", None)
    rule(services, total_quota_bytes=2 * KIB)
    with pytest.raises(QuotaBytesError):
        services.begin(MAX, "b", 20 * KIB)


def test_of_many_that_begin_at_once_as_many_as_fit_are_announced(services: ServiceFixture) -> None:
    rule(services, quota_bytes=1000 * KIB)
    items = [announce(services, MAX, f"f{n}", 100 * KIB) for n in range(32)]
    outcomes = services.act_each(open_uploads, *items[:4])
    outcomes = [*outcomes, *services.act_each(open_uploads, *items[4:])]
    assert codes(outcomes) == 10 * [""] + 22 * ["QUOTA_BYTES"]
    assert len(services.open_uploads()) == 10


def test_files_are_reserved_too(services: ServiceFixture) -> None:
    rule(services, quota_files=2)
    services.put(MAX, "a", b"")
    seen = services.ask(show_file, MAX, path="a")
    items = [announce(services, MAX, name, 100 * KIB) for name in ("b", "c")]
    assert codes(services.act_each(open_uploads, *items)) == ["", "QUOTA_FILES"]
    with pytest.raises(QuotaFilesError):
        services.put(MAX, "d", b"")
    services.replace(MAX, "a", b"new", seen)


def test_what_was_announced_keeps_its_room(services: ServiceFixture) -> None:
    """A small file that comes meanwhile does not take what an upload of hours was promised."""
    rule(services, quota_bytes=100 * KIB)
    upload = services.begin(MAX, "large", 90 * KIB)
    services.start(upload)
    services.put(MAX, "small", bytes(10 * KIB))
    with pytest.raises(QuotaBytesError) as refused:
        services.put(MAX, "other", b"1")
    assert refused.value.values["used_bytes"] == 100 * KIB
    services.push(upload, bytes(90 * KIB))
    content = bytes(90 * KIB)
    services.commit(upload.finish(digest_of(content), signature_of(MAX, "large", content)))
    assert owned(services, MAX) == Usage(2, 100 * KIB)


@pytest.mark.parametrize("ended_by", ["end", "give up"])
def test_what_was_given_up_reserves_nothing(services: ServiceFixture, ended_by: str) -> None:
    rule(services, quota_bytes=100 * KIB)
    item = announce(services, MAX, "large", 90 * KIB)
    services.act(open_uploads, replace(item, resumable=resumable(item.size)))
    with pytest.raises(QuotaBytesError):
        services.put(MAX, "other", bytes(11 * KIB))
    if ended_by == "end":
        services.act(end_uploads, EndUpload(item.object_id))
    else:
        services.act(give_up_uploads, GiveUp(item.object_id))
    services.put(MAX, "other", bytes(11 * KIB))


def test_a_pipe_is_judged_when_its_size_is_known(services: ServiceFixture) -> None:
    rule(services, quota_bytes=100 * KIB)
    fits = services.stream(MAX, "fits", bytes(100 * KIB), known_size=False)
    large = services.stream(MAX, "large", bytes(101 * KIB), known_size=False)
    with pytest.raises(QuotaBytesError):
        services.commit(large)
    services.commit(fits)
    assert (owned(services, MAX), services.open_uploads()) == (Usage(1, 100 * KIB), [])


def open_pipe(services: ServiceFixture, who: Person, path: str, **changes: Any) -> bytes:
    """Have an upload begun whose size nobody says, after those before it."""
    services.now += 1
    item = announce(services, who, path, None, **changes)
    services.act(open_uploads, item)
    return item.object_id


def grow(services: ServiceFixture, object_id: bytes, size: int) -> int:
    return services.act(grow_uploads, GrowUpload(object_id, size))


def test_of_a_pipe_what_came_is_reserved_and_an_eighth_more_where_there_is_plenty(services: ServiceFixture) -> None:
    rule(services, quota_bytes=1000 * KIB)
    pipe = open_pipe(services, MAX, "pipe")
    assert grow(services, pipe, 64 * KIB) == 72 * KIB
    assert grow(services, pipe, 320 * KIB) == 360 * KIB
    assert grow(services, pipe, 960 * KIB) == 960 * KIB
    assert grow(services, pipe, 80 * KIB) == 960 * KIB  # what has its room keeps it
    with pytest.raises(QuotaBytesError) as refused:
        services.put(MAX, "other", bytes(40 * KIB + 1))
    assert refused.value.values["used_bytes"] == 960 * KIB
    assert grow(services, pipe, 1000 * KIB) == 1000 * KIB
    with pytest.raises(QuotaBytesError):
        grow(services, pipe, 1000 * KIB + 1)
    services.act(end_uploads, EndUpload(pipe))
    services.put(MAX, "other", bytes(60 * KIB))


def test_pipes_and_sizes_that_are_known_are_counted_together(services: ServiceFixture) -> None:
    rule(services, quota_bytes=1000 * KIB)
    pipes = [open_pipe(services, MAX, f"pipe{n}") for n in range(16)]
    services.act(open_uploads, announce(services, MAX, "known", 350 * KIB))
    outcomes = services.act_each(grow_uploads, *(GrowUpload(pipe, 100 * KIB) for pipe in pipes))
    reserved = [each for each in outcomes if isinstance(each, int)]
    assert codes(outcomes) == 6 * [""] + 10 * ["QUOTA_BYTES"]
    assert sum(reserved) <= 650 * KIB
    report = services.ask(show_quota, ADA, name="max")
    assert report.reserved_bytes == sum(reserved) + 350 * KIB


def test_of_pipes_that_come_at_once_the_first_end_and_starve_one_another_no_more(services: ServiceFixture) -> None:
    rule(services, quota_bytes=1000 * KIB)
    left = {open_pipe(services, MAX, f"pipe{n}"): n for n in range(8)}
    for size in range(50, 301, 50):
        asking = list(reversed(left))  # who came last asks first
        outcomes = services.act_each(grow_uploads, *(GrowUpload(pipe, size * KIB) for pipe in asking))
        for pipe, outcome in zip(asking, outcomes, strict=True):
            if isinstance(outcome, RequestError):
                del left[pipe]
                services.act(end_uploads, EndUpload(pipe))
    assert list(left.values()) == [0, 1, 2]
    with pytest.raises(QuotaBytesError):
        services.act(open_uploads, announce(services, MAX, "late", 101 * KIB))


def test_pipes_count_files_too(services: ServiceFixture) -> None:
    rule(services, quota_files=2)
    outcomes = services.act_each(open_uploads, *(announce(services, MAX, f"pipe{n}", None) for n in range(3)))
    assert codes(outcomes) == ["", "", "QUOTA_FILES"]


def test_a_pipe_is_judged_by_the_quota_of_all_and_by_its_owners(services: ServiceFixture) -> None:
    services.put(MIA, "a", bytes(60 * KIB))
    rule(services, total_quota_bytes=100 * KIB)
    pipe = open_pipe(services, MAX, "pipe")
    assert grow(services, pipe, 40 * KIB) == 40 * KIB
    with pytest.raises(QuotaBytesError):
        grow(services, pipe, 41 * KIB)
    rule(services, quota_bytes=100 * KIB)
    of_mia = open_pipe(services, ADA, "a", version=2, file_id=file_id_of("a"))
    with pytest.raises(QuotaBytesError) as refused:
        grow(services, of_mia, 41 * KIB)
    assert refused.value.values["owner"] == "mia"


def test_a_pipe_that_was_ended_meanwhile_reserves_nothing(services: ServiceFixture) -> None:
    pipe = open_pipe(services, MAX, "pipe")
    services.act(end_uploads, EndUpload(pipe))
    with pytest.raises(UploadGoneError):
        grow(services, pipe, KIB)


def test_an_upload_says_when_it_has_outgrown_what_is_reserved(services: ServiceFixture) -> None:
    pipe, known = services.begin(MAX, "pipe", None), services.begin(MAX, "known", 3 * CHUNK_BYTES)
    for upload in (pipe, known):
        services.start(upload)
        upload.append(upload.seal([bytes(CHUNK_BYTES)], last=False))
    assert (known.outgrown, pipe.outgrown) == (None, GrowUpload(pipe.object_id, CHUNK_BYTES))
    pipe.reserved = CHUNK_BYTES
    assert pipe.outgrown is None
    pipe.append(pipe.seal([bytes(1)], last=True))
    assert pipe.outgrown is None  # the commit is next, and decides


def test_how_much_a_pipe_is_short_of_what_is_kept(services: ServiceFixture) -> None:
    rule(services, quota_bytes=3 * SEGMENT_BYTES)
    kept = announce(services, MAX, "kept", 2 * SEGMENT_BYTES)
    services.act(open_uploads, replace(kept, resumable=resumable(2 * SEGMENT_BYTES)))
    pipe = open_pipe(services, MAX, "pipe")
    grow(services, pipe, SEGMENT_BYTES)
    found, shortage = services.ask(uploads.in_the_way, MAX, object_id=pipe, size=SEGMENT_BYTES + 10)
    assert ([each.object_id for each in found], shortage) == ([kept.object_id], Usage(0, 10))


def test_a_quota_that_was_lowered_meanwhile_rules(services: ServiceFixture) -> None:
    rule(services, quota_bytes=100 * KIB)
    pending = services.stream(MAX, "a", bytes(90 * KIB))
    rule(services, quota_bytes=80 * KIB)
    with pytest.raises(QuotaBytesError):
        services.commit(pending)
    assert (owned(services, MAX), services.open_uploads()) == (Usage(), [])


def test_an_admin_reserves_of_the_owners_quota(services: ServiceFixture) -> None:
    services.put(MAX, "a", bytes(KIB))
    rule(services, quota_bytes=100 * KIB)
    item = announce(services, ADA, "a", 90 * KIB, version=2, file_id=file_id_of("a"))
    services.act(open_uploads, item)
    with pytest.raises(QuotaBytesError):
        services.put(MAX, "b", bytes(10 * KIB))
    services.put(ADA, "c", bytes(60 * KIB))


def test_how_much_is_short_of_what_is_reserved(services: ServiceFixture) -> None:
    rule(services, quota_bytes=3 * SEGMENT_BYTES)
    item = announce(services, MAX, "kept", 2 * SEGMENT_BYTES)
    kept = replace(item, resumable=resumable(2 * SEGMENT_BYTES))
    services.act(open_uploads, kept)
    upload = services.begin(MAX, "b", 2 * SEGMENT_BYTES)
    assert upload.shortage == Usage(0, SEGMENT_BYTES)
    assert [each.reserved for each in upload.kept_before] == [Usage(1, 2 * SEGMENT_BYTES)]
    assert services.begin(MAX, "b", SEGMENT_BYTES).shortage == Usage()
    assert [each.reserved for each in services.ask(uploads.kept_of_user, OPERATOR, user_id=MAX.id)] == [Usage()]


# -- who is told ------------------------------------------------------------------------------------------------


def told(services: ServiceFixture) -> list[tuple[int | None, int]]:
    return [(each.user_id, each.percent) for each in services.events if isinstance(each, QuotaNear)]


def test_whoever_comes_near_is_told_once(services: ServiceFixture) -> None:
    rule(services, quota_bytes=100)
    services.put(MAX, "a", bytes(79))
    assert told(services) == []
    services.put(MAX, "b", bytes(1))
    services.put(MAX, "c", bytes(5))
    assert told(services) == [(MAX.id, 80)]
    services.put(MAX, "d", bytes(10))
    assert told(services) == [(MAX.id, 80), (MAX.id, 95)]
    last = services.events[-1] if isinstance(services.events[-1], QuotaNear) else services.events[-2]
    assert isinstance(last, QuotaNear)
    assert (last.name, last.files, last.size_bytes, last.quota_bytes, last.quota_files) == ("max", 4, 95, 100, None)


def test_the_quota_of_all_is_told_of_nobody(services: ServiceFixture) -> None:
    rule(services, total_quota_files=5)
    outcomes = services.act_each(commit, *(services.pend(who, who.caller.name, b"") for who in (ADA, MAX, MIA)))
    assert all(isinstance(each, Committed) for each in outcomes)
    assert told(services) == []
    services.put(ADA, "fourth", b"")
    assert told(services) == [(None, 80)]


# -- what is set for one person -----------------------------------------------------------------------------------


def change(services: ServiceFixture, size_bytes: int | None, files: int | None, *, by: Person = ADA) -> User:
    return services.act(change_quota, ChangeQuotaInput(by.caller, "max", size_bytes, files)).user


def test_what_is_set_for_one_person_rules_at_once_and_is_logged_once(services: ServiceFixture) -> None:
    rule(services, quota_bytes=5)
    assert (change(services, 10, None).quota_bytes, change(services, 10, None).quota_files) == (10, None)
    changed = [each for each in services.events if isinstance(each, QuotaChanged)]
    assert [(each.user_id, each.quota_bytes, each.quota_files) for each in changed] == [(MAX.id, "10", "default")]
    services.put(MAX, "a", bytes(10))
    assert change(services, NO_LIMIT, 1).quota_bytes is None
    with pytest.raises(QuotaFilesError):
        services.put(MAX, "b", b"")
    assert change(services, None, None).quota_bytes == 5
    assert owned(services, MAX) == Usage(1, 10)


def test_admins_alone_change_quotas(services: ServiceFixture) -> None:
    with pytest.raises(RoleForbidsError):
        change(services, NO_LIMIT, NO_LIMIT, by=MAX)
    services.act(change_quota, ChangeQuotaInput(OPERATOR, "max", 7, 8))
    assert services.ask(show_quota, MAX).owned == QuotaUsage(0, 0, 8, 7)
    with pytest.raises(NotFoundError):
        services.act(change_quota, ChangeQuotaInput(ADA.caller, "nobody", 7, 8))


def test_a_quota_is_shown_with_what_is_taken_and_reserved(services: ServiceFixture) -> None:
    rule(services, quota_bytes=200 * KIB, total_quota_files=9, file_bytes=150 * KIB)
    give(services, MIA, files=3)
    services.put(MAX, "a", bytes(KIB))
    services.put(MIA, "b", bytes(2 * KIB))
    services.act(open_uploads, announce(services, MAX, "large", 90 * KIB))
    assert services.ask(show_quota, MAX) == QuotaReport(
        user="max",
        owned=QuotaUsage(1, KIB, None, 200 * KIB),
        reserved_files=1,
        reserved_bytes=90 * KIB,
        set_files=None,
        set_bytes=None,
        file_bytes=150 * KIB,
    )
    of_mia = services.ask(show_quota, ADA, name="mia")
    assert (of_mia.owned, of_mia.set_files) == (QuotaUsage(1, 2 * KIB, 3, 200 * KIB), 3)
    assert of_mia.everybody == QuotaUsage(2, 3 * KIB, 9, None)
    of_all = services.ask(show_quota, OPERATOR)
    assert (of_all.user, of_all.owned) == ("operator", QuotaUsage(0, 0, None, 200 * KIB))
    with pytest.raises(NotFoundError):
        services.ask(show_quota, ADA, name="nobody")
