"""FORMAT.md against the code: every table of a layout, every number, every label, every file name."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

import sft.vault
from sft import limits
from sft.crypto import kdf
from sft.vault import keyring, layout, object_directory

ROOT = Path(__file__).parents[3]
TEXT = (Path(sft.vault.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")

LAYOUTS = {
    "### Header": layout.HEADER,
    "### Sealed key": struct.Struct(f">{layout.NONCE_BYTES}s"),
    "### Later key": layout.LATER_KEY,
    "## 5. A sidecar": layout.SIDECAR_HEADER,
    "### Sidecar keys": layout.SIDECAR_KEYS,
    "### Keyring file": struct.Struct(keyring.KEYRING_HEADER.format + "24s"),
    "### Keyring record": keyring.RECORD,
    "### Older epoch": keyring.OLDER_EPOCH,
    "### Succession": keyring.NOTE_LENGTH,
    "### Chunks": struct.Struct(">15sQB"),
}


def rows_under(heading: str) -> list[list[str]]:
    """The first table under a heading, without its head."""
    section = TEXT.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def fields(form: struct.Struct) -> list[int]:
    return [struct.calcsize(">" + code) for code in re.findall(r"\d*[a-zA-Z]", form.format)]


@pytest.mark.parametrize("heading", LAYOUTS)
def test_a_table_is_the_layout_of_the_code(heading):
    rows = rows_under(heading)
    sized = [(int(offset), int(size)) for offset, size, *_ in rows if size]
    sizes = fields(LAYOUTS[heading])
    assert [size for _, size in sized] == sizes
    assert [offset for offset, _ in sized] == [sum(sizes[:n]) for n in range(len(sizes))]
    # What has no size is a box up to the end, and the last.
    assert [int(offset) for offset, size, *_ in rows if not size] in ([], [sum(sizes)])


def test_every_layout_of_the_document_is_compared():
    assert TEXT.count("| offset | size | type | field |") == len(LAYOUTS)


def test_the_numbers_are_those_of_the_code():
    rows = rows_under("## 2. Numbers")
    assert len(rows) == 16
    for name, value in rows:
        found = [getattr(m, name) for m in (layout, keyring, limits) if hasattr(m, name)]
        assert {int(value)} == set(found), name


def test_magics_and_versions_are_those_of_the_code():
    for magic in (layout.OBJECT_MAGIC, layout.SIDECAR_MAGIC, keyring.KEYRING_MAGIC):
        assert f"magic, `{magic.decode()}`" in TEXT
    assert layout.VERSION == keyring.KEYRING_VERSION == 1
    assert 1 << layout.CHUNK_LOG2 == layout.CHUNK_BYTES


def test_labels_are_those_of_the_code():
    for label in (
        kdf._PAYLOAD,
        kdf._LATER_KEY,
        kdf._WRAPPING,
        kdf._KEYRING,
        kdf._KEYRING_CHECK,
        kdf._OBJECT_SIDECAR,
        keyring._BINDING,
    ):
        assert f"`{label.decode()}`" in TEXT


def test_names_of_files_are_those_of_the_code():
    for place in (object_directory.OBJECTS, object_directory.INCOMING, object_directory.QUARANTINE):
        assert f"    {place}/" in TEXT
    for suffix in (object_directory.SIDECAR_SUFFIX, object_directory.OBJECT_SUFFIX, object_directory.SEGMENTS_SUFFIX):
        assert f"<id>{suffix}" in TEXT


def test_the_vectors_that_are_named_are_there():
    vectors = json.loads((ROOT / "tests/vectors/vault.json").read_text(encoding="utf-8"))
    named = re.findall(r"`([a-z_]+)`", TEXT.split("## 12. Vectors")[1].split("\n## ")[0])
    assert set(vectors) == set(named)
    sizes = re.search(r"sizes ([\d, and]+), with", TEXT)[1].replace(" and ", ", ")
    assert [item["size"] for item in vectors["objects"]] == [int(text.replace(",", "")) for text in sizes.split(", ")]
