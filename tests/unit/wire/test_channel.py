from __future__ import annotations

import pytest

from sft.crypto.kdf import next_traffic_key
from sft.crypto.sealing import TAG_BYTES, open_box, seal
from sft.errors import DecryptionFailedError, LocalProtocolError
from sft.wire.channel import Opener, Sealer
from sft.wire.framing import HEADER_BYTES
from tests.wire_pairs.pair import cut

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))
REKEY = b"\x20"


def boxes(sealer: Sealer, *plaintexts: bytes) -> list[bytes]:
    return [box for plaintext in plaintexts for box in cut(sealer.seal(plaintext))]


def nonce(counter: int) -> bytes:
    return bytes(16) + counter.to_bytes(8, "big")


def test_boxes_open_in_their_order():
    opener = Opener(KEY)
    sealed = boxes(Sealer(KEY), b"\x10one", b"\x10two", b"\x10")
    assert [opener.open(box) for box in sealed] == [b"\x10one", b"\x10two", b"\x10"]


def test_the_counter_is_the_nonce_and_is_not_sent():
    first, second = boxes(Sealer(KEY), b"\x10a", b"\x10b")
    assert open_box(KEY, nonce(0), first) == b"\x10a"
    assert open_box(KEY, nonce(1), second) == b"\x10b"
    assert len(first) == TAG_BYTES + 2


def test_a_frame_is_the_length_and_the_box():
    data = Sealer(KEY).seal(b"\x10abc")
    assert int.from_bytes(data[:HEADER_BYTES], "big") == len(data) - HEADER_BYTES == TAG_BYTES + 4


@pytest.mark.parametrize("order", [(1,), (2,), (0, 0), (0, 2), (0, 1, 0), (0, 1, 1)])
def test_a_box_opens_at_its_own_place_alone(order):
    sealed = boxes(Sealer(KEY), b"\x10a", b"\x10b", b"\x10c")
    opener = Opener(KEY)
    *right, wrong = order
    assert right == list(range(len(right)))
    for index in right:
        opener.open(sealed[index])
    with pytest.raises(DecryptionFailedError):
        opener.open(sealed[wrong])


def test_a_box_of_the_other_direction_does_not_open():
    (box,) = boxes(Sealer(OTHER), b"\x10a")
    with pytest.raises(DecryptionFailedError):
        Opener(KEY).open(box)


def test_rekey_turns_both_ends_and_starts_the_counter_anew():
    sealer, opener = Sealer(KEY), Opener(KEY)
    (announced,) = cut(sealer.rekey())
    (box,) = boxes(sealer, b"\x10after")
    assert open_box(KEY, nonce(0), announced) == REKEY
    assert open_box(next_traffic_key(KEY), nonce(0), box) == b"\x10after"
    assert opener.open(announced) == REKEY
    assert opener.open(box) == b"\x10after"


def test_the_old_key_opens_nothing_after_a_rekey():
    sealer, opener = Sealer(KEY), Opener(KEY)
    opener.open(cut(sealer.rekey())[0])
    with pytest.raises(DecryptionFailedError):
        opener.open(seal(KEY, nonce(1), b"\x10old"))


def test_the_ratchet_turns_before_a_box_that_would_go_over_the_limit():
    limit = 3 * (TAG_BYTES + 10)
    sealer, opener = Sealer(KEY, limit), Opener(KEY, limit, least=0)
    counts = []
    for number in range(10):
        plaintext = b"\x10" + bytes([number]) * 9
        sealed = cut(sealer.seal(plaintext))
        counts.append(len(sealed))
        assert [opener.open(box) for box in sealed][-1] == plaintext
    assert counts == [1, 1, 1, 2, 1, 1, 2, 1, 1, 2]


@pytest.mark.parametrize("limit", range(30, 120))
def test_both_ends_count_alike_up_to_the_last_byte(limit):
    sealer, opener = Sealer(KEY, limit), Opener(KEY, limit, least=0)
    turns = 0
    for size in (1, 3, 9, 13) * 5:
        sealed = cut(sealer.seal(bytes([0x10] * size)))
        turns += len(sealed) - 1
        assert opener.open(sealed[0]) == (bytes([0x10] * size) if len(sealed) == 1 else REKEY)
        for box in sealed[1:]:
            opener.open(box)
    assert turns >= 450 // limit - 1


def test_a_peer_that_goes_on_under_an_old_key_is_refused():
    limit = 3 * (TAG_BYTES + 10)
    sealer, opener = Sealer(KEY), Opener(KEY, limit)
    for _ in range(3):
        opener.open(cut(sealer.seal(bytes([0x10] * 10)))[0])
    with pytest.raises(LocalProtocolError):
        opener.open(cut(sealer.seal(b"\x10"))[0])


def test_a_rekey_frame_may_be_what_goes_over_the_limit():
    limit = TAG_BYTES + 10
    sealer, opener = Sealer(KEY, limit), Opener(KEY, limit)
    opener.open(cut(sealer.seal(bytes([0x10] * 10)))[0])
    assert opener.open(cut(sealer.rekey())[0]) == REKEY
    assert opener.open(cut(sealer.seal(b"\x10"))[0]) == b"\x10"


def test_a_rekey_frame_has_no_body():
    with pytest.raises(LocalProtocolError):
        Opener(KEY).open(cut(Sealer(KEY).seal(REKEY + b"x"))[0])
