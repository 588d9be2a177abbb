"""Of each file the contents of so many of its newest versions are kept as the operator says; older ones go page by page."""

from __future__ import annotations

import pytest

from sft.errors import VersionDestroyedError
from sft.model.ending_events import VersionsDestroyed
from sft.model.policy import ServerPolicy
from sft.model.records import VaultReport
from sft.service.files import show_file
from sft.service.maintenance import old_versions
from tests.unit.service.service_fixture import MAX, OPERATOR, ServiceFixture
from tests.unit.service.test_destroying import destroy, replaced, row_of, version
from tests.unit.service.test_figures import require_counted
from tests.unit.service.test_recovery import BIG, is_sound


def run(services: ServiceFixture) -> VaultReport:
    return services.ask(old_versions.destroy_old_versions, OPERATOR, context=services.job_context)()


def is_due(services: ServiceFixture) -> bool:
    return services.ask(old_versions.is_anything_old, OPERATOR)


def test_the_newest_are_kept(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(versions_kept=3)
    replaced(services, b"1", b"2", b"3")
    assert not is_due(services)
    assert run(services) == VaultReport(0, 0, 0)
    for content in (b"4", b"55"):
        services.replace(MAX, "a", content, services.ask(show_file, MAX, path="a"))
    assert is_due(services)
    assert run(services) == VaultReport(1, 2, 2)
    assert not is_due(services)
    assert [services.get(MAX, "a", number) for number in (3, 4, 5)] == [b"3", b"4", b"55"]
    for number in (1, 2):
        with pytest.raises(VersionDestroyedError) as refused:
            services.get(MAX, "a", number)
        assert refused.value.values["destroyed_by"] == "the server, which keeps the newest ones"
        assert (version(services, number).destroyed_at, version(services, number).destroyed_by) == (services.now, None)
    (told,) = [event for event in services.events if isinstance(event, VersionsDestroyed)]
    assert ([number for _, number in told.versions], told.size, told.statement) == ([1, 2], 2, b"")
    require_counted(services)
    assert is_sound(services)


def test_ten_are_kept_unless_the_operator_says_otherwise(services: ServiceFixture) -> None:
    replaced(services, *(b"%d" % number for number in range(1, 12)))
    assert run(services).versions == 1
    assert row_of(services).contents_kept == 10


def test_a_page_ends_in_the_middle_of_a_file(services: ServiceFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_versions, "PURGE_VERSIONS", 3)
    services.database.policy = ServerPolicy(versions_kept=1)
    for path in ("a", "b", "c"):
        replaced(services, *(b"%d" % number for number in range(1, 6)), path=path)
    assert run(services) == VaultReport(3, 12, 12)
    assert [len(event.versions) for event in services.events if isinstance(event, VersionsDestroyed)] == [3] * 4
    assert [services.get(MAX, path) for path in ("a", "b", "c")] == [b"5"] * 3
    require_counted(services)


def test_large_contents_leave_the_vault(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(versions_kept=1)
    services.commit(services.stream(MAX, "a", bytes(BIG)))
    services.replace(MAX, "a", b"2", services.ask(show_file, MAX, path="a"))
    run(services)
    assert not list(services.vault.ids())
    assert is_sound(services)


def test_what_was_destroyed_by_hand_is_passed_over(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(versions_kept=2)
    replaced(services, b"1", b"2", b"3", b"4", b"5")
    destroy(services, 3)
    destroy(services, 1)
    assert run(services).versions == 1
    assert row_of(services).contents_kept == 2
    assert not is_due(services)


def test_a_forged_row_keeps_no_other_file(services: ServiceFixture) -> None:
    services.database.policy = ServerPolicy(versions_kept=1)
    for path in ("a", "b"):
        replaced(services, b"1", b"2", path=path)
    services.tamper("UPDATE files SET contents_kept = 9 WHERE name = 'a'")
    report = run(services)
    assert (report.versions, len(report.faults)) == (1, 1)
