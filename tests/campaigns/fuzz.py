"""Frames that nobody honest sends, before and after login, to both ends: ``python tests/campaigns/fuzz.py``.

Each frame is made by one of several kinds of malice, sealed with the right keys where that is what it takes to be looked
at, and fed in random pieces. Whatever comes, an end must either take it or raise RemoteProtocolError (then it is dead and
says so); it must not keep more than arrived, nor think itself logged in before it is. The seed is fixed: the same
arguments make the same frames, but for the randomness that ML-KEM and SealedBox draw for themselves. A frame that breaks
a rule is printed with its number and place.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from sft.errors import LocalProtocolError, RemoteProtocolError
from sft.limits import EARLY_FRAME_BYTES, FRAME_BYTES
from sft.model.evidence import Evidence, ProvedHead, ProvedSlot, SlotsProof
from sft.wire.connection import Connection
from sft.wire.framing import HEADER_BYTES, frame
from sft.wire.handshake import Claim
from sft.wire.login import RefusedLogin, Welcome
from sft.wire.messages import BeginUpload, FileBegins, FilesContent, FileShown, GetFile, UserList, UserShown, encode
from sft.wire.states import FrameType, Side, State
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, SERVER_MESSAGES, tag_of
from tests.wire_pairs.pair import INVITATION, SERVER_KEY, USER_KEY, Raw, bring, new_client, new_server
from tests.wire_pairs.values import sample

FRAMES: Final = 100_000
SEED: Final = 1
FRAMES_PER_CONNECTION: Final = 40
PLACES: Final = [
    (Side.SERVER, State.START),
    (Side.SERVER, State.PROVED),
    (Side.SERVER, State.JUDGING),
    (Side.CLIENT, State.HELLO_SENT),
    (Side.CLIENT, State.KEYED),
    (Side.CLIENT, State.LOGIN_SENT),
    (Side.SERVER, State.OPEN),
    (Side.SERVER, State.CLOSING),
    (Side.CLIENT, State.OPEN),
    (Side.CLIENT, State.CLOSING),
]
BODIES: Final = [encode(sample(kind)) for kind in sorted(CLIENT_MESSAGES | SERVER_MESSAGES, key=tag_of)]
_PROOF: Final = (bytes(32),) * 3
_EVIDENCE: Final = Evidence(
    b"leaf",
    _PROOF,
    (ProvedSlot(1, 1, b"user"), ProvedSlot(2, 2, b"file")),
    (SlotsProof(1, _PROOF), SlotsProof(2, ())),
    (ProvedHead(7, _PROOF),),
)
BODIES += [
    encode(sample(kind, evidence=_EVIDENCE)) for kind in (FileShown, FileBegins, FilesContent, UserShown, UserList)
]
STRUCTS: Final = [msgspec.msgpack.encode(sample(kind)) for kind in (Claim, Welcome, RefusedLogin)]
STRUCTS += [msgspec.msgpack.encode(sample(Welcome, head="head", consistency=(_PROOF, ()), evidence=_EVIDENCE))]


@dataclass
class Report:
    """What came of it, by place."""

    frames: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0


# -- malice -------------------------------------------------------------------------------------------


def noise(chance: random.Random, most: int) -> bytes:
    return chance.randbytes(int(most ** chance.random()))


def flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut_or_grown(chance: random.Random, data: bytes) -> bytes:
    if chance.random() < 0.5:
        return data[: chance.randrange(len(data) + 1)]
    return data + noise(chance, 64)


def odd_value(chance: random.Random, depth: int = 0) -> Any:
    """Make a value of MessagePack, seldom one that a field wants."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chance.random() < 0.5,
        lambda: chance.choice([0, 1, -1, 2, 8, 32, 2**31, 2**32 - 1, 2**32, 2**63, -(2**63)]),
        lambda: chance.choice([0.0, float("nan"), float("inf")]),
        lambda: chance.choice(["", "a", "docs/a.txt", "../..", "\x00", "\u202e", "é" * 300]),
        lambda: noise(chance, 200),
    ]
    if depth < 4:
        kinds += [
            lambda: [odd_value(chance, depth + 1) for _ in range(chance.randint(0, 4))],
            lambda: {str(n): odd_value(chance, depth + 1) for n in range(chance.randint(0, 3))},
        ]
    return chance.choice(kinds)()


def odd_message(chance: random.Random) -> bytes:
    fields = msgspec.msgpack.decode(chance.choice(BODIES))
    for _ in range(chance.randint(1, 2)):
        fields[chance.randrange(len(fields))] = odd_value(chance)
    return msgspec.msgpack.encode(fields)


def numbered(chance: random.Random) -> bytes:
    """Make a message that is in order but for its id, which may be right by chance."""
    fields = msgspec.msgpack.decode(chance.choice(BODIES))
    if len(fields) > 1 and isinstance(fields[1], int):
        fields[1] = chance.choice([0, 1, 2, 3, 3, 3, 4, 5])
    return msgspec.msgpack.encode(fields)


def plaintext(chance: random.Random) -> bytes:
    """Make what goes into a box."""
    kind = bytes([chance.choice(list(FrameType)) if chance.random() < 0.9 else chance.randrange(256)])
    match chance.randrange(12):
        case 0:
            return noise(chance, 300)
        case 1:
            return kind + noise(chance, 2000)
        case 2:
            return kind
        case 3:
            return b"\x10" + flipped(chance, chance.choice(BODIES))
        case 4:
            return b"\x10" + cut_or_grown(chance, chance.choice(BODIES))
        case 5:
            return b"\x10" + odd_message(chance)
        case 6 | 9 | 10 | 11:
            return b"\x10" + numbered(chance)
        case 7:
            size = chance.choice([0, 1, 3, 65_535, 65_536, 65_537])
            head = chance.choice([b"\x11", b"\x12"]) + chance.randint(0, 3).to_bytes(4, "big")
            return head + bytes(size)
    struct = chance.choice(STRUCTS)
    if chance.random() < 0.5:
        struct = flipped(chance, struct)
    signatures = bytes(64 * chance.randint(0, 2))
    return chance.choice([b"\x04" + len(struct).to_bytes(2, "big"), b"\x05", b"\x06"]) + struct + signatures


def wire_bytes(chance: random.Random, raw: Raw | None, place: str) -> bytes:
    """Make one frame as it travels."""
    if raw is not None and chance.random() < 0.85:
        return raw.seal(plaintext(chance))
    match chance.randrange(4):
        case 0:
            return noise(chance, 100)
        case 1:
            return chance.randbytes(4)
        case 2:
            return frame(noise(chance, EARLY_FRAME_BYTES))
    hello = HELLOS[place] if place in HELLOS else frame(chance.randbytes(100))
    return flipped(chance, hello) if chance.random() < 0.7 else cut_or_grown(chance, hello)


def _hellos() -> dict[str, bytes]:
    m1 = new_client().data_to_send()
    server = new_server()
    server.receive(m1)
    answer = server.data_to_send()
    m2 = answer[: HEADER_BYTES + int.from_bytes(answer[:HEADER_BYTES], "big")]
    return {f"{Side.SERVER} {State.START}": m1, f"{Side.CLIENT} {State.HELLO_SENT}": m2}


HELLOS: Final = _hellos()


# -- the campaign -----------------------------------------------------------------------------------------


def prepared(side: Side, state: State) -> tuple[Connection, Raw | None]:
    """Bring an end to a place; after login with a request of each kind of transfer in flight."""
    if state is not State.CLOSING:
        end, raw = bring(side, state)
    else:
        end, raw = bring(side, State.OPEN)
    if state in {State.OPEN, State.CLOSING} and raw is not None:
        for kind, request_id in ((BeginUpload, 1), (GetFile, 2)):
            asked = sample(kind, id=request_id)
            if side is Side.CLIENT:
                end.send(asked)
            else:
                end.receive(raw.seal(b"\x10" + encode(asked)))
    if state is State.CLOSING:
        end.close()
    return end, raw


def copies(end: Connection, raw: Raw | None) -> tuple[Connection, Raw | None]:
    line = end._records
    shared = (SERVER_KEY, USER_KEY, INVITATION, line._sends, line._receives, end._speaks, end._requests._answers)
    return copy.deepcopy((end, raw), {id(each): each for each in shared})


def feed(end: Connection, data: bytes, chance: random.Random) -> int:
    """Feed a frame in random pieces; count the events."""
    events = 0
    at = 0
    while at < len(data):
        step = chance.choice([1, 2, 5, 100, 5000, len(data)])
        events += len(end.receive(data[at : at + step]))
        at += step
        kept = len(end._records.framer._body) + len(end._records.framer._data)
        if kept > FRAME_BYTES:
            raise AssertionError(f"{kept} bytes are kept")
    return events


def attack(side: Side, state: State, chance: random.Random, report: Report, frames: int) -> None:
    """Send so many frames to one place, on as many connections as they end."""
    place = f"{side} {state}"
    first = prepared(side, state)
    # A client's ephemeral ML-KEM key refuses to be copied: that end is made anew.
    anew = state is State.HELLO_SENT
    sent = 0
    while sent < frames:
        end, raw = prepared(side, state) if anew else copies(*first)
        for _ in range(FRAMES_PER_CONNECTION):
            if sent == frames:
                break
            data = wire_bytes(chance, raw, place)
            sent += 1
            report.frames += 1
            began = time.perf_counter()
            try:
                feed(end, data, chance)
            except RemoteProtocolError as fault:
                report.refused[place] += 1
                report.faults[type(fault).__name__] += 1
                require_dead(end)
                break
            except BaseException:
                print(f"frame {report.frames} at {place}: {data[:200].hex()}")
                raise
            finally:
                taken = time.perf_counter() - began
                report.slowest_seconds = max(report.slowest_seconds, taken)
            report.taken[place] += 1
            if end.established != (state in {State.OPEN, State.CLOSING}):
                raise AssertionError(f"frame {report.frames} logged somebody in at {place}")


def require_dead(end: Connection) -> None:
    """Make sure that a refused peer is not heard again."""
    if not end.dead or end.established:
        raise AssertionError("refused, and still alive")
    try:
        end.receive(b"\x00")
    except LocalProtocolError:
        return
    raise AssertionError("dead, and still listening")


def run(frames: int = FRAMES, seed: int = SEED) -> Report:
    """Run the campaign, an equal share at each place."""
    chance = random.Random(seed)
    report = Report()
    for number, (side, state) in enumerate(PLACES):
        share = frames * (number + 1) // len(PLACES) - frames * number // len(PLACES)
        attack(side, state, chance, report, share)
    return report


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    began = time.perf_counter()
    report = run(arguments.frames, arguments.seed)
    for side, state in PLACES:
        place = f"{side} {state}"
        print(f"{place:22} {report.taken[place]:8,} taken {report.refused[place]:8,} refused")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(report.faults.items())))
    print(
        f"{report.frames:,} frames, seed {arguments.seed}, {time.perf_counter() - began:.1f} s, "
        f"the slowest {report.slowest_seconds * 1000:.1f} ms: nothing but refusals"
    )


if __name__ == "__main__":
    main()
