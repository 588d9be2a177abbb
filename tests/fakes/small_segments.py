"""Segments of 2 MiB for tests: what is done once a segment costs an eighth, and is the same.

Rules. Wherever the product has the numbers they are others, all at once and for whole modules of tests; what they are follows
from nothing else. ``sft.limits`` keeps its own, for whoever is loaded meanwhile. Segments of true length are uploaded in
``tests/integration/test_resume.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

import sft.client.transfers.download_resume
import sft.client.transfers.upload_resume
import sft.client.transfers.upload_stream
import sft.service.maintenance.check_uploads
import sft.service.uploads
import sft.vault.vault  # noqa: F401
from sft.limits import CHUNK_BYTES
from sft.limits import SEGMENT_BYTES as TRUE_BYTES
from sft.limits import SEGMENT_CHUNKS as TRUE_CHUNKS
from sft.vault.layout import sealed_size

SEGMENT_CHUNKS = 32
SEGMENT_BYTES = SEGMENT_CHUNKS * CHUNK_BYTES

_INSTEAD = {
    TRUE_CHUNKS: ("SEGMENT_CHUNKS", SEGMENT_CHUNKS),
    TRUE_BYTES: ("SEGMENT_BYTES", SEGMENT_BYTES),
    sealed_size(TRUE_BYTES): ("_FULL_SEGMENT_BYTES", sealed_size(SEGMENT_BYTES)),
}


@pytest.fixture(scope="module", autouse=True)
def small_segments() -> Iterator[None]:
    """Have small segments in all tests of the module that imports this."""
    with pytest.MonkeyPatch.context() as patched:
        for name, module in list(sys.modules.items()):
            if name.startswith("sft.") and name != "sft.limits":
                for true, (constant, small) in _INSTEAD.items():
                    if getattr(module, constant, None) == true:
                        patched.setattr(module, constant, small)
        yield
