"""What is said to somebody who lost a key is what there is: no new key for a name, but another name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sft
import tui

ROOTS = [Path(tui.__file__).parent, Path(sft.__file__).parent / "cli", Path(sft.__file__).parent / "operator"]

# A name keeps its key for ever: nobody resets it, and nobody is let in with another one.
PROMISES = re.compile(
    r"(?<!nobody can )\breset\b"
    r"|\bin again,? with (?!the same)"
    r"|\b(?:gives?|gets?|make|for) (?:you |them |somebody )?(?:a new|another) key\b"
)


def texts_of(source: str) -> Iterator[str]:
    """Collect what a module says: its strings, without the comments at the head of modules, classes and functions."""
    nodes = list(ast.walk(ast.parse(source)))
    silent = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            silent.update(id(part) for part in node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            yield node.value


def said() -> list[str]:
    return [text for root in ROOTS for path in sorted(root.rglob("*.py")) for text in texts_of(path.read_text("utf-8"))]


@pytest.mark.parametrize(
    "text",
    [
        "Forgotten? An admin lets you in again with a new key.",
        "An admin gives you a new key",
        "Removed, disabled or reset?",
    ],
)
def test_a_promise_of_a_new_key_is_found(text):
    assert PROMISES.search(text)


def test_no_text_promises_a_new_key_for_a_name():
    assert [text for text in said() if PROMISES.search(text)] == []


def test_who_is_invited_anew_is_told_that_it_is_under_another_name():
    texts = [text for text in said() if re.search(r"\binvited? (?:you|anew)\b|\binvites you\b", text)]
    assert len(texts) > 5
    assert [text for text in texts if "under another name" not in text] == []
