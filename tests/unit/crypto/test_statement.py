"""The text of a statement, its comment and its signature."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sft.crypto import signatures
from sft.crypto.comment import MOST, NO_HEAD, FileComment
from sft.crypto.digests import blake2b_512
from sft.crypto.keys import SigningKey
from sft.crypto.signatures import (
    FileSignature,
    sign_file,
    sign_statement,
    verify_file,
    verify_statement,
    verify_statement_comment,
)
from sft.crypto.statement import (
    ACTS,
    JOIN,
    NAME_FIELD,
    NUMBER_FIELD,
    TEXT_CHARACTERS,
    ActStatement,
    ReceivedVersion,
    StatementComment,
)
from sft.errors import SignatureInvalidError
from sft.limits import COMMENT_BYTES, RECEIVED_AT_ONCE

NUMBERS = st.integers(0, MOST)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=250)
VERSION = st.builds(ReceivedVersion, st.binary(min_size=16, max_size=16), NUMBERS, st.binary(min_size=64, max_size=64))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "key": st.binary(min_size=42, max_size=42),
    "recursive": st.booleans(),
    "file": st.binary(min_size=16, max_size=16) | st.just(b""),
    "versions": st.lists(VERSION, min_size=1, max_size=3).map(tuple),
}
POINT = st.binary(min_size=32, max_size=32)
INVITATION: dict[str, st.SearchStrategy[Any]] = {JOIN: POINT | st.just(b""), "invite": POINT, "withdraw": NUMBERS}


@st.composite
def statements(draw: st.DrawFn, act: str = "") -> ActStatement:
    act = act or draw(st.sampled_from(sorted(ACTS)))
    comment = StatementComment(
        act=act,
        server_id=draw(st.binary(min_size=32, max_size=32)),
        user=0 if act == JOIN else draw(st.integers(1, MOST)),
        ts=draw(NUMBERS),
        nonce=draw(st.binary(min_size=8, max_size=8)),
        head=draw(st.builds("{}.{}:{}".format, NUMBERS, NUMBERS, POINT.map(bytes.hex)) | st.just(NO_HEAD)),
    )
    strategies = VALUES | {"invitation": INVITATION.get(act, POINT)}
    others = {name: NUMBERS if kind is NUMBER_FIELD else NAMES for name, kind in ACTS[act].items()}
    return ActStatement(comment, {name: draw(strategies.get(name, other)) for name, other in others.items()})


def moved(**changes: Any) -> ActStatement:
    comment = StatementComment(
        act="move", server_id=bytes(range(32)), user=7, ts=1_700_000_001, nonce=bytes(8), head="1.42:" + "ab" * 32
    )
    fields = {"file": bytes(range(16)), "version": 2, "old": "a b", "new": "März", **changes}
    return ActStatement(comment, fields)


@given(statements())
def test_every_statement_reads_back(statement: ActStatement) -> None:
    text = statement.text()
    assert ActStatement.parse(text) == statement
    assert re.fullmatch(r"[!-~\n ]+", text)
    assert StatementComment.parse(statement.comment.encode()) == statement.comment
    assert re.fullmatch(r"[!-~\t]{1,4096}", statement.comment.encode())


@pytest.mark.parametrize("act", ACTS)
@given(data=st.data())
@pytest.mark.sampled(3)
def test_a_changed_character_is_refused_or_another_statement(act: str, data: st.DataObject) -> None:
    statement = data.draw(statements(act))
    text = statement.text()
    place = data.draw(st.integers(0, len(text) - 1))
    spoiled = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        read = ActStatement.parse(spoiled)
    except SignatureInvalidError:
        return
    assert read.text() == spoiled
    assert (read == statement) == (spoiled == text)


def test_the_text_and_the_comment() -> None:
    head = [
        "act:move",
        "server:" + bytes(range(32)).hex(),
        "user:7",
        "ts:1700000001",
        "nonce:" + "00" * 8,
        "head:1.42:" + "ab" * 32,
    ]
    fields = ["file:" + bytes(range(16)).hex(), "version:2", "old:a%20b", "new:M%C3%A4rz"]
    assert moved().text().split("\n") == ["sft statement 1", *head, *fields, ""]
    assert moved().comment.encode().split("\t") == ["sft:1", *head]


def test_every_line_is_there_once_and_in_its_order() -> None:
    lines = moved().text().split("\n")
    for place in range(len(lines)):
        spoiled = [lines[:place] + lines[place + 1 :], lines[: place + 1] + lines[place:], [*lines, lines[place]]]
        if place:
            swapped = list(lines)
            swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
            spoiled.append(swapped)
        for wrong in spoiled:
            with pytest.raises(SignatureInvalidError):
                ActStatement.parse("\n".join(wrong))


@pytest.mark.parametrize(
    "right,wrong",
    [
        ("sft statement 1\n", "sft statement 2\n"),
        ("act:move\n", "act:copy\n"),
        ("act:move\n", "act:delete\n"),
        ("\nuser:7", "\nuser:0"),
        ("\nuser:7", "\nuser:07"),
        ("\nversion:2", "\nversion:02"),
        ("\nversion:2", "\nversion:-2"),
        ("\nversion:2", "\nversion:"),
        ("\nversion:2", "\nversion:9223372036854775808"),
        ("\nversion:2", "\nversion: 2"),
        ("\nfile:00", "\nfile:"),
        ("\nfile:000102030405060708090a0b", "\nfile:000102030405060708090A0B"),
        ("\nold:a%20b", "\nold:a b"),
        ("\nold:a%20b", "\nold:%61%20b"),
        ("\nnew:M%C3%A4rz", "\nnew:M%c3%a4rz"),
        ("\nnew:M%C3%A4rz", "\nnew:M%C3rz"),
        ("\nnew:M%C3%A4rz", "\nnew:März"),
        ("\nhead:1.42:", "\nhead:01.42:"),
        ("nonce:00", "nonce:"),
    ],
)
def test_a_second_encoding_is_refused(right: str, wrong: str) -> None:
    text = moved().text()
    assert right in text
    with pytest.raises(SignatureInvalidError):
        ActStatement.parse(text.replace(right, wrong, 1))


@pytest.mark.parametrize(
    "wrong", [{"file": bytes(15)}, {"version": -1}, {"version": 1 << 63}, {"old": "x" * 1025}, {"new": "\ud800"}]
)
def test_values_without_an_encoding_are_a_bug(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        moved(**wrong).text()


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "copy"},
        {"act": JOIN},
        {"server_id": bytes(31)},
        {"user": 0},
        {"user": 1 << 63},
        {"ts": -1},
        {"nonce": bytes(7)},
        {"head": "1.2:"},
    ],
)
def test_a_head_without_an_encoding_is_a_bug(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(moved().comment, **wrong)


def test_the_fields_are_those_of_the_act() -> None:
    with pytest.raises(ValueError, match="fields of move"):
        moved(path="a")
    with pytest.raises(ValueError, match="fields of restore"):
        ActStatement(replace(moved().comment, act="restore"), moved().fields)


def test_the_longest_fit() -> None:
    version = ReceivedVersion(bytes(16), MOST, bytes(64))
    comment = replace(moved().comment, act="received", user=MOST, ts=MOST, head=f"{MOST}.{MOST}:" + "ab" * 32)
    longest = ActStatement(comment, {"versions": (version,) * RECEIVED_AT_ONCE})
    assert len(longest.text()) < TEXT_CHARACTERS
    assert ActStatement.parse(longest.text()) == longest
    assert len(comment.encode()) < COMMENT_BYTES
    for count in (0, RECEIVED_AT_ONCE + 1):
        with pytest.raises(ValueError, match="received at once"):
            ActStatement(comment, {"versions": (version,) * count}).text()


# -- signed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.sampled(3)
def test_a_signature_holds_for_one_statement(act: str, key: SigningKey) -> None:
    @given(statements(act), statements())
    def holds(statement: ActStatement, other: ActStatement) -> None:
        signature = FileSignature.parse(sign_statement(key, statement).encode())
        verify_statement(key.public, statement, signature)
        if other != statement:
            with pytest.raises(SignatureInvalidError):
                verify_statement(key.public, other, signature)

    holds()


def test_every_field_is_signed(key: SigningKey) -> None:
    signature = sign_statement(key, moved())
    for name, value in (("file", bytes(16)), ("version", 3), ("old", "a"), ("new", "b")):
        with pytest.raises(SignatureInvalidError, match="something else"):
            verify_statement(key.public, moved(**{name: value}), signature)
    for name, said in (("server_id", bytes(32)), ("user", 8), ("ts", 1), ("nonce", b"12345678"), ("head", NO_HEAD)):
        other = ActStatement(replace(moved().comment, **{name: said}), moved().fields)
        with pytest.raises(SignatureInvalidError):
            verify_statement(key.public, other, signature)
        # Nor with a comment that fits, taken from a statement that says less.
        joined = replace(signature, comment=other.comment.encode())
        with pytest.raises(SignatureInvalidError):
            verify_statement(key.public, other, joined)


def test_another_key_is_refused(key: SigningKey) -> None:
    other = SigningKey.from_seed(bytes(32), key.public.key_id)
    with pytest.raises(SignatureInvalidError):
        verify_statement(other.public, moved(), sign_statement(key, moved()))


def test_no_half_of_a_signature_will_do(key: SigningKey) -> None:
    good, other = sign_statement(key, moved()), sign_statement(key, moved(new="b"))
    for spoiled in (
        replace(good, signature=other.signature),
        replace(good, global_signature=other.global_signature),
        replace(good, signature=other.signature, global_signature=other.global_signature),
    ):
        with pytest.raises(SignatureInvalidError):
            verify_statement(key.public, moved(), spoiled)


def test_a_comment_alone_is_held_where_the_text_is_gone(key: SigningKey) -> None:
    good, other = sign_statement(key, moved()), sign_statement(key, moved(new="b"))
    assert verify_statement_comment(key.public, good) == moved().comment
    another = replace(moved().comment, user=77).encode()
    for spoiled in (replace(good, comment=another), replace(good, signature=other.signature)):
        with pytest.raises(SignatureInvalidError):
            verify_statement_comment(key.public, spoiled)
    with pytest.raises(SignatureInvalidError):
        verify_statement_comment(SigningKey.from_seed(bytes(32), key.public.key_id).public, good)


def test_a_file_is_no_statement_by_its_comment_alone(key: SigningKey, comment: FileComment) -> None:
    with pytest.raises(SignatureInvalidError):
        verify_statement_comment(key.public, sign_file(key, comment))


def test_a_statement_is_no_file_and_a_file_is_no_statement(key: SigningKey, comment: FileComment) -> None:
    """Also where the file holds the very text of the statement: then both have one signature over one digest."""
    text = moved().text().encode()
    digest = blake2b_512(text).digest()
    said = sign_statement(key, moved())
    filed = sign_file(key, replace(comment, digest=digest, size=len(text)))
    assert said.signature == filed.signature
    with pytest.raises(SignatureInvalidError):
        verify_file(key.public, digest, said)
    with pytest.raises(SignatureInvalidError):
        signatures.verify_comment(key.public, digest, said)
    with pytest.raises(SignatureInvalidError):
        verify_statement(key.public, moved(), filed)
    for mixed in (replace(filed, comment=said.comment), replace(said, comment=filed.comment)):
        with pytest.raises(SignatureInvalidError):
            verify_statement(key.public, moved(), mixed)
        with pytest.raises(SignatureInvalidError):
            verify_file(key.public, digest, mixed)
    with pytest.raises(SignatureInvalidError):
        FileComment.parse(said.comment)
    with pytest.raises(SignatureInvalidError):
        StatementComment.parse(filed.comment)


def test_stock_minisign_accepts_a_statement(
    key: SigningKey, minisign: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    signature = sign_statement(key, moved())
    tmp_path.joinpath("user.pub").write_text(key.public.pub_file())
    tmp_path.joinpath("statement.txt").write_text(moved().text())
    tmp_path.joinpath("statement.minisig").write_bytes(signature.encode())
    check = ("-V", "-H", "-p", "user.pub", "-m", "statement.txt", "-x", "statement.minisig")
    done = minisign(*check)
    assert done.returncode == 0, done
    assert f"Trusted comment: {moved().comment.encode()}\n" in done.stdout
    tmp_path.joinpath("statement.txt").write_text(moved(new="b").text())
    assert minisign(*check).returncode != 0


def test_names_may_be_left_open() -> None:
    assert NAME_FIELD.read(NAME_FIELD.write("")) == ""
