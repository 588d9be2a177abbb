"""What is refused before a byte is sent, and in the same words at the commit."""

import pytest

from sft.crypto.digests import digest_text
from sft.errors import (
    BadRequestError,
    ChangedSinceError,
    ExistsError,
    FolderInTheWayError,
    LoginRefusedError,
    NameClashError,
    NameNotAllowedError,
    NotFoundError,
    NotYoursError,
    RequestError,
    RoleForbidsError,
    TooLargeError,
)
from sft.limits import FILE_BYTES
from sft.model.records import UserState
from sft.service import folders
from tests.unit.service.service_fixture import ADA, GUS, MAX, MIA, NOW, Person, ServiceFixture, digest_of, file_id_of


@pytest.mark.parametrize(
    ("who", "path", "changes", "error"),
    [
        (GUS, "new", {}, RoleForbidsError),
        (MAX, "a:b", {}, NameNotAllowedError),
        (MAX, "../x", {}, NameNotAllowedError),
        (MAX, "", {}, NameNotAllowedError),
        (MAX, "/new", {}, BadRequestError),
        (MAX, "caf\u0065\u0301", {}, BadRequestError),
        (MAX, "F/own", {}, ExistsError),
        (MAX, "F/OWN", {}, NameClashError),
        (MAX, "f/new", {}, NameClashError),
        (MAX, "F", {}, FolderInTheWayError),
        (MAX, "f", {}, NameClashError),
        (MAX, "F/own/below", {}, FolderInTheWayError),
        (MAX, "F/Own/below", {}, NameClashError),
        (MAX, "F/new", {"file_id": file_id_of("F/own")}, BadRequestError),
        (MAX, "F/new", {"version": 2}, NotFoundError),
        (MAX, "F/none/new", {"version": 2}, NotFoundError),
        (MAX, "F/others", {"version": 2}, NotYoursError),
        (MAX, "F/own", {"version": 3}, ChangedSinceError),
        (MAX, "F/own", {"version": 2, "file_id": bytes(16)}, ChangedSinceError),
    ],
)
def test_begin_refuses_early(
    services: ServiceFixture, who: Person, path: str, changes: dict[str, int], error: type[RequestError]
) -> None:
    services.put(MAX, "F/own")
    services.put(MIA, "F/others")
    with pytest.raises(error) as refused:
        services.begin(who, path, 10, **changes)
    assert type(refused.value) is error
    # What the early check says of a whole content, the commit says as well.
    signed = {"version": 1, "prev": None} | changes
    if signed["version"] != 1:
        signed["prev"] = bytes(64)
    if path and error is not NameNotAllowedError and path[0] != "/":
        with pytest.raises(error) as late:
            services.put(who, path, b"other", **signed)
        assert type(late.value) is error
        assert late.value.values == refused.value.values


def test_a_refusal_tells_a_retry_from_a_clash(services: ServiceFixture) -> None:
    services.put(MAX, "a", b"content")
    with pytest.raises(ExistsError) as refused:
        services.begin(MAX, "a", 7)
    assert refused.value.values == {
        "path": "a",
        "version": 1,
        "author": "max",
        "author_id": 2,
        "stored_at": NOW,
        "size": 7,
        "size_bytes": 7,
        "digest": digest_text(digest_of(b"content")),
    }


def test_begin_refuses_what_no_file_can_hold(services: ServiceFixture) -> None:
    with pytest.raises(TooLargeError):
        services.begin(MAX, "a", FILE_BYTES + 1)


def test_begin_refuses_a_disabled_author_and_an_ended_key(services: ServiceFixture) -> None:
    services.change_user(MAX, state=UserState.DISABLED)
    services.end_key(MIA)
    for who in (MAX, MIA):
        with pytest.raises(LoginRefusedError):
            services.begin(who, "a", 1)


def test_a_replace_of_ones_own_and_by_an_admin_begins(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    for who in (MAX, ADA):
        assert services.begin(who, "a", 4, version=2).size == 4


def test_begin_makes_no_folder(services: ServiceFixture) -> None:
    services.begin(MAX, "new/a", 4)
    assert services.act(folders.make_folder, folders.MakeFolderInput(MAX.caller, "new"))


def test_a_replace_names_the_content_that_it_replaces(services: ServiceFixture) -> None:
    services.put(MAX, "a")
    with pytest.raises(ChangedSinceError):
        services.put(MAX, "a", b"other", version=2, prev=digest_of(b"what max never saw"))
    assert services.get(MAX, "a") == b"content"
