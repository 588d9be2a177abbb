"""A file with its signature and its proof, written from Files for somebody who has no account."""

from __future__ import annotations

from sft.crypto.comment import FileComment
from sft.crypto.signatures import FileSignature
from sft.ledger.file_proof import check_file_proof
from tests.tui.ui_driver import driven, running


async def test_a_file_its_signature_and_its_proof_are_written_and_how_they_are_checked_is_copied(tmp_path):
    async with running(tmp_path, "max", size=(80, 24)) as run:
        await run.press("2", "1")
        run.put_cursor_on("welcome.txt")
        await run.press("P", "tab")
        assert run.dialog == "WriteProof"
        assert not (tmp_path / "welcome.txt").exists()
        await run.press("enter")
        assert "Written: welcome.txt, welcome.txt.minisig, welcome.txt.sftproof" in run.text("#dialog")
        signature = FileSignature.parse((tmp_path / "welcome.txt.minisig").read_bytes())
        shown = check_file_proof((tmp_path / "welcome.txt.sftproof").read_text(), FileComment.parse(signature.comment))
        assert f"at {shown.index:,}." in run.text("#dialog")
        await run.press("y")
        assert run.app.clipboard.startswith("sft verify ")
        assert run.app.clipboard.endswith("welcome.txt.sftproof")
        await run.press("escape")
        assert run.said().endswith("with its signature and its proof.")
        assert next(each.text for each in run.app.commands).startswith("sft proof welcome.txt --to ")
        (tmp_path / "welcome.txt").write_text("another")
        await run.press("P", "tab", "enter")
        assert "already, with something else in it." in run.text("#dialog-problem")
        assert (tmp_path / "welcome.txt").read_text() == "another"


async def test_on_this_side_and_of_a_folder_there_is_no_proof(tmp_path):
    async with driven(tmp_path) as run:
        run.put_cursor_on("finance/")
        await run.press("P")
        assert run.said() == "Only a file is signed and in the log."
        await run.press("tab", "P")
        assert "that is for the server's side" in run.said()
        assert run.dialog == ""
