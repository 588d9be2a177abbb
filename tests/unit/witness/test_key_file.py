"""The witness's keys: made once, closed to others, and refused where they are not whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sft.crypto.note_keys import SignatureType
from sft.witness.key_file import KEYS, make_keys, read_keys

NAME = "witness.example.org/w1"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path, os.O_RDONLY)
    yield opened
    os.close(opened)


def test_keys_are_made_once_and_read_again(folder: int, tmp_path: Path):
    assert read_keys(folder) is None
    made = make_keys(folder, NAME)
    read = read_keys(folder)
    assert read is not None
    assert read.name == made.name == NAME
    assert [each.public for each in read.cosigners] == [each.public for each in made.cosigners]
    assert [each.public.kind for each in read.cosigners] == [
        SignatureType.ED25519_COSIGNATURE,
        SignatureType.MLDSA44_COSIGNATURE,
    ]
    assert {each.public.name for each in read.cosigners} == {NAME}
    assert (tmp_path / KEYS).stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == [KEYS]


def test_the_two_keys_share_no_seed(folder: int, tmp_path: Path):
    make_keys(folder, NAME)
    said = json.loads((tmp_path / KEYS).read_text())
    assert said["ed25519"] != said["mldsa44"]
    assert {len(said["ed25519"]), len(said["mldsa44"])} == {64}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700])
def test_keys_that_others_may_read_are_refused(folder: int, tmp_path: Path, mode: int):
    make_keys(folder, NAME)
    (tmp_path / KEYS).chmod(mode)
    with pytest.raises(PermissionError):
        read_keys(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "two words"},
        {"name": "a+b"},
        {"name": ""},
        {"ed25519": "00"},
        {"mldsa44": "zz" * 32},
        {"mldsa44": 1},
        {"more": ""},
    ],
)
def test_a_damaged_file_is_refused(folder: int, tmp_path: Path, changed: dict[str, object]):
    make_keys(folder, NAME)
    path = tmp_path / KEYS
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(ValueError, match=r"form|no name|seed|hexadecimal|bytes"):
        read_keys(folder)
    path.write_bytes(b"\xff{")
    with pytest.raises(ValueError, match=r"form|no name|seed|hexadecimal|bytes"):
        read_keys(folder)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256])
def test_what_is_no_name_makes_no_keys(folder: int, tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="no name"):
        make_keys(folder, name)
    assert os.listdir(tmp_path) == []
