from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from sft.errors import LocalProtocolError, RemoteProtocolError
from sft.limits import SMALL_FILE_BYTES
from sft.wire.messages import (
    ANSWERS,
    CODEC,
    MESSAGE_BYTES,
    Cancel,
    CommitUpload,
    Credit,
    Done,
    FileBegins,
    FileContent,
    FilesContent,
    ListFolder,
    ListInvitations,
    LogHead,
    Move,
    Notice,
    PutFiles,
    Refusal,
    ShowSelf,
    SmallPut,
    encode,
    fits,
)
from sft.wire.replies import Reply
from sft.wire.requests import Message, Request
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, SERVER_MESSAGES, tag_of
from tests.wire_pairs.values import sample, values_of

KINDS = sorted(CLIENT_MESSAGES | SERVER_MESSAGES, key=tag_of)
DECODERS = ((CODEC.from_client, CLIENT_MESSAGES), (CODEC.from_server, SERVER_MESSAGES))


def all_below(kind: type[Message]) -> set[type[Message]]:
    return {kind} | {below for child in kind.__subclasses__() for below in all_below(child)}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.sampled(5)
def test_every_message_comes_out_as_it_went_in(kind):
    @given(values_of(kind))
    def comes_out(message):
        body = encode(message)
        for decode, kinds in DECODERS:
            if kind in kinds:
                assert decode(body) == message

    comes_out()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_only_its_own_side_may_send_a_message(kind):
    body = encode(sample(kind))
    for decode, kinds in DECODERS:
        if kind not in kinds:
            with pytest.raises(RemoteProtocolError):
                decode(body)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_surplus_missing_and_trailing_fields_are_refused(kind):
    fields = msgspec.msgpack.decode(encode(sample(kind)))
    required = 1 + sum(field.required for field in msgspec.structs.fields(kind))
    encoded = msgspec.msgpack.encode
    wrong = [encoded([*fields, 0]), encoded(fields) + b"\xc0", encoded(fields[: required - 1])]
    for decode, kinds in DECODERS:
        if kind in kinds:
            for body in wrong:
                with pytest.raises(RemoteProtocolError):
                    decode(body)


def test_every_message_stands_in_a_union_and_has_a_tag_of_its_own():
    written = {kind for kind in all_below(Message) if kind.__module__.startswith("sft.")} - {Message, Request, Reply}
    assert written == CLIENT_MESSAGES | SERVER_MESSAGES
    assert len({tag_of(kind) for kind in written}) == len(written)
    assert {Credit} == CLIENT_MESSAGES & SERVER_MESSAGES


def test_every_request_has_its_answers_and_every_answer_a_request():
    assert set(ANSWERS) == {kind for kind in CLIENT_MESSAGES if issubclass(kind, Request)}
    answers = {reply for replies in ANSWERS.values() for reply in replies}
    assert answers | {Refusal} == {kind for kind in SERVER_MESSAGES if issubclass(kind, Reply)}
    assert CLIENT_MESSAGES - set(ANSWERS) == {CommitUpload, Cancel, Credit}
    assert SERVER_MESSAGES - answers - {Refusal} == {Credit, LogHead, Notice}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x00",
        b"\x90",
        b"\x91\x00",
        b"\x92\xcc\xff\x01",
        b"\x92\x14\x00",  # ShowSelf with id 0
        b"\x92\x14\xff",  # … -1
        b"\x92\x14\xcf\x00\x00\x00\x01\x00\x00\x00\x00",  # … 2^32
        b"\x92\x14\xc3",  # … true
        b"\x92\x14\xa11",  # … "1"
        b"\x92\xa2ls\x01",  # a tag in words
        b"\x81\xa4type\x14",
        b"\x93\x04\x01\xa2\xff\xfe",  # MakeFolder of what is no UTF-8
        b"\x91" * 5000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        encode(ShowSelf(1)) * 2,
        msgspec.msgpack.encode([1, 1, "a" * 1025]),
        msgspec.msgpack.encode([1, 1, "a", "", 501]),
        msgspec.msgpack.encode([8, 1, "a", b"", bytes(SMALL_FILE_BYTES + 1)]),
        msgspec.msgpack.encode([9, 1, "a", bytes(15), 1, None, 1]),
        msgspec.msgpack.encode([9, 1, "a", bytes(16), 1, None, 33]),
        msgspec.msgpack.encode([9, 1, "a", bytes(16), 1, -1, 8]),
    ],
)
def test_what_is_no_message_is_the_peers_fault(body):
    with pytest.raises(RemoteProtocolError):
        CODEC.from_client(body)
    with pytest.raises(RemoteProtocolError):
        CODEC.from_server(body)


def test_fields_with_a_default_may_be_left_out():
    body = msgspec.msgpack.encode([1, 5, "docs"])
    assert CODEC.from_client(body) == ListFolder(5, "docs")


def test_a_body_that_fits_no_frame_is_our_own_fault():
    def content(length: int) -> PutFiles:
        return PutFiles(1, (SmallPut("a", b"s" * 4608, bytes(length)),))

    spare = MESSAGE_BYTES - len(encode(content(60_000)))
    assert encode(content(60_000 + spare))
    assert fits(content(60_000 + spare))
    assert not fits(content(60_000 + spare + 1))
    with pytest.raises(LocalProtocolError, match="fits no frame"):
        encode(content(60_000 + spare + 1))


def test_a_small_file_with_ordinary_names_fits_a_frame():
    # What a signature with a path of 300 bytes takes.
    file = sample(FileBegins).file
    version = msgspec.structs.replace(file.version, signature=bytes(1600), signed_name="n" * 300)
    file = msgspec.structs.replace(file, path="p" * 300, version=version)
    assert fits(FilesContent(1, (FileContent(file, bytes(SMALL_FILE_BYTES)),)))
    assert fits(PutFiles(1, (SmallPut("p" * 1024, bytes(3000), bytes(SMALL_FILE_BYTES)),)))


@pytest.mark.parametrize("message", [Move(1, "\ud800", "b"), ListInvitations(2**70), Done("x" * 9, 1 + 2j)])
def test_a_value_that_the_format_cannot_hold_is_our_own_fault(message):
    with pytest.raises(LocalProtocolError):
        encode(message)


@pytest.mark.parametrize("kind", sorted(CLIENT_MESSAGES | SERVER_MESSAGES, key=lambda kind: kind.__name__))
def test_head_and_tag_of_a_message_are_one_byte_each(kind):
    body = encode(sample(kind))
    read = CODEC.from_client if kind in CLIENT_MESSAGES else CODEC.from_server
    assert read(body) == sample(kind)
    assert (body[0] & 0xF0, body[1]) == (0x90, kind.__struct_config__.tag)
    for other in (b"\xdc\x00" + bytes([body[0] & 0x0F]) + body[1:], body[:1] + b"\xcc" + body[1:], body[:1], b""):
        with pytest.raises(RemoteProtocolError):
            read(other)
