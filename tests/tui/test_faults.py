from __future__ import annotations

import pytest

from tests.tui.ui_driver import driven


class _UnforeseenError(Exception):
    pass


@pytest.mark.every_run
async def test_a_fault_in_the_background_is_told_by_its_reference_and_ends_nothing(tmp_path):
    async with driven(tmp_path) as run:
        run.gateway.fail_next["details"] = _UnforeseenError("a local secret")
        run.put_cursor_on("welcome.txt")
        run.files._describe()
        await run.quiet()
        assert "sft had a fault of its own." in run.said()
        assert "7F3K-29QD" in run.said()
        assert "_UnforeseenError" in run.gateway.faults[0]
        await run.press("down")
        assert run.app.is_running


async def test_a_fault_of_an_act_ends_nothing_either(tmp_path):
    async with driven(tmp_path) as run:
        run.files.act_sort = lambda: run.files.no_such_thing
        await run.press("o")
        assert "sft had a fault of its own." in run.said()
        assert run.app.is_running


async def test_what_cannot_go_on_ends_with_a_reference_and_prints_no_traceback(tmp_path):
    # The toolkit raises the fault once more when the app has ended, in place of whatever was raised within.
    with pytest.raises(_UnforeseenError):
        async with driven(tmp_path) as run:
            run.app._handle_exception(_UnforeseenError("a local secret"))
    assert run.app._exit_renderables == []
    assert "Report it with the reference 7F3K-29QD" in run.app.quitting.last_words
    assert "a local secret" not in run.app.quitting.last_words
    assert run.app.return_code == 1
