"""A proof that holds, changed in one thing: a check that takes it is broken. A million of them: ``tests/campaigns/ledger.py``.

Sizes are left as they are: a proof does not bind them. Another size in which the path turns the same ways has the same proof
for the same root. Root and size come together from a signed head, and neither is the peer's to choose.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from sft.errors import ProofInvalidError
from sft.ledger.proofs import (
    prove_consistency,
    prove_inclusion,
    prove_several,
    verify_consistency,
    verify_inclusion,
    verify_several,
)
from tests.unit.ledger.naive import HASHES, head, node

MOST = 1200


class TakenError(Exception):
    """A changed proof was taken for one that holds."""


Made = tuple[Callable[..., None], list[Any], tuple[int, ...]]


def mutate(chance: random.Random) -> str:
    """Make a proof, change it, and have it refused; return its kind; TakenError where it is taken."""
    kind, make = chance.choice(_MAKERS)
    verify, arguments, changeable = make(chance)
    verify(*arguments)
    changed = list(arguments)
    while changed == arguments:
        place = chance.choice(changeable)
        changed[place] = _changed(chance, arguments[place])
    try:
        verify(*changed)
    except ProofInvalidError:
        return kind
    raise TakenError(f"{kind}: {arguments} became {changed}")


def _inclusion(chance: random.Random) -> Made:
    size = chance.randint(1, MOST)
    index = chance.randrange(size)
    made = prove_inclusion(index, size, node)
    return verify_inclusion, [HASHES[index], index, size, made, head(0, size)], (0, 1, 3, 4)


def _several(chance: random.Random) -> Made:
    size = chance.randint(1, MOST)
    chosen = chance.sample(range(size), min(size, chance.randint(1, 8)))
    made = prove_several(chosen, size, node)
    return verify_several, [{each: HASHES[each] for each in chosen}, size, made, head(0, size)], (0, 2, 3)


def _consistency(chance: random.Random) -> Made:
    new = chance.randint(2, MOST)
    old = chance.randint(1, new - 1)
    made = prove_consistency(old, new, node)
    return verify_consistency, [old, head(0, old), new, head(0, new), made], (1, 3, 4)


_MAKERS: tuple[tuple[str, Callable[[random.Random], Made]], ...] = (
    ("inclusion", _inclusion),
    ("several", _several),
    ("consistency", _consistency),
)


def _changed(chance: random.Random, value: Any) -> Any:
    """Change one thing about an argument: a bit, a length, a number, an order."""
    if isinstance(value, int):
        return chance.choice([value + 1, value - 1, value * 2, value // 2, -value, chance.randint(0, MOST), 1 << 62])
    if isinstance(value, bytes):
        return _changed_bytes(chance, value)
    if isinstance(value, dict):
        return _changed_leaves(chance, value)
    return _changed_list(chance, value)


def _changed_bytes(chance: random.Random, value: bytes) -> bytes:
    changed = bytearray(value)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return chance.choice([bytes(changed), value[:-1], value + b"\0", b"", chance.randbytes(32), chance.choice(HASHES)])


def _changed_leaves(chance: random.Random, leaves: dict[int, bytes]) -> dict[int, bytes]:
    changed = dict(leaves)
    index = chance.choice(list(leaves))
    how = chance.randrange(4)
    if how == 0:
        changed[index] = _changed_bytes(chance, leaves[index])
    elif how == 1:
        del changed[index]
    elif how == 2:
        changed[chance.randint(-1, MOST)] = chance.choice(HASHES)
    else:
        changed[chance.randint(-1, MOST)] = changed.pop(index)
    return changed


def _changed_list(chance: random.Random, hashes: list[bytes]) -> list[bytes]:
    changed = list(hashes)
    how = chance.randrange(5)
    if how == 0 or not changed:
        changed.insert(chance.randint(0, len(changed)), chance.choice([*HASHES, *hashes]))
        return changed
    place = chance.randrange(len(changed))
    if how == 1:
        changed[place] = _changed_bytes(chance, changed[place])
    elif how == 2:
        del changed[place]
    elif how == 3:
        other = chance.randrange(len(changed))
        changed[place], changed[other] = changed[other], changed[place]
    else:
        changed = changed[:place]
    return changed
