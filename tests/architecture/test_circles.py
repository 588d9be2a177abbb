"""No module of the program needs, by any way, another one that needs it."""

from __future__ import annotations

import ast

from tests.architecture.modules import MODULES


def _imports() -> dict[str, set[str]]:
    """Who imports whom: at the top, within functions and for types alike."""
    modules = {
        module.name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): module
        for module in MODULES
        if module.name.startswith(("sft/", "tui/"))
    }
    graph: dict[str, set[str]] = {}
    for name, module in modules.items():
        found: set[str] = set()
        for node in module.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                # What is no module is a name of the package itself.
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {one if one in modules else node.module for one in inner}
        graph[name] = (found & modules.keys()) - {name}
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
