"""Files that go to the trash by themselves: said by their owner, done on time, and never before it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sft.errors import BadRequestError, ChangedSinceError, NotFoundError, NotYoursError
from sft.limits import EXPIRY_MOST_SECONDS
from sft.model.ending_events import ExpiryChanged, FileExpired
from sft.model.records import File, VaultReport
from sft.service.expiry import Expiry, set_expiry
from sft.service.files import list_trash, show_file
from sft.service.maintenance import file_expiry
from tests.unit.service.service_fixture import ADA, MAX, MIA, NOW, OPERATOR, Person, ServiceFixture, file_id_of
from tests.unit.service.test_figures import require_counted
from tests.unit.service.test_owners import finish, give
from tests.unit.service.test_recovery import is_sound
from tests.unit.service.test_trash import restored, rm


def expire(services: ServiceFixture, path: str, expires_at: int | None, who: Person = MAX) -> File:
    return services.act(set_expiry, Expiry(who.caller, path, file_id_of(path), expires_at))


def run(services: ServiceFixture) -> VaultReport:
    return services.ask(file_expiry.expire_files, OPERATOR, context=services.job_context)()


def is_due(services: ServiceFixture) -> bool:
    return services.ask(file_expiry.has_anything_expired, OPERATOR)


def test_it_goes_to_the_trash_on_the_second_and_comes_back_for_good(services: ServiceFixture) -> None:
    for path in ("d/a", "d/b"):
        services.put(MAX, path)
    assert expire(services, "d/a", NOW + 60).expires_at == NOW + 60
    services.now = NOW + 59
    assert not is_due(services)
    assert run(services) == VaultReport(0, 0, 0)
    services.now = NOW + 60
    assert is_due(services)
    services.events.clear()
    assert run(services).files == 1
    assert services.events == [FileExpired(by=OPERATOR, file_id=file_id_of("d/a"), path="d/a")]
    assert not is_due(services)
    with pytest.raises(NotFoundError):
        services.ask(show_file, MAX, path="d/a")
    (file,) = services.ask(list_trash, MAX).files
    assert (file.path, file.trashed_at, file.trashed_by, file.expires_at) == ("d/a", NOW + 60, "operator", NOW + 60)
    require_counted(services)
    back = restored(services, "d/a")
    assert isinstance(back, File)
    assert back.expires_at is None
    assert run(services).files == 0
    require_counted(services)
    assert is_sound(services)


def test_nothing_expires_before_its_time_whatever_page_it_is_in(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    expire(services, "a", NOW + 60)
    services.put(MAX, "b")
    assert services.act(file_expiry.expire_page, file_expiry.ExpiredFiles(OPERATOR, (1, 2))) == 0
    assert services.get(MAX, "a") == services.get(MAX, "b")


def test_the_writer_is_asked_for_what_goes_alone(services: ServiceFixture) -> None:
    for path in ("gone/a", "gone/b", "d/c"):
        services.put(MAX, path)
        expire(services, path, NOW + 60)
    rm(services, "gone", recursive=True)
    services.now = NOW + 60
    asked: list[file_expiry.ExpiredFiles] = []

    def act(function: Any, item: Any) -> Any:
        asked.append(item)
        return services.act(function, item)

    def passed() -> int:
        context = replace(services.job_context, act=act)
        return services.ask(file_expiry.expire_files, OPERATOR, context=context)().files

    assert (passed(), [len(each.row_ids) for each in asked]) == (1, [1])
    asked.clear()
    assert (passed(), asked) == (0, [])
    assert restored(services, "gone")
    assert (passed(), len(asked)) == (2, 1)


def test_what_is_being_handed_over_expires_as_its_new_owners(services: ServiceFixture) -> None:
    services.put(MAX, "d/e/a")
    expire(services, "d/e/a", NOW + 60)
    give(services, "d", MIA)
    services.now = NOW + 60
    assert run(services).files == 0
    finish(services)
    assert run(services).files == 1
    assert [file.owner for file in services.ask(list_trash, MIA).files] == ["mia"]
    require_counted(services)


def test_it_is_the_owners_signed_word(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    services.events.clear()
    expire(services, "a", NOW + 60)
    (told,) = services.events
    assert isinstance(told, ExpiryChanged)
    assert (told.expires_at, b"act:expire" in told.statement_text) == (NOW + 60, True)
    assert b"expires_at:%d" % (NOW + 60) in told.statement_text
    expire(services, "a", NOW + 60)
    assert len(services.events) == 1
    assert expire(services, "a", None, ADA).expires_at is None
    services.now += 100
    assert run(services).files == 0


@pytest.mark.parametrize("moment", [NOW, NOW - 1, NOW + EXPIRY_MOST_SECONDS + 1])
def test_no_moment_that_is_over_or_too_far(services: ServiceFixture, moment: int) -> None:
    services.put(MAX, "a")
    with pytest.raises(BadRequestError):
        expire(services, "a", moment)


def test_whose_file_it_is_and_which_decides(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    with pytest.raises(NotYoursError):
        expire(services, "a", NOW + 60, MIA)
    with pytest.raises(ChangedSinceError):
        services.act(set_expiry, Expiry(MAX.caller, "a", bytes(16), NOW + 60))
    with pytest.raises(NotFoundError):
        expire(services, "b", NOW + 60)


def test_a_replacement_keeps_it(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"1")
    expire(services, "a", NOW + 60)
    services.replace(MAX, "a", b"2", services.ask(show_file, MAX, path="a"))
    assert services.ask(show_file, MAX, path="a").expires_at == NOW + 60


def test_what_was_deleted_by_hand_does_not_expire(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    expire(services, "a", NOW + 60)
    rm(services, "a")
    (file,) = services.ask(list_trash, MAX).files
    assert (file.trashed_by, file.expires_at) == ("max", None)


def test_in_a_deleted_folder_it_waits_for_the_folder(services: ServiceFixture) -> None:
    services.put(MAX, "d/a")
    expire(services, "d/a", NOW + 60)
    rm(services, "d", recursive=True)
    services.now = NOW + 60
    assert run(services).files == 0
    restored(services, "d")
    assert run(services).files == 1
    require_counted(services)


def test_many_go_page_by_page_and_a_forged_row_keeps_no_other(
    services: ServiceFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_expiry, "EXPIRED_PAGE", 2)
    for number in range(5):
        services.put(MAX, f"{number}")
        expire(services, f"{number}", NOW + 60 - number % 2)
    services.put(MAX, "forged")
    services.tamper("UPDATE files SET expires_at = 1 WHERE name = 'forged'")
    services.now = NOW + 60
    report = run(services)
    assert (report.files, len(report.faults)) == (5, 1)
