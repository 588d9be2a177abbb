"""Why a file can be believed: drawn, and asked for by a person."""

from __future__ import annotations

import pytest
from rich.style import Style

from sft.client.trust_chain import Chain, ChainLink, LinkName, Standing
from tests.tui.ui_driver import driven
from tui.glyphs import FINE, PLAIN, Glyphs
from tui.themes.styles import styles_of
from tui.widgets.chain import chain_lines, verdict_of, wrapped

LONG = "a sentence of many words that has to be broken " * 4
HOSTILE = "統計" * 40 + "[@click=app.quit]x[/]" + "x" * 120

COMMANDS = ["sft get x --with-signature", f"minisign -V -H -m x -P {'R' * 56}"]


def drawn_of(chain: Chain, width: int, height: int, glyphs: Glyphs = FINE, styles=None):
    return chain_lines(chain, COMMANDS, width, height, glyphs, styles or styles_of("sft-dark"))


def chain(*standings: Standing) -> Chain:
    """A chain whose first links stand so; the others hold."""
    given = [*standings, *[Standing.HELD] * 6]
    links = [
        ChainLink(name, stands, (LONG, HOSTILE), "mark " * 9) for name, stands in zip(LinkName, given, strict=False)
    ]
    return Chain(tuple(links), COMMANDS[1])


@pytest.mark.parametrize("glyphs", [FINE, PLAIN])
@pytest.mark.parametrize("width", [24, 40, 76, 110, 200])
@pytest.mark.parametrize("height", [10, 10_000])
def test_no_line_is_wider_than_there_is_room_and_a_box_has_straight_sides(glyphs, width, height):
    drawn = drawn_of(chain(Standing.OPEN, Standing.BROKEN), width, height, glyphs)
    assert max(line.cell_len for line in drawn) <= width
    if height > 100:
        frames = [line for line in drawn if line.plain[0] not in " T"]
        assert {line.cell_len for line in frames if "without sft" not in line.plain} == {width}
    if glyphs.plain:
        assert "".join(line.plain for line in drawn).replace("統", "").replace("計", "").isascii()


@pytest.mark.parametrize("height", [10, 10_000])
def test_how_a_link_stands_is_said_by_sign_and_word_without_any_color(height):
    colorless = dict.fromkeys(styles_of("sft-dark"), Style())
    drawn = drawn_of(chain(Standing.OPEN, Standing.BROKEN), 80, height, FINE, colorless)
    text = "\n".join(line.plain for line in drawn)
    assert "· SERVER open" in text
    assert "✗ AUTHOR broken" in text
    assert "✓ CONTENT holds" in text


def test_no_line_joins_what_is_broken():
    held = "\n".join(line.plain for line in drawn_of(chain(), 80, 10_000))
    assert (held.count("┬"), held.count("┴")) == (5, 5)
    broken = drawn_of(chain(Standing.HELD, Standing.BROKEN), 80, 10_000)
    text = "\n".join(line.plain for line in broken)
    assert (text.count("┬"), text.count("┴")) == (3, 3)


def test_the_whole_is_said_in_a_sentence():
    assert verdict_of(chain()) == "Every link holds."
    missing = chain(*[Standing.HELD] * 4, Standing.OPEN)
    assert verdict_of(missing) == "Every link that is needed holds. Open: receipt."
    both = chain(*[Standing.HELD] * 4, Standing.OPEN, Standing.OPEN)
    assert verdict_of(both) == "What was checked holds. Open: receipt and content."
    assert verdict_of(chain(*[Standing.HELD] * 5, Standing.OPEN)) == "What was checked holds. Open: content."
    assert verdict_of(chain(Standing.HELD, Standing.BROKEN)) == "Broken at author: do not use this file."


def test_words_are_broken_at_blanks_and_what_has_none_where_the_room_ends():
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("統計統計", 5) == ["統計", "統計"]
    assert wrapped("", 5) == [""]
    assert wrapped("abcdef", 1) == [*"abcdef"]


@pytest.mark.every_run
async def test_a_file_is_asked_about_read_from_there_and_proved_without_sft(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("contract.pdf")
        await run.press("w")
        assert run.dialog == "Trust"
        assert "Can contract.pdf be believed?" in run.screen()
        assert "Open: receipt and content." in run.text()
        await run.press("v")
        await run.moved()
        assert "Every link that is needed holds. Open: receipt." in run.text()
        assert "These bytes are ada's: content, name and version are as ada signed them." in run.text()
        await run.press("y")
        get, check = run.app.clipboard.splitlines()
        assert get == "sft get finance/2026/contract.pdf --with-signature"
        assert check.startswith("minisign -V -H -m contract.pdf -P RW")
        await run.press("escape")
        assert run.files.remote.current.state.value == "verified"
        run.put_cursor_on("old-plan.pdf")
        await run.press("w", "v")
        await run.moved()
        assert "Broken at content: do not use this file." in run.text()
        assert "✗ CONTENT broken" in run.screen()
        await run.press("escape", "tab", "w")
        assert "that is for the server's side" in run.message_line()


async def test_what_has_no_room_is_said_to_be_there_and_scrolled_to(tmp_path):
    async with driven(tmp_path, size=(80, 20)) as run:
        run.put_cursor_on("welcome.txt")
        await run.press("w")
        assert "more" in run.lines()[-1]
        assert "minisign" not in run.screen()
        await run.press("pagedown", "pagedown")
        assert "more" not in run.lines()[-1]
        assert "minisign -V -H -m welcome.txt" in run.screen()
        await run.press("k")
        assert "more" in run.lines()[-1]


@pytest.mark.every_run
async def test_a_receipt_that_was_changed_on_this_computer_is_broken(tmp_path):
    async with driven(tmp_path) as run:
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("w")
        assert "✓ RECEIPT holds" in run.screen()
        await run.press("escape")
        (kept,) = (run.gateway.state.data / "receipts").glob("*/*")
        kept.write_text(kept.read_text().replace("notes.md", "other.md"))
        await run.press("w")
        assert "✗ RECEIPT broken" in run.screen()


async def test_a_line_of_the_log_leads_to_its_version_and_not_to_another_file_that_lies_there_now(tmp_path):
    async with driven(tmp_path, "ada") as run:
        run.service.store("first.txt", "max", b"1")
        run.service.store("second.txt", "max", b"2")
        await run.press("4")
        await run.press("w")
        assert run.dialog == "Trust"
        assert "Can second.txt, version 1, be believed?" in run.screen()
        assert "Open: receipt and content." in run.text()
        await run.press("escape")
        await run.gateway.files.move("second.txt", "third.txt")
        await run.gateway.files.move("first.txt", "second.txt")
        await run.later(10)
        await run.press("home", "down", "down", "w")
        assert "Another file lies at that path by now." in run.text()
        await run.press("escape", "end", "w")
        assert "This line is about no version of a file." in run.message_line()


async def test_a_transfer_of_one_file_leads_to_it_and_one_of_several_to_none(tmp_path):
    async with driven(tmp_path) as run:
        await run.go("finance/2026")
        run.put_cursor_on("old-plan.pdf")
        await run.press("v")
        await run.moved()
        run.put_cursor_on("Q1/")
        await run.press("v")
        await run.moved()
        await run.press("tab")
        run.put_cursor_on("notes.md")
        await run.press("c")
        await run.moved()
        await run.press("2", "home", "w")
        assert "Can old-plan.pdf be believed?" in run.screen()
        assert "✗ CONTENT broken" in run.screen()
        await run.press("escape", "end", "w")
        assert "Can notes.md, version 1, be believed?" in run.screen()
        await run.press("escape", "up", "w")
        assert "It is about more than one file" in run.message_line()
