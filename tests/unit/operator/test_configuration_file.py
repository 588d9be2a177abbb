"""The text of sft.toml: what a person wrote stays, and a line that would say anything else is not put in."""

from __future__ import annotations

import tomllib

import pytest

from sft.operator.configuration import DEFAULTS
from sft.operator.configuration_file import line_of, template, with_values
from sft.operator.options import BY_NAME, OPTIONS

TEMPLATE = template({name: getattr(DEFAULTS, name) for name in BY_NAME})


def test_the_first_file_sets_nothing_and_shows_every_default():
    assert tomllib.loads(TEMPLATE) == {}
    shown = "\n".join(
        line.removeprefix("# ") for line in TEMPLATE.splitlines() if " = " in line and "SFT_SERVER" not in line
    )
    read = tomllib.loads(shown)
    assert list(read) == [each.name for each in OPTIONS]
    assert {name: BY_NAME[name].kind.of(value) for name, value in read.items()} == {
        name: getattr(DEFAULTS, name) for name in BY_NAME
    }
    assert all(len(line) <= 120 for line in TEMPLATE.splitlines())


def test_a_value_takes_the_place_of_the_default_that_is_shown():
    text = with_values(TEMPLATE, {"name": "acme", "exempt": ("10.0.0.0/8",)})
    assert tomllib.loads(text) == {"name": "acme", "exempt": ["10.0.0.0/8"]}
    assert len(text.splitlines()) == len(TEMPLATE.splitlines())
    assert 'name = "acme"  # by sftd serve' in text.splitlines()


def test_what_a_person_wrote_stays():
    text = '# mine\nname = "old"   # from a\n\n  public="a:1"\n'
    assert with_values(text, {"name": "new"}) == '# mine\nname = "new"  # by sftd serve\n\n  public="a:1"\n'


def test_a_new_value_stands_before_the_first_table():
    text = with_values('public = "a:1"\n\n[x]\nname = 1\n', {"data": "/srv"})
    assert tomllib.loads(text) == {"public": "a:1", "data": "/srv", "x": {"name": 1}}


@pytest.mark.parametrize("text", ["name = '''\nold'''\n", "a = '''\nname = 1\n'''\n", "[x]\nname = 1\n", "name"])
def test_a_text_in_which_a_line_would_say_something_else_is_left_alone(text):
    with pytest.raises(ValueError):  # noqa: PT011 - whichever kind
        with_values(text, {"name": "new"})


def test_a_text_is_written_so_that_it_is_read_as_it_was():
    for value in ('a "b" \\ c', "\x7f\x00\n", "ü\u2028"):
        assert tomllib.loads(with_values("", {"master_key": value})) == {"master_key": value}


def test_lines_are_found_however_a_key_is_written():
    text = '\n"a" = 1\nb.c = 2\n[[ d ]]\n  e=3\n'
    assert [line_of(text, name) for name in "abdez"] == [2, 3, 4, 5, None]
