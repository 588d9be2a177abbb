from __future__ import annotations

import os

import pytest

from sft.demo.stage import DemoStage, Ended, UnexpectedError, beginning, changed_byte, library_files
from sft.limits import SEGMENT_BYTES


def test_a_byte_is_changed_and_put_back(tmp_path):
    path = tmp_path / "object"
    path.write_bytes(b"content")
    with pytest.raises(ZeroDivisionError), changed_byte(path):
        changed = path.read_bytes()
        raise ZeroDivisionError
    assert sum(a != b for a, b in zip(changed, b"content", strict=True)) == 1
    assert path.read_bytes() == b"content"


def test_the_library_is_its_sources_alone(tmp_path):
    for name in ("b.py", "a/c.py", "a/__pycache__/c.py", "site-packages/x.py", "data.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "link.py").symlink_to("b.py")
    assert [str(path) for path in library_files(tmp_path)] == ["a/c.py", "b.py"]


def test_an_object_is_a_little_larger_than_its_content(tmp_path):
    stage = DemoStage(tmp_path)
    vault = stage.home / "data" / "vault"
    vault.mkdir(parents=True)
    (vault.parent / "sft.sqlite").write_bytes(bytes(101))
    for size in (90, 105, 5000):
        (vault / str(size)).write_bytes(bytes(size))
    assert stage.object_of(100).name == "105"
    with pytest.raises(UnexpectedError):
        stage.object_of(5000)


def test_of_a_large_content_it_is_a_segment(tmp_path):
    stage = DemoStage(tmp_path)
    vault = stage.home / "data" / "vault"
    vault.mkdir(parents=True)
    for size in (5000, SEGMENT_BYTES + 40):
        (vault / str(size)).touch()
        os.truncate(vault / str(size), size)
    assert stage.object_of(16 * SEGMENT_BYTES).name == str(SEGMENT_BYTES + 40)


def test_a_command_with_another_status_is_unexpected(tmp_path):
    stage = DemoStage(tmp_path)
    assert "[NOT_JOINED]" in stage.sft("ada", "ls", status=8).err
    with pytest.raises(UnexpectedError, match="sft ls: status 8 in place of 0: sft: This computer"):
        stage.sft("ada", "ls")


def test_people_are_not_who_runs_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("SFT_PASSPHRASE_FILE", "/nonexistent")
    monkeypatch.setenv("SFT_HOME", str(tmp_path / "mine"))
    DemoStage(tmp_path).sft("ada", "servers", "--json")
    assert "mine" not in os.listdir(tmp_path)


def test_what_is_no_document_is_unexpected():
    with pytest.raises(UnexpectedError):
        Ended(0, "not JSON", "", 0.1).document()


def test_only_the_beginning_of_much_is_shown():
    assert beginning("\n".join("abcdefgh")) == "a; b; c; d; e"
