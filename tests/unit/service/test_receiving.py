"""Who downloads what: logged before it leaves, signed when it came, shown to owner and admins alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sft.crypto.signatures import FileSignature
from sft.crypto.statement import ActStatement, ReceivedVersion, StatementComment
from sft.errors import BadRequestError, LoginRefusedError, NotFoundError, NotYoursError, SignatureRefusedError
from sft.ledger.leaves import LeafKind
from sft.limits import RECEIVED_AT_ONCE, RECORD_BYTES
from sft.model.events import DownloadReceived
from sft.model.records import UserState
from sft.service import accounts
from sft.service.act_statement import AskedAct
from sft.service.receiving import DownloadInput, ReceivedInput, begin_downloads, confirm_received, list_readers
from sft.service.trash import Deletion, delete
from sft.store.downloads import FileVersionKey, downloads_of
from sft.store.ledger import leaf_at, ledger_row
from tests.fakes.signed_acts import statement_of
from tests.unit.service.service_fixture import (
    ADA,
    GUS,
    MAX,
    MIA,
    SERVER_ID,
    Person,
    ServiceFixture,
    digest_of,
    file_id_of,
)

DIGEST = digest_of(b"content")


def put_file(services: ServiceFixture, path: str = "d/a", who: Person = MAX) -> FileVersionKey:
    services.put(who, path, b"content")
    return file_id_of(path), 1


def begin_download(services: ServiceFixture, who: Person, *versions: FileVersionKey, first_chunk: int = 0) -> None:
    services.act(begin_downloads, DownloadInput(who.caller, dict.fromkeys(versions, DIGEST), first_chunk))


def statement(who: Person, *versions: FileVersionKey, digest: bytes = DIGEST, **changes: Any) -> bytes:
    received = tuple(ReceivedVersion(file_id, number, digest) for file_id, number in versions)
    return statement_of(who.key, SERVER_ID, who.id, AskedAct("received", {"versions": received}), **changes)


def confirm(services: ServiceFixture, who: Person, *versions: FileVersionKey, signature: bytes | None = None) -> bool:
    signed = statement(who, *versions) if signature is None else signature
    return services.act(confirm_received, ReceivedInput(who.caller, versions, signed))


def leaf_of(services: ServiceFixture, number: int) -> tuple[LeafKind, dict[str, Any]]:
    with services.reading() as reading:
        row = leaf_at(reading, number)
    return LeafKind(row.kind), json.loads(row.facts)


def log_size(services: ServiceFixture) -> int:
    with services.reading() as reading:
        return ledger_row(reading).size


def downloads(services: ServiceFixture, who: Person, *versions: FileVersionKey) -> list[tuple[int, int | None]]:
    with services.reading() as reading:
        return [(row.begun_leaf, row.received_leaf) for row in downloads_of(reading, who.id, versions).values()]


# -- begun -------------------------------------------------------------------------------------------------------


def test_what_leaves_together_is_one_leaf(services: ServiceFixture) -> None:
    versions = put_file(services), put_file(services, "b")
    size = log_size(services)
    begin_download(services, GUS, *versions, first_chunk=3)
    kind, facts = leaf_of(services, size)
    assert log_size(services) == size + 1
    assert kind is LeafKind.DOWNLOAD_BEGUN
    assert facts["versions"] == [[file_id.hex(), number] for file_id, number in versions]
    assert (facts["by"]["user"], facts["first_chunk"]) == (GUS.id, 3)
    assert downloads(services, GUS, *versions) == [(size, None)] * 2


def test_each_time_is_a_leaf_and_the_first_one_is_remembered(services: ServiceFixture) -> None:
    version, size = put_file(services), log_size(services)
    for _ in range(2):
        begin_download(services, GUS, version)
    assert log_size(services) == size + 2
    assert downloads(services, GUS, version) == [(size, None)]


def test_a_content_that_took_the_number_of_a_destroyed_one_is_read_anew(services: ServiceFixture) -> None:
    version, size = put_file(services), log_size(services)
    begin_download(services, GUS, version)
    assert confirm(services, GUS, version)
    other = digest_of(b"another")
    services.act(begin_downloads, DownloadInput(GUS.caller, {version: other}))
    assert downloads(services, GUS, version) == [(size + 2, None)]
    assert confirm(services, GUS, version, signature=statement(GUS, version, digest=other))


def test_a_group_of_several_people_and_the_same_file_twice(services: ServiceFixture) -> None:
    version, size = put_file(services), log_size(services)
    items = [DownloadInput(who.caller, {version: DIGEST}) for who in (GUS, MIA, GUS)]
    services.act_each(begin_downloads, *items)
    assert log_size(services) == size + 3
    assert [downloads(services, who, version) for who in (GUS, MIA)] == [[(size, None)], [(size + 1, None)]]


def test_who_was_locked_out_begins_nothing(services: ServiceFixture) -> None:
    version = put_file(services)
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "gus"))
    with pytest.raises(LoginRefusedError):
        begin_download(services, GUS, version)
    assert downloads(services, GUS, version) == []


def test_a_leaf_of_one_file_is_found_by_it(services: ServiceFixture) -> None:
    one, other = put_file(services), put_file(services, "b")
    for versions in ((one,), (one, other)):
        begin_download(services, GUS, *versions)
    with services.reading() as reading:
        last = ledger_row(reading).size - 1
        assert [leaf_at(reading, number).file_id for number in (last - 1, last)] == [one[0], None]


# -- received ----------------------------------------------------------------------------------------------------


def test_a_readers_word_is_kept_with_its_statement_once(services: ServiceFixture) -> None:
    versions = put_file(services), put_file(services, "b")
    begin_download(services, GUS, *versions)
    begun, size = log_size(services) - 1, log_size(services)
    assert confirm(services, GUS, *versions)
    kind, facts = leaf_of(services, size)
    assert kind is LeafKind.DOWNLOAD_RECEIVED
    assert facts["statement"].startswith("untrusted comment: ")
    assert downloads(services, GUS, *versions) == [(begun, size)] * 2
    services.events.clear()
    assert not confirm(services, GUS, *versions), "it is no news"
    assert not confirm(services, GUS, versions[1])
    assert services.events == []
    assert log_size(services) == size + 1


def test_what_is_new_beside_what_is_not(services: ServiceFixture) -> None:
    versions = put_file(services), put_file(services, "b")
    begin_download(services, GUS, *versions)
    confirm(services, GUS, versions[0])
    first = log_size(services) - 1
    assert confirm(services, GUS, *versions)
    assert [received for _, received in downloads(services, GUS, *versions)] == [first, first + 1]


def test_of_what_was_not_downloaded_nothing_was_received(services: ServiceFixture) -> None:
    version, other = put_file(services), put_file(services, "b")
    begin_download(services, GUS, version)
    begin_download(services, MIA, other)
    for versions in ((other,), (version, other), ((version[0], 2),), ((bytes(16), 1),), (version, version)):
        with pytest.raises(BadRequestError):
            confirm(services, GUS, *versions)
    assert downloads(services, MIA, other)[0][1] is None


def test_a_statement_of_anything_else_is_refused(services: ServiceFixture) -> None:
    version, other = put_file(services), put_file(services, "b")
    begin_download(services, GUS, version, other)
    for signature in (
        b"",
        b"-",
        statement(GUS, other),
        statement(GUS, version, other),
        statement(GUS, version, digest=bytes(64)),
        statement(MIA, version),
        statement(GUS, version, user=MIA.id),
        statement(GUS, version, server_id=bytes(32)),
        statement_of(GUS.key, SERVER_ID, GUS.id, AskedAct("make-folder", {"path": "d/a"})),
    ):
        with pytest.raises(SignatureRefusedError):
            confirm(services, GUS, version, signature=signature)
    assert downloads(services, GUS, version)[0][1] is None


def test_what_lies_in_the_trash_by_now_was_received_all_the_same(services: ServiceFixture) -> None:
    version = put_file(services)
    begin_download(services, GUS, version)
    services.act(delete, Deletion(MAX.caller, "d/a"))
    assert confirm(services, GUS, version)


def test_as_many_as_there_may_be_fit_a_record(services: ServiceFixture) -> None:
    versions = tuple((number.to_bytes(16, "big"), 2**31) for number in range(RECEIVED_AT_ONCE))
    received = tuple(ReceivedVersion(file_id, number, bytes(64)) for file_id, number in versions)
    said = AskedAct("received", {"versions": received})
    signed = statement_of(GUS.key, SERVER_ID, GUS.id, said)
    with services.log.transaction(services.now) as transaction:
        text = ActStatement(StatementComment.parse(FileSignature.parse(signed).comment), said.fields).text().encode()
        transaction.log(DownloadReceived(by=GUS.caller, versions=versions, statement=signed, statement_text=text))
    with services.reading() as reading:
        row = leaf_at(reading, ledger_row(reading).size - 1)
    assert len(row.facts) + len(row.personal or b"") < RECORD_BYTES - 2048, "and one frame, with its leaf"


# -- shown -------------------------------------------------------------------------------------------------------


def readers(services: ServiceFixture, who: Person, path: str = "d/a", **page: Any) -> dict[str, tuple[int, str]]:
    shown = services.ask(list_readers, who, path=path, **page)
    return {
        each.name: (each.version, "verified" if each.received_leaf is not None else "sent" if each.version else "")
        for each in shown.readers
    }


def test_the_owner_and_admins_see_who_has_which_version_and_who_has_not(services: ServiceFixture) -> None:
    version = put_file(services)
    services.put(MAX, "d/a", b"newer", version=2, prev=digest_of(b"content"))
    newer = version[0], 2
    begin_download(services, GUS, version)
    confirm(services, GUS, version)
    begin_download(services, MIA, version)
    begin_download(services, MIA, newer)
    expected = {"ada": (0, ""), "gus": (1, "verified"), "mia": (2, "sent")}
    assert readers(services, MAX) == readers(services, ADA) == expected
    confirm(services, MIA, version)
    assert readers(services, MAX) == expected, "of the newest alone"


@pytest.mark.parametrize("who", [MIA, GUS], ids=["mia", "gus"])
def test_nobody_else_does(services: ServiceFixture, who: Person) -> None:
    put_file(services)
    with pytest.raises(NotYoursError):
        readers(services, who)


def test_of_no_file(services: ServiceFixture) -> None:
    with pytest.raises(NotFoundError):
        readers(services, ADA, "none")


def test_who_left_is_shown_with_what_they_have(services: ServiceFixture) -> None:
    version = put_file(services)
    begin_download(services, GUS, version)
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "gus"))
    services.act(accounts.disable, accounts.DisableInput(ADA.caller, "mia"))
    shown = services.ask(list_readers, MAX, path="d/a").readers
    assert [(each.name, each.state) for each in shown] == [("ada", UserState.ACTIVE), ("gus", UserState.DISABLED)]


def test_page_by_page(services: ServiceFixture) -> None:
    version = put_file(services)
    begin_download(services, GUS, version)
    found, after = [], 0
    for _ in range(5):
        page = services.ask(list_readers, MAX, path="d/a", after=after, limit=1)
        found += page.readers
        after = page.next
        if not after:
            break
    assert [(each.name, each.version) for each in found] == [("ada", 0), ("mia", 0), ("gus", 1)]
