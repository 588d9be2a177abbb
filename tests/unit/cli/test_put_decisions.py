"""A version of a key that nobody knows is replaced by whoever says so, and by nobody else."""

from __future__ import annotations

import msgspec
import pytest

from sft.cli.commands.put import ask_of_unknown
from sft.client.transfers.batch import put_all
from sft.client.transfers.progress import TransferStage
from sft.errors import SignerUnknownError
from tests.unit.client.conftest import profile, server, session, state  # noqa: F401 - fixtures
from tests.unit.client.memory_server import MALLORY_KEY
from tests.unit.client.test_transfers_in_memory import BY_MAX, item, local, stored


@pytest.mark.parametrize("answer", [True, False])
def test_what_cannot_be_judged_is_asked_about(server, session, tmp_path, answer):  # noqa: F811 - fixtures
    stored(server, b"first", **{**BY_MAX, "key": MALLORY_KEY})
    stored(server, b"known", "docs/b.bin", file_id=b"b" * 16, **BY_MAX)
    items = [item(local(tmp_path, b"mine")), item(local(tmp_path, b"mine", "b"), "docs/b.bin")]
    results = server.run(put_all(session, items, replace=True))
    asked = []

    def agrees(question):
        asked.append(question)
        return answer

    piped = msgspec.structs.replace(results[0], item=msgspec.structs.replace(items[0], source=None))
    assert server.run(ask_of_unknown(session, [piped], agrees, 0)) == [piped]
    first, second = server.run(ask_of_unknown(session, results, agrees, 0))
    assert asked == [
        "docs/a.bin is signed by a key that acme-files never registered for max. Replace version 1 all the same?"
    ]
    assert second is results[1]
    assert (first.stage is TransferStage.STORED) is answer
    assert isinstance(first.error, SignerUnknownError) is not answer
    assert server.files["docs/a.bin"][1] == (b"mine" if answer else b"first")
