from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.crypto.keys import ServerPublic
from sft.crypto.succession import SUCCESSION_BYTES, SUCCESSIONS_MOST
from sft.errors import HandshakeFailedError, LocalProtocolError, RemoteProtocolError
from sft.limits import EARLY_FRAME_BYTES
from sft.wire.hello import (
    ML_KEM_768,
    X25519,
    ClientHello,
    ServerHello,
    ServerProof,
    first_transcript,
    second_transcript,
)

SHARES = {X25519: b"x" * 32, ML_KEM_768: b"k" * 1184}
CLIENT = ClientHello((1,), b"r" * 32, SHARES)
SHARE_ENDS = (7 + 32, 7 + 32 + 36)  # a hello that is cut there is one with fewer shares
SERVER = ServerHello(1, b"r" * 32, b"s" * 80, b"c" * 1088)
PROOF = ServerProof(ServerPublic(b"p" * 32), b"g" * 64)


def test_layouts_stand_as_they_are_written_down():
    first = b"\x00\x1d\x00\x20" + b"x" * 32
    assert CLIENT.encode() == b"SFT1\x01\x00\x01" + b"r" * 32 + first + b"\x02\x01\x04\xa0" + b"k" * 1184
    assert SERVER.encode() == b"\x00\x01" + b"r" * 32 + b"s" * 80 + b"c" * 1088
    assert PROOF.encode() == b"\x03" + b"p" * 32 + b"g" * 64 + b"\x00"
    followed = ServerProof(PROOF.server, PROOF.signature, ("one", "two"))
    assert followed.encode() == PROOF.encode()[:-1] + b"\x02\x00\x03one\x00\x03two"
    assert ServerProof.decode(followed.encode()) == followed


@pytest.mark.parametrize("value", [CLIENT, SERVER, PROOF], ids=["M1", "M2", "M3"])
def test_no_other_length_is_read(value):
    data = value.encode()
    assert type(value).decode(data) == value
    for length in range(len(data)):
        if value is CLIENT and length in SHARE_ENDS:
            assert len(ClientHello.decode(data[:length]).shares) < len(SHARES)
            continue
        with pytest.raises(RemoteProtocolError):
            type(value).decode(data[:length])
    with pytest.raises(HandshakeFailedError):
        type(value).decode(data + b"\x00")


def test_a_client_may_offer_more_versions():
    hello = ClientHello((9, 1, 7), b"r" * 32, SHARES)
    assert ClientHello.decode(hello.encode()) == hello


def test_shares_of_groups_that_nobody_knows_yet_are_read_past():
    hello = ClientHello((2, 1), b"r" * 32, {0x6399: b"?" * 1600, **SHARES, 7: b""})
    assert ClientHello.decode(hello.encode()) == hello


@pytest.mark.parametrize(
    "tail",
    [
        b"\x00\x1d\x00\x20" + b"y" * 32,  # a group twice
        b"\x63\x99\x00\x01",  # a share that is cut
        b"\x63\x99\x00",
        b"\x63",
    ],
)
def test_a_list_of_shares_has_one_reading(tail):
    with pytest.raises(HandshakeFailedError):
        ClientHello.decode(CLIENT.encode() + tail)


@pytest.mark.parametrize("group", SHARES)
def test_a_share_of_a_known_group_has_its_length(group):
    for wrong in (SHARES[group] + b"x", SHARES[group][1:], b""):
        with pytest.raises(HandshakeFailedError):
            ClientHello.decode(ClientHello((1,), b"r" * 32, {**SHARES, group: wrong}).encode())


def test_as_many_successions_as_may_come_fit_the_frame_and_no_more_are_read():
    notes = ("n" * SUCCESSION_BYTES,) * SUCCESSIONS_MOST
    most = ServerProof(PROOF.server, PROOF.signature, notes).encode()
    assert len(most) + 16 <= EARLY_FRAME_BYTES
    assert ServerProof.decode(most).successions == notes
    head = most[:97]
    for wrong in (
        bytes([SUCCESSIONS_MOST + 1]) + most[98:] + b"\x00\x00",
        b"\x01\x01\xc1" + b"n" * 449,
        b"\x01\x00\x01\xff",
    ):
        with pytest.raises(HandshakeFailedError):
            ServerProof.decode(head + wrong)
    for more in ((*notes, ""), ("n" * (SUCCESSION_BYTES + 1),)):
        with pytest.raises(LocalProtocolError):
            ServerProof(PROOF.server, PROOF.signature, more)


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
