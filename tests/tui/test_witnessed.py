"""How far the log is witnessed, in the first line and on the Servers screen, as the policy of this computer asks for it."""

from __future__ import annotations

import pytest

from sft.client.heads import Head
from sft.client.witnessed import keep_cosigned
from sft.crypto.note_keys import CosignerKey, SignatureType
from sft.crypto.signed_note import cosign_note
from sft.limits import UNWITNESSED_SECONDS
from tests.tui.ui_driver import UiDriver, running
from tui.widgets.header import Header

WITNESS = CosignerKey("w0.example", SignatureType.ED25519_COSIGNATURE, bytes(32))
POLICY = f"witness w0 {WITNESS.public.vkey()}\nquorum w0\n"


def header(stage: UiDriver) -> str:
    return stage.app.frame.query_one(Header).render().plain


async def with_policy(stage: UiDriver, text: str) -> None:
    """Give this computer a policy, and log in again."""
    name = f"policies/{stage.service.server_id.hex()[:32]}"
    stage.gateway.saved[name] = text.encode()
    await again(stage)


async def again(stage: UiDriver) -> None:
    stage.gateway.break_line()
    await stage.noticed()
    assert stage.gateway.connection.online


def cosigned(stage: UiDriver) -> int:
    """Have the newest head cosigned, and return its size."""
    told = stage.gateway._live._access.session.log.told
    note = cosign_note(told.note, WITNESS, timestamp=int(stage.service.now))
    keep_cosigned(stage.gateway.state, stage.service.server_id, Head(told.checkpoint, note))
    return told.checkpoint.size


async def test_without_a_policy_nothing_is_said_of_witnesses(tmp_path):
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        assert header(stage).endswith("max · maintainer  log ✓")
        await stage.press("6")
        assert "witness" not in stage.text()
        assert "Its log: " in stage.text("#server-says")


async def test_what_no_quorum_has_cosigned_is_not_yet_witnessed(tmp_path):
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        await with_policy(stage, POLICY)
        assert header(stage).endswith("max  log ✓ not yet witnessed"), "it stands before the role"
        await stage.resize((140, 36))
        assert header(stage).endswith("max · maintainer  log ✓ not yet witnessed")
        await stage.press("6")
        assert "not yet witnessed: w0 did not cosign" in stage.text("#server-says")


@pytest.mark.every_run
async def test_a_quorum_witnesses_up_to_where_it_cosigned(tmp_path):
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        await with_policy(stage, POLICY)
        size = cosigned(stage)
        await again(stage)
        assert header(stage).endswith("max · maintainer  log ✓")
        await stage.press("6")
        assert f"{size:,} leaves, witnessed up to {size:,} on 3 May 15:31." in stage.text("#server-says")
        stage.service.make_folder("new", "ada")
        await again(stage)
        assert header(stage).endswith("max  log ✓ unwitnessed"), "this screen's name leaves less room"
        await stage.press("1")
        assert header(stage).endswith("max  log ✓ not yet witnessed")
        await stage.press("6")
        assert f"witnessed up to {size:,} on 3 May 15:31, 1 not yet." in stage.text("#server-says")
        stage.service.now += UNWITNESSED_SECONDS + 60
        await again(stage)
        assert "has cosigned the log of acme-files for more than a day" in stage.text("#server-says")


async def test_a_policy_is_taken_from_a_file_and_one_that_is_none_changes_nothing(tmp_path):
    (tmp_path / "policy").write_text(POLICY)
    (tmp_path / "none").write_text("quorum all\n")
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        await stage.press("6", "w", "end")
        await stage.type("none")
        await stage.press("enter")
        assert "C2SP tlog-policy" in stage.said()
        assert "witness" not in header(stage)
        await stage.press("w", "end")
        await stage.type("policy")
        await stage.press("enter")
        assert "not yet witnessed: w0 did not cosign" in stage.text("#server-says")
        (done,) = [each.text for each in stage.app.commands]
        assert done.startswith("sft servers policy acme-files ")


async def test_a_damaged_policy_is_said_and_stops_nothing(tmp_path):
    async with running(tmp_path, "max", size=(120, 36)) as stage:
        await with_policy(stage, "quorum all\n")
        assert "C2SP tlog-policy" in stage.text("#message")
        assert stage.gateway.connection.online
        await with_policy(stage, POLICY)
        assert "C2SP tlog-policy" not in stage.text("#message")
