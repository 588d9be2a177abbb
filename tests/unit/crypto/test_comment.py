import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sft.crypto.comment import MOST, NO_HEAD, FileComment, decode_name, encode_name
from sft.errors import SignatureInvalidError

SIZES = st.integers(0, MOST)
COUNTS = st.integers(1, MOST)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=250)
HEADS = st.builds("{}.{}:{}".format, SIZES, SIZES, st.binary(min_size=32, max_size=32).map(bytes.hex))


@st.composite
def comments(draw: st.DrawFn) -> FileComment:
    version = draw(COUNTS)
    return FileComment(
        server_id=draw(st.binary(min_size=32, max_size=32)),
        file_id=draw(st.binary(min_size=16, max_size=16)),
        version=version,
        size=draw(SIZES),
        digest=draw(st.binary(min_size=64, max_size=64)),
        mtime=draw(st.integers(-MOST, MOST)),
        name=draw(NAMES),
        user=draw(COUNTS),
        prev=None if version == 1 else draw(st.binary(min_size=64, max_size=64)),
        ts=draw(SIZES),
        executable=draw(st.booleans()),
        head=draw(HEADS),
    )


@given(comments())
def test_every_comment_reads_back(comment: FileComment) -> None:
    text = comment.encode()
    assert FileComment.parse(text) == comment
    assert re.fullmatch(r"[!-~\t]{1,4096}", text)


@given(comments(), st.data())
def test_a_changed_character_is_refused_or_another_comment(comment: FileComment, data: st.DataObject) -> None:
    text = comment.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    spoiled = text[:place] + data.draw(st.characters()) + text[place + 1 :]
    try:
        read = FileComment.parse(spoiled)
    except SignatureInvalidError:
        return
    assert read.encode() == spoiled
    assert (read == comment) == (spoiled == text)


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(SignatureInvalidError):
        FileComment.parse(text)


def test_the_encoding(comment: FileComment) -> None:
    assert comment.encode().split("\t") == [
        "sft:1",
        "server:" + bytes(range(32)).hex(),
        "file:" + bytes(range(16)).hex(),
        "version:2",
        "size:7",
        "digest:" + hashlib.blake2b(b"content").hexdigest(),
        "mtime:1700000000",
        "exec:0",
        "name:reports/M%C3%A4rz%202026.pdf",
        "user:7",
        "prev:" + hashlib.blake2b(b"before").hexdigest(),
        "ts:1700000001",
        "head:1.42:" + "ab" * 32,
    ]


def test_that_its_owner_may_run_a_file_is_said(comment: FileComment) -> None:
    program = replace(comment, executable=True)
    assert "\texec:1\t" in program.encode()
    assert FileComment.parse(program.encode()).executable
    assert not FileComment.parse(comment.encode()).executable


def test_the_first_version_has_prev_zero(comment: FileComment) -> None:
    first = replace(comment, version=1, prev=None)
    assert "\tprev:0\t" in first.encode()
    assert FileComment.parse(first.encode()).prev is None


def test_no_head_is_the_empty_tree(comment: FileComment) -> None:
    assert NO_HEAD == "0.0:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert FileComment.parse(replace(comment, head=NO_HEAD).encode()).head == NO_HEAD


def test_every_field_is_there_once_and_in_its_order(comment: FileComment) -> None:
    fields = comment.encode().split("\t")
    for place in range(len(fields)):
        spoiled = [fields[:place] + fields[place + 1 :], fields[: place + 1] + fields[place:], [*fields, fields[place]]]
        if place:
            swapped = list(fields)
            swapped[place - 1], swapped[place] = swapped[place], swapped[place - 1]
            spoiled.append(swapped)
        for wrong in spoiled:
            with pytest.raises(SignatureInvalidError):
                FileComment.parse("\t".join(wrong))


@pytest.mark.parametrize(
    "right,wrong",
    [
        ("sft:1\t", "sft:2\t"),
        ("sft:1\t", " sft:1\t"),
        ("sft:1\t", "SFT:1\t"),
        ("\tversion:2\t", "\tversion:02\t"),
        ("\tversion:2\t", "\tversion:+2\t"),
        ("\tversion:2\t", "\tversion:-2\t"),
        ("\tversion:2\t", "\tversion:0\t"),
        ("\tversion:2\t", "\tversion:1\t"),
        ("\tversion:2\t", "\tversion:2 \t"),
        ("\tversion:2\t", "\tversion:\t"),
        ("\tversion:2\t", "\tversion:2.0\t"),
        ("\tversion:2\t", "\tversion:\N{ARABIC-INDIC DIGIT TWO}\t"),
        ("\tversion:2\t", "\tversion:9223372036854775808\t"),
        ("\tversion:2\t", " version:2\t"),
        ("\tversion:2\t", "\t\tversion:2\t"),
        ("\tversion:2\t", "\nversion:2\t"),
        ("\tsize:7\t", "\tsize:7_0\t"),
        ("\tsize:7\t", "\tsize:-0\t"),
        ("\tsize:7\t", "\tsize:9223372036854775808\t"),
        ("\tmtime:1700000000\t", "\tmtime:-0\t"),
        ("\tmtime:1700000000\t", "\tmtime:-01\t"),
        ("\tmtime:1700000000\t", "\tmtime:+1\t"),
        ("\tmtime:1700000000\t", "\tmtime:--1\t"),
        ("\tmtime:1700000000\t", "\tmtime:9223372036854775808\t"),
        ("\tmtime:1700000000\t", "\tmtime:-9223372036854775808\t"),
        ("\texec:0\t", "\texec:2\t"),
        ("\texec:0\t", "\texec:00\t"),
        ("\texec:0\t", "\texec:\t"),
        ("\texec:0\t", "\texec:x\t"),
        ("M%C3%A4rz", "M%c3%a4rz"),
        ("M%C3%A4rz", "M%C3rz"),
        ("M%C3%A4rz", "M%C3%rz"),
        ("M%C3%A4rz", "März"),
        ("M%C3%A4rz", "%4D%C3%A4rz"),
        ("%202026", " 2026"),
        ("%202026", "+2026%ED%A0%80"),
        ("\tname:reports/", "\tname:\x1b[31m"),
        ("\tuser:7\t", "\tuser:0\t"),
        ("\tuser:7\t", "\tuser:9223372036854775808\t"),
        ("\tprev:", "\tprev:0"),
        ("\tts:1700000001\t", "\tts:-1\t"),
        ("\tts:1700000001\t", "\tts:9223372036854775808\t"),
        ("\thead:1.42:", "\thead:01.42:"),
        ("\thead:1.42:", "\thead:1.042:"),
        ("\thead:1.42:", "\thead:1:"),
        ("\thead:1.42:", "\thead:1.9223372036854775808:"),
        ("\thead:1.42:ab", "\thead:1.42:AB"),
        ("\thead:1.42:ab", "\thead:1.42:"),
    ],
)
def test_a_second_encoding_is_refused(comment: FileComment, right: str, wrong: str) -> None:
    text = comment.encode()
    assert right in text
    with pytest.raises(SignatureInvalidError):
        FileComment.parse(text.replace(right, wrong, 1))


@pytest.mark.parametrize("end", ["\n", "\t", " ", "\0", "\ttail:1"])
def test_nothing_follows_the_last_field(comment: FileComment, end: str) -> None:
    with pytest.raises(SignatureInvalidError):
        FileComment.parse(comment.encode() + end)


def test_upper_case_digits_are_refused(comment: FileComment) -> None:
    text = comment.encode()
    for field in ("server", "file", "prev"):
        found = re.search(rf"\t{field}:([0-9a-f]+)\t", text)
        assert found is not None
        with pytest.raises(SignatureInvalidError):
            FileComment.parse(text.replace(found[1], found[1].upper(), 1))


def test_the_longest_comment_fits(comment: FileComment) -> None:
    longest = replace(
        comment,
        name="ä" * 512,
        version=MOST,
        size=MOST,
        mtime=-MOST,
        user=MOST,
        ts=MOST,
        head=f"{MOST}.{MOST}:" + "ab" * 32,
    )
    assert len(longest.encode()) <= 4096
    assert FileComment.parse(longest.encode()) == longest


def test_a_name_over_the_limit_is_refused(comment: FileComment) -> None:
    text = replace(comment, name="n" * 1024).encode()
    with pytest.raises(SignatureInvalidError):
        FileComment.parse(text.replace("n" * 1024, "n" * 1025))


@pytest.mark.parametrize(
    "wrong",
    [
        {"server_id": bytes(31)},
        {"file_id": bytes(17)},
        {"version": 0},
        {"version": -1},
        {"version": 1},
        {"version": 1 << 63},
        {"size": -1},
        {"size": 1 << 63},
        {"mtime": 1 << 63},
        {"mtime": -(1 << 63)},
        {"name": ""},
        {"name": "x" * 1025},
        {"name": "\ud800"},
        {"user": 0},
        {"user": 1 << 63},
        {"prev": None},
        {"prev": bytes(63)},
        {"ts": -1},
        {"ts": 1 << 63},
        {"head": ""},
        {"head": "1.2:"},
        {"head": "1.2:" + "AB" * 32},
        {"head": "1.2:" + "ab" * 32 + "\tx:1"},
        {"head": "1.9223372036854775808:" + "ab" * 32},
    ],
)
def test_values_without_an_encoding_are_a_bug(comment: FileComment, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(comment, **wrong)


def test_names_are_percent_encoded() -> None:
    printable = "".join(map(chr, range(0x21, 0x7F)))
    assert encode_name(printable) == printable.replace("%", "%25")
    assert encode_name(" \t\n\x7f\0é") == "%20%09%0A%7F%00%C3%A9"


@given(NAMES)
def test_every_name_reads_back(name: str) -> None:
    assert decode_name(encode_name(name)) == name


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        decode_name("%FF")
