"""Links: what is written is read back, and nothing else is."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import LinkIncompleteError, UsageError
from sft.model import links
from sft.model.access import Role
from sft.model.links import (
    InvitationLink,
    LinkHead,
    ServerLink,
    format_address,
    is_loopback,
    parse_address,
    parse_invitation,
    parse_link,
    parse_server_link,
)

KEY = bytes(range(32))
ID = bytes(range(200, 232))
SEED = bytes(range(100, 132))
INVITATION = InvitationLink(
    host="files.acme.org",
    port=7361,
    server_key=KEY,
    server_name="acme-files",
    seed=SEED,
    role=Role.GUEST,
    expires_at=1_777_903_200,
    user_name="ivo",
    server_id=ID,
)
SERVER = ServerLink("files.acme.org", 7361, KEY, "acme-files", server_id=ID)
WRITTEN = (
    "sft://files.acme.org:7361/i#AcjJysvMzc7P0NHS09TV1tfY2drb3N3e3-Dh4uPk5ebnAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9kZWZnaGlq"
    "a2xtbm9wcXJzdHV2d3h5ent8fX5_gIGCgwAAAAAAafimYAAKYWNtZS1maWxlcwNpdm8"
)


def test_a_link_is_written_as_the_module_says() -> None:
    text = INVITATION.text()
    assert text[:-4] == WRITTEN
    assert parse_link(text) == INVITATION
    assert SERVER.text().startswith("sft://files.acme.org:7361/s#AcjJysvMzc7P")
    assert parse_link(SERVER.text()) == SERVER


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("user_name", [None, "ivo", "Zoë", "x" * 64])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "fe80::1%eth0", "a.b-c.example"])
def test_every_invitation_reads_back(role: Role, user_name: str | None, host: str) -> None:
    link = replace(INVITATION, role=role, user_name=user_name, host=host)
    assert parse_invitation(link.text()) == link


def test_an_ipv6_address_stands_in_brackets() -> None:
    link = replace(SERVER, host="2001:db8::7")
    assert link.address == "[2001:db8::7]:7361"
    assert link.text().startswith("sft://[2001:db8::7]:7361/s#")
    assert parse_server_link(link.text()) == link


@pytest.mark.parametrize(
    "paste",
    [
        lambda text: f"  {text}\n",
        lambda text: "\r\n".join(text[i : i + 30] for i in range(0, len(text), 30)),
        lambda text: "\n".join(f"│ {text[i : i + 40]:40} │" for i in range(0, len(text), 40)),
        lambda text: f"┃{text}┃",
        lambda text: "\n> ".join(text[i : i + 60] for i in range(0, len(text), 60)),
        lambda text: f"<{text}>",
        lambda text: f"\ufeff{text}\u200b",
        lambda text: f"| {text} |",
    ],
)
def test_what_terminals_and_mail_put_around_a_link_is_dropped(paste: object) -> None:
    assert callable(paste)
    assert parse_invitation(paste(INVITATION.text())) == INVITATION


def test_every_cut_is_told() -> None:
    text = INVITATION.text()
    for length in range(len(text)):
        with pytest.raises(LinkIncompleteError):
            parse_link(text[:length])


def test_a_whole_link_is_found_at_the_beginning_of_a_text_whatever_follows() -> None:
    for each in (INVITATION.text(), SERVER.text()):
        for behind in ("", "abc", " and a word", "_-" * 200):
            assert links.checked_beginnings(each + behind) == [each]
        assert links.checked_beginnings(each[:-1]) == []
    assert links.checked_beginnings("sft://host:1/i#") == links.checked_beginnings("nothing") == []


def test_every_mistyped_character_after_the_hash_is_told() -> None:
    text = INVITATION.text()
    for index in range(text.index("#") + 1, len(text)):
        wrong = "A" if text[index] != "A" else "B"
        with pytest.raises(LinkIncompleteError):
            parse_link(text[:index] + wrong + text[index + 1 :])


def test_a_link_of_one_kind_is_none_of_the_other() -> None:
    # The check characters cover the kind, so that neither passes for the other by one letter.
    with pytest.raises(LinkIncompleteError, match="check characters"):
        parse_link(INVITATION.text().replace("/i#", "/s#"))
    with pytest.raises(UsageError) as caught:
        parse_invitation(SERVER.text())
    assert "server link" in str(caught.value.values["problem"])
    with pytest.raises(UsageError) as caught:
        parse_server_link(INVITATION.text())
    assert "invitation" in str(caught.value.values["problem"])


def test_the_address_may_be_mended() -> None:
    text = INVITATION.text().replace("files.acme.org:7361", "10.0.0.7:9000")
    assert parse_link(text) == replace(INVITATION, host="10.0.0.7", port=9000)


@pytest.mark.parametrize(
    "address",
    [
        "acme",
        "acme:",
        "acme:0",
        "acme:65536",
        "[::1]",
        "-a:1",
        "127.0..1:1",
        "a-.example:1",
        "xn--.example:1",
        f"{'a' * 64}.example:1",
        f"{'a.' * 126}aa:1",
        "example.:1",
    ],
)
def test_a_link_with_a_bad_address_says_so(address: str) -> None:
    text = INVITATION.text().replace("files.acme.org:7361", address)
    with pytest.raises(UsageError) as caught:
        parse_link(text)
    assert "is no address" in str(caught.value.values["problem"])


def _with_body(body: bytes, kind: str = "i") -> str:
    return links._written("acme:1", kind, body)


START = b"\x01" + ID + KEY + SEED  # up to the role
SOME_HEAD = b"\x01" + bytes([0, 0, 0, 1]) + bytes([0, 0, 0, 0, 0, 0, 0, 9]) + KEY


@pytest.mark.parametrize(
    "body",
    [
        START + b"\x03" + bytes(9) + b"\x01a",  # no such role
        START + b"\x00" + b"\xff" * 8 + b"\x00\x01a",  # no such time
        START + b"\x00" + bytes(9) + b"\x02a",  # a name is cut
        START + b"\x00" + bytes(9) + b"\x01a\x01b\x00",  # something after the end
        START + b"\x00" + bytes(9) + b"\x01\xff",  # not UTF-8
        START + b"\x00" + bytes(9) + b"\x01/",  # no name for a server
        START + b"\x00" + bytes(9) + b"\x03con",
        START + b"\x00" + bytes(9) + b"\x00",
        START + b"\x00" + bytes(9) + b"\x01a\x01 ",  # no name for a person
        START + b"\x00" + bytes(8) + SOME_HEAD[:-1],  # a head is cut
        START + b"\x00" + bytes(8) + b"\x02" + SOME_HEAD[1:] + b"\x01a",  # a head of another form
        START + b"\x00" + bytes(8) + b"\x01" + bytes(44) + b"\x01a",  # a head of no epoch
        START[:-1],
        b"\x01",
    ],
)
def test_a_link_that_was_made_wrongly_is_refused(body: bytes) -> None:
    with pytest.raises(LinkIncompleteError):
        parse_link(_with_body(body))


def test_the_link_beside_those_is_good() -> None:
    for head in (b"\x00", SOME_HEAD):
        assert parse_link(_with_body(START + b"\x00" + bytes(8) + head + b"\x01a\x01b")).server_name == "a"


def test_an_invitation_carries_the_head_that_its_maker_has_seen() -> None:
    head = LinkHead(epoch=2, size=70_000, root=SEED)
    link = replace(INVITATION, head=head)
    assert parse_invitation(link.text()) == link
    assert head.text == f"2.70000:{SEED.hex()}"
    assert len(link.text()) - len(INVITATION.text()) <= 60


@pytest.mark.parametrize("changes", [{"epoch": 0}, {"size": 0}, {"size": 1 << 62}, {"epoch": 1 << 32}, {"root": b""}])
def test_what_is_no_head_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an epoch, a size and a root"):
        LinkHead(**({"epoch": 1, "size": 1, "root": KEY} | changes))


def test_a_link_of_a_newer_version_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        parse_link(_with_body(b"\x02" + KEY))
    assert "version 2" in str(caught.value.values["problem"])


def test_there_is_one_way_to_write_a_link() -> None:
    body = b"\x01" + KEY + b"\x01a"
    payload = urlsafe_b64encode(body).rstrip(b"=").decode()
    assert len(body) % 3 == 2  # so the last character has unused bits
    other = payload[:-1] + chr(ord(payload[-1]) + 1)
    with pytest.raises(LinkIncompleteError):
        parse_link(f"sft://acme:1/s#{other}{links._check('s', other)}")


def test_no_seed_is_in_a_repr() -> None:
    shown = repr(INVITATION)
    assert "seed" not in shown
    assert repr(SEED)[2:-1] not in shown
    assert SEED.hex() not in shown


def test_the_names_of_a_link_are_checked_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        replace(INVITATION, seed=b"short").text()
    with pytest.raises(ValueError, match="32 bytes"):
        replace(SERVER, server_key=b"").text()


@given(st.text(max_size=200))
def test_any_text_is_a_link_or_is_refused(text: str) -> None:
    for candidate in (text, f"sft://{text}", f"sft://a:1/i#{text}"):
        with pytest.raises((LinkIncompleteError, UsageError)):
            parse_link(candidate)


def test_a_paste_of_a_whole_file_is_refused_at_once() -> None:
    with pytest.raises(LinkIncompleteError):
        parse_link("sft://" + "a" * 10_000_000)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:7361", ("localhost", 7361)),
        (" files.acme.org:1 ", ("files.acme.org", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:7361", ("::1", 7361)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address
    assert format_address(*address) == text.strip()


@pytest.mark.parametrize(
    "text", ["", ":", ":1", "a:", "a:x", "a:-1", "a:1_0", "a:٣", "::1:7361", "[x]:1", "[]:1", "a/b:1"]
)
def test_texts_that_are_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


def test_a_link_to_the_readers_own_machine_is_known() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "a.Localhost"))
    assert not any(is_loopback(host) for host in ("files.example.org", "10.0.0.1", "localhost.org"))
