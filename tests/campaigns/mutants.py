"""Break one guard after another, each in a copy of the tree; the tests named for it must fail: ``make mutants``.

Prints each mutant that survived and the count. With ``--default`` a survivor is tried against all default tests too.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.campaigns.mutations import MUTATIONS, Mutation
from tests.processes import say

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
PARTS: Final = ("sft", "tui", "tests", "docs", "migrations", "twisted", "pyproject.toml", *DOCUMENTS)
PATIENCE_SECONDS: Final = 300
PASSED, FAILED = 0, 1  # what pytest ends with


def copy_tree(target: Path) -> Path:
    """Copy what the tests need of the tree."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, target / part)
    return target


def run_tests(tree: Path, tests: Sequence[str], *, whole: bool = False) -> int | None:
    """Run tests in a copy; gives pytest's status, None if they do not end.

    Args:
        whole: no mutant is in it: say what fails, however long it takes.
    """
    output, patience = (None, None) if whole else (subprocess.DEVNULL, PATIENCE_SECONDS)
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0", "HYPOTHESIS_PROFILE": "mutants"}
    # A test that is named for a guard is run however long it takes.
    every = ("-m", "") if tests else ()
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *every, *tests]
    with tempfile.TemporaryDirectory() as scratch:
        environment["TMPDIR"] = scratch
        try:
            done = subprocess.run(
                words, cwd=tree, env=environment, check=False, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, timeout=patience,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    return done.returncode


@contextmanager
def mutated(tree: Path, mutation: Mutation) -> Iterator[None]:
    """Have a copy hold the mutant while the block runs."""
    path = tree / mutation.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutation.old) != 1:
        raise LookupError(f"{mutation.file}: {mutation.old!r} does not stand there exactly once")

    def write(text: str) -> None:
        # A file of the same size in the same second would be taken for the one that was compiled.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")

    write(whole.replace(mutation.old, mutation.new))
    try:
        yield
    finally:
        write(whole)


def survives(tree: Path, mutation: Mutation, *, default: bool) -> str:
    """Try one mutant; gives what is wrong, nothing if it was killed."""
    with mutated(tree, mutation):
        status = run_tests(tree, mutation.tests.split())
        if status == PASSED and default:
            status = run_tests(tree, ())
    if status in {FAILED, None}:
        return ""
    return "survived" if status == PASSED else f"its tests could not be run: pytest ended with {status}"


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="of these files or guards alone")
    parser.add_argument("--default", action="store_true", help="try survivors against all default tests")
    parser.add_argument("--trust", action="store_true", help="the tests pass without a mutant")
    options = parser.parse_args()
    chosen = [each for each in MUTATIONS if options.only in f"{each.file} {each.guards}"]
    if not chosen:
        parser.error(f"no guard has {options.only} in its file or its words")
    began = time.monotonic()
    trees: SimpleQueue[Path] = SimpleQueue()

    def attempt(mutation: Mutation) -> str:
        tree = trees.get()
        try:
            return survives(tree, mutation, default=options.default)
        finally:
            trees.put(tree)

    with tempfile.TemporaryDirectory(prefix="sft-mutants-") as folder:
        for number in range(options.workers):
            trees.put(copy_tree(Path(folder) / str(number)))
        tests = sorted({test for mutation in chosen for test in mutation.tests.split()})
        tree = trees.get()
        if not options.trust and run_tests(tree, tests, whole=True) != PASSED:
            say("the tests fail without any mutant: mend them first")
            return 1
        trees.put(tree)
        with ThreadPoolExecutor(options.workers) as pool:
            survivors = 0
            for mutation, problem in zip(chosen, pool.map(attempt, chosen), strict=True):
                survivors += bool(problem)
                if problem:
                    say(f"{mutation.file}: {mutation.guards}: {problem}")
    seconds = time.monotonic() - began
    say(f"{len(chosen)} mutants: {len(chosen) - survivors} killed, {survivors} survived, in {seconds:.0f} s")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
