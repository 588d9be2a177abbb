"""No module of the program needs, by any way, another one that needs it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _imports() -> dict[str, set[str]]:
    """Who imports whom: at the top, within functions and for types alike."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for top in ("sft", "tui")
        for path in (ROOT / top).rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, path in paths.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                # What is no module is a name of the package itself.
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {one if one in paths else node.module for one in inner}
        graph[name] = (found & paths.keys()) - {name}
    return graph


def _circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Take away again and again what imports nothing that is left, or what nothing that is left imports."""
    left = {name: set(targets) for name, targets in graph.items()}
    while True:
        imported = set().union(*left.values()) if left else set()
        gone = {name for name, targets in left.items() if not targets or name not in imported}
        if not gone:
            return [{name, *targets} for name, targets in left.items()]
        left = {name: targets - gone for name, targets in left.items() if name not in gone}


def test_a_circle_is_seen() -> None:
    line = {"a": {"b"}, "b": {"c"}, "c": set()}
    assert _circles(line) == []
    assert _circles(line | {"c": {"a"}, "d": {"a"}}) == [{"a", "b"}, {"b", "c"}, {"c", "a"}]


def test_no_circle_of_imports() -> None:
    graph = _imports()
    assert len(graph) > 100
    assert any(targets for targets in graph.values())
    assert _circles(graph) == []
