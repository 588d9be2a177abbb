"""A client that does many commands one after the other, in one process: what they ended with, as a JSON object.

python -m tests.e2e.racing_client SEED ROUNDS NAMES      in the folder and with the environment of a person
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
from collections import Counter
from pathlib import Path

from sft.cli.invocation import Environment
from sft.cli.main import main

FORESEEN = {0, 1, 2, 3, 4, 5}  # 1 is of several names of which some failed


def words_of(draw: random.Random, names: list[str], number: int) -> list[str]:
    """Draw one command on one of the names that everybody uses."""
    name, other = draw.choice(names), draw.choice(names)
    Path("source").write_text(f"{os.getpid()} {number}")
    kind = draw.choice(("put", "put", "replace", "rm", "rm -r", "restore", "destroy", "mv", "owner", "mkdir"))
    return {
        "put": ["put", "source", "--as", f"{name}/f"],
        "replace": ["put", "source", "--as", f"{name}/f", "--replace"],
        "rm": ["rm", f"{name}/f"],
        "rm -r": ["rm", "-r", name, "--yes"],
        "restore": ["restore", draw.choice((name, f"{name}/f"))],
        "destroy": ["rm", "--trash", draw.choice((name, f"{name}/f")), "--yes"],
        "mv": ["mv", draw.choice((name, f"{name}/f")), draw.choice((other, f"{other}/f"))],
        "owner": ["owner", draw.choice(("ada", "max")), draw.choice((name, f"{name}/f")), "--yes"],
        "mkdir": ["mkdir", name],
    }[kind]


def race(seed: int, rounds: int, names: list[str]) -> dict[str, object]:
    """Do so many commands; return how many ended with which status, and what was said of those that had a fault."""
    draw, ended, faults = random.Random(seed), Counter[str](), list[str]()
    for number in range(rounds):
        words = words_of(draw, names, number)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(words, Environment(os.environ))
        ended[f"{words[0]} {status}"] += 1
        # What changed meanwhile is absent, in the way, another's or on its way to them: never a fault, or a proof that is bad.
        foreseen = status in FORESEEN or "[HANDING_OVER]" in err.getvalue()
        if not foreseen or "[INTERNAL]" in err.getvalue() or "[FAULT]" in err.getvalue():
            faults.append(f"{words}: {status}: {err.getvalue()[-300:]}")
    return {"ended": dict(sorted(ended.items())), "faults": faults}


if __name__ == "__main__":
    print(json.dumps(race(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","))))
