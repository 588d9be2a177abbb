from __future__ import annotations

from itertools import chain

from sft.client.fault_log import FaultLog


def test_a_log_never_grows_without_bound(tmp_path):
    log = FaultLog(tmp_path)
    log.path.write_bytes(bytes(2**20 + 1))
    log.keep("the newest")
    assert log.path.read_text().endswith("the newest\n")
    assert log.path.stat().st_size < 100


def test_references_differ(tmp_path):
    refs = {FaultLog(tmp_path).keep("x") for _ in range(20)}
    assert len(refs) == 20
    assert not set(chain.from_iterable(refs)) & set("ILOU")
