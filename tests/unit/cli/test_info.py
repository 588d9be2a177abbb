from __future__ import annotations

import json

import pytest

from sft.wire.messages import FileShown, ShowFile
from tests.unit.cli.cli_fixture import KEY, pin_of_ada, signed_file


@pytest.fixture
def shown(cli):
    cli.people = {1: pin_of_ada()}
    cli.answers[ShowFile] = lambda request: FileShown(request.id, signed_file(path=request.path, size=911_360))
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
    assert ran.lines[9] == "key first seen 12 Jan"
    assert ran.lines[10].startswith("blake2b512:")


def test_a_move_and_another_owner_are_told(shown):
    file = signed_file("now/here.pdf", signed_name="old-plan.pdf", owner="eva")
    shown.answers[ShowFile] = lambda request: FileShown(request.id, file)
    ran = shown.run("info", "now/here.pdf")
    assert "signed as old-plan.pdf, moved since" in ran.lines
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
