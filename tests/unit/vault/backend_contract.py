"""The conformance suite of every vault backend: each rule of sft/vault/backend.py, as a function of a fresh backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sft.errors import ObjectCorruptError, ObjectMissingError, VaultError, VaultFullError
from sft.vault.backend import Backend

IDS = [bytes([n]) * 16 for n in (0x00, 0x0A, 0x7F, 0xFF)]
ID = IDS[1]
PIECES = [b"one", b"", b"two" * 30_000, b"three"]
WHOLE = b"".join(PIECES)
NOBODY_HAS_BYTES = 1 << 55


def store(backend: Backend, object_id: bytes = ID, data: bytes = WHOLE) -> None:
    sink = backend.create(object_id, len(data))
    sink.write([data])
    sink.finish(b"sidecar")


def load(backend: Backend, object_id: bytes = ID) -> bytes:
    source = backend.open(object_id)
    try:
        return b"".join(source.read(0, [source.size]))
    finally:
        source.close()


def what_was_written_is_read(backend: Backend) -> None:
    sink = backend.create(ID, len(WHOLE))
    for piece in PIECES:
        sink.write([piece])
    sink.write([])
    sink.finish()
    assert load(backend) == WHOLE


def gathered_pieces_keep_their_order(backend: Backend) -> None:
    sink = backend.create(ID, 1 << 20)
    pieces = [bytes([n % 256]) * (n % 7) for n in range(3000)]
    sink.write(pieces)
    sink.finish()
    assert load(backend) == b"".join(pieces)


def scattered_reads_follow_one_another(backend: Backend) -> None:
    store(backend)
    source = backend.open(ID)
    assert source.size == len(WHOLE)
    first = source.read(1, [2, 0, 5])
    assert first == [WHOLE[1:3], b"", WHOLE[3:8]]
    assert source.read(len(WHOLE) - 3, [3]) == [WHOLE[-3:]]
    assert source.read(10, [40_000, 20]) == [WHOLE[10:40_010], WHOLE[40_010:40_030]]
    # Buffers may be used again, but what was returned stays what it was.
    assert first == [WHOLE[1:3], b"", WHOLE[3:8]]
    source.close()
    source.close()


def reading_past_the_end_is_refused(backend: Backend) -> None:
    store(backend)
    source = backend.open(ID)
    with pytest.raises(ObjectCorruptError):
        source.read(0, [len(WHOLE), 1])
    with pytest.raises(ObjectCorruptError):
        source.read(len(WHOLE) + 1, [1])
    assert source.read(0, [3]) == [b"one"]
    source.close()


def nothing_is_visible_before_finish(backend: Backend) -> None:
    sink = backend.create(ID, len(WHOLE))
    sink.write(PIECES)
    with pytest.raises(ObjectMissingError):
        backend.open(ID)
    assert list(backend.ids()) == []
    assert backend.read_sidecar(ID) is None
    sink.finish(b"sidecar")
    assert list(backend.ids()) == [ID]


def a_sidecar_comes_with_the_object(backend: Backend) -> None:
    sink = backend.create(ID, 3)
    sink.write([b"abc"])
    sink.finish(b"sidecar")
    assert backend.read_sidecar(ID) == b"sidecar"


def an_abort_leaves_nothing(backend: Backend) -> None:
    sink = backend.create(ID, len(WHOLE))
    sink.write(PIECES)
    sink.abort()
    sink.abort()
    assert list(backend.ids()) == []
    assert list(backend.leftovers()) == []
    store(backend)
    assert load(backend) == WHOLE


def an_abort_after_finish_is_harmless(backend: Backend) -> None:
    sink = backend.create(ID, 3)
    sink.write([b"abc"])
    sink.finish()
    sink.abort()
    assert load(backend) == b"abc"


def a_sink_ends_once(backend: Backend) -> None:
    sink = backend.create(ID, 3)
    sink.finish()
    with pytest.raises(VaultError):
        sink.write([b"more"])
    with pytest.raises(VaultError):
        sink.finish()
    with pytest.raises(VaultError):
        sink.reserve(1)
    assert load(backend) == b""


def an_object_is_never_replaced(backend: Backend) -> None:
    store(backend)
    with pytest.raises(VaultError) as refused:
        backend.create(ID, 1)
    assert "there already" in str(refused.value.values["problem"])
    assert load(backend) == WHOLE
    assert list(backend.leftovers()) == []


def an_id_is_written_by_one(backend: Backend) -> None:
    sink = backend.create(ID, 3)
    with pytest.raises(VaultError):
        backend.create(ID, 3)
    sink.write([b"abc"])
    sink.finish()
    assert load(backend) == b"abc"


def ids_are_complete_sorted_and_each_once(backend: Backend) -> None:
    for object_id in reversed(IDS):
        store(backend, object_id)
    assert list(backend.ids()) == IDS


def a_missing_object_is_said_to_be_missing(backend: Backend) -> None:
    with pytest.raises(ObjectMissingError) as refused:
        backend.open(ID)
    assert ID.hex() in str(refused.value.values["problem"])
    assert backend.read_sidecar(ID) is None


def a_removal_leaves_nothing_and_may_be_repeated(backend: Backend) -> None:
    store(backend)
    store(backend, IDS[0])
    backend.remove(ID)
    backend.remove(ID)
    assert list(backend.ids()) == [IDS[0]]
    assert backend.read_sidecar(ID) is None
    with pytest.raises(ObjectMissingError):
        backend.open(ID)
    assert load(backend, IDS[0]) == WHOLE


def a_reader_keeps_what_is_removed(backend: Backend) -> None:
    store(backend)
    source = backend.open(ID)
    backend.remove(ID)
    assert source.read(len(WHOLE) - 5, [5]) == [b"three"]
    source.close()


def the_quarantine_takes_all_that_lies_under_an_id(backend: Backend) -> None:
    store(backend)
    backend.quarantine(ID)
    assert list(backend.ids()) == []
    assert backend.read_sidecar(ID) is None
    with pytest.raises(ObjectMissingError):
        backend.quarantine(ID)


def the_quarantine_takes_an_id_twice(backend: Backend) -> None:
    assert backend.quarantine_figures() == (0, 0)
    for data in (b"first", b"second"):
        store(backend, ID, data)
        backend.quarantine(ID)
    assert list(backend.ids()) == []
    files, size = backend.quarantine_figures()
    assert files >= 1
    assert size >= len(b"second")


def leftovers_are_named_and_discarded(backend: Backend) -> None:
    store(backend, IDS[0])
    for object_id in IDS[1:3]:
        backend.create(object_id, 3).write([b"abc"])  # and the process dies here
    assert list(backend.leftovers()) == IDS[1:3]
    backend.discard_leftovers()
    assert list(backend.leftovers()) == []
    assert load(backend, IDS[0]) == WHOLE
    store(backend, IDS[1])


def room_is_promised_at_the_beginning(backend: Backend) -> None:
    with pytest.raises(VaultFullError):
        backend.create(ID, NOBODY_HAS_BYTES)
    assert list(backend.leftovers()) == []
    sink = backend.create(ID, 3)
    with pytest.raises(VaultFullError):
        sink.reserve(NOBODY_HAS_BYTES)
    sink.reserve(1000)
    sink.write([b"abc"])
    sink.finish()
    assert load(backend) == b"abc"


def segments(backend: Backend, count: int, object_id: bytes = ID, sidecar: bytes | None = b"sidecar") -> None:
    for number in range(count):
        sink = backend.create(object_id, 0, segment=number)
        sink.write([b"segment ", str(number).encode()])
        sink.finish(sidecar if number == count - 1 else None)


def load_segment(backend: Backend, number: int, object_id: bytes = ID) -> bytes:
    source = backend.open(object_id, number)
    try:
        return b"".join(source.read(0, [source.size]))
    finally:
        source.close()


def segments_are_read_by_number(backend: Backend) -> None:
    segments(backend, 12)
    assert backend.segments(ID) == list(range(12))
    assert [load_segment(backend, number) for number in range(12)] == [f"segment {n}".encode() for n in range(12)]
    assert list(backend.ids()) == [ID]
    assert backend.read_sidecar(ID) == b"sidecar"
    for absent in (12, 1 << 20):
        with pytest.raises(ObjectMissingError) as refused:
            backend.open(ID, absent)
        assert f"segment {absent} of" in str(refused.value.values["problem"])
    assert backend.segments(IDS[0]) == []


def a_segment_may_be_written_while_the_one_before_is_finished(backend: Backend) -> None:
    first = backend.create(ID, 0)
    first.write([b"segment 0"])
    second = backend.create(ID, 0, segment=1)
    second.write([b"segment 1"])
    assert list(backend.leftovers()) == [ID]
    first.finish()
    assert backend.segments(ID) == [0]
    assert load_segment(backend, 0) == b"segment 0"
    second.abort()
    assert backend.segments(ID) == [0]
    assert list(backend.leftovers()) == []


def a_segment_is_never_replaced(backend: Backend) -> None:
    segments(backend, 2)
    for number in range(2):
        with pytest.raises(VaultError):
            backend.create(ID, 0, segment=number)
    backend.create(ID, 0, segment=2)
    with pytest.raises(VaultError):
        backend.create(ID, 0, segment=2)


def segments_are_removed_from_a_number_on(backend: Backend) -> None:
    for kept in range(5):
        segments(backend, 4)
        backend.remove(ID, kept)
        backend.remove(ID, kept)
        assert backend.segments(ID) == list(range(min(kept, 4)))
        assert backend.read_sidecar(ID) is None
        backend.remove(ID)
        assert list(backend.ids()) == backend.segments(ID) == []
    segments(backend, 4)


def all_segments_go_into_the_quarantine(backend: Backend) -> None:
    segments(backend, 3)
    backend.quarantine(ID)
    assert list(backend.ids()) == backend.segments(ID) == []
    assert backend.quarantine_figures() == (4, len(b"sidecar") + 3 * len(b"segment 0"))
    segments(backend, 2)


def a_sink_that_rests_goes_on_at_its_end(backend: Backend) -> None:
    free = backend.free_bytes()
    sink = backend.create(ID, 1 << 30)
    sink.write([b"one"])
    sink.rest()
    assert backend.free_bytes() > free - (1 << 29)
    sink.rest()
    sink.write([b"two", b"three"])
    sink.rest()
    sink.finish()
    assert load(backend) == b"onetwothree"
    with pytest.raises(VaultError):
        sink.rest()


def ids_of_another_length_are_a_bug(backend: Backend) -> None:
    for wrong in (b"", b"short", bytes(17)):
        for call in (backend.open, backend.remove, backend.quarantine, backend.read_sidecar, backend.segments):
            with pytest.raises(ValueError, match="16 bytes"):
                call(wrong)
        with pytest.raises(ValueError, match="16 bytes"):
            backend.create(wrong, 0)


def a_sidecar_is_written_in_the_place_of_another(backend: Backend) -> None:
    store(backend)
    for sidecar in (b"anew", b"again, and longer"):
        backend.write_sidecar(ID, sidecar)
        assert backend.read_sidecar(ID) == sidecar
    assert load(backend) == WHOLE
    sink = backend.create(IDS[2], 1)
    sink.write([b"1"])
    sink.finish()
    backend.write_sidecar(IDS[2], b"first")
    assert backend.read_sidecar(IDS[2]) == b"first"
    assert list(backend.leftovers()) == []


CONTRACT: list[Callable[[Backend], None]] = [
    what_was_written_is_read,
    gathered_pieces_keep_their_order,
    scattered_reads_follow_one_another,
    reading_past_the_end_is_refused,
    nothing_is_visible_before_finish,
    a_sidecar_comes_with_the_object,
    a_sidecar_is_written_in_the_place_of_another,
    an_abort_leaves_nothing,
    an_abort_after_finish_is_harmless,
    a_sink_ends_once,
    an_object_is_never_replaced,
    an_id_is_written_by_one,
    ids_are_complete_sorted_and_each_once,
    a_missing_object_is_said_to_be_missing,
    a_removal_leaves_nothing_and_may_be_repeated,
    a_reader_keeps_what_is_removed,
    the_quarantine_takes_all_that_lies_under_an_id,
    the_quarantine_takes_an_id_twice,
    leftovers_are_named_and_discarded,
    room_is_promised_at_the_beginning,
    segments_are_read_by_number,
    a_segment_may_be_written_while_the_one_before_is_finished,
    a_segment_is_never_replaced,
    segments_are_removed_from_a_number_on,
    all_segments_go_into_the_quarantine,
    a_sink_that_rests_goes_on_at_its_end,
    ids_of_another_length_are_a_bug,
]
