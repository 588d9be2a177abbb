from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto.keys import ServerPublic
from sft.errors import HandshakeFailedError, RemoteProtocolError, VersionUnknownError
from sft.wire.hello import ClientHello, ServerHello, ServerProof, first_transcript, second_transcript

CLIENT = ClientHello((1,), b"r" * 32, b"x" * 32, b"k" * 1184)
SERVER = ServerHello(1, b"r" * 32, b"s" * 80, b"c" * 1088)
PROOF = ServerProof(ServerPublic(b"p" * 32), b"g" * 64)


def test_layouts_stand_as_they_are_written_down():
    assert CLIENT.encode() == b"SFT1\x01\x00\x01" + b"r" * 32 + b"x" * 32 + b"k" * 1184
    assert SERVER.encode() == b"\x00\x01" + b"r" * 32 + b"s" * 80 + b"c" * 1088
    assert PROOF.encode() == b"\x03" + b"p" * 32 + b"g" * 64


@pytest.mark.parametrize("value", [CLIENT, SERVER, PROOF], ids=["M1", "M2", "M3"])
def test_no_other_length_is_read(value):
    data = value.encode()
    assert type(value).decode(data) == value
    for length in range(len(data)):
        with pytest.raises(RemoteProtocolError):
            type(value).decode(data[:length])
    with pytest.raises(HandshakeFailedError):
        type(value).decode(data + b"\x00")


def test_a_client_may_offer_more_versions():
    hello = ClientHello((9, 1, 7), b"r" * 32, b"x" * 32, b"k" * 1184)
    assert ClientHello.decode(hello.encode()) == hello


@pytest.mark.parametrize("versions", [(2,), (0,), (2, 3, 65535), (256,)])
def test_no_version_in_common_is_said_whatever_the_layout_is(versions):
    data = ClientHello(versions, b"", b"", b"").encode()
    with pytest.raises(VersionUnknownError) as caught:
        ClientHello.decode(data)
    assert caught.value.values == {"theirs": ", ".join(map(str, versions)), "ours": "1"}


def test_a_version_that_was_not_offered_is_refused():
    for version in (0, 2, 256, 65535):
        with pytest.raises(VersionUnknownError) as caught:
            ServerHello.decode(version.to_bytes(2, "big") + SERVER.encode()[2:])
        assert caught.value.values["theirs"] == str(version)


@pytest.mark.parametrize("at", range(4))
def test_another_magic_is_refused(at):
    data = bytearray(CLIENT.encode())
    data[at] ^= 1
    with pytest.raises(HandshakeFailedError):
        ClientHello.decode(bytes(data))


@pytest.mark.parametrize("data", [b"", b"SFT", b"SFT1", b"SFT1\x00", b"SFT2\x01\x00\x01", b"GET /"])
def test_what_is_no_hello_of_a_client_is_refused(data):
    with pytest.raises(HandshakeFailedError):
        ClientHello.decode(data)


@given(st.binary(max_size=1300))
def test_any_bytes_are_a_hello_or_a_fault_of_the_peer(data):
    for kind in (ClientHello, ServerHello, ServerProof):
        try:
            assert kind.decode(data).encode()[1:] == data[1:]
        except RemoteProtocolError:
            continue


def test_every_byte_of_both_hellos_changes_the_transcript():
    m1, m2 = b"m1 frame", b"m2 frame"
    seen = {first_transcript(m1, m2)}
    for at in range(len(m1)):
        seen.add(first_transcript(m1[:at] + b"!" + m1[at + 1 :], m2))
        seen.add(first_transcript(m1, m2[:at] + b"!" + m2[at + 1 :]))
    assert len(seen) == 1 + 2 * len(m1)
    assert second_transcript(bytes(64), b"a") != second_transcript(bytes(64), b"b")
    assert second_transcript(bytes(64), b"a") != second_transcript(bytes(63) + b"1", b"a")
