"""The program's text, read and parsed once for all tests that look at it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Module:
    """One file of the program."""

    name: str
    text: str

    # Parsed by the first test that looks: whoever only collects the tests needs no tree.
    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        # As ``ast.walk``, in half its time: of the contexts of names, which say load or store, there are as many as names.
        nodes: list[ast.AST] = [self.tree]
        for node in nodes:
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, list):
                    nodes += [each for each in value if isinstance(each, ast.AST)]
                elif isinstance(value, ast.AST) and name != "ctx":
                    nodes.append(value)
        return nodes

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @property
    def is_program(self) -> bool:
        return '__name__ == "__main__"' in self.text

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.nodes if isinstance(node, ast.ClassDef))

    def calls(self) -> set[str]:
        called = (node.func for node in self.nodes if isinstance(node, ast.Call))
        return {function.id for function in called if isinstance(function, ast.Name)}


def _module(path: Path) -> Module:
    return Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))


MODULES = [_module(path) for top in ("sft", "tui", "migrations") for path in sorted((ROOT / top).rglob("*.py"))]
