from __future__ import annotations

import json

import pytest

from sft.model.access import Role
from sft.model.records import FileReader, ReaderPage, UserState
from sft.wire.messages import FileShown, ListReaders, ReadersListed, ShowFile
from tests.unit.cli.cli_fixture import KEY, pin_of_ada, signed_file


@pytest.fixture
def shown(cli):
    cli.people = {1: pin_of_ada()}
    cli.answers[ShowFile] = lambda request: FileShown(request.id, signed_file(path=request.path, size=911_360))
    cli.answers[ListReaders] = lambda request: ReadersListed(request.id, ReaderPage(()))
    return cli


def test_the_details_in_the_documented_words(shown):
    ran = shown.run("info", "/finance/2026/contract.pdf", terminal=True)
    assert ran.status == 0
    assert ran.lines[:7] == [
        "contract.pdf",
        "/finance/2026",
        "890 KiB · v1 · dated 28 Apr 17:40",
        "from ada · stored 2 May 09:11",
        "",
        "SIGNATURE",
        "· Signed by ada. Its content has not been checked on this computer.",
    ]
    assert ran.lines[7:9] == [KEY.public.words(), KEY.public.text()]
    assert ran.lines[9] == "key known since 12 Jan"
    assert ran.lines[10].startswith("blake2b512:")


def test_a_move_and_another_owner_are_told(shown):
    file = signed_file("now/here.pdf", signed_name="old-plan.pdf", owner="eva")
    shown.answers[ShowFile] = lambda request: FileShown(request.id, file)
    ran = shown.run("info", "now/here.pdf")
    assert "signed as old-plan.pdf, moved here by max" in ran.lines
    assert "belongs to eva" in ran.lines


def test_a_key_that_was_never_seen_is_told_with_the_status_of_a_refusal(shown):
    shown.people = {}
    ran = shown.run("info", "contract.pdf")
    assert ran.status == 7
    assert "? contract.pdf is signed by a key that acme-files never registered for ada." in ran.lines


def test_json(shown):
    document = json.loads(shown.run("info", "contract.pdf", "--json").out)
    assert document["path"] == "contract.pdf"
    assert document["key_words"] == KEY.public.words()
    assert document["minisign_key"] == KEY.public.text()
    assert document["key_first_seen_at"] == "2026-01-12T00:00:00Z"
    assert document["signature"] == "signed"


READERS = (
    FileReader(2, "max", UserState.ACTIVE),
    FileReader(3, "gus", UserState.ACTIVE, 1, 18_200, 18_204),
    FileReader(4, "eva", UserState.REMOVED, 2, 18_231),
    FileReader(5, "ivo", UserState.ACTIVE),
)


def reading(shown, readers):
    """Answer page by page."""

    def page(request):
        rest = [each for each in readers if each.user_id > request.after]
        return ReadersListed(request.id, ReaderPage(tuple(rest[:3]), rest[2].user_id if len(rest) > 3 else 0))

    shown.answers[ListReaders] = page


def test_an_admin_sees_who_has_it_and_who_has_not(shown):
    reading(shown, READERS)
    lines = shown.run("info", "contract.pdf").lines
    at = lines.index("READ BY")
    assert [line.split() for line in lines[at + 1 : at + 3]] == [
        ["18,204", "gus", "v1", "verified", "by", "gus"],
        ["18,231", "eva", "v2", "sent,", "no", "receipt"],
    ]
    assert lines[at + 3 :] == ["not yet: max, ivo (2)", "The operator's own reading of the disk leaves no trace here."]


def test_of_many_the_first_are_named(shown):
    have = [FileReader(n, f"r{n}", UserState.ACTIVE, 1, n, n) for n in range(1, 1001)]
    have_not = [FileReader(n, f"u{n}", UserState.ACTIVE) for n in range(1001, 2001)]
    reading(shown, have + have_not)
    lines = shown.run("info", "contract.pdf").lines
    assert "and 980 more; --json names all" in lines
    assert "not yet: u1001, u1002, u1003, u1004, u1005, … (1,000)" in lines


def test_readers_in_json(shown):
    reading(shown, READERS)
    document = json.loads(shown.run("info", "contract.pdf", "--json").out)
    assert [(each["user"], each["version"], each["grade"]) for each in document["readers"]] == [
        ("max", None, None), ("gus", 1, "verified"), ("eva", 2, "sent"), ("ivo", None, None),
    ]  # fmt: skip


def test_whoever_may_not_see_it_is_not_even_asked(shown):
    shown.role = Role.GUEST
    file = signed_file(owner="eva")
    shown.answers[ShowFile] = lambda request: FileShown(request.id, file)
    ran = shown.run("info", "contract.pdf")
    assert "READ BY" not in ran.lines
    assert not any(isinstance(request, ListReaders) for session in shown.sessions for request in session.asked)


def test_a_list_that_begins_again_is_no_list(shown):
    page = ReaderPage(READERS[:2], 3)
    shown.answers[ListReaders] = lambda request: ReadersListed(request.id, page)
    assert shown.run("info", "contract.pdf").status == 6
