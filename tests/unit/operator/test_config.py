"""What the operator is shown of the configuration."""

from __future__ import annotations

import json
import tomllib

import pytest

from sft.errors import UsageError
from sft.operator import config
from sft.operator.home import Home
from sft.operator.options import OPTIONS


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path, environment={"SFT_SERVER_PUBLIC": "b:1"})
    home.configuration_file.write_text('trash_days = 7\nname = "acme"  # by sftd serve\n')
    return home


def test_every_option_is_shown_with_its_value_and_where_that_comes_from(home, capsys):
    assert config.show(home, {"json": False, "option": ""}) == 0
    said = capsys.readouterr()
    assert said.err == (
        "No server runs. From the environment of this shell: public; one that is started elsewhere has its own.\n"
    )
    rows = [line.split("\t") for line in said.out.splitlines()]
    assert [row[0] for row in rows] == [each.name for each in OPTIONS]
    assert {row[0]: row[1:] for row in rows if row[2] != "default"} == {
        "trash_days": ["7", "file"], "name": ['"acme"', "flag"], "public": ['"b:1"', "environment"],
    }  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS, ids=lambda each: each.name)
def test_one_option_is_shown_with_all_that_is_said_of_it(option, home, capsys):
    assert config.show(home, {"json": False, "option": option.name.replace("_", "-")}) == 0
    said = capsys.readouterr().out
    assert option.about in said
    assert option.variable in said
    assert ("SIGHUP" in said) == option.reloads


def test_what_is_wrong_is_said_with_the_rest_and_makes_the_status(home, capsys):
    home.configuration_file.write_text("trash_day = 7\n")
    assert config.show(home, {"json": False, "option": ""}) == 10
    said = capsys.readouterr()
    assert "Did you mean trash_days?" in said.err
    assert "trash_days\t30\tdefault" in said.out
    assert config.check(home, {"json": True}) == 10
    (fault,) = json.loads(capsys.readouterr().out)["faults"]
    assert fault["place"] == f"{home.configuration_file}, line 1"


def test_what_is_right_is_said_to_be(home, capsys, tmp_path):
    assert config.check(home, {"json": False}) == 0
    assert "is right: 3 options set" in capsys.readouterr().out
    assert config.check(Home(tmp_path / "none"), {"json": False}) == 0
    assert "the defaults rule" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "said"),
    [("5", "quota_bytes is 5 bytes: "), ("1", "quota_bytes is 1 byte: "), ('"1M"', ""), ('"none"', "")],
)
def test_a_size_that_is_few_bytes_is_right_and_said_plainly(written, said, tmp_path, capsys):
    home = Home(tmp_path)
    home.configuration_file.write_text(f"quota_bytes = {written}\n")
    assert config.check(home, {"json": False}) == 0
    told = capsys.readouterr()
    assert "is right: 1 option set" in told.out
    assert told.err.startswith(said)
    assert bool(told.err) == bool(said)


def test_another_word_than_an_option_is_refused(home):
    with pytest.raises(UsageError):
        config.show(home, {"json": False, "option": "trash"})


def test_the_example_is_a_file_that_sets_nothing(home, capsys):
    assert config.example(home, {"json": False}) == 0
    assert tomllib.loads(capsys.readouterr().out) == {}
