"""The metrics of a server, as Prometheus reads them: one table, made of its status and its counts.

Rules. Labels are names of events, requests, hooks and error codes, of which there are a few dozen; no file, person or address
is ever one. What never was has no sample. Names and units follow Prometheus: seconds, bytes, ``_total`` for what only grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sft.model.status import ServerStatus
from sft.server.counts import Counts

Values = float | Mapping[str, float] | None


class ServerMetric(NamedTuple):
    """One metric.

    Attributes:
        label: what its samples are told apart by; "" for a single one.
        value: of the one sample, or by label; None for no sample.
    """

    name: str
    label: str
    about: str
    value: Callable[[ServerStatus, Counts], Values]


METRICS: Final = (
    ServerMetric("sft_info", "version", "The program that runs; always 1.", lambda now, _: {now.version: 1}),
    ServerMetric("sft_start_time_seconds", "", "When the server started, in Unix time.", lambda now, _: now.started_at),
    ServerMetric("sft_sessions", "", "Sessions of people that are logged in.", lambda now, _: now.sessions),
    ServerMetric("sft_strangers", "", "Connections that are not logged in.", lambda now, _: now.strangers),
    ServerMetric("sft_logins_total", "", "Logins since the start.", lambda _, counts: counts.logins),
    ServerMetric("sft_logins_refused_total", "", "Logins refused.", lambda _, counts: counts.logins_refused),
    ServerMetric("sft_files", "", "Files stored, those in the trash too.", lambda now, _: now.files),
    ServerMetric("sft_stored_bytes", "", "Bytes of all their versions.", lambda now, _: now.size_bytes),
    ServerMetric("sft_free_bytes", "", "Bytes that can still be stored.", lambda now, _: now.free_bytes),
    ServerMetric("sft_damaged_contents", "", "Contents known to be damaged.", lambda now, _: now.damages),
    ServerMetric(
        "sft_last_check_timestamp_seconds", "", "When all contents were read last.", lambda now, _: now.checked_at
    ),
    ServerMetric("sft_last_check_faults", "", "Contents that did not hold then.", lambda now, _: now.check_faults),
    ServerMetric(
        "sft_last_collection_timestamp_seconds", "", "When the trash was collected.", lambda now, _: now.collected_at
    ),
    ServerMetric(
        "sft_last_backup_timestamp_seconds", "", "When a backup was taken last.", lambda now, _: now.backed_up_at
    ),
    ServerMetric("sft_master_key_epoch", "", "The number of the master key, from 1.", lambda now, _: now.key_epoch),
    ServerMetric(
        "sft_master_key_timestamp_seconds", "", "Since when it is the master key.", lambda now, _: now.key_since_at
    ),
    ServerMetric("sft_log_leaves", "", "Leaves of the log.", lambda now, _: now.log_size),
    ServerMetric(
        "sft_log_witnessed_leaves", "", "Leaves that a quorum of witnesses cosigned.", lambda now, _: now.witnessed_size
    ),
    ServerMetric(
        "sft_received_bytes_total",
        "",
        "Bytes that the network brought for sessions.",
        lambda now, _: now.received_bytes,
    ),
    ServerMetric("sft_sent_bytes_total", "", "Bytes that it took from them.", lambda now, _: now.sent_bytes),
    ServerMetric(
        "sft_events_total", "event", "What was done, by its name in the log.", lambda _, counts: counts.events
    ),
    ServerMetric("sft_requests_total", "request", "Requests answered, by kind.", lambda _, counts: counts.requests),
    ServerMetric(
        "sft_request_seconds_total", "request", "Seconds that they took.", lambda _, counts: counts.request_seconds
    ),
    ServerMetric(
        "sft_refusals_total",
        "code",
        "Requests refused, by the code of the error; INTERNAL is a fault of the server.",
        lambda _, counts: counts.refusals,
    ),
    ServerMetric(
        "sft_options_waiting",
        "",
        "Options of the configuration that wait for a restart.",
        lambda now, _: len(now.waiting),
    ),
    ServerMetric(
        "sft_hook_delivered_total",
        "hook",
        "Events that a hook took since the start.",
        lambda now, _: {each.name: each.delivered for each in now.hooks},
    ),
    ServerMetric(
        "sft_hook_failures",
        "hook",
        "Tries that failed in a row; 0 for a hook that delivers.",
        lambda now, _: {each.name: each.failures for each in now.hooks},
    ),
    ServerMetric(
        "sft_hook_waiting_leaves",
        "hook",
        "Leaves of the log that a hook has not come to.",
        lambda now, _: {
            each.name: max(0, now.log_size - each.position) for each in now.hooks if each.position is not None
        },
    ),
)


class _Families(Collector):
    """The metrics of one moment."""

    def __init__(self, status: ServerStatus, counts: Counts) -> None:
        self._status = status
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        for each in METRICS:
            kind = CounterMetricFamily if each.name.endswith("_total") else GaugeMetricFamily
            family = kind(each.name, each.about, labels=[each.label] if each.label else [])
            value = each.value(self._status, self._counts)
            if isinstance(value, Mapping):
                for label, number in sorted(value.items()):
                    family.add_metric([label], number)
            elif value is not None:
                family.add_metric([], value)
            yield family


def metrics_text(status: ServerStatus, counts: Counts) -> bytes:
    """Write all metrics, and those of the process, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(_Families(status, counts))
    ProcessCollector(registry=registry)
    return generate_latest(registry)
