"""What stands in a file: its bytes are a stranger's, and whatever they are, an answer comes, short and harmless."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import unicodedata
import zipfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sft.client.api.log import EVERYTHING
from sft.errors import ConnectionLostError
from sft.ledger.leaves import LeafKind
from sft.limits import MIB
from tests.tui.ui_driver import driven
from tui.preview import archives
from tui.preview.archives import archive_of, opened
from tui.preview.content import preview_of
from tui.preview.differences import compared
from tui.preview.images import image_of
from tui.preview.lines import SHOWN_CHARACTERS, lines_of, text_of

HOSTILE_LINES = ("\u202e" * 1000, "\t" * 1000, "漢" * 1000, "x" * 1000, "e" + "\u0301" * 999)


@pytest.mark.parametrize("line", HOSTILE_LINES, ids=["bidi", "tabs", "wide", "long", "marks"])
def test_what_is_shown_is_no_more_than_a_screen_lays_out_at_once(line):
    found = preview_of(f"{line}\n".encode() * 300)
    assert 0 < sum(map(len, found.lines)) <= SHOWN_CHARACTERS
    assert found.said.startswith(f"text, first {len(found.lines)} of 300 lines")
    differs = compared([], [f"{line}{number}" for number in range(300)])
    assert 0 < sum(len(each.line) for each in differs.shown) <= SHOWN_CHARACTERS
    assert (differs.come, differs.is_cut) == (300, len(differs.shown) < 300)


# -- what it is ----------------------------------------------------------------------------------------------------

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + b"\x08\x06"
GIF = b"GIF89a" + (320).to_bytes(2, "little") + (200).to_bytes(2, "little")
_APP0 = b"\xff\xe0\x00\x10" + bytes(14)
_SOF = b"\x00\x11\x08" + (200).to_bytes(2, "big") + (320).to_bytes(2, "big")
JPEG = b"\xff\xd8" + _APP0 + b"\xff\xff\xc4\x00\x04ab" + b"\xff\xc2" + _SOF
_RIFF = b"RIFF\x00\x00\x00\x00WEBP"
VP8 = _RIFF + b"VP8 \x00\x00\x00\x00" + b"\x30\x01\x00\x9d\x01\x2a" + (640).to_bytes(2, "little") + b"\xe0\x41"
VP8L = _RIFF + b"VP8L\x00\x00\x00\x00\x2f" + (639 | 479 << 14).to_bytes(4, "little") + bytes(5)
VP8X = _RIFF + b"VP8X\x00\x00\x00\x00" + bytes(4) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (PNG, "PNG", (640, 480)), (GIF, "GIF", (320, 200)), (JPEG, "JPEG", (320, 200)),
        (VP8, "WebP", (640, 480)), (VP8L, "WebP", (640, 480)), (VP8X, "WebP", (640, 480)),
        (PNG[:20], "PNG", (0, 0)), (GIF[:7], "GIF", (0, 0)), (JPEG[:-1], "JPEG", (0, 0)), (VP8[:25], "WebP", (0, 0)),
        (b"\xff\xd8\xff\xe0\x00\x00" * 9, "JPEG", (0, 0)),
    ],
)  # fmt: skip
def test_the_size_of_an_image_stands_in_its_header(content, kind, size):
    image = image_of(content)
    assert image is not None
    assert (image.kind, (image.width, image.height)) == (kind, size)


def test_an_image_is_said_in_words():
    assert preview_of(PNG).said == "PNG image, 640 × 480 pixels"
    assert preview_of(GIF[:7]).said == "GIF image, of unknown size"


def zipped(*names: str, content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*names: str, kind: int = tarfile.PAX_FORMAT, content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_is_listed_also_with_long_names(kind):
    long = f"{'d' * 120}/{'n' * 60}" if kind != tarfile.USTAR_FORMAT else f"{'d' * 120}/n"
    listed = archive_of(tarred("a.txt", long, "統計", kind=kind, content=bytes(700)))
    assert listed is not None
    assert [entry.name for entry in listed.entries] == ["a.txt", long, "統計"]
    assert {entry.size_bytes for entry in listed.entries} == {700}
    assert (listed.found, listed.is_cut) == (3, False)


def test_a_folder_in_a_tar_has_its_slash():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("folder")
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    listed = archive_of(out.getvalue())
    assert listed is not None
    assert listed.entries[0].name == "folder/"


def test_archives_are_listed_and_nothing_is_unpacked():
    listed = [line.strip() for line in preview_of(zipped("a/b.txt", "\x1b[31mred")).lines]
    assert listed == ["1 B  a/b.txt", "1 B  \\u{1b}[31mred"]
    assert preview_of(zipped("a")).said == "zip archive, 1 entry; nothing was unpacked"
    many = preview_of(zipped(*map(str, range(300))))
    assert many.said == "zip archive, first 200 of 300 entries; nothing was unpacked"
    assert len(many.lines) == 200
    cut = preview_of(tarred("a", "b")[: 3 * 512])
    assert cut.said == "tar archive, 2 entries, and more that was not opened; nothing was unpacked"


@pytest.mark.parametrize(("pack", "kind"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")])
def test_what_is_compressed_is_looked_into(pack, kind):
    assert preview_of(pack(b"one\ntwo\n")).said == f"{kind}, in it text, 2 lines"
    assert preview_of(pack(tarred("a"))).said == f"{kind}, in it a tar archive, 1 entry; nothing was unpacked"
    assert preview_of(pack(b"one\ntwo\n")[:-9]).said.startswith((f"{kind}, its first", "bytes that are no text"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.sampled(3)
def test_a_bomb_is_as_large_as_its_beginning(pack):
    found = opened(pack(bytes(64 * MIB)))
    assert found is not None
    kind, out, is_cut = found
    assert (len(out), is_cut) == (archives.OPENED_BYTES, True), kind


def test_a_zip_that_says_of_itself_to_be_huge_costs_nothing():
    content = zipped("bomb", content=bytes(50 * MIB))
    assert preview_of(content).lines[0].strip() == "50 MiB  bomb"


def test_an_archive_of_many_entries_is_counted_and_its_beginning_listed():
    assert preview_of(zipped(*(f"{n}" for n in range(9000)))).said.startswith("zip archive, first 200 of 9,000")
    assert preview_of(tarred(*(f"{n}" for n in range(3000)))).said.startswith("tar archive, first 200 of 3,000")


@pytest.mark.parametrize(
    ("content", "said", "lines"),
    [
        (b"", "empty", ()),
        (b"one\r\ntwo\rthree\nfour", "text, 4 lines", ("one", "two", "three", "four")),
        (b"one\n", "text, 1 line", ("one",)),
        ("\ufeffgr\u00fc\u00df".encode(), "text, 1 line", ("grüß",)),
        ("\ufeffgr\u00fc\u00df".encode("utf-16-le"), "text, 1 line", ("grüß",)),
        ("\ufeffgr\u00fc\u00df".encode("utf-16-be"), "text, 1 line", ("grüß",)),
        (b"caf\xe9 au lait, s'il vous plait", "text, 1 line", ("caf\\xe9 au lait, s'il vous plait",)),
        (b"\x1b]0;pwned\x07 \x1b[2J", "text, 1 line", ("\\u{1b}]0;pwned\\u{7} \\u{1b}[2J",)),
        ("a\u202eb\u2028c".encode(), "text, 1 line", ("a\\u{202e}b\\u{2028}c",)),
        (b"a\tb", "text, 1 line", ("a       b",)),
        (b"[@click=app.quit]x[/]", "text, 1 line", ("[@click=app.quit]x[/]",)),
    ],
)
def test_a_text_is_shown_line_by_line_and_harmless(content, said, lines):
    found = preview_of(content)
    assert (found.said, found.lines) == (said, lines)


def test_a_long_text_and_a_long_line_are_cut():
    found = preview_of(b"line\n" * 250)
    assert (found.said, len(found.lines)) == ("text, first 200 of 250 lines", 200)
    assert preview_of(b"x" * 1500).lines == ("x" * 1000 + " … 500 more",)


def test_what_is_no_text_is_shown_by_its_numbers():
    found = preview_of(b"\x7fELF" + bytes(300))
    assert found.said == "bytes that are no text, image or archive: first 256 of 304 B"
    assert found.lines[0] == "00000000  7f 45 4c 46 00 00 00 00 00 00 00 00 00 00 00 00  .ELF............"
    assert len(found.lines) == 16
    assert text_of(bytes(range(1, 32)) * 20) is None


def test_lines_end_as_editors_end_them():
    assert lines_of("a\n\nb") == ["a", "", "b"]
    assert lines_of("") == []
    assert lines_of("a\x0bb\x85c") == ["a\x0bb\x85c"]


SEEDS = (PNG, GIF, JPEG, VP8, VP8L, VP8X, zipped("a", "b"), tarred("a", "b"), gzip.compress(b"x"), lzma.compress(b"x"))


@given(st.one_of(st.binary(max_size=2000), st.tuples(st.sampled_from(SEEDS), st.data())))
@example(b"\xff\xd8" + b"\xff" * 2000)
@example(b"PK\x05\x06" + b"\xff" * 18)
def test_whatever_the_bytes_are_an_answer_comes_and_it_is_harmless(content):
    if isinstance(content, tuple):
        seed, data = content
        spoiled = bytearray(seed)
        for _ in range(data.draw(st.integers(1, 4))):
            spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
        content = bytes(spoiled[: data.draw(st.integers(0, len(spoiled)))])
    found = preview_of(content)
    assert len(found.lines) <= 200
    for text in (found.said, *found.lines):
        assert len(text) <= 20_000
        assert not any(
            unicodedata.category(character) in {"Cc", "Cf"} for character in text if character not in "\u200c\u200d"
        )


# -- as a person meets it ------------------------------------------------------------------------------------------


@pytest.mark.every_run
async def test_enter_shows_what_stands_in_a_file_once_it_was_verified_and_the_log_has_the_download(tmp_path):
    async with driven(tmp_path, "ada") as run:
        run.service.store("plan.md", "max", b"# Plan\n\x1b[31mred\n")
        run.service.store("large.md", "max", b"x" * (MIB + 1))
        run.files.remote.read(anew=True)
        await run.quiet()
        before = sorted(path for path in tmp_path.rglob("*"))
        run.put_cursor_on("plan.md")
        await run.press("enter")
        assert run.dialog == "LookInto"
        assert "✓ verified: by max, version 1, text, 2 lines" in run.text()
        assert "# Plan" in run.screen()
        assert "\\u{1b}[31mred" in run.screen()
        lines = (await run.gateway.activity.before(EVERYTHING)).lines
        assert [line.kind for line in lines[:2]] == [LeafKind.DOWNLOAD_RECEIVED, LeafKind.DOWNLOAD_BEGUN]
        assert sorted(path for path in tmp_path.rglob("*")) == before
        await run.press("w")
        assert run.dialog == "Trust"
        assert "Every link that is needed holds. Open: receipt." in run.text()
        await run.press("escape")
        assert run.files.remote.current.state.value == "verified"
        run.put_cursor_on("large.md")
        await run.press("enter")
        assert "large.md: 1.0 MiB, and only up to 1.0 MiB is looked into. c gets it, v checks it" in run.text(
            "#message"
        )


@pytest.mark.every_run
async def test_of_what_does_not_hold_nothing_is_shown_but_why(tmp_path):
    async with driven(tmp_path) as run:
        run.service.store("forged.md", "ada", b"pay mallory\n", signed=b"pay the rent\n")
        run.files.remote.read(anew=True)
        await run.quiet()
        run.put_cursor_on("forged.md")
        await run.press("enter")
        assert "✗ The bytes of forged.md are not what ada signed. Nothing was kept." in run.text()
        assert "mallory" not in run.screen()
        await run.press("escape")
        assert run.files.remote.current.state.value == "bad"
        run.gateway.fail_next["look"] = ConnectionLostError()
        await run.press("enter")
        assert "connection" in run.text("#dialog")
        await run.press("escape")


async def test_a_file_is_got_from_where_it_is_looked_into_and_what_grew_meanwhile_is_not_shown(tmp_path):
    async with driven(tmp_path) as run:
        run.put_cursor_on("welcome.txt")
        await run.press("enter", "c")
        await run.moved()
        assert (tmp_path / "reports" / "welcome.txt").exists()
        run.service.store("welcome.txt", "ada", b"x" * (MIB + 1))
        await run.press("enter")
        assert "More than 1.0 MiB is not looked into: c gets it." in run.text()
