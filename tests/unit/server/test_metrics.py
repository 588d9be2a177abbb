"""What Prometheus is told: names and units as it wants them, and labels that never grow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from sft.limits import LOW_ROOM_BYTES
from sft.model.access import operator_caller
from sft.model.events import UserEnabled
from sft.model.status import HookStatus, ServerStatus
from sft.model.text import size_text
from sft.server.counts import Counts
from sft.server.health_page import _is_local, health_document
from sft.server.metrics import METRICS, metrics_text

STATUS = ServerStatus(
    version="1.2", name="acme", listening="127.0.0.1:7361", started_at=100, now=160, sessions=2, strangers=1, files=3,
    size_bytes=400, free_bytes=LOW_ROOM_BYTES, damages=0, checked_at=None, check_faults=0, collected_at=90,
    backed_up_at=None, key_epoch=1, key_since_at=50, log_size=7, witnessed_size=None, received_bytes=1000,
    sent_bytes=2000, refused=4, faults=0,
    hooks=(HookStatus(name="chat", events=("all",), target="/bin/true", position=5, delivered=9, failures=2),),
)  # fmt: skip


def samples(status: ServerStatus = STATUS, counts: Counts | None = None) -> dict[str, dict[str, float]]:
    """Return all samples by their name, then by their label."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(metrics_text(status, counts or Counts(100)).decode()):
        for each in family.samples:
            found.setdefault(each.name, {})[",".join(each.labels.values())] = each.value
    return found


def test_every_metric_is_there_and_what_never_was_has_no_sample():
    counts = Counts(100)
    counts.answered("ShowFile", 0.25)
    counts.answered("ShowFile", 0.5)
    counts.refusals["NOT_FOUND"] += 1
    counts.tell([UserEnabled(by=operator_caller(), user_id=1, name="a-name-of-somebody")])
    found = samples(counts=counts)
    absent = {"sft_last_check_timestamp_seconds", "sft_last_backup_timestamp_seconds", "sft_log_witnessed_leaves"}
    assert found.keys() >= {each.name for each in METRICS} - absent
    assert not found.keys() & absent
    assert found["sft_info"] == {"1.2": 1}
    assert (found["sft_sessions"], found["sft_sent_bytes_total"]) == ({"": 2}, {"": 2000})
    assert (found["sft_requests_total"], found["sft_request_seconds_total"]) == ({"ShowFile": 2}, {"ShowFile": 0.75})
    assert (found["sft_refusals_total"], found["sft_events_total"]) == ({"NOT_FOUND": 1}, {"user-enabled": 1})
    assert [found[f"sft_hook_{name}"] for name in ("delivered_total", "failures", "waiting_leaves")] == [
        {"chat": 9}, {"chat": 2}, {"chat": 2},
    ]  # fmt: skip
    assert "process_resident_memory_bytes" in found
    assert b"a-name-of-somebody" not in metrics_text(STATUS, counts)


def test_the_page_of_monitoring_has_the_table_of_the_code():
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text("utf-8")
    assert f"less than {size_text(LOW_ROOM_BYTES)} are left" in page
    rows = re.findall(r"^\| `(sft_\w+)` \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert rows == [(each.name, f"`{each.label}`" if each.label else "", each.about) for each in METRICS]


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, []),
        ({"damages": 2}, ["damage"]),
        ({"clock_sound_at": 5}, ["clock-doubted"]),
        ({"key_unreadable": True}, ["master-key-gone"]),
        ({"free_bytes": 0}, ["full"]),
        ({"free_bytes": LOW_ROOM_BYTES - 1}, ["room-low"]),
        ({"free_bytes": None}, []),
        ({"hooks": (replace(STATUS.hooks[0], failures=3),)}, ["hook-fails"]),
        ({"waiting": ("listen",), "damages": 1}, ["damage", "restart-waits"]),
    ],
)
def test_what_is_wrong_is_named_and_the_server_is_up(changes, problems):
    fields = {name: getattr(STATUS, name) for name in STATUS.__struct_fields__}
    document = health_document(ServerStatus(**(fields | changes)))
    assert (document["status"], document["problems"], document["uptime_seconds"]) == ("ok", problems, 60)


@pytest.mark.parametrize(
    ("hosts", "local"),
    [
        ([], True), ([b"localhost"], True), ([b"localhost:7363"], True), ([b"127.0.0.1:7363"], True),
        ([b"[::1]:7363"], True), ([b"[::1]"], True), ([b"127.8.8.8"], True), ([b"evil.example"], False),
        ([b"evil.example:7363"], False), ([b"10.0.0.1"], False), ([b""], False), ([b"[2001:db8::1]:7363"], False),
        ([b"\xff"], False), ([b"localhost", b"evil.example"], False), ([b"localhost", b"localhost"], False),
    ],
)  # fmt: skip
def test_a_page_of_another_host_is_not_answered(hosts, local):
    assert _is_local(hosts) == local
