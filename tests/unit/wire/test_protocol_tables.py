from __future__ import annotations

import re
from importlib import resources

import pytest

from sft import limits
from sft.crypto.keys import ServerPublic
from sft.wire.hello import ML_KEM_768, X25519, ClientHello, ServerHello, ServerProof
from sft.wire.states import TABLE, FrameType, Side
from tests.unit.wire import protocol_tables
from tests.unit.wire.protocol_tables import CLIENT_MESSAGES, SERVER_MESSAGES, tag_of

TEXT = (resources.files("sft.wire") / "PROTOCOL.md").read_text(encoding="utf-8")
MADE = {
    "client's states": protocol_tables.state_diagram(Side.CLIENT),
    "server's states": protocol_tables.state_diagram(Side.SERVER),
    "messages": protocol_tables.message_table(),
    "records": protocol_tables.record_table(),
    "limits": protocol_tables.limit_table(),
}


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_what_is_made_from_the_code_stands_in_the_specification(made):
    assert made in TEXT


def test_the_specification_has_no_other_message():
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (client|server|client, server) \|", TEXT, re.MULTILINE)
    written = {(int(tag), name, sender) for tag, name, sender in rows}
    both = CLIENT_MESSAGES & SERVER_MESSAGES
    expected = {(tag_of(kind), kind.__name__, "client") for kind in CLIENT_MESSAGES - both}
    expected |= {(tag_of(kind), kind.__name__, "server") for kind in SERVER_MESSAGES - both}
    assert written == expected | {(tag_of(kind), kind.__name__, "client, server") for kind in both}


def test_frame_types_stand_in_the_specification():
    rows = re.findall(r"^\| 0x([0-9a-f]{2}) \| ([A-Z_]+) \| (\w+) \|", TEXT, re.MULTILINE)
    written = {name: (int(number, 16), sender) for number, name, sender in rows}
    sealed = set(FrameType) - {FrameType.CLIENT_HELLO, FrameType.SERVER_HELLO}
    senders = {kind: {str(row.side) for row in TABLE if kind in row.frames and row.way == "sends"} for kind in sealed}
    assert written == {
        kind.name: (int(kind), "both" if len(senders[kind]) > 1 else next(iter(senders[kind]))) for kind in sealed
    }


def test_every_row_of_the_table_is_drawn():
    for row in TABLE:
        drawn = MADE[f"{row.side}'s states"]
        assert f"{row.way} {', '.join(frame.name for frame in row.frames)}" in drawn


def test_limits_are_named_as_they_are():
    for name in protocol_tables.LIMITS:
        assert isinstance(getattr(limits, name), int)


def test_all_of_it_is_printed(capsys):
    protocol_tables.main()
    printed = capsys.readouterr().out
    assert all(made in printed for made in MADE.values())


def test_sizes_of_the_hellos_stand_in_the_specification():
    m1 = ClientHello((1,), bytes(32), {X25519: bytes(32), ML_KEM_768: bytes(1184)}).encode()
    m2 = ServerHello(1, bytes(32), bytes(80), bytes(1088)).encode()
    m3 = ServerProof(ServerPublic(bytes(32)), bytes(64)).encode()
    assert f"**M1**, client hello ({len(m1):,} bytes with one version)" in TEXT
    assert f"**M2**, server hello ({len(m2):,} bytes)" in TEXT
    assert f"**M3**, plaintext of a sealed frame ({len(m3):,} bytes without successions)" in TEXT
