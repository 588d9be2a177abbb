"""Words for people, one line each."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sft import errors
from sft.cli.failures import error_json, error_lines
from sft.cli.next_steps import NEXT_STEPS
from sft.model import text
from sft.model.access import Role
from sft.model.names import safe

# Sunday 3 May 2026, 14:02:11 UTC
NOW = 1_777_816_931
PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (NOW, "3 May 14:02"),
        (NOW - 365 * 86400, "3 May 2025 14:02"),
        (0, "1 Jan 1970 00:00"),
        (-86400, "31 Dec 1969 00:00"),
        (NOW + 30 * 86400, "2 June 14:02"),
        (1 << 62, "a time out of range"),
        (-(1 << 62), "a time out of range"),
    ],
)
def test_times(seconds: int, said: str) -> None:
    assert text.local_time(seconds, now=NOW, zone=UTC) == said


def test_times_are_those_of_the_reader() -> None:
    assert text.local_time(NOW, now=NOW, zone=PARIS) == "3 May 16:02"
    assert text.local_time(NOW, now=NOW, zone=UTC, weekday=True) == "Sun 3 May 14:02"
    new_year = 1_798_761_600  # 1 January 2027, 00:00 UTC
    assert text.local_time(new_year, now=new_year - 1, zone=PARIS) == "1 Jan 02:00"
    assert text.local_time(new_year, now=new_year - 1, zone=UTC) == "1 Jan 2027 00:00"


def test_times_for_programs() -> None:
    assert text.utc_time(NOW) == "2026-05-03T14:02:11Z"
    assert text.utc_time(NOW + 0.9) == "2026-05-03T14:02:11Z"
    assert text.utc_time(1 << 62) == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("size_bytes", "said"),
    [
        (0, "0 B"),
        (12, "12 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12288, "12 KiB"),
        (890 * 1024, "890 KiB"),
        (10189, "10 KiB"),
        (10188, "9.9 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (4_300_000, "4.1 MiB"),
        (2 << 30, "2.0 GiB"),
        (64 << 40, "64 TiB"),
        (5000 << 60, "5,000 EiB"),
    ],
)
def test_sizes(size_bytes: int, said: str) -> None:
    assert text.size_text(size_bytes) == said


def test_rates() -> None:
    assert text.rate_text(208 << 20, 1) == "208 MiB/s"
    assert text.rate_text(1 << 20, 0) == "0 B/s"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (9.84, "9.8 s"),
        (9.96, "10 s"),
        (35.4, "35 s"),
        (59.6, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3900, "1 h 5 min"),
        (-1, "0.0 s"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert text.duration_text(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(4, "0:04"), (61, "1:01"), (3729, "1:02:09"), (-1, "0:00")])
def test_time_left(seconds: float, said: str) -> None:
    assert text.left_text(seconds) == said


@pytest.mark.parametrize(
    ("name", "shown", "typed"),
    [
        ("plan.pdf", "plan.pdf", "plan.pdf"),
        ("finance/2026/plan.pdf", "finance/2026/plan.pdf", "finance/2026/plan.pdf"),
        ("old plan.pdf", '"old plan.pdf"', "'old plan.pdf'"),
        ("a\u202eb", '"a\\u{202e}b"', "$'a\\xe2\\x80\\xaeb'"),
        ("$(reboot)", "$(reboot)", "'$(reboot)'"),
        ("it's", "it's", "'it'\"'\"'s'"),
        ("-rf", "-rf", "/-rf"),
        ("größe.txt", "größe.txt", "größe.txt"),
        ("", '""', "''"),
    ],
)
def test_names_in_sentences_and_commands(name: str, shown: str, typed: str) -> None:
    assert text.shown_name(name) == shown
    assert text.shell_name(name) == typed


# As a peer may call a file, or somebody who was told to; and what only a disk may hold.
HOSTILE = ("-rf", "--to=-rf", "a b", "$(reboot)", "`id`", "it's", "a;b&c|d>e", "!!", "~", "#x", "é\u0301", "größe", "*")
UNSEEN = ("\u202egnp.exe", "a\nb", "\x1b[2J", "tab\there", "byte\udcff", "'\u200b'", "back\\slash\x07")


def test_a_shell_reads_a_name_back_byte_for_byte_and_a_terminal_shows_all_of_it() -> None:
    names = (*HOSTILE, *UNSEEN)
    line = text.shell_line(names)
    assert safe(line) == line
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)  # noqa: S607
    assert read.stdout.split(b"\0")[:-1] == [name.encode("utf-8", "surrogateescape") for name in names]


def test_a_path_of_this_computer_is_never_an_option() -> None:
    """A slash before it, as for a path on the server, would name another file."""
    assert text.shell_path("-rf") == "./-rf"
    assert text.shell_path("-r f") == "'./-r f'"
    assert text.shell_path("a/-b") == "a/-b"


def test_values_are_told_by_their_names() -> None:
    error = errors.ExistsError(path="a b.xlsx", version=3, author="max", stored_at=NOW)
    assert text.sentence(error, now=NOW, zone=UTC) == ('"a b.xlsx" exists: version 3 by max, 3 May 14:02.')
    full = errors.ServerFullError(size_bytes=2 << 30)
    assert text.sentence(full, now=NOW) == ("The server has no room for 2.0 GiB. Getting and deleting still work.")


def test_a_role_in_the_plural_begins_a_sentence() -> None:
    error = errors.RoleForbidsError(
        role=Role.GUEST, act="store files", name="gus", needed="maintainer", admins="ada, eva"
    )
    assert error_lines(error, now=NOW) == [
        "sft: Guests do not store files [ROLE_FORBIDS]",
        "     An admin can: sft role gus maintainer. Admins here: ada, eva",
    ]


def test_names_of_peers_keep_their_case_at_the_beginning() -> None:
    error = errors.NotYoursError(path="plan.pdf", owner="ivo", act="delete", admins="ada, eva", ref="7F3K-29QD")
    assert error_lines(error, now=NOW) == [
        "sft: plan.pdf belongs to ivo: only they or an admin may delete it [NOT_YOURS]",
        "     Ask ivo, or an admin (ada, eva) (ref 7F3K-29QD)",
    ]


def test_a_template_that_quotes_is_not_quoted_twice() -> None:
    error = errors.NameNotAllowedError(name="a b:c", problem='":"', safer="a b_c")
    assert text.sentence(error, now=NOW) == '"a b:c" has ":".'
    assert NEXT_STEPS.of(error, now=NOW).endswith("for example 'a b_c'")


def test_what_peers_say_cannot_touch_the_terminal() -> None:
    error = errors.NotFoundError(what="file\x1b]0;x\x07", name="a\u202e", ref="\x1b[2J")
    for line in error_lines(error, now=NOW):
        assert line.isprintable()
    document = error_json(error, now=NOW)
    assert all(str(value).isprintable() for value in document.values())
    unknown = errors.UnknownRefusalError(code="\x1b[2JNEW")
    assert error_lines(unknown, now=NOW)[0].isprintable()


def test_templates_in_values_are_not_filled_again() -> None:
    error = errors.NotFoundError(what="file", name="{see}")
    assert text.sentence(error, now=NOW) == "There is no file {see}."


def test_errors_for_programs() -> None:
    error = errors.NotFoundError(what="file", name="x", ref="7F3K-29QD")
    assert error_json(error, now=NOW) == {
        "code": "NOT_FOUND",
        "exit": 3,
        "message": "There is no file x.",
        "next": "See what there is: sft ls",
        "ref": "7F3K-29QD",
    }
    assert error_json(errors.NotJoinedError(), now=NOW)["ref"] is None


def test_an_unknown_code_is_shown_by_its_name() -> None:
    error = errors.RequestError.from_wire("SUN_SPOTS", {}, "7F3K-29QD")
    assert error_json(error, now=NOW)["code"] == "SUN_SPOTS"


def test_every_role_has_words() -> None:
    for words in (text.ROLE_WORDS, text.ROLE_ADDS, text.ROLE_OF_YOURS):
        assert set(words) == set(Role)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("30m", 1800), ("12h", 43_200), ("2d", 172_800), ("2w", 1_209_600), ("2 days", 172_800),
        ("1 day", 86_400), ("30 min", 1800), ("1 week", 604_800), (" 90 m ", 5400), ("30D", 2_592_000),
    ],
)  # fmt: skip
def test_the_time_of_an_invitation_is_read_as_people_write_it(typed: str, seconds: int) -> None:
    assert text.invitation_seconds(typed) == seconds


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2d", 1_777_777_777 - 172_800), ("90m", 1_777_777_777 - 5400),
        ("2026-05-03T03:09:37Z", 1_777_777_777), ("2026-05-03T05:09:37+02:00", 1_777_777_777),
        ("2026-05-03", 1_777_759_200), ("2026-05-03 05:09:37", 1_777_777_777),
    ],
)  # fmt: skip
def test_a_moment_is_read_as_people_and_programs_write_it(typed: str, moment: int) -> None:
    assert text.moment(typed, 1_777_777_777, ZoneInfo("Europe/Berlin")) == moment


@pytest.mark.parametrize("typed", ["", "soon", "2026-13-01", "9999-12-31T23:59:59-23:59x", "2 d 3 h"])
def test_what_is_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(errors.UsageError):
        text.moment(typed, 1_777_777_777)


@pytest.mark.parametrize(
    "typed", ["", "0d", "-1d", "2", "days", "31 d", "5 weeks", "2 d 3 h", "1.5h", "\uff12d", "999999w"]
)
def test_other_times_of_an_invitation_are_refused(typed: str) -> None:
    with pytest.raises(errors.UsageError):
        text.invitation_seconds(typed)


def test_references_hold_no_letters_that_look_alike() -> None:
    reference = text.new_reference(lambda count: bytes(range(24, 24 + count)))
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", reference)
    assert reference == "RSTV-WXYZ"


@pytest.mark.parametrize(
    ("done", "total", "said"),
    [
        (0, 500, "0/500 B"),
        (1288490188, 2 << 30, "1.2/2.0 GiB"),
        (0, 15 << 20, "0/15 MiB"),
        (1 << 20, 1 << 30, "0.0/1.0 GiB"),
    ],
)
def test_a_part_is_told_in_the_unit_of_the_whole(done: int, total: int, said: str) -> None:
    assert text.part_text(done, total) == said
