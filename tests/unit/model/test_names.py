"""What is a name, what is none, and why."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sft.errors import NameNotAllowedError, UserNameNotAllowedError
from sft.model import names

ORDINARY = [
    "a",
    "report.pdf",
    "Übergröße.txt",
    "日本語のファイル.txt",
    "ไทย",
    "עברית",
    ".hidden",
    "-rf",
    "~",
    "a b",
    "$(reboot)",
    "[@click=app.pwn]x[[",
    "con_.txt",
    "console",
    "com10",
    "x" * 255,
    "é" * 127,
    "❤️",
    "👍🏽",
    "e\u0301".encode().decode(),
]

FORBIDDEN = {
    "a/b": '"/", which separates folders',
    "a\\b": '"\\", which Windows cannot store',
    "a:b": '":", which Windows cannot store',
    "a*b": '"*", which Windows cannot store',
    "a?b": '"?", which Windows cannot store',
    'a"b': "'\"', which Windows cannot store",
    "a<b": '"<", which Windows cannot store',
    "a>b": '">", which Windows cannot store',
    "a|b": '"|", which Windows cannot store',
    "a\nb": "U+000A, which is a control character",
    "a\x00b": "U+0000, which is a control character",
    "a\x7fb": "U+007F, which is a control character",
    "a\x85b": "U+0085, which is a control character",
    "a\x1b[2Jb": "U+001B, which is a control character",
    "a\u202eb": "U+202E, which shows text backwards",
    "a\u2066b": "U+2066, which changes the direction of text",
    "a\u200fb": "U+200F, which changes the direction of text",
    "a\u200bb": "U+200B, which is invisible",
    "\ufeffa": "U+FEFF, which is invisible",
    "a\u00adb": "U+00AD, which is invisible",
    "a\U000e0041b": "U+E0041, which is invisible",
    "a\u2028b": "U+2028, which breaks the line",
    "a\u2029b": "U+2029, which breaks the line",
    "a\ue000b": "U+E000, which has no meaning that all computers share",
    "a\U0010ffffb": "U+10FFFF, which is no character yet",
    "a\u0378b": "U+0378, which is no character yet",
    "a\ud800b": "U+D800, which is half a character",
    "a\u200cb": "U+200C, which is invisible there",
    "a\u200db": "U+200D, which is invisible there",
    "": "no characters",
    ".": "a meaning of its own: this folder, or the one above",
    "..": "a meaning of its own: this folder, or the one above",
    " a": "a blank at its beginning",
    "\u3000a": "a blank at its beginning",
    "a ": "a blank at its end, which Windows drops",
    "a\u00a0": "a blank at its end, which Windows drops",
    "a.": "a dot at its end, which Windows drops",
    "...": "a dot at its end, which Windows drops",
    "x" * 256: "256 bytes; the most is 255",
    "é" * 128: "256 bytes; the most is 255",
    **dict.fromkeys(
        [
            *("CON", "con", "Con.txt", "nul.tar.gz", "PRN", "AUX", "con .txt"),
            *("COM1", "com9.log", "LPT1", "lpt²", "COM¹", "COM³.x", "CONIN$", "conout$.txt"),
        ],
        "a name that Windows keeps for a device",
    ),
}

JOINED = [
    "می\u200cخواهم",  # Persian: dual, then dual
    "کتاب\u200cها.pdf",
    "نامه\u064e\u200cای",  # a vowel sign in between
    "क्\u200dष",  # a virama before
    "क्\u200cष",
    "👨\u200d👩\u200d👧\u200d👦",
    "🏳️\u200d🌈",
    "👩🏽\u200d🚀",
    "❤️\u200d🔥",
]
MISJOINED = [
    *("\u200cمی", "می\u200c", "م\u200c\u200cی", "د\u200cد"),  # at an end, twice, after what never joins on
    *("ab\u200d", "a\u200d👩", "👩\u200da", "👩\u200d\u200d👩", "م\u200dی", "👩\u200c👩"),
]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_names(name: str) -> None:
    assert names.parse_component(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(("text", "problem"), FORBIDDEN.items())
def test_a_refusal_names_the_character_and_offers_a_name_that_is_allowed(text: str, problem: str) -> None:
    with pytest.raises(NameNotAllowedError) as caught:
        names.parse_component(text)
    assert caught.value.values["problem"] == problem
    safer = caught.value.values["safer"]
    assert isinstance(safer, str)
    assert names.parse_component(safer) == safer


@pytest.mark.parametrize("name", JOINED)
def test_joiners_are_allowed_where_a_script_or_an_emoji_needs_them(name: str) -> None:
    assert names.parse_component(name) == name
    assert names.safe(name) == name


@pytest.mark.parametrize("name", MISJOINED)
def test_joiners_are_refused_everywhere_else(name: str) -> None:
    with pytest.raises(NameNotAllowedError, match="NAME_NOT_ALLOWED") as caught:
        names.parse_component(name)
    assert "which is invisible there" in str(caught.value.values["problem"])
    assert "\\u{200" in names.safe(name)


def test_names_are_normalized() -> None:
    assert names.parse_component("e\u0301") == "\u00e9"
    # 130 accented letters are 390 bytes in two parts each, and 260 in one.
    assert names.parse_component("e\u0301" * 127) == "\u00e9" * 127
    with pytest.raises(NameNotAllowedError):
        names.parse_component("e\u0301" * 128)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", "a"),
        ("/a/b", "a/b"),
        ("a/b/", "a/b"),
        ("finance/2026/contract.pdf", "finance/2026/contract.pdf"),
        ("e\u0301/x", "\u00e9/x"),
    ],
)
def test_paths(text: str, path: str) -> None:
    assert names.parse_path(text) == path


@pytest.mark.parametrize("text", ["", "/", "//", "a//b", "//a", "a/../b", "../a", "a/.", "a/ b", "a/b\0"])
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(NameNotAllowedError):
        names.parse_path(text)


def test_the_root_folder_only_where_it_is_asked_for() -> None:
    assert names.parse_path("", root=True) == ""
    assert names.parse_path("/", root=True) == ""
    with pytest.raises(NameNotAllowedError):
        names.parse_path("///", root=True)


def test_a_path_has_at_most_1024_bytes() -> None:
    path = "/".join(["x" * 204] * 5)
    assert len(path) == 1024
    assert names.parse_path(path) == path
    with pytest.raises(NameNotAllowedError) as caught:
        names.parse_path(path + "x")
    assert caught.value.values["problem"] == "1,025 bytes with its folders; the most is 1,024"


def test_splitting_and_joining() -> None:
    assert names.split_path("a/b/c") == ("a/b", "c")
    assert names.split_path("c") == ("", "c")
    assert names.join_path("a/b", "c") == "a/b/c"
    assert names.join_path("", "c") == "c"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("README.md", "readme.md"),
        ("straße", "STRASSE"),
        ("ﬁle", "FILE"),
        ("Ａ", "a"),
        ("é", "E\u0301"),
        ("ΣΑΣ", "σας"),
        ("a\ufe0f", "A"),
        ("ﷺ", "صلى الله عليه وسلم"),
        ("x\u3164", "X"),
        ("\u1e9e", "ss"),
        ("\u0345\u03b1", "\u03b9\u03b1"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert names.fold(one) == names.fold(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "а"), ("resume", "résumé"), ("1", "l")])
def test_names_that_differ(one: str, other: str) -> None:
    assert names.fold(one) != names.fold(other)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = names.fold(text)
    assert names.fold(once) == once
    assert names.fold(unicodedata.normalize("NFC", text)) == once


@pytest.mark.parametrize("name", ["ada", "Ada-2", "j.r_r", "ö", "张伟", "7", "x" * 64, "अनिल"])
def test_names_of_people(name: str) -> None:
    assert names.parse_user_name(name) == name
    assert names.parse_device_name(name) == name
    assert names.parse_server_name(name) == name


@pytest.mark.parametrize("name", ["Max's laptop", "Max\u2019s old laptop", "x y", f"{'x' * 30}\u2019{'y' * 31}"])
def test_names_of_devices_may_have_blanks_and_apostrophes_within(name: str) -> None:
    assert names.parse_device_name(name) == name
    with pytest.raises(UserNameNotAllowedError):
        names.parse_user_name(name)


@pytest.mark.parametrize("name", ["", " x", "x ", "x  y", "'x", "x'", "x\ty", f"{'x' * 30}\u2019{'y' * 32}"])
def test_names_of_devices_are_otherwise_as_those_of_people(name: str) -> None:
    with pytest.raises(UserNameNotAllowedError):
        names.parse_device_name(name)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no characters"),
        ("a b", "a blank"),
        (" a", "a blank at its beginning"),
        ("-a", '"-" at its beginning'),
        (".a", '"." at its beginning'),
        ("a/b", '"/"'),
        ("a\u202eb", "U+202E"),
        ("a\u3164", "U+3164"),
        ("a\ufe0f", "U+FE0F"),
        ("a\nb", "U+000A"),
        ("ada@acme", '"@"'),
        ("👩", '"👩" at its beginning'),
        ("\u0301a", '"\u0301" at its beginning'),
        ("x" * 65, "65 bytes; the most is 64"),
        ("ö" * 33, "66 bytes; the most is 64"),
        ("\udc80", "U+DC80 at its beginning"),
    ],
)
def test_names_that_no_person_can_have(text: str, problem: str) -> None:
    with pytest.raises(UserNameNotAllowedError) as caught:
        names.parse_user_name(text)
    assert caught.value.values["problem"] == problem
    safer = caught.value.values["safer"]
    assert isinstance(safer, str)
    assert names.parse_user_name(safer) == safer


@pytest.mark.parametrize("text", ["con", "acme.", "..", "a/b"])
def test_a_server_is_named_as_a_folder_can_be(text: str) -> None:
    with pytest.raises(UserNameNotAllowedError):
        names.parse_server_name(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode and 👍🏽", "plain text, ünïcode and 👍🏽"),
        ("a\u202eb", "a\\u{202e}b"),
        ("\x1b[31m", "\\u{1b}[31m"),
        ("a\nb\tc", "a\\u{a}b\\u{9}c"),
        ("\ud800", "\\u{d800}"),
        ("\u2028", "\\u{2028}"),
        ("\ue000\U0010ffff\u0378", "\\u{e000}\\u{10ffff}\\u{378}"),
        ("x\u200by", "x\\u{200b}y"),
        ("ad\u3164a", "ad\\u{3164}a"),
        ("👨\u200d👩", "👨\u200d👩"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert names.safe(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_shown_can_do_nothing_to_a_terminal(text: str) -> None:
    shown = names.safe(text)
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"}.isdisjoint(hidden)
    assert names.safe(shown) == shown
    shown.encode()


@given(st.text(st.characters(exclude_categories=())))
def test_whatever_is_accepted_is_safe_on_every_disk(text: str) -> None:
    try:
        name = names.parse_component(text)
    except NameNotAllowedError as error:
        assert names.parse_component(names.safe_name(text)) == names.safe_name(text)
        # What an error carries must travel.
        for value in error.values.values():
            str(value).encode()
    else:
        assert name == unicodedata.normalize("NFC", name)
        assert 1 <= len(name.encode()) <= 255
        assert len(name.encode("utf-16-le")) // 2 <= 255
        assert not set(name) & set('/\\:*?"<>|\0')
        assert name == name.strip(" ")
        assert names.parse_path(name) == name
        assert names.local_name(name) == name


AWKWARD = [
    *'ab/\\:*?"<>|. \n~',
    *("\u3000", "\u200c", "\u200d", "\u202e", "م", "د", "👩", "\ufe0f", "\u0338", "CON", "nul", "COM1"),
    *("x" * 250, "é", "e\u0301", "\ud800", "\ue000", "क्", "\u0301", "<", "\U0001fabf"),
]


@given(st.lists(st.sampled_from(AWKWARD), max_size=12).map("".join))
def test_the_closest_name_is_always_allowed(text: str) -> None:
    safer = names.safe_name(text)
    assert names.parse_component(safer) == safer


@pytest.mark.parametrize(
    ("text", "safer"),
    [
        ("a:b.txt", "a_b.txt"),
        ("a\u202eb", "a_b"),
        (" a ", "a_"),
        ("a..", "a_"),
        ("", "_"),
        ("..", "_"),
        ("CON.txt", "CON_.txt"),
        ("x" * 300 + ".txt", "x" * 250 + ".txt"),
        ("fine.txt", "fine.txt"),
    ],
)
def test_the_closest_name(text: str, safer: str) -> None:
    assert names.safe_name(text) == safer


@pytest.mark.parametrize("text", ["../x", "a/b", "e\u0301", "nul", "a\0", "", "..", "C:x"])
def test_a_name_is_checked_again_before_it_touches_a_disk(text: str) -> None:
    with pytest.raises(NameNotAllowedError):
        names.local_name(text)


def test_a_hopelessly_long_name_does_not_fill_the_screen() -> None:
    with pytest.raises(NameNotAllowedError) as caught:
        names.parse_component("x" * 5000)
    assert len(str(caught.value.values["name"])) < 100


def test_a_byte_of_a_files_name_that_is_no_text_is_called_so():
    for code in (0xDC80, 0xDCFF):  # as Python reads it
        with pytest.raises(NameNotAllowedError) as refused:
            names.parse_component(f"a{chr(code)}b")
        assert refused.value.values["problem"] == "a byte that is not UTF-8"
    with pytest.raises(NameNotAllowedError) as refused:
        names.parse_component(f"a{chr(0xDC7F)}b")
    assert refused.value.values["problem"] == "U+DC7F, which is half a character"
