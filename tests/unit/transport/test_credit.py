from __future__ import annotations

from sft.transport.credit import CreditPool


def test_who_wants_much_is_not_overtaken_by_who_wants_little():
    pool, told = CreditPool(4), []
    for name, chunks in (("first", 3), ("much", 3), ("little", 1)):
        pool.when_free(chunks, lambda name=name: told.append(name))
    assert told == ["first"]
    pool.give_back(3)
    assert told == ["first", "much", "little"]
    assert pool.left == 0
