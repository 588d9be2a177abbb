"""The campaign of very many files, on few: the home that it makes is sound, and each of its measures measures something."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from sft.model.access import operator_caller
from sft.service.accounts import show_user
from sft.service.files import list_folder, list_trash
from sft.service.maintenance.check import check
from sft.service.maintenance.report import JobContext
from tests.campaigns.population import MORE_ADMINS, Shape, build, open_here
from tests.campaigns.scale_measures import Measures

FILES, PEOPLE = 1_200, 40
MOMENT = 1_700_000_000


def test_the_home_that_is_made_is_as_asked_and_the_check_calls_it_clean(tmp_path: Path) -> None:
    shape = Shape(FILES, PEOPLE, MOMENT)
    home = build(tmp_path, shape)
    with closing(open_here(home)) as opened:
        context = opened.context
        job = JobContext(
            context.storage, context.readers.reading, lambda act, item: context.writer.submit(act, item).result()
        )
        ask, operator = context.readers.run, operator_caller()
        report = ask(check, operator, context=job)()
        assert (report.faults, report.files) == ((), FILES + FILES // 10)
        olga = ask(show_user, operator, name="olga")
        assert olga.files == FILES // 2 + FILES // 40 + FILES // 20
        root = ask(list_folder, operator, path="")
        assert {folder.path: (folder.files, folder.folders) for folder in root.folders} == {
            "big": (FILES // 2, 0), "deep": (0, 1), "empty": (0, 60), "many": (0, 2), "old": (0, 0), "wide": (0, 12),
        }  # fmt: skip
        trash = ask(list_trash, operator, limit=500)
        assert [folder.path for folder in trash.folders] == ["old/o00000"]
        assert len(trash.files) == FILES // 20
        assert sum(file.owner == "olga" for file in trash.files) == FILES // 40
        assert ask(show_user, operator, name=f"person_{PEOPLE - MORE_ADMINS + 1}").role == "admin"


@pytest.mark.long
def test_each_measure_measures_something(tmp_path: Path) -> None:
    shape = Shape(FILES, PEOPLE, int(time.time()))
    build(tmp_path, shape)
    figures = Measures(tmp_path, shape, times=2).run()
    figures.show()
    assert len(figures.found) > 30
    assert [figure.what for figure in figures.found if not figure.server + figure.whole] == []
