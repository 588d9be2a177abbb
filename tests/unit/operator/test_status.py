"""How a server is, in words."""

from __future__ import annotations

from msgspec.structs import replace

from sft.model.status import ServerStatus
from sft.operator.status import status_document, status_lines

NOW = 1_796_007_600
STATUS = ServerStatus(
    version="1.2", name="ac\x1bme", listening="127.0.0.1:7361", started_at=NOW - 90_000, now=NOW, sessions=2, strangers=1,
    files=1, size_bytes=1024, free_bytes=None, damages=0, checked_at=None, check_faults=0, collected_at=NOW,
    backed_up_at=None, key_epoch=3, key_since_at=NOW - 59, log_size=1200, witnessed_size=0, received_bytes=0,
    sent_bytes=0, refused=1, faults=0,
)  # fmt: skip


def test_what_never_was_is_said_and_a_name_of_a_server_colors_no_terminal():
    said = status_lines(STATUS, NOW)
    assert "\x1b" not in "".join(said)
    assert said[0].endswith("listens at 127.0.0.1:7361, up 1 day")
    assert "damage      none known; contents were read whole never" in said
    assert "backup      never" in said
    assert "master key  number 3, for 59 s" in said
    assert "log         1,200 leaves, witnessed up to 0" in said
    assert said[-1].endswith("1 refusal, 0 faults of its own")


def test_what_is_wrong_stands_beside_it():
    said = status_lines(replace(STATUS, damages=2, checked_at=NOW, check_faults=3, waiting=("listen", "data")), NOW)
    assert any("2 contents known" in line and line.endswith("3 did not hold") for line in said)
    assert said[-1] == "waits for a restart: listen, data"
    assert "no server runs" in status_lines(replace(STATUS, listening=""), NOW)[0]


def test_its_document_has_times_as_texts_and_what_never_was_as_null():
    document = status_document(STATUS)
    assert (document["checked_at"], document["uptime_seconds"], document["waiting"]) == (None, 90_000, [])
    assert document["now"] == "2026-11-30T03:00:00Z"
